"""Opening what a command needs, and closing it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.wiring import build_context


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[StageContext]:
    """A stage context for one command; its run id tells commands from Dagster runs."""
    context = build_context(
        settings or load_settings(), run_id=f"cli-{uuid4().hex[:12]}"
    )
    try:
        yield context
    finally:
        context.catalog.close()
