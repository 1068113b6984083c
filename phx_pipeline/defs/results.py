"""What an asset tells the UI: counts from the catalogue, and a data version."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.report import outcome_lines, outcome_table, tally_counts


def materialized(
    pipeline: StageContext,
    slug: str,
    *,
    asset: str,
    did: object,
    more: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    checks: list[dg.AssetCheckResult] | None = None,
) -> dg.MaterializeResult[None]:
    """Return the result of *asset*: what this run did, the counts, the outcome table.

    The data version is a digest of the rows the asset answers for, so Dagster shows
    what is downstream of a real change as stale, and nothing else.
    """
    tally = pipeline.tally(slug)
    return dg.MaterializeResult(
        metadata={
            **{f"run/{name}": value for name, value in fields_of(did).items()},
            **tally_counts(tally),
            "outcomes": dg.MetadataValue.md(outcome_table(tally)),
            **(more or {}),
        },
        data_version=dg.DataVersion(pipeline.catalog.data_version(slug, asset=asset)),
        tags=tags,
        check_results=checks,
    )


def fields_of(report: object) -> dict[str, int]:
    """The numbers of a stage's report, by name."""
    values = {name: getattr(report, name) for name in type(report).__slots__}  # type: ignore[attr-defined]  # reports are slotted dataclasses
    return {name: value for name, value in values.items() if isinstance(value, int)}


def nothing_found(tally: PropertyTally) -> dg.Failure:
    """The failure of a property whose every source ended open."""
    return dg.Failure(
        description="no source gave anything:\n" + outcome_lines(tally),
        metadata={"outcomes": dg.MetadataValue.md(outcome_table(tally))},
        allow_retries=False,
    )
