"""`phx extract`: collect photos, through the queue or in this process."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from phx_pipeline.cli.console import (
    NO_HOUSES,
    console,
    errors,
    few_warnings,
    log_to_stderr,
    print_lines,
    print_tallies,
)
from phx_pipeline.cli.failures import tell_failure
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import FILLED, isolation_option
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import JobRequest, Mode
from phx_pipeline.model.no_way import OFFLINE, all_tell_no_way, nobody_was_reached
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.settings import Settings, load_settings, parse_sources

if TYPE_CHECKING:
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)


@click.command()
@click.option(
    "--all", "everything", is_flag=True, help="Collect every house that is followed."
)
@click.option(
    "--address",
    "houses",
    multiple=True,
    type=FILLED,
    metavar="HOUSE",
    help="Collect this house: its key, folder, address or URL. Repeat it for several.",
)
@click.option(
    "--sources",
    type=FILLED,
    metavar="NAMES",
    help="Ask only these sources, separated by commas; by default all of PHX_SOURCES.",
)
@click.option(
    "--async",
    "how",
    flag_value="async",
    help="Enqueue the houses, print the id of the job, and do not follow it.",
)
@click.option(
    "--sync",
    "how",
    flag_value="sync",
    help="Work in this process, one house after another, without Dagster but under "
    "the same leases.",
)
@click.option(
    "--dry-run",
    "how",
    flag_value="dry",
    help="Ask the sources and show what they list; download and keep nothing.",
)
@isolation_option(
    "Where the browser's window is, with --sync or --dry-run; by default as "
    "PHX_ISOLATION says, which alone counts for runs of the queue: "
)
@click.option(
    "--resume/--fresh",
    default=True,
    help="Leave out houses that are complete and were asked within PHX_STALE_DAYS, and "
    "ask only the sources that are open or stale (--resume, the default); or ask every "
    "source again, and once more for every photo without bytes (--fresh).",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    expose_value=False,
    callback=lambda _ctx, _param, given: _log_if(given),
    help="Log what the stages do; from the queue they log into the run instead.",
)
@click.pass_context
def extract(
    ctx: click.Context,
    *,
    everything: bool,
    houses: tuple[str, ...],
    sources: str | None,
    how: str | None,
    isolation: str | None,
    resume: bool,
) -> None:
    """Find and download the photos of one house, some or all.

    By default the houses are put into Dagster's queue and followed until their runs
    have ended; Ctrl-C stops the following, and the runs go on. Photos that are held
    already are never downloaded again. Give either --all or --address.

    \b
    Examples:
      phx extract --all
      phx extract --address 4732-w-davis-rd-glendale-az-85306 --sources redfin
      phx extract --all --fresh     ask every source again, complete or not
      phx extract --all --dry-run   show what the sources list now
      phx extract --all --async     enqueue, and go on with something else
      phx extract --all --sync -v   work in this process, and see each step
    """
    settings = _isolated(isolation, how=how)
    chosen = parse_sources(sources, by="--sources") if sources else ()
    mode = Mode.RESUME if resume else Mode.FRESH
    with opened(settings) as context:
        asked = _slugs(context, everything=everything, houses=houses)
        _refuse_disabled(context, chosen)
        if how == "dry":
            ctx.exit(_show_only(context, asked, sources=chosen))
        due = _due(context, asked, sources=chosen, mode=mode)
        if not due:
            ctx.exit(_summarize(context, asked, sources=chosen, failed=0))
        if how == "sync":
            with few_warnings():
                code = _run_here(context, due, sources=chosen, mode=mode)
            ctx.exit(code)
        follow = how != "async"
        ctx.exit(
            enqueue(context, settings, due, sources=chosen, mode=mode, follow=follow)
        )


def _log_if(verbose: bool) -> None:  # noqa: FBT001 - click calls it
    if verbose:
        log_to_stderr()


def _isolated(mode: str | None, *, how: str | None) -> Settings:
    """The settings, with what the command line says of the browser's window."""
    settings = load_settings()
    if mode is None:
        return settings
    if how not in {"sync", "dry"}:
        raise InputError(
            "--isolation holds for --sync and --dry-run: set PHX_ISOLATION where "
            "`phx up` is started, and it holds for the runs of the queue"
        )
    return replace(settings, isolation=IsolationMode(mode))


def result_code(
    tallies: Sequence[PropertyTally], *, asked: Sequence[Source], failed: int
) -> Exit:
    """Complete, partial or nothing, as the catalogue tells it of *asked*."""
    if not any(tally.count(VerdictKind.KEPT) for tally in tallies):
        return Exit.NOTHING
    settled = (s.is_settled for t in tallies for s in t.sources if s.source in asked)
    return Exit.PARTIAL if failed or not all(settled) else Exit.COMPLETE


