"""Asset `new_listings`: what saved searches find. The work is in `workflows.searches`.

It has no partitions: a house that is found becomes one when its proposal is accepted.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import dagster as dg

from phx_pipeline.defs.failures import Unopened, explained
from phx_pipeline.defs.partitions import OWNERS
from phx_pipeline.defs.stores import Stores
from phx_pipeline.model.printable import printable
from phx_pipeline.model.search import SearchTurn
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.searches import SearchReport, ask_searches, within

_SHOWN = 100


@dg.asset(
    group_name="daily",
    owners=OWNERS,
    kinds={"http"},
    description="The houses that saved searches find, and which of them are proposed.",
)
def new_listings(
    pipeline: dg.ResourceParam[StageContext], stores: dg.ResourceParam[Stores]
) -> dg.MaterializeResult[None]:
    """Ask the sources of each search that does not rest; propose what is new."""
    with explained():
        return dg.MaterializeResult(metadata=told_of(ask(pipeline, stores)))


def ask(pipeline: StageContext | Unopened, stores: Stores) -> SearchReport:
    """Run all searches that do not rest.

    Raises:
        PhxError: the stores could not be opened, or another process asks.
    """
    if isinstance(pipeline, Unopened):
        raise pipeline.reason
    saved = [it for it in pipeline.catalog.searches.saved() if not it.is_paused]
    may_ask = within(pipeline, most=stores.settings().daily_pages)
    return asyncio.run(ask_searches(pipeline, saved, may_ask=may_ask))


def told_of(report: SearchReport) -> dict[str, Any]:
    """What was found, for the page of the asset: counts, and a row for each turn."""
    found = [
        f"- {printable(str(it.address))} ({it.search})"
        for it in report.proposed[:_SHOWN]
    ]
    return {
        "proposed": len(report.proposed),
        "rows": sum(turn.rows for turn in report.turns),
        "pages": sum(turn.pages for turn in report.turns),
        "searches": turn_table(report.turns),
        **({"new": dg.MetadataValue.md("\n".join(found))} if found else {}),
    }


def turn_table(turns: Sequence[SearchTurn]) -> dg.TableMetadataValue:
    """The counts of the day by search and source, as a table of Dagster's pages."""
    rows = [
        dg.TableRecord(
            {
                "search": turn.search,
                "source": turn.source.value,
                "outcome": turn.outcome.value if turn.outcome else "",
                "pages": turn.pages,
                "rows": turn.rows,
                "proposed": turn.proposed,
                "left_out": ", ".join(f"{n} {why}" for why, n in turn.left_out.items()),
                "detail": printable(turn.detail),
            }
        )
        for turn in turns
    ]
    return dg.MetadataValue.table(rows, schema=_SCHEMA)


_SCHEMA = dg.TableSchema(
    columns=[
        *(dg.TableColumn(name) for name in ("search", "source", "outcome")),
        *(dg.TableColumn(name, "int") for name in ("pages", "rows", "proposed")),
        *(dg.TableColumn(name) for name in ("left_out", "detail")),
    ]
)
