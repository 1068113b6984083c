"""What a command that collected photos prints at its end, and the code it ends with."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from phx_pipeline.cli.batch import (
    batch_of_job,
    batch_of_records,
    storage_text,
    tell_batch,
)
from phx_pipeline.cli.console import console, print_lines, print_tallies
from phx_pipeline.cli.main import Exit
from phx_pipeline.client.base import Client
from phx_pipeline.model.counted import counted
from phx_pipeline.model.job import Job, JobState
from phx_pipeline.model.no_way import OFFLINE, nobody_was_reached
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally

if TYPE_CHECKING:
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.stages.context import StageContext

_CODES = {
    JobState.COMPLETED: Exit.COMPLETE,
    JobState.PARTIAL: Exit.PARTIAL,
    JobState.FAILED: Exit.NOTHING,
    JobState.CANCELLED: Exit.CANCELLED,
}


def result_code(
    tallies: Sequence[PropertyTally], *, asked: Sequence[Source], failed: int
) -> Exit:
    """Complete, partial or nothing, as the catalogue tells it of *asked*."""
    if not any(tally.count(VerdictKind.KEPT) for tally in tallies):
        return Exit.NOTHING
    settled = (s.is_settled for t in tallies for s in t.sources if s.source in asked)
    return Exit.PARTIAL if failed or not all(settled) else Exit.COMPLETE


def job_result(client: Client, job: Job, *, is_silent: bool = False) -> Exit:
    """Tell what came of a job that has ended, as far as can be seen from here.

    Where its pictures are on this machine, counts and open ends are those of its
    houses now; else they are those of its runs.
    """
    from phx_pipeline.client.direct import CatalogClient

    if isinstance(client, CatalogClient):
        code = _result_here(client.context, job, is_silent=is_silent)
    else:
        code = _CODES[job.state]
        if not is_silent:
            print_lines(_job_lines(job))
            tell_batch(batch_of_job(job))
    return Exit.CANCELLED if job.state is JobState.CANCELLED else code


def _result_here(context: "StageContext", job: Job, *, is_silent: bool) -> Exit:
    slugs = [item.slug for item in job.items]
    failed = job.counts[JobState.FAILED] + job.counts[JobState.CANCELLED]
    if is_silent:
        return code_now(context, slugs, sources=job.sources, failed=failed)
    return summarize(context, slugs, sources=job.sources, failed=failed, job=job)


def code_now(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source] = (),
    failed: int = 0,
) -> Exit:
    """Return the code that tells how *slugs* are now, and print nothing."""
    from phx_pipeline.stages.missing import lacking_files
    from phx_pipeline.stages.views import refresh_views

    refresh_views(context)
    asked = tuple(sources or context.sources)
    tallies = context.tallies(asked, slugs=slugs)
    lacking = len(lacking_files(context, slugs))
    return result_code(tallies, asked=asked, failed=failed + lacking)


def _job_lines(job: Job) -> list[str]:
    houses = counted(len(job.items), "property")
    photos = f"{job.total_images} seen, {job.new_images} new"
    copies = counted(job.duplicate_images, "copy")
    told = [f"{job.done} of {houses} ended; photos: {photos}, {copies}"]
    ends = (JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED)
    for item in job.items:
        if item.state in ends:
            why = f": {item.error}" if item.error else ""
            told.append(f"{item.state.value}: {item.slug}{why}")
    states = {item.state for item in job.items}
    if states & {JobState.PARTIAL, JobState.FAILED}:
        retry = f"`phx job {job.job_id} --retry`"
        told.append(f"{retry} asks again for those that failed or are partial")
    if JobState.CANCELLED in states:
        told.append("`phx extract` goes on with those that were cancelled")
    return told


def summarize(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    failed: int,
    job: Job | None = None,
) -> Exit:
    """Print the counts of *slugs* and what is open, and return the code of that.

    Many new pictures are told, too: those of *job*, else of what this command did.
    """
    from phx_pipeline.reads.open_lines import open_lines, standing_lines
    from phx_pipeline.reads.status import look_lines
    from phx_pipeline.stages.missing import lacking_files
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.wiring.runs import reads_of

    refresh_views(context)
    reads = reads_of(context)
    asked = tuple(sources or context.sources)
    tallies = context.tallies(asked, slugs=slugs)
    print_tallies(tallies)
    lacking = sorted(lacking_files(context, slugs))
    told = [f"open: {it}: files are missing, `phx repair {it}` tells" for it in lacking]
    print_lines([*open_lines(reads, tallies), *told])
    print_lines(look_lines(reads, slugs))
    print_lines(standing_lines(reads, among=asked))
    if is_offline(reads, tallies):
        console.print(OFFLINE, soft_wrap=True)
    done = context.catalog.runs.of_run(context.run_id)
    batch = batch_of_job(job) if job else batch_of_records(done)
    tell_batch(batch, storage=partial(storage_text, context))
    return result_code(tallies, asked=asked, failed=failed + len(lacking))


def is_offline(reads: "Reads", tallies: Sequence[PropertyTally]) -> bool:
    """Whether what is open failed because this machine has no network."""
    from phx_pipeline.reads.open_lines import asked_now

    lacking = [t.slug for t in tallies if any(source.wanting for source in t.sources)]
    failed = [
        photo.detail
        for slug in lacking
        for photo in reads.catalog.runs.photo_states(slug)
        if photo.verdict is Verdict.NETWORK
    ]
    asked = asked_now(reads, tallies)
    return nobody_was_reached(asked, photos_failed=failed)
