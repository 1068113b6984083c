"""A long download tells how far it is, in few lines."""

import logging
from datetime import date

import pytest

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.progress import Progress

HOUSE = "a-house"


def photos(count: int, *, source: Source = Source.REDFIN) -> list[Photo]:
    return [
        Photo(
            property_slug=HOUSE,
            ref=PhotoRef(source=source, photo_key=f"{n}", url="", position=n),
            listed_on=None,
            first_seen_on=date(2025, 3, 9),
            present=True,
            verdict=Verdict.PENDING,
        )
        for n in range(count)
    ]


class Clock:
    """A clock that stands still until it is set."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(caplog: pytest.LogCaptureFixture) -> Clock:
    caplog.set_level(logging.INFO, logger="phx_pipeline.stages.progress")
    return Clock()


def test_after_five_seconds_and_at_the_end_it_is_told_what_came(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = Progress(HOUSE, photos(45), clock=clock)

    for number in range(45):
        clock.now_s = 1_000.0 + number / 4
        progress.came(Source.REDFIN, size_bytes=150_000)

    assert caplog.messages == [
        "a-house redfin: 21 of 45 photos, 3.1 MB",
        "a-house redfin: 41 of 45 photos, 6.2 MB",
        "a-house redfin: 45 of 45 photos, 6.8 MB",
    ]


def test_sources_are_told_apart(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    both = [*photos(1), *photos(2, source=Source.ZILLOW)]
    progress = Progress(HOUSE, both, clock=clock)

    progress.came(Source.REDFIN, size_bytes=1_000_000)
    progress.came(Source.ZILLOW, size_bytes=1_000_000)

    assert caplog.messages == ["a-house redfin: 1 of 1 photo, 1.0 MB"]


def test_of_many_photos_that_fail_only_the_first_are_told_one_by_one(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    asked = photos(200)
    progress = Progress(HOUSE, asked, clock=clock)

    for photo in asked[:150]:
        progress.failed(photo, Verdict.GONE, "404")
    for photo in asked[150:]:
        progress.kept_back(photo.ref.source)

    *first, last = caplog.messages
    counted = "0 of 200 photos, 0.0 MB, 150 failed:gone"
    assert first == [f"a-house {number}: 404" for number in range(5)]
    assert last == f"a-house redfin: {counted}, 50 not asked for, the source rests"


def test_two_hours_of_downloads_are_a_few_dozen_lines(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    progress = Progress(HOUSE, photos(7_200), clock=clock)

    for second in range(7_200):
        clock.now_s = 1_000.0 + second
        progress.came(Source.REDFIN, size_bytes=1)

    assert 20 < len(caplog.messages) <= 40
