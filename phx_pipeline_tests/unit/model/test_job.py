"""What follows from a job's properties, and whether one run does what another would."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from phx_pipeline.model.job import (
    Job,
    JobCounts,
    JobProperty,
    JobState,
    Mode,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.jobs import job_item

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_RESUME, _FRESH = Mode.RESUME, Mode.FRESH
_Z, _R = Source.ZILLOW, Source.REDFIN


@pytest.mark.parametrize(
    ("has", "wanted", "covers"),
    [
        ((), (), True),
        ((), (_R,), True),
        ((_R,), (), False),
        ((_R,), (_R,), True),
        ((_R, _Z), (_R,), True),
        ((_R,), (_R, _Z), False),
        ((_Z,), (_R,), False),
    ],
)
@pytest.mark.parametrize(
    ("does", "asked", "enough"),
    [
        (_RESUME, _RESUME, True),
        (_FRESH, _RESUME, True),
        (_FRESH, _FRESH, True),
        (_RESUME, _FRESH, False),
    ],
)
def test_wider_sources_and_a_stronger_mode_do_what_less_would_do(
    has: tuple[Source, ...],
    wanted: tuple[Source, ...],
    does: Mode,
    asked: Mode,
    *,
    covers: bool,
    enough: bool,
) -> None:
    item = job_item(sources=has, mode=does)

    assert item.covers(sources=wanted, mode=asked) is (covers and enough)


def job(*states: str, seconds: float = 60) -> Job:
    """Each property that ended took *seconds*, one after the other."""
    items = [
        JobProperty(slug=f"{n}", address=f"{n} A St", folder="f", state=JobState(state))
        for n, state in enumerate(states)
    ]
    ended = [
        replace(
            item,
            error="why" if item.state is not JobState.COMPLETED else "",
            counts=JobCounts(total=5, new=2, duplicate=1),
            started_at=_AT + n * timedelta(seconds=seconds),
            ended_at=_AT + (n + 1) * timedelta(seconds=seconds),
            updated_at=_AT + (n + 1) * timedelta(seconds=seconds),
            took_s=seconds,
        )
        if item.state.is_final
        else item
        for n, item in enumerate(items)
    ]
    return Job(job_id="j", mode=_RESUME, created_at=_AT, items=tuple(ended))


@pytest.mark.parametrize(
    ("states", "whole", "percent"),
    [
        ("", "completed", 100),
        ("pending queued", "pending", 0),
        ("pending in_progress", "in_progress", 0),
        ("pending completed", "in_progress", 50),
        ("retrying completed completed", "in_progress", 66),
        ("completed completed", "completed", 100),
        ("completed partial", "partial", 100),
        ("completed failed", "partial", 100),
        ("failed cancelled", "failed", 100),
        ("cancelled cancelled", "cancelled", 100),
        ("completed cancelled", "partial", 100),
    ],
)
def test_a_job_is_where_its_properties_are(
    states: str, whole: str, percent: int
) -> None:
    made = job(*states.split())

    assert (made.state, made.progress_percent) == (JobState(whole), percent)
    assert (made.completed_at is not None) == made.state.is_final == (percent == 100)
    assert sum(made.counts.values()) == len(made.items)


@pytest.mark.parametrize(("houses", "rarer"), [(0, 1), (1_000, 1), (10_000, 10)])
def test_a_large_job_is_looked_at_more_rarely(houses: int, rarer: float) -> None:
    assert job(*["pending"] * houses).look_rarer == rarer


def test_a_job_that_was_called_off_is_so_even_if_some_had_ended() -> None:
    made = job("completed", "failed", "cancelled")

    assert replace(made, cancelled_at=_AT).state is JobState.CANCELLED
    assert replace(job("completed"), cancelled_at=_AT).state is JobState.COMPLETED


def test_a_job_sums_up_what_its_properties_did() -> None:
    made = job("completed", "failed", "partial", "pending")

    assert (made.total_images, made.new_images, made.duplicate_images) == (15, 6, 3)
    assert made.failed_properties_list == ["1 A St"]
    assert made.error_message == "1 A St: why"
    assert made.started_at == _AT
    assert made.progress_updated_at == _AT + timedelta(seconds=180)


@pytest.mark.parametrize(
    ("states", "slots", "left_s"),
    [
        ("pending in_progress", 3, None),
        ("completed pending", 3, 60),
        ("completed failed pending pending pending pending pending pending", 3, 120),
        ("completed completed", 3, 0),
    ],
)
def test_what_is_left_takes_as_long_as_what_was_done(
    states: str, slots: int, left_s: float | None
) -> None:
    assert job(*states.split()).remaining_s(slots=slots) == left_s
