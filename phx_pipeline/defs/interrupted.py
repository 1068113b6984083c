"""Runs that `phx up` ends because it was told to stop, which is no crash of theirs."""

import dagster as dg

from phx_pipeline.defs.repeats import MAX_RETRIES_TAG, REPEATS_TAG
from phx_pipeline.defs.tags import number_in

_UNDER_WAY = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]


def allow_another_retry(instance: dg.DagsterInstance) -> None:
    """Let each run under way be repeated once more than before.

    Dagster fails a run whose process is ended, and counts no reasons but runs. Whose
    tag forbids retries stays without; one that repeats another has used them up.
    """
    if not instance.run_retries_enabled:
        return
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        allowed = run.tags.get(MAX_RETRIES_TAG, str(instance.run_retries_max_retries))
        number = number_in(allowed)
        if number is None or number < 0:
            continue
        if number or REPEATS_TAG in run.tags:
            more = {MAX_RETRIES_TAG: str(number + 1)}
            instance.add_run_tags(run.run_id, more)
