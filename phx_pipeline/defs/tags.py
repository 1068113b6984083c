"""The tags of the package: on runs who asked and for what, on events which sheet.

The list of runs shows all tags of a run: what only programs read stays out of it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import dagster as dg

from phx_pipeline.errors import InputError
from phx_pipeline.model import job
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.settings import parse_sources

_Word = TypeVar("_Word", bound=StrEnum)

JOB_TAG = job.JOB_TAG
ATTEMPT_TAG = job.ATTEMPT_TAG
LAUNCH_TAG = job.LAUNCH_TAG
SOURCES_TAG = "phx/sources"
MODE_TAG = "phx/mode"
ISOLATION_TAG = "phx/isolation"

PRIORITY_TAG = "dagster/priority"
"""Dagster's own: of the runs in its queue the one with the highest number is next."""

# The pictures of a contact sheet, and the run that drew it: on the event of `manifest`.
SHEET_TAG = "phx/sheet"
SHEET_RUN_TAG = "phx/sheet_run"

DRAWN_BY_TAG = ".dagster/phx_sheet_run"
"""On a run that points to a sheet: the run that drew it. Pages show no such tags."""

GIVEN_UP_TAG = ".dagster/phx_given_up"
"""On a failed run that should have been repeated, and nobody wants it any more."""

CLAIMED_TAG = ".dagster/phx_claimed"
"""On a failed run that Dagster said it would repeat, and we do."""

RUN_KEY_TAG = "dagster/run_key"
"""What a sensor called the run it asked for; Dagster's own tag."""

SENSOR_TAG = "dagster/sensor_name"
"""Which sensor asked for a run; Dagster's own tag."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


def requested_sources(context: dg.AssetExecutionContext) -> tuple[Source, ...] | None:
    """The sources the run was launched for; None means all enabled ones."""
    return sources_of(context.run.tags)


def requested_mode(context: dg.AssetExecutionContext) -> Mode:
    """Whether to ask again what is complete; a run started in the UI does."""
    return mode_of(context.run.tags)


def sources_of(tags: Mapping[str, str]) -> tuple[Source, ...] | None:
    """The sources named by the tags of a run."""
    text = tags.get(SOURCES_TAG)
    return parse_sources(text, by=SOURCES_TAG) if text else None


def mode_of(tags: Mapping[str, str]) -> Mode:
    """The mode named by the tags of a run."""
    return _word(tags, MODE_TAG, among=Mode) or Mode.FRESH


def isolation_of(tags: Mapping[str, str]) -> IsolationMode | None:
    """Where the run's browser is to be; None means where the settings say."""
    return _word(tags, ISOLATION_TAG, among=IsolationMode)


def number_in(text: str) -> int | None:
    """Read a whole number; None for what is none, or has more than nine digits.

    Anybody may write a tag: Python refuses to read thousands of digits.
    """
    return int(text) if _NUMBER.fullmatch(text) else None


def _word(tags: Mapping[str, str], name: str, *, among: type[_Word]) -> _Word | None:
    text = tags.get(name)
    if not text:
        return None
    try:
        return among(text)
    except ValueError:
        known = ", ".join(among)
        raise InputError(
            f"the tag {name} says {text!r}: launch the run with one of {known}"
        ) from None
