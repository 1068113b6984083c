"""The very same bytes for many photos are no picture, until that is what stays."""

from dataclasses import replace
from datetime import date

import pytest

from phx_pipeline.errors import ImageError
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.repeats import MOST_ALIKE, Repeats

TODAY, YESTERDAY = date(2026, 3, 9), date(2026, 3, 8)
CARD, ROOM = "c" * 64, "f" * 64


def photo(number: int, *, sha256: str | None = None) -> Photo:
    ref = PhotoRef(
        source=Source.REDFIN,
        photo_key=f"57-1_{number}",
        url=f"https://photos.example/{number}.jpg",
        position=number,
    )
    return Photo(
        property_slug="4732-w-davis-rd-glendale-az-85306",
        ref=ref,
        listed_on=None,
        first_seen_on=TODAY,
        present=True,
        verdict=Verdict.PENDING,
        sha256=sha256,
    )


def repeats(*held: Photo) -> Repeats:
    return Repeats(held, final_after_days=3, today=TODAY)


def refused(found: Repeats, photos: list[Photo], *, sha256: str = CARD) -> int:
    count = 0
    for each in photos:
        try:
            found.check(each, sha256)
        except ImageError as error:
            count += error.verdict is Verdict.PLACEHOLDER
    return count


@pytest.mark.parametrize(
    ("photos", "expected"), [(1, 0), (MOST_ALIKE, 0), (MOST_ALIKE + 1, 1), (20, 17)]
)
def test_a_few_photos_may_be_the_same_and_no_more(photos: int, expected: int) -> None:
    found = repeats()

    assert refused(found, [photo(number) for number in range(photos)]) == expected
    assert set(found.new) == ({CARD} if expected else set())
    assert refused(found, [photo(99)], sha256=ROOM) == 0


def test_bytes_held_before_count_and_are_not_given_up() -> None:
    held = [photo(number, sha256=CARD) for number in range(MOST_ALIKE)]
    found = repeats(*held)

    assert refused(found, [photo(9)]) == 1
    assert refused(found, held) == 0
    assert found.new == {}


@pytest.mark.parametrize(
    ("days", "last", "expected"),
    [(0, None, 1), (1, YESTERDAY, 1), (2, TODAY, 1), (2, YESTERDAY, 0), (3, TODAY, 0)],
)
def test_what_comes_on_the_last_day_too_is_what_the_gallery_shows(
    days: int, last: date | None, expected: int
) -> None:
    found = repeats(*(photo(number, sha256=CARD) for number in range(MOST_ALIKE)))
    failing = replace(photo(9), fault_days=days, faulted_on=last)

    assert refused(found, [failing]) == expected
