"""Sensor `propose_houses`: what searches may accept by themselves becomes properties.

What may be accepted is told in `workflows.searches`. Partitions and runs follow by
`reconcile_properties` and `dispatch_jobs`.
"""

import dagster as dg

from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.access import MOST_TARGET
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import PHX
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.name_list import line_of_names
from phx_pipeline.workflows.searches import accept_ready

_TOLD = 5


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Follows the houses that saved searches accept by themselves.",
)
def propose_houses(
    context: dg.SensorEvaluationContext, stores: dg.ResourceParam[Stores]
) -> dg.SkipReason:
    """Accept within the daily limit of each search, and ask for runs by jobs."""
    at = stores.clock()
    with stores.catalog() as catalog:
        done = accept_ready(catalog, at=at, today=at.astimezone(PHOENIX).date())
        if done:
            found_by = ", ".join(sorted({it.proposal.search for it in done}))
            catalog.audit.note(
                user=PHX,
                action="search.accept",
                target=line_of_names([it.slug for it in done], most=MOST_TARGET),
                detail=f"found by {found_by}, accepted by itself",
                at=at,
            )
    for it in done:
        context.log.info(
            "%s is followed: search %s found it", it.slug, it.proposal.search
        )
    if not done:
        return dg.SkipReason("no house waits that a search may accept by itself now")
    named = ", ".join(it.slug for it in done[:_TOLD])
    more = f" and {len(done) - _TOLD} more" if len(done) > _TOLD else ""
    return dg.SkipReason(f"{counted(len(done), 'house')} accepted: {named}{more}")
