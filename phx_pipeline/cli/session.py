"""Opening what a command needs, and closing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from phx_pipeline.errors import InputError, NoCatalogError
from phx_pipeline.model.access import MOST_TARGET
from phx_pipeline.model.name_list import line_of_names
from phx_pipeline.settings import Settings, load_settings, served_at

if TYPE_CHECKING:
    from phx_pipeline.catalog.store import Catalog
    from phx_pipeline.client import Client
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.stages.context import StageContext


@contextmanager
def opened(settings: Settings | None = None) -> Iterator["StageContext"]:
    """A stage context for one command; its run id tells commands from Dagster runs."""
    from phx_pipeline.wiring.runs import build_context

    settings = settings or load_settings()
    with _local(settings):
        context = build_context(settings, run_id=f"cli-{uuid4().hex[:12]}")
    try:
        yield context
    finally:
        context.catalog.close()


@contextmanager
def opened_reads(settings: Settings | None = None) -> Iterator["Reads"]:
    """What reads need, for commands that only show something."""
    from phx_pipeline.wiring.reads import build_reads

    settings = settings or load_settings()
    with _local(settings):
        reads = build_reads(settings)
    try:
        yield reads
    finally:
        reads.catalog.close()


@contextmanager
def opened_catalog(settings: Settings | None = None) -> Iterator["Catalog"]:
    """The catalogue alone, for commands that need no stage."""
    from phx_pipeline.wiring.catalog import build_catalog

    settings = settings or load_settings()
    with _local(settings):
        catalog = build_catalog(settings)
    try:
        yield catalog
    finally:
        catalog.close()


@contextmanager
def _local(settings: Settings) -> Iterator[None]:
    """Tell who has no stores here, because a service has them, that these are meant."""
    try:
        yield
    except NoCatalogError as error:
        if settings.server is None:
            raise
        raise InputError(
            "this command works on the stores of this computer, whatever PHX_SERVER "
            f"says, and here are none: run it on the computer of {settings.server}, or "
            "begin here too with `phx init`"
        ) from error


def note(context: "StageContext", action: str, *targets: str, detail: str = "") -> None:
    """Note in the audit trail what this command has just done, if to anything."""
    if not targets:
        return
    context.catalog.audit.note(
        user=context.who,
        action=action,
        target=line_of_names(targets, most=MOST_TARGET),
        detail=detail or (str(len(targets)) if len(targets) > 1 else ""),
        at=context.clock(),
    )


def connected(server: str | None) -> "Client":
    """A client of what `--server` names, else of `PHX_SERVER` or this machine.

    Raises:
        InputError: what was named is no URL that will do.
    """
    from phx_pipeline.client import connect

    return connect(served_at(server, by="--server"))
