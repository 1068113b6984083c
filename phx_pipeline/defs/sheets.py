"""The contact sheet in the events of `manifest`: drawn anew only for other pictures.

It is some 16 kB of an event. One whose pictures are those of an earlier event names the
run that has the sheet, and that run is kept (`retention`).
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from phx_pipeline.defs.tags import DRAWN_BY_TAG, SHEET_RUN_TAG, SHEET_TAG
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.sheet import pictures_digest, property_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What an event carries: the sheet or where it is, and tags to find it by."""

    metadata: Mapping[str, dg.MetadataValue[Any]] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def sheet_of(
    context: dg.AssetExecutionContext, pipeline: StageContext, slug: str
) -> Sheet:
    """Return the property's contact sheet, or the run whose event has the same.

    In the second case this run is tagged with it: retention looks at run tags only.
    """
    digest = pictures_digest(pipeline, slug)
    if run_id := _run_with(context, slug, digest):
        context.instance.add_run_tags(context.run.run_id, {DRAWN_BY_TAG: run_id})
        return Sheet(
            metadata={"contact_sheet_in": dg.MetadataValue.dagster_run(run_id)},
            tags={SHEET_TAG: digest, SHEET_RUN_TAG: run_id},
        )
    if (jpeg := property_sheet(pipeline, slug)) is None:
        return Sheet()
    return Sheet(
        metadata={"contact_sheet": _picture(jpeg)},
        tags={SHEET_TAG: digest, SHEET_RUN_TAG: context.run.run_id},
    )


def _run_with(context: dg.AssetExecutionContext, slug: str, digest: str) -> str | None:
    """The run that drew these pictures, if the last event names it."""
    this = dg.AssetRecordsFilter(asset_key=context.asset_key, asset_partitions=[slug])
    for record in context.instance.fetch_materializations(this, limit=1).records:
        event = record.asset_materialization
        tags: Mapping[str, str] = (event and event.tags) or {}
        run_id = tags.get(SHEET_RUN_TAG)
        if run_id and tags.get(SHEET_TAG) == digest:
            return run_id if context.instance.has_run(run_id) else None
    return None


def _picture(jpeg: bytes) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.md(
        f"![contact sheet](data:image/jpeg;base64,{b64encode(jpeg).decode()})"
    )
