"""`phx extract`: collect photos, through the queue or in this process."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from phx_pipeline.cli.console import (
    NO_HOUSES,
    console,
    errors,
    few_warnings,
    log_to_stderr,
)
from phx_pipeline.cli.enqueue import How, enqueue, take_up
from phx_pipeline.cli.failures import tell_failure
from phx_pipeline.cli.follow import watching
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import (
    FILLED,
    isolation_option,
    json_option,
    one_of_two,
    priority_option,
    server_option,
)
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.result import code_now, summarize
from phx_pipeline.cli.session import connected, opened
from phx_pipeline.client.order import Order
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Mode, Priority
from phx_pipeline.model.no_way import OFFLINE, all_tell_no_way
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings, parse_sources, served_at

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext


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
    "--job-id",
    type=FILLED,
    metavar="ID",
    help="Follow a job that was handed in before, instead of making one.",
)
@click.option(
    "--async",
    "ways",
    flag_value="async",
    multiple=True,
    help="Enqueue the houses, print the id of the job, and do not follow it.",
)
@click.option(
    "--sync",
    "ways",
    flag_value="sync",
    multiple=True,
    help="Work in this process, one house after another, without Dagster but under "
    "the same leases.",
)
@click.option(
    "--dry-run",
    "ways",
    flag_value="dry-run",
    multiple=True,
    help="Ask the sources and show what they list; download and keep nothing.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Wait for the end of the job without showing it; the exit code tells the "
    "result.",
)
@priority_option
@isolation_option(
    "Where the browser's window is, by default as PHX_ISOLATION says where the runs "
    "work: "
)
@click.option(
    "--resume/--fresh",
    multiple=True,
    callback=one_of_two,
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
@server_option
@json_option
@click.pass_context
def extract(ctx: click.Context, /, **given: Any) -> None:
    """Find and download the photos of one house, some or all.

    By default the houses become a job, whose runs Dagster starts, and which is followed
    until they have ended; Ctrl-C stops the following, and the runs go on. Photos that
    are held already are never downloaded again. Give --all, --address or --job-id.

    \b
    Examples:
      phx extract --all
      phx extract --address 4732-w-davis-rd-glendale-az-85306 --sources redfin
      phx extract --all --fresh     ask every source again, complete or not
      phx extract --all --dry-run   show what the sources list now
      phx extract --all --async     enqueue, and go on with something else
      phx extract --job-id ID       follow that job again
      phx extract --all --wait      wait for it in a script
      phx extract --all --sync -v   work in this process, and see each step
    """
    wish = Wish(**given)
    _refuse_contradictions(wish, typed=_typed(ctx))
    ctx.exit(_extracted(wish))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The options of a command line, as click gives them."""

    everything: bool
    houses: tuple[str, ...]
    sources: str | None
    job_id: str | None
    ways: tuple[str, ...]
    wait: bool
    priority: str
    isolation: str | None
    resume: bool | None
    server: str | None
    as_json: bool

    @property
    def how(self) -> str | None:
        """The one way that is asked for."""
        return self.ways[0] if self.ways else None

    @property
    def is_here(self) -> bool:
        """Whether this process does the work itself."""
        return self.how in {"sync", "dry-run"}

    @property
    def chosen(self) -> tuple[Source, ...]:
        """The sources that are named."""
        return parse_sources(self.sources, by="--sources") if self.sources else ()

    @property
    def mode(self) -> Mode:
        """What is asked again."""
        return Mode.FRESH if self.resume is False else Mode.RESUME

    @property
    def following(self) -> How:
        """What is to be shown of a job."""
        if self.wait:
            return How.WAIT
        return How.LEAVE if self.how == "async" else How.FOLLOW

    def order(self, slugs: Sequence[str]) -> Order:
        """The order for *slugs*, or for what was named where they are not known."""
        return Order(
            houses=tuple(slugs) or self.houses,
            everything=self.everything and not slugs,
            sources=self.chosen,
            mode=self.mode,
            priority=Priority(self.priority),
            isolation=IsolationMode(self.isolation) if self.isolation else None,
        )


def _extracted(wish: Wish) -> Exit:
    settings = load_settings()
    if wish.job_id:
        with watching(wish.job_id), connected(wish.server) as client:
            return take_up(
                client, wish.job_id, how=wish.following, as_json=wish.as_json
            )
    server = served_at(wish.server, by="--server") or settings.server
    if server and not wish.is_here:
        with connected(server) as client:
            return enqueue(
                client, wish.order(()), how=wish.following, as_json=wish.as_json
            )
    if wish.is_here and wish.isolation:
        settings = replace(settings, isolation=IsolationMode(wish.isolation))
    with opened(settings) as context:
        return _extracted_from(context, settings, wish)


