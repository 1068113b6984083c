"""What an asset tells the UI: the house, the catalogue's counts, a data version."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from phx_pipeline.defs.failures import ToldError
from phx_pipeline.model.fact_words import shown_value
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.sheet import Step, path_of_sheet, shown_photos
from phx_pipeline.model.tally import PropertyTally, tally_counts
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.report import (
    inert,
    outcome_rows,
    outcome_sentence,
)

_LONGEST_CAUSE = 600
_PRICE = "list_price"


def materialized(
    pipeline: StageContext,
    house: Property,
    *,
    asset: str,
    did: object,
    more: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    checks: list[dg.AssetCheckResult] | None = None,
) -> dg.MaterializeResult[None]:
    """Return the result of *asset*: the house, what this run did, counts, outcomes.

    The data version is a digest of the rows the asset answers for, so Dagster shows
    what is downstream of a real change as stale, and nothing else.
    """
    version = pipeline.catalog.data_version(house.slug, asset=asset)
    tally = pipeline.tally(house.slug)
    return dg.MaterializeResult(
        metadata={
            **_sheet_link(pipeline, house, asset=asset),
            **house_metadata(pipeline, house),
            **{f"run/{name}": value for name, value in fields_of(did).items()},
            **tally_counts(tally),
            "outcomes": outcome_table(tally),
            **(more or {}),
        },
        data_version=dg.DataVersion(version),
        tags=tags,
        check_results=checks,
    )


def house_metadata(
    pipeline: StageContext, house: Property
) -> dict[str, dg.MetadataValue[Any] | str]:
    """Name the house: address, folder, price, and where its listings are."""
    facts = pipeline.catalog.facts
    prices = [
        f"{shown_value(_PRICE, seen.facts.list_price)} ({source.value})"
        for source, seen in sorted(facts.newest(house.slug).items())
        if seen.facts.list_price is not None
    ]
    links = {
        f"listing/{source.value}": _link(url)
        for source, url in sorted(facts.listing_urls(house.slug).items())
    }
    folder = str(pipeline.layout.folder(house.folder))
    return {
        "address": str(house.address),
        "folder": dg.MetadataValue.path(folder),
        **({"price": " / ".join(prices)} if prices else {}),
        **links,
    }


def _sheet_link(
    pipeline: StageContext, house: Property, *, asset: str
) -> dict[str, dg.MetadataValue[Any]]:
    """Where the service shows the pictures of this step; nothing if there are none.

    Without a host: the browser takes that of the page, whatever port it has.
    """
    if asset not in set(Step):
        return {}
    step = Step(asset)
    if not shown_photos(step, pipeline.catalog.photos(house.slug)):
        return {}
    return {"pictures": dg.MetadataValue.url(path_of_sheet(house, step))}


def outcome_table(tally: PropertyTally) -> dg.TableMetadataValue:
    """The outcome and the counts of each source, as a table of Dagster's pages."""
    return dg.MetadataValue.table([dg.TableRecord(row) for row in outcome_rows(tally)])


def fields_of(report: object) -> dict[str, int]:
    """The numbers of a stage's report, by name."""
    values = {name: getattr(report, name) for name in type(report).__slots__}  # type: ignore[attr-defined]  # reports are slotted dataclasses
    return {name: value for name, value in values.items() if isinstance(value, int)}


def nothing_found(pipeline: StageContext, house: Property) -> ToldError:
    """The failure of a property whose every source ended open."""
    tally = pipeline.tally(house.slug)
    told = outcome_sentence(tally)
    return ToldError(
        f"no source gave anything for {house.address}: "
        f"{printable(told, most=_LONGEST_CAUSE)}",
        metadata={
            **house_metadata(pipeline, house),
            "outcomes": outcome_table(tally),
        },
    )


def _link(url: str) -> dg.MetadataValue[Any]:
    """A link of a source as one; of a catalogue from before the border as text."""
    if url.startswith("https://") and url == printable(url, most=len(url) + 1):
        return dg.MetadataValue.url(url)
    return dg.MetadataValue.text(inert(url))
