"""Answers of photo hosts that are no pictures."""

from dataclasses import replace

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    FetchError,
    GoneError,
    HostRefusedError,
    ImageError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import (
    Request,
)
from phx_pipeline.fetch.events import Event, event_of
from phx_pipeline.fetch.retries import Backoff, Retries
from phx_pipeline_tests.unit.fetch.policies.conftest import (
    API,
    BAD,
    NOW_S,
    PAGE,
    PHOTO,
    URL,
    Memory,
    Site,
    ends_of,
    judged,
    stack,
)


async def test_five_answers_in_a_row_that_are_no_pictures_open_the_circuit(
    memory: Memory,
) -> None:
    site = Site(memory)

    ends = await ends_of(memory, site, judged(*[BAD] * 7), times=7)

    assert ends == ["ImageError"] * 5 + ["CircuitOpenError"] * 2
    assert len(site.asked_at) == 5
    assert memory.state("redfin/photos").open_until == NOW_S + 300
    assert memory.state("redfin").open_until is None


async def test_a_picture_in_between_begins_the_count_anew(memory: Memory) -> None:
    verdicts = [BAD, BAD, BAD, BAD, None, BAD, BAD, BAD, BAD]

    ends = await ends_of(memory, Site(memory), judged(*verdicts), times=9)

    assert "CircuitOpenError" not in ends
    assert memory.state("redfin/photos").failures == 4


@pytest.mark.parametrize(
    ("request_", "asked"),
    [(PHOTO, 5), (replace(PHOTO, has_spare=True), 9), (API, 9), (PAGE, 9)],
    ids=["photo", "one size of a photo", "answer", "page"],
)
async def test_only_photos_that_are_missing_altogether_count_against_their_hosts(
    memory: Memory, request_: Request, asked: int
) -> None:
    site = Site(memory, *[GoneError("404", url=URL, status=404)] * 9)

    await ends_of(memory, site, request_, times=9)

    assert len(site.asked_at) == asked


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (FetchError("answered 418", url=URL, status=418), Event.NO_PICTURE),
        (FetchError("more than 5 redirects", url=URL), Event.NO_PICTURE),
        (BodyLimitError("big", url=URL), Event.NO_PICTURE),
        (HostRefusedError("unlisted", url=URL, redirected=True), Event.NO_PICTURE),
        (HostRefusedError("unlisted", url=URL), None),
        (SourceDisabledError("off", url=URL), None),
        (TransientError("reset", url=URL), Event.FAILURE),
        (BlockedError("403", url=URL, status=403), Event.BLOCK),
    ],
)
def test_whatever_comes_in_place_of_a_photo_counts_against_its_host(
    error: FetchError, event: Event | None
) -> None:
    assert event_of(error, request=PHOTO) is event


async def test_connection_failures_of_photos_need_only_three(memory: Memory) -> None:
    site = Site(memory, *[TransientError("reset", url=URL)] * 9)

    await ends_of(memory, site, PHOTO, times=9)

    assert len(site.asked_at) == 3


async def test_an_answer_that_is_no_picture_is_not_asked_for_again(
    memory: Memory,
) -> None:
    site = Site(memory)
    quick = Backoff(initial_s=0.001, ceiling_s=0.001, jitter_s=0)

    with pytest.raises(ImageError):
        await Retries(stack(memory, site), backoff=quick).get(judged(BAD))

    assert len(site.asked_at) == 1
