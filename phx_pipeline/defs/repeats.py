"""Which failed runs are to be repeated by us, because Dagster gave them up.

Dagster decides when a run fails whether to repeat it, and does so seconds later. If its
code server is away just then it says "Failed to retry run" and never tries again.
"""

from typing import Final

import dagster as dg

from phx_pipeline.defs.internals import BulkActionStatus
from phx_pipeline.defs.tags import (
    GIVEN_UP_TAG,
    RUN_KEY_TAG,
    number_in,
)

PARTITION_TAG: Final = "dagster/partition"
WILL_RETRY_TAG: Final = "dagster/will_retry"
MAX_RETRIES_TAG: Final = "dagster/max_retries"
REPEATED_BY_TAG: Final = "dagster/auto_retry_run_id"
"""On a failed run that Dagster has repeated: the run that does."""

BACKFILL_TAG: Final = "dagster/backfill"
REASON_TAG: Final = "dagster/failure_reason"
NUMBER_TAG: Final = "dagster/retry_number"
"""On a run that Dagster made by itself in the place of one that failed."""

REPEATS_TAG: Final = "phx/repeats"
"""On a run that we asked for in the place of Dagster: the run it repeats."""

ROOT_TAG: Final = ".dagster/phx_root"
"""On the same: the first run of that work."""

OF_BACKFILL_TAG: Final = ".dagster/phx_backfill"
"""On the same: the backfill that the first run was made for."""

_PARENT_TAG: Final = "dagster/parent_run_id"
_UNWANTED: Final = (BulkActionStatus.CANCELING, BulkActionStatus.CANCELED)


def retries_of(instance: dg.DagsterInstance) -> int:
    """How often a run is repeated whose tags do not say it."""
    if not instance.run_retries_enabled:
        return 0
    return int(instance.run_retries_max_retries)


def retries_left(run: dg.DagsterRun, *, retries: int) -> int:
    """How often a run may be repeated after it; *retries* as of `retries_of`."""
    told = number_in(run.tags.get(MAX_RETRIES_TAG, str(retries)))
    number = number_in(run.tags.get(NUMBER_TAG, "0"))
    if told is None or number is None or number < 0:
        return 0
    return told - number


def is_lost(run: dg.DagsterRun, *, retries: int) -> bool:
    """Whether a failed run should have been repeated, and Dagster will not.

    Whether it has been repeated by now only other runs tell.
    """
    return (
        run.status is dg.DagsterRunStatus.FAILURE
        and run.tags.get(WILL_RETRY_TAG) == "false"
        and run.tags.get(REASON_TAG) != "STEP_FAILURE"
        and GIVEN_UP_TAG not in run.tags
        and PARTITION_TAG in run.tags
        and retries_left(run, retries=retries) > 0
    )


def may_come_again(run: dg.DagsterRun, *, retries: int) -> bool:
    """Whether a failed run is repeated, or nobody has decided that yet.

    Dagster stores the failure first and whether it retries a moment later; what it
    gives up without need, `repeat_lost_runs` repeats.
    """
    if run.status is not dg.DagsterRunStatus.FAILURE or not retries:
        return False
    is_decided = run.tags.get(WILL_RETRY_TAG) == "false"
    return not is_decided or is_lost(run, retries=retries)


def give_up(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    """Keep a failed run from being repeated: nobody wants it any more."""
    instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: "false", GIVEN_UP_TAG: "true"})


def is_announced(run: dg.DagsterRun) -> bool:
    """Whether Dagster said it would repeat a failed run, and noted no repetition."""
    return run.tags.get(WILL_RETRY_TAG) == "true" and REPEATED_BY_TAG not in run.tags


def is_repeated(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether a run that repeats this one exists; one of ours must be in the queue."""
    ours = instance.get_runs(dg.RunsFilter(tags={RUN_KEY_TAG: run_key_of(run)}))
    if any(one.status is not dg.DagsterRunStatus.NOT_STARTED for one in ours):
        return True
    theirs = instance.get_runs(dg.RunsFilter(tags={_PARENT_TAG: run.run_id}))
    return any(NUMBER_TAG in one.tags for one in theirs)  # not by somebody in the UI


def is_wanted(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Whether nobody called off what the run belongs to."""
    backfill_id = backfill_of(run)
    if backfill_id is None:
        return True
    backfill = instance.get_backfill(backfill_id)
    return backfill is not None and backfill.status not in _UNWANTED


def run_key_of(run: dg.DagsterRun) -> str:
    """The idempotency key of the run that repeats this one."""
    return f"again:{run.run_id}"


def root_of(run: dg.DagsterRun) -> str:
    """The first of the runs that repeat one another, whoever asked for them."""
    return run.tags.get(ROOT_TAG) or run.root_run_id or run.run_id


def backfill_of(run: dg.DagsterRun) -> str | None:
    """The backfill it was made for, itself or as the repetition of one that was."""
    return run.tags.get(BACKFILL_TAG) or run.tags.get(OF_BACKFILL_TAG)