def _extracted_from(context: "StageContext", settings: Settings, wish: Wish) -> Exit:
    """Extract on the stores of this machine."""
    from phx_pipeline.client.direct import CatalogClient

    chosen = wish.chosen
    asked = _slugs(context, everything=wish.everything, houses=wish.houses)
    _refuse_disabled(context, chosen)
    if wish.how == "dry-run":
        return _show_only(context, asked, sources=chosen)
    due = _due(context, asked, sources=chosen, mode=wish.mode)
    if len(due) < len(asked):
        _tell_left_out(context, len(asked) - len(due), wish)
    if not due:
        return _nothing_due(context, asked, wish)
    if wish.how == "sync":
        with few_warnings():
            return _run_here(context, due, sources=chosen, mode=wish.mode)
    with CatalogClient.of(context, settings) as client:
        order = wish.order(due)
        return enqueue(client, order, how=wish.following, as_json=wish.as_json)


_OF_NEW_JOBS = ("sources", "priority", "isolation", "resume")
"""Options that tell what a job is to do."""


def _typed(ctx: click.Context) -> list[str]:
    """Those of them that stand on the command line."""
    typed = ParameterSource.COMMANDLINE
    return [it for it in _OF_NEW_JOBS if ctx.get_parameter_source(it) is typed]


def _refuse_contradictions(wish: Wish, *, typed: Sequence[str]) -> None:
    _refuse_two_ways(wish)
    _refuse_no_houses(wish)
    if wish.is_here and (wish.wait or wish.job_id or wish.server):
        raise InputError(
            "--sync and --dry-run work in this process: leave out --wait, --job-id "
            "and --server"
        )
    if wish.job_id and typed:
        raise InputError(
            f"--job-id follows a job as it was handed in: leave out {_options(typed)}"
        )
    if wish.is_here and "priority" in typed:
        raise InputError(f"--{wish.how} waits for nobody: leave out --priority")
    if wish.as_json and wish.following is How.FOLLOW:
        raise InputError("--json prints a job: add --async, or --wait for its end")


def _refuse_no_houses(wish: Wish) -> None:
    which = {
        "--all": wish.everything,
        "--address": bool(wish.houses),
        "--job-id": bool(wish.job_id),
    }
    given = [name for name, is_given in which.items() if is_given]
    if len(given) > 1:
        raise InputError(f"give one of {', '.join(given[:-1])} and {given[-1]}")
    if not given:
        raise InputError(
            "say which properties: --all, or --address (repeatable), or --job-id of "
            "a job that is there"
        )


def _options(typed: Sequence[str]) -> str:
    shown = ("--resume and --fresh" if it == "resume" else f"--{it}" for it in typed)
    return ", ".join(shown)


def _refuse_two_ways(wish: Wish) -> None:
    ways = [f"--{way}" for way in dict.fromkeys(wish.ways)]
    if wish.wait and "--async" in ways:
        ways = ["--async", "--wait"]
    if len(ways) > 1:
        raise InputError(f"give one of {' and '.join(ways)}")


def _log_if(verbose: bool) -> None:  # noqa: FBT001 - click calls it
    if verbose:
        log_to_stderr()


def _due(
    context: "StageContext",
    slugs: Sequence[str],
    *,
    sources: Sequence[Source],
    mode: Mode,
) -> list[str]:
    """The properties with something to do."""
    from phx_pipeline.stages.missing import lacking_files
    from phx_pipeline.stages.plan import has_work, sources_due

    among = tuple(sources or context.sources)
    at = context.stamp().at
    off = context.catalog.policies.switched_off()
    due = lacking_files(context, slugs) | context.catalog.jobs.called_on(slugs)
    for tally in context.tallies(among, slugs=slugs):
        asked = sources_due(
            tally,
            among=among,
            mode=mode,
            at=at,
            stale_days=context.stale_days,
            off=off,
            lacking=context.lacking,
        )
        if has_work(tally, due=asked, off=off):
            due.add(tally.slug)
    return [slug for slug in slugs if slug in due]


def _tell_left_out(context: "StageContext", count: int, wish: Wish) -> None:
    days = counted(context.stale_days, "day")
    (errors if wish.as_json else console).print(
        f"{counted(count, 'property')} left out: complete, and asked within {days} "
        "(--fresh asks again)",
        soft_wrap=True,
    )


def _nothing_due(context: "StageContext", asked: Sequence[str], wish: Wish) -> Exit:
    if wish.as_json:
        click.echo("null")
    if wish.wait or wish.as_json:
        return code_now(context, asked, sources=wish.chosen)
    return summarize(context, asked, sources=wish.chosen, failed=0)


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
    return summarize(context, slugs, sources=sources, failed=failed)


def _tell_interrupted(slug: str, *, left: int, mode: Mode) -> None:
    after = f", and {counted(left, 'property')} after it" if left else ""
    how = " with --resume instead of --fresh" if mode is Mode.FRESH else ""
    errors.print(
        f"stopped at {slug}{after}: what came is kept, and the same command{how} "
        "goes on from here",
        soft_wrap=True,
    )
