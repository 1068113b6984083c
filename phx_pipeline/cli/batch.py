"""What is told after very many new pictures: how many, what room, what to check."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from phx_pipeline.cli.console import console, print_sentence
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import Job
from phx_pipeline.model.run import Change, RunRecord

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext

_FEW: Final = 100  # so many new pictures surprise nobody

_CHECKS: Final = (
    "Are they of the right houses? A wrong address brings the pictures of another "
    "house: see `phx quarantine list` and `phx images HOUSE`.\n"
    "Did a site change? Many new pictures of a house that was complete mean that it "
    "was listed anew, or that its source numbers photos otherwise: see `phx sources`.\n"
    "Is there room for as many again? What is stored only grows."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Photos that a run, or the runs of a job, saw: `total`, of them new and copies."""

    new: int
    duplicates: int
    total: int


def batch_of_records(records: Iterable[RunRecord]) -> Batch:
    """Return what the runs of one command saw."""
    results = [record.result for record in records]
    return Batch(
        new=sum(it.count(Change.NEW) for it in results),
        duplicates=sum(it.count(Change.DUPLICATE) for it in results),
        total=sum(it.discovered for it in results),
    )


def batch_of_job(job: Job) -> Batch:
    """Return what the runs of a job saw."""
    return Batch(
        new=job.new_images, duplicates=job.duplicate_images, total=job.total_images
    )


def tell_batch(batch: Batch, *, storage: Callable[[], str] | None = None) -> None:
    """Print the summary of a large batch; of a small one nothing.

    Args:
        batch: the photos.
        storage: tells what pictures take up, where that can be seen.
    """
    if batch.new <= _FEW:
        return
    console.print()
    for line in _lines(batch, storage=storage() if storage else ""):
        print_sentence(line)


def _lines(batch: Batch, *, storage: str) -> Iterator[str]:
    yield f"large batch: {counted(batch.new, 'new picture')}"
    yield f"  photos seen: {batch.total}, of them new copies: {batch.duplicates}"
    if storage:
        yield f"  storage: {storage}"
    yield "  to be checked:"
    yield from (f"  - {check}" for check in _CHECKS.splitlines())


def storage_text(context: "StageContext") -> str:
    """Tell what all pictures take up, and what is free on their disk."""
    from shutil import disk_usage

    stored = context.catalog.statistics.stored_bytes()
    free = disk_usage(context.layout.images).free
    return (
        f"{stored / 1e9:.2f} GB in originals and PNGs, {free / 1e9:.1f} GB free on "
        "their disk"
    )
