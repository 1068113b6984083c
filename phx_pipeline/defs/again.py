"""How a failed run is asked for once more. Whether it is, is decided in `repeats`."""

from typing import Final

import dagster as dg

from phx_pipeline.defs.lineage import Lineage
from phx_pipeline.defs.repeats import (
    MAX_RETRIES_TAG,
    OF_BACKFILL_TAG,
    PARTITION_TAG,
    REPEATS_TAG,
    ROOT_TAG,
    retries_left,
    run_key_of,
)
from phx_pipeline.defs.tags import ATTEMPT_TAG, JOB_TAG
from phx_pipeline.model.job import USER_TAG

_KEPT: Final = ("dagster/priority", "dagster/max_runtime")
_OF_DAGSTER: Final = ("dagster/", ".dagster/")


def request_again(
    run: dg.DagsterRun, *, retries: int, lineage: Lineage
) -> dg.RunRequest:
    """Ask for the same once more, with one retry less than were left."""
    whose = {JOB_TAG: lineage.job_of(run), USER_TAG: lineage.user_of(run)}
    left_out = {name for name, text in whose.items() if text is None}
    left_out |= {ATTEMPT_TAG} if JOB_TAG in left_out else set()
    tags = {
        name: value
        for name, value in run.tags.items()
        if name in _KEPT or not name.startswith(_OF_DAGSTER)
        if name not in left_out
    }
    left = retries_left(run, retries=retries) - 1
    tags |= {MAX_RETRIES_TAG: str(left), REPEATS_TAG: run.run_id}
    tags[ROOT_TAG] = lineage.root_of(run)
    if backfill_id := lineage.backfill_of(run):
        tags[OF_BACKFILL_TAG] = backfill_id
    return dg.RunRequest(
        run_key=run_key_of(run),
        partition_key=run.tags[PARTITION_TAG],
        run_config=run.run_config,
        asset_selection=sorted(run.asset_selection) if run.asset_selection else None,
        tags=tags,
    )
