"""The tags of the package: on runs who asked and for what, on events which sheet."""

import dagster as dg

from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.settings import parse_sources

JOB_TAG = "phx/job"
SOURCES_TAG = "phx/sources"
MODE_TAG = "phx/mode"
ITEM_TAG = "phx/item"

# The pictures of a contact sheet, and the run that drew it: on the event of `manifest`.
# A run that did not draw its sheet itself has the latter too.
SHEET_TAG = "phx/sheet"
SHEET_RUN_TAG = "phx/sheet_run"


def requested_sources(context: dg.AssetExecutionContext) -> tuple[Source, ...] | None:
    """The sources the run was launched for; None means all enabled ones."""
    text = context.run.tags.get(SOURCES_TAG)
    return parse_sources(text) if text else None


def requested_mode(context: dg.AssetExecutionContext) -> Mode:
    """Whether to ask again what is complete; a run started in the UI does."""
    return Mode(context.run.tags.get(MODE_TAG, Mode.FRESH))
