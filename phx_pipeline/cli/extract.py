"""`phx extract`: collect photos, through the queue or in this process."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC
from uuid import uuid4

import click

from phx_pipeline.cli.console import console, errors, tally_table
from phx_pipeline.cli.follow import Follower
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError, PhxError
from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.settings import Settings, load_settings, parse_sources
from phx_pipeline.stages.context import StageContext


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every property.")
@click.option(
    "--address", "houses", multiple=True, metavar="A", help="A key, folder or address."
)
@click.option("--sources", help="Only these, comma-separated; default: all enabled.")
@click.option("--async", "mode", flag_value="async", help="Enqueue and return at once.")
@click.option("--sync", "mode", flag_value="sync", help="Run here, without Dagster.")
@click.option("-v", "--verbose", is_flag=True, help="Log what the stages do.")
@click.pass_context
def extract(
    ctx: click.Context,
    *,
    everything: bool,
    houses: tuple[str, ...],
    sources: str | None,
    mode: str | None,
    verbose: bool,
) -> None:
    """Find and download photos of some properties.

    By default the properties are enqueued and followed; Ctrl-C stops following, the
    runs go on.

    \b
    Examples:
      phx extract --all
      phx extract --address 4732-w-davis-rd-glendale-az-85306 --sources redfin
      phx extract --all --async
      phx extract --all --sync      under the same leases, in this process
    """
    if verbose:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    chosen = parse_sources(sources) if sources else ()
    with opened() as context:
        slugs = _slugs(context, everything=everything, houses=houses)
        _refuse_disabled(context, chosen)
        if mode == "sync":
            ctx.exit(_run_here(context, slugs, sources=chosen))
        ctx.exit(
            enqueue(
                context,
                load_settings(),
                slugs,
                sources=chosen,
                follow=mode != "async",
            )
        )


def result_code(tallies: Sequence[PropertyTally], *, failed: int) -> Exit:
    """Complete, partial or nothing, as the catalogue tells it."""
    if not any(tally.count(VerdictKind.KEPT) for tally in tallies):
        return Exit.NOTHING
    if failed or not all(tally.is_complete for tally in tallies):
        return Exit.PARTIAL
    return Exit.COMPLETE


def _slugs(
    context: StageContext, *, everything: bool, houses: tuple[str, ...]
) -> list[str]:
    from phx_pipeline.stages.intake import find_property

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
        raise InputError("there are no properties yet: `phx properties add FILE.csv`")
    return list(dict.fromkeys(slugs))


def _refuse_disabled(context: StageContext, chosen: Sequence[Source]) -> None:
    disabled = [source.value for source in chosen if source not in context.sources]
    if disabled:
        enabled = ", ".join(source.value for source in context.sources)
        raise InputError(
            f"source {', '.join(disabled)} is not enabled: enabled are {enabled} "
            "(PHX_SOURCES)"
        )


def _run_here(
    context: StageContext, slugs: Sequence[str], *, sources: Sequence[Source]
) -> Exit:
    from phx_pipeline.stages.extract import extract as extract_property

    failed = 0
    for number, slug in enumerate(slugs, start=1):
        console.print(f"[{number}/{len(slugs)}] {slug}", markup=False)
        try:
            asyncio.run(extract_property(context, slug, sources=sources or None))
        except PhxError as error:
            failed += 1
            errors.print(f"{slug}: {error}", markup=False)
    return _summarize(context, slugs, sources=sources, failed=failed)


def enqueue(
    context: StageContext,
    settings: Settings,
    slugs: Sequence[str],
    *,
    sources: Sequence[Source] = (),
    follow: bool = True,
) -> Exit:
    """Submit a job for *slugs*; follow it unless told otherwise.

    Ctrl-C while following leaves the job running and counts as complete.
    """
    job_id = uuid4().hex[:12]
    at = context.clock().astimezone(UTC)
    context.catalog.jobs.submit(job_id, slugs, sources=sources, at=at)
    console.print(f"job {job_id}: {len(slugs)} properties enqueued")
    follower = Follower(context, settings, job_id=job_id, slugs=slugs)
    follower.warn_without_daemon()
    if not follow:
        return Exit.COMPLETE
    failed = follower.wait()
    if failed is None:
        return Exit.COMPLETE
    return _summarize(context, slugs, sources=sources, failed=failed)


def _summarize(
    context: StageContext,
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    failed: int,
) -> Exit:
    asked = tuple(sources or context.sources)
    tallies = context.catalog.tallies(asked, slugs=slugs)
    console.print(tally_table(tallies))
    return result_code(tallies, failed=failed)
