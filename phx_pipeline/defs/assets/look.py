"""Asset `look`: all houses that are due, looked at. The work is in `workflows.look`.

Each look is an observation on its house's partition of `discovered_urls`: nothing was
materialized, and Dagster forgets it with the run.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from phx_pipeline.defs.checks import FRESH
from phx_pipeline.defs.failures import Unopened, explained
from phx_pipeline.defs.partitions import OWNERS
from phx_pipeline.defs.stores import Stores
from phx_pipeline.errors import LeaseHeldError
from phx_pipeline.model.look import Found, Looked, LookReport
from phx_pipeline.model.printable import printable
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.look import Look

_OF = dg.AssetKey("discovered_urls")

Event = dg.AssetObservation | dg.MaterializeResult[None]


@dg.asset(
    group_name="daily",
    owners=OWNERS,
    kinds={"http"},
    description="The houses that are due today, looked at: their pages, no photos.",
)
def look(
    context: dg.AssetExecutionContext,
    pipeline: dg.ResourceParam[StageContext],
    stores: dg.ResourceParam[Stores],
) -> Iterator[Event]:
    """Look until all was looked at, or time is up; a sensor has another one go on."""
    with explained():
        work = begin(pipeline, stores)
        try:
            for looked in work.all_due():
                if looked.fresh is not None:
                    context.log_event(fresh_of(looked))
                if not looked.judged and looked.found is not Found.PASSED_BY:
                    yield observed(looked)
        except LeaseHeldError as error:
            work.report.ended = str(error)
        yield dg.MaterializeResult(metadata=told_of(work.report))


def begin(pipeline: StageContext | Unopened, stores: Stores) -> Look:
    """Return a look with the limits of the settings."""
    if isinstance(pipeline, Unopened):
        raise pipeline.reason
    settings = stores.settings()
    lasting = timedelta(minutes=settings.look_minutes)
    return Look(pipeline, most_pages=settings.daily_pages, lasting=lasting)


def observed(looked: Looked) -> dg.AssetObservation:
    """What Dagster shows of the look at one house."""
    return dg.AssetObservation(
        asset_key=_OF,
        partition=looked.slug,
        description=printable(looked.detail) or None,
        metadata={
            "look": looked.found.value,
            "asked": ", ".join(looked.sources),
            "run_asked_for": looked.called,
        },
    )


def fresh_of(looked: Looked) -> dg.AssetCheckEvaluation:
    """The news of the check `fresh` of one house."""
    return dg.AssetCheckEvaluation(
        asset_key=_OF,
        check_name=FRESH,
        partition=looked.slug,
        passed=bool(looked.fresh),
        severity=dg.AssetCheckSeverity.WARN,
        description=printable(looked.detail) or None,
    )


def told_of(report: LookReport) -> dict[str, int | str]:
    """What a whole look did, for the page of its run."""
    return {
        "looked": report.looked,
        **{found.value: count for found, count in sorted(report.counts.items())},
        "runs_asked_for": report.called,
        "waiting": report.waiting,
        "next_at": report.next_at.isoformat() if report.next_at else "",
        "ended": report.ended,
    }
