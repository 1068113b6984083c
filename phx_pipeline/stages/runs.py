"""The record of a run: begun before the first stage, ended by what comes last.

What a run did is told by comparing the photos of its property at the start and at the
end, so it is right whatever stages ran, and in whatever order.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.errors import PhxError
from phx_pipeline.model.job import Mode
from phx_pipeline.model.run import (
    PhotoState,
    RunOutcome,
    RunRecord,
    RunResult,
    compare,
)
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.surprise import known

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 5.0  # for the lease, when a run has failed already
_LONGEST_ERROR: Final = 500
_UNPUBLISHED: Final = "the run ended before the property was published"
_RENAMED: Final = "the property got another address while the run was at work"
_STOPPED: Final = "it was told to end before it was done"


@contextmanager
def recorded(context: StageContext, slug: str, *, mode: Mode) -> Iterator[None]:
    """Begin the record of the context's run for *slug*, unless an earlier stage did.

    Whatever ends the body early is recorded as the end of the run, and goes on.
    """
    _begin(context, slug, mode=mode)
    try:
        yield
    except BaseException as error:
        # An interruption is no `Exception`, and is told from a failure by that.
        failed = isinstance(error, Exception)
        outcome = RunOutcome.FAILED if failed else RunOutcome.CANCELLED
        told = _reason(error) if failed else _STOPPED
        with suppress(PhxError):  # the first error is the one to tell
            end_early(context, slug, outcome=outcome, error=told[:_LONGEST_ERROR])
        raise


def _reason(error: BaseException) -> str:
    return " ".join(str(known(error) or error).split()) or type(error).__name__


def end_run(context: StageContext, lease: Lease, slug: str) -> None:
    """Record that the context's run of *slug* has come to its end, if it was begun."""
    record = context.catalog.runs.record(context.run_id, slug)
    if record is None or record.ended_at is not None:
        return
    # It is the end of the run that publishes, so the rest decides.
    tally = replace(context.tally(slug), is_published=True)
    if not tally.gave_anything:
        outcome = RunOutcome.NOTHING
    else:
        outcome = RunOutcome.COMPLETE if tally.is_complete else RunOutcome.PARTIAL
    _record_end(context, lease, record, outcome=outcome)


def end_early(
    context: StageContext, slug: str, *, outcome: RunOutcome, error: str
) -> None:
    """Record the end of a run that published nothing; one that has ended stays."""
    record = context.catalog.runs.record(context.run_id, slug)
    if record is None or record.ended_at is not None:
        return
    patience_s = min(_PATIENCE_S, context.lease_wait_s)
    with replace(context, lease_wait_s=patience_s).holding(slug) as lease:
        _record_end(context, lease, record, outcome=outcome, error=error)


def end_left_open(context: StageContext, *, began_as: str | None = None) -> None:
    """End the records the context's run leaves open: it ran some stages only.

    *began_as* is the key its property had when it began. One that was renamed since is
    asked for anew: what the run did for it is no end.
    """
    for record in context.catalog.runs.of_run(context.run_id):
        is_renamed = began_as not in {None, record.slug}
        told = _RENAMED if is_renamed else _UNPUBLISHED
        outcome = RunOutcome.FAILED if is_renamed else RunOutcome.PARTIAL
        with suppress(PhxError):  # shown as running until the next run, like a kill
            end_early(context, record.slug, outcome=outcome, error=told)


def _begin(context: StageContext, slug: str, *, mode: Mode) -> None:
    runs = context.catalog.runs
    record = runs.record(context.run_id, slug)
    if record is not None and record.ended_at is None:
        return
    with context.holding(slug) as lease:
        photos = runs.photo_states(slug)
        others = runs.without_end(slug)
        runs.record_started(
            lease,
            slug,
            mode=mode,
            job_id=context.job_id,
            photos=photos,
            interrupted={
                run_id: _result(context, slug, run_id, before=before, now=photos)
                for run_id, before in others.items()
            },
            stamp=context.stamp(),
        )


def _result(
    context: StageContext,
    slug: str,
    run_id: str,
    *,
    before: list[PhotoState],
    now: list[PhotoState],
) -> RunResult:
    record = context.catalog.runs.record(run_id, slug)
    if record is None:
        return RunResult()
    return compare(
        before,
        now,
        answers=context.catalog.runs.answers(slug),
        run_id=run_id,
        started_at=record.started_at,
    )


def _record_end(
    context: StageContext,
    lease: Lease,
    record: RunRecord,
    *,
    outcome: RunOutcome,
    error: str = "",
) -> None:
    runs, slug = context.catalog.runs, record.slug
    before = runs.started_with(record.run_id, slug)
    # Without the start, a newer run has told already what this one had done.
    result = None
    if before is not None:
        now = runs.photo_states(slug)
        result = _result(context, slug, record.run_id, before=before, now=now)
    runs.record_ended(
        lease,
        slug,
        outcome=outcome,
        result=result,
        error=error,
        stamp=context.stamp(),
    )
    told = f"{outcome.value}: {error}" if error else outcome.value
    logger.info("%s: run %s ended %s", slug, record.run_id, told)