def _due(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    mode: Mode,
) -> list[str]:
    """The properties with something to do; says how many were left out."""
    from phx_pipeline.stages.missing import lacking_files
    from phx_pipeline.stages.plan import has_work, sources_due

    among = tuple(sources or context.sources)
    at = context.stamp().at
    days = context.stale_days
    off = context.catalog.policies.switched_off()
    due = lacking_files(context, slugs) | context.catalog.jobs.called_on(slugs)
    for tally in context.tallies(among, slugs=slugs):
        asked = sources_due(
            tally,
            among=among,
            mode=mode,
            at=at,
            stale_days=days,
            off=off,
            lacking=context.lacking,
        )
        if has_work(tally, due=asked, off=off):
            due.add(tally.slug)
    if left_out := len(slugs) - len(due):
        console.print(
            f"{counted(left_out, 'property')} left out: complete, and asked within "
            f"{counted(days, 'day')} (--fresh asks again)",
            soft_wrap=True,
        )
    return [slug for slug in slugs if slug in due]


def _show_only(
    context: "StageContext", slugs: Sequence[str], *, sources: Sequence[Source]
) -> Exit:
    from phx_pipeline.stages.preview import preview

    photos = 0
    details: list[str] = []
    for slug in slugs:
        for listing in asyncio.run(preview(context, slug, sources=sources or None)):
            photos += len(listing.photos)
            if listing.outcome is not ListingOutcome.DISABLED:
                details.append(listing.detail)
            console.print(
                f"{slug} {listing.source.value}: {listing.outcome.value}, "
                f"{listing.detail or counted(len(listing.photos), 'photo')}",
                soft_wrap=True,
            )
    console.print(f"{counted(photos, 'photo')} listed; nothing was downloaded or kept")
    if all_tell_no_way(details):
        console.print(OFFLINE, soft_wrap=True)
    return Exit.COMPLETE if photos else Exit.NOTHING


def _slugs(
    context: "StageContext", *, everything: bool, houses: tuple[str, ...]
) -> list[str]:
    from phx_pipeline.workflows.intake import find_property

    if everything == bool(houses):
        raise InputError(
            "say which properties: either --all, or --address (repeatable)"
        )
    slugs = (
        context.catalog.slugs()
        if everything
        else [find_property(context, text).slug for text in houses]
    )
    if not slugs:
        raise InputError(NO_HOUSES)
    return list(dict.fromkeys(slugs))


def _refuse_disabled(context: "StageContext", chosen: Sequence[Source]) -> None:
    disabled = [source.value for source in chosen if source not in context.sources]
    if disabled:
        enabled = ", ".join(source.value for source in context.sources)
        raise InputError(
            f"source {', '.join(disabled)} is not enabled: enabled are {enabled} "
            "(PHX_SOURCES)"
        )


def _run_here(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    mode: Mode,
) -> Exit:
    from phx_pipeline.stages.extract import extract as extract_property

    failed = 0
    for number, slug in enumerate(slugs, start=1):
        console.print(f"[{number}/{len(slugs)}] {slug}")
        try:
            asyncio.run(
                extract_property(context, slug, sources=sources or None, mode=mode)
            )
        except KeyboardInterrupt:
            _tell_interrupted(slug, left=len(slugs) - number, mode=mode)
            raise
        except Exception as error:  # noqa: BLE001 - the next house is to be had
            failed += 1
            tell_failure(slug, error)
    settle_partners(context, slugs)
    return _summarize(context, slugs, sources=sources, failed=failed)


def _tell_interrupted(slug: str, *, left: int, mode: Mode) -> None:
    after = f", and {counted(left, 'property')} after it" if left else ""
    how = " with --resume instead of --fresh" if mode is Mode.FRESH else ""
    errors.print(
        f"stopped at {slug}{after}: what came is kept, and the same command{how} "
        "goes on from here",
        soft_wrap=True,
    )


def enqueue(
    context: "StageContext",
    settings: Settings,
    slugs: Sequence[str],
    *,
    sources: Sequence[Source] = (),
    mode: Mode = Mode.FRESH,
    follow: bool = True,
) -> Exit:
    """Submit a job for *slugs*; follow it unless told otherwise.

    Houses that wait for such a run already join it: their older job is followed too.

    Ctrl-C while following leaves the job running and counts as complete.
    """
    from phx_pipeline.cli.follow import Follower

    job_id = uuid4().hex[:12]
    follower = Follower(context, settings, job_id=job_id)
    request = JobRequest(
        slugs=tuple(slugs), user=settings.user, sources=tuple(sources), mode=mode
    )
    at = context.clock().astimezone(UTC)
    joined = context.catalog.jobs.submit(job_id, request, at=at).joined
    jobs = {slug: joined.get(slug, job_id) for slug in slugs}
    for job, count in Counter(jobs.values()).items():
        told = "enqueued" if job == job_id else "waiting for the same already"
        console.print(f"job {job}: {counted(count, 'property')} {told}")
    follower.warn_without_daemon()
    if not follow:
        return Exit.COMPLETE
    failed = follower.wait(jobs)
    if failed is None:
        return Exit.COMPLETE
    return _summarize(context, slugs, sources=sources, failed=failed)


def _summarize(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    failed: int,
) -> Exit:
    from phx_pipeline.reads.open_lines import open_lines, standing_lines
    from phx_pipeline.reads.status import look_lines
    from phx_pipeline.stages.missing import lacking_files
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.wiring import reads_of

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
    if _is_offline(reads, tallies):
        console.print(OFFLINE, soft_wrap=True)
    return result_code(tallies, asked=asked, failed=failed + len(lacking))


def _is_offline(reads: "Reads", tallies: Sequence[PropertyTally]) -> bool:
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
