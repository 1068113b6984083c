"""The views: their rows, read bit by bit, put together to texts.

How much is shown of runs and jobs is bounded: their number grows for ever.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from phx_pipeline.exports.address_lookup import FolderEntry, render_address_lookup
from phx_pipeline.exports.extraction_state import render_extraction_state
from phx_pipeline.exports.hash_index import hash_index_parts
from phx_pipeline.exports.job_status import (
    job_file_name,
    render_job,
    render_job_status,
)
from phx_pipeline.exports.manifest import manifest_parts
from phx_pipeline.exports.pipeline_runs import PipelineRuns
from phx_pipeline.exports.run_history import (
    FactsOfDays,
    render_run,
    run_history_name,
)
from phx_pipeline.exports.url_tracker import url_tracker_parts
from phx_pipeline.model.run import Run
from phx_pipeline.stages.context import StageContext

RUN_FOLDER: Final = "run_history"
JOB_FOLDER: Final = "jobs"

MOST_RUNS: Final = 1_000
MOST_JOBS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One file below `metadata`: its name, and its text bit by bit, to be read once."""

    name: str
    parts: Iterable[str]


def picture_views(context: StageContext) -> Iterator[View]:
    """Yield the views of what is published, and of the URLs it came from."""
    catalog = context.catalog
    newest = catalog.newest_published()
    images = catalog.published_images
    manifest = manifest_parts(images(), newest=newest)
    yield View(name="image_manifest.json", parts=manifest)
    lookup = render_address_lookup(_entries(context))
    yield View(name="address_folder_lookup.json", parts=[lookup])
    yield View(name="hash_index.json", parts=hash_index_parts(images()))
    yield View(name="url_tracker.json", parts=_url_tracker(context))


def _entries(context: StageContext) -> Iterator[FolderEntry]:
    counts = context.catalog.published_counts()
    for house in context.catalog.properties():
        if count := counts.get(house.folder):
            yield FolderEntry(
                address=str(house.address), folder=house.folder, image_count=count
            )


def _url_tracker(context: StageContext) -> Iterator[str]:
    with context.catalog.urls.fetched() as urls:
        yield from url_tracker_parts(urls)


def history_views(context: StageContext) -> Iterator[View]:
    """Yield the views of runs and jobs; of what has one name the first is shown."""
    book = context.catalog.runs
    state = render_extraction_state(book.last_ends(), last_checked=book.last_checks())
    yield View(name="extraction_state.json", parts=[state])
    yield from _run_views(context)
    jobs = context.catalog.jobs.newest(limit=MOST_JOBS)
    yield View(name="job_status.json", parts=[render_job_status(jobs)])
    names = (f"{JOB_FOLDER}/{job_file_name(job.job_id)}" for job in jobs)
    for name, job in dict(zip(names, jobs, strict=True)).items():
        yield View(name=name, parts=_late(partial(render_job, job)))


def _run_views(context: StageContext) -> Iterator[View]:
    listed = PipelineRuns()
    names = set()
    for runs in context.catalog.runs.in_turn(limit=MOST_RUNS):
        facts = _facts(context, runs)
        for run in runs:
            listed.add(run)
            name = f"{RUN_FOLDER}/{run_history_name(run)}"
            if name not in names:
                names.add(name)
                text = partial(render_run, run, facts=facts)
                yield View(name=name, parts=_late(text))
    yield View(name="pipeline_runs.json", parts=listed.parts())


def _late(render: Callable[[], str]) -> Iterator[str]:
    yield render()


def _facts(context: StageContext, runs: Sequence[Run]) -> FactsOfDays:
    records = [record for run in runs for record in run.records]
    if not records:
        return {}
    days = [record.started_at.date() for record in records]
    day = timedelta(days=1)  # that of Phoenix may be the one before
    return context.catalog.runs.facts(
        {record.slug for record in records}, first=min(days) - day, last=max(days)
    )


def outdated_files(folder: Path, *, views: Collection[str]) -> Iterator[Path]:
    """Yield the files of older runs and jobs that are no longer among *views*."""
    for name in (RUN_FOLDER, JOB_FOLDER):
        for path in sorted((folder / name).glob("*.json")):
            if f"{name}/{path.name}" not in views:
                yield path
