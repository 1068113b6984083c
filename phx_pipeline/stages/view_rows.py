"""The views that tell of runs, jobs and URLs: their rows, put together to texts.

How much is shown is bounded: the number of runs and jobs grows for ever.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from phx_pipeline.exports.extraction_state import render_extraction_state
from phx_pipeline.exports.job_status import (
    job_file_name,
    render_job,
    render_job_status,
)
from phx_pipeline.exports.pipeline_runs import render_pipeline_runs
from phx_pipeline.exports.run_history import (
    FactsOfDays,
    render_run,
    run_history_name,
)
from phx_pipeline.exports.url_tracker import render_url_tracker
from phx_pipeline.model.run import Run
from phx_pipeline.stages.context import StageContext

RUN_FOLDER: Final = "run_history"
JOB_FOLDER: Final = "jobs"

MOST_RUNS: Final = 1_000
MOST_JOBS: Final = 1_000


def history_views(context: StageContext) -> dict[str, str]:
    """Return the text of each view of runs, jobs and URLs, by name below `metadata`."""
    book = context.catalog.runs
    runs = book.newest(limit=MOST_RUNS)[::-1]
    jobs = context.catalog.jobs.newest(limit=MOST_JOBS)
    facts = _facts(context, runs)
    return {
        "url_tracker.json": render_url_tracker(context.catalog.urls.fetched()),
        "extraction_state.json": render_extraction_state(
            book.last_ends(), last_checked=book.last_checks()
        ),
        "pipeline_runs.json": render_pipeline_runs(runs),
        "job_status.json": render_job_status(jobs),
        **{
            f"{RUN_FOLDER}/{run_history_name(run)}": render_run(run, facts=facts)
            for run in runs
        },
        **{
            f"{JOB_FOLDER}/{job_file_name(job.job_id)}": render_job(job) for job in jobs
        },
    }


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
