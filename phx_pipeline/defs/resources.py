"""The resource of runs: a `StageContext`, and a heartbeat while the worker lives."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import dagster as dg

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.defs.failures import Unopened
from phx_pipeline.defs.lineage import Lineage
from phx_pipeline.defs.repeats import PARTITION_TAG
from phx_pipeline.defs.stores import Stores
from phx_pipeline.defs.tags import isolation_of
from phx_pipeline.imaging.contact_sheet import MAX_PICTURES
from phx_pipeline.imaging.frames import Frames
from phx_pipeline.model.identity import run_lease
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.runs import end_left_open
from phx_pipeline.stages.surprise import known
from phx_pipeline.wiring.runs import build_context

logger = logging.getLogger(__name__)


@dg.resource(
    required_resource_keys={"stores"},
    description="Stores, sources and clock for the stages; made by `wiring`.",
)
def pipeline(context: dg.InitResourceContext) -> Iterator[StageContext | Unopened]:
    """Open the stores for one run and keep its lease alive until the run ends.

    The lease is how the launcher tells a working run from a dead one. Dagster shows
    what a resource raises with its trace and repeats the run, so why the stores cannot
    be opened is handed to the first step to tell.
    """
    run = context.run
    run_id = run.run_id if run else "no-run"
    tags = run.tags if run else {}
    job_id = _job_of(context.instance, run)
    with ExitStack() as stores:
        try:
            given = context.resources.stores
            opening = _opened(run_id, tags, given=given, job_id=job_id)
            opened = stores.enter_context(opening)
        except Exception as error:
            if (reason := known(error)) is None:
                raise
            yield Unopened(reason=reason)
            return
        yield opened
        try:
            stores.close()
        except Exception as error:
            if (reason := known(error)) is None:
                raise
            logger.warning("at the end of the run: %s", " ".join(str(reason).split()))


@contextmanager
def _opened(
    run_id: str, tags: Mapping[str, str], *, given: Stores, job_id: str | None
) -> Iterator[StageContext]:
    settings = given.settings()
    isolation = isolation_of(tags) or settings.isolation
    settings = replace(settings, isolation=isolation)
    made = build_context(settings, run_id=run_id, clock=given.clock)
    made = replace(
        made.for_run(run_id, job_id=job_id), frames=Frames(tiles=MAX_PICTURES)
    )
    try:
        owner = process_owner(run_id)
        with made.catalog.leases.hold(run_lease(run_id), owner=owner):
            yield made
            end_left_open(made, began_as=tags.get(PARTITION_TAG))
    finally:
        made.catalog.close()


def _job_of(
    instance: dg.DagsterInstance | None, run: dg.DagsterRun | None
) -> str | None:
    """The job that asked for a run, and gets what it finds."""
    if instance is None or run is None:
        return None
    return Lineage.of(instance, [run]).job_of(run)
