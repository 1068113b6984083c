"""Jobs and items of tests, made up or written straight into the catalogue."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.model.dispatch import Ended, Seen
from phx_pipeline.model.job import (
    JobItem,
    JobRequest,
    JobState,
    Mode,
    Submitted,
    run_key_of,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.queue_stand_in import QueueStandIn

NOON = datetime(2025, 3, 10, 12, tzinfo=UTC)


def job_item(
    slug: str = "a", *, job_id: str = "j", attempt: int = 1, **more: Any
) -> JobItem:
    """An item asked for at noon; its run is its own unless told otherwise."""
    given: dict[str, Any] = {
        "run_key": run_key_of(job_id, attempt, slug),
        "requested_at": NOON,
        "sources": (),
    }
    return JobItem(job_id=job_id, slug=slug, attempt=attempt, **(given | more))


def desk_of(
    catalog: Catalog,
    queue: QueueStandIn,
    *,
    clock: Callable[[], datetime],
    pause: Callable[[float], None] = lambda _: None,
) -> Desk:
    """The desk of jobs over a queue that a test turns by hand."""
    return Desk(
        catalog.jobs,
        catalog.dispatch,
        states=queue,
        queue=queue,
        clock=clock,
        pause=pause,
    )


def ask_job(
    catalog: Catalog,
    job_id: str,
    slugs: Sequence[str],
    *,
    at: datetime,
    sources: Collection[Source] = (),
    mode: Mode = Mode.FRESH,
    user: str = "ann",
    **more: Any,
) -> Submitted:
    """Have somebody ask for a job of a known id."""
    request = JobRequest(
        slugs=tuple(slugs), user=user, sources=tuple(sources), mode=mode, **more
    )
    return catalog.jobs.submit(job_id, request, at=at)


def see_runs(catalog: Catalog, items: Sequence[JobItem], *, at: datetime) -> None:
    """Note that the runs of items exist."""
    seen = [Seen(item=item, run_id=f"run of {item.run_key}"[:64]) for item in items]
    catalog.dispatch.book(seen, at=at)


def end_items(
    catalog: Catalog,
    items: Sequence[JobItem],
    *,
    at: datetime,
    state: JobState = JobState.COMPLETED,
) -> None:
    """Book that the runs of items ended."""
    ended = [Ended(item=item, state=state, ended_at=at) for item in items]
    catalog.dispatch.book(ended, at=at)
