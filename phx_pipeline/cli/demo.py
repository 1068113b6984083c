"""`phx demo`: the whole pipeline on made-up houses, without any network."""

import os
import shlex
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from phx_pipeline.cli.console import console
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.outputs import OutputFolder
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.settings import (
    Settings,
    load_settings,
    require_place,
    resolved,
    stored_in,
)
from phx_pipeline.storage.demo_stores import STANDIN

if TYPE_CHECKING:
    from phx_pipeline.demo.loopback import Loopback
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.supervise.supervisor import Supervisor

_CATEGORIZERS = ("listing_text",)  # drawings are no photos to a network
# What a demo takes from the environment: no token, no proxy, no mail server and no
# webhook, so that nothing leaves this machine.
TAKEN: Final = (
    *("dagster_home", "catalog_url", "dagster_pg_url", "user"),
    *("max_side", "image_format", "downloads", "lease_ttl_s", "lease_wait_s"),
)
_MORE_ROUNDS = 2
_CHANGED = "over night the stand-ins changed; the look of the next morning:"
_SEEN_BEFORE = (
    "the stand-ins show the same next morning again, which the demo in this folder has "
    "seen; name a new --folder to have it as news. The look:"
)
_PASSING = (
    None,
    ListingOutcome.FAILED,
    ListingOutcome.RATE_LIMITED,
    ListingOutcome.CIRCUIT_OPEN,
)


@click.command()
@click.option(
    "--folder",
    type=OutputFolder(),
    help="Keep the demo's stores here, in a new or empty folder or one of an earlier "
    "demo; by default in demo below the data folder.",
)
@click.option(
    "--postgres",
    is_flag=True,
    help="Keep rows and runs in the databases of PHX_CATALOG_URL and "
    "PHX_DAGSTER_PG_URL, both empty or of an earlier demo; by default in "
    "files.",
)
@click.option(
    "--morning",
    is_flag=True,
    help="Afterwards let the stand-ins change as sites do over a night, look at all "
    "houses as `phx up` does every morning, and have what is new collected.",
)
@click.option(
    "--stay",
    is_flag=True,
    help="Keep Dagster and the stand-ins up afterwards until Ctrl-C, and print "
    "the UI's address.",
)
@click.pass_context
def demo(
    ctx: click.Context,
    *,
    folder: Path | None,
    postgres: bool,
    morning: bool,
    stay: bool,
) -> None:
    """Run the whole pipeline on six made-up houses, offline.

    Stand-ins for all four sources on this machine speak the formats of the real sites;
    the requests carry production URLs through a loopback proxy that refuses every other
    host. The sites show many of the same photos in other sizes and crops, and disagree
    about one house. The county's assessor is disabled, for want of a token; its public
    map tells a few facts. Repeat it: the second time nothing is downloaded.

    \b
    Examples:
      phx demo --folder /tmp/demo
      phx demo --morning      and see what a price cut looks like the next day
      phx demo --stay         and look around in Dagster, with the stand-ins there
      phx demo --postgres     on PostgreSQL, as PHX_CATALOG_URL and
                              PHX_DAGSTER_PG_URL say

    Exit codes: 0 all is collected, 3 something is open: `phx demo` again goes on.
    """
    from phx_pipeline.demo.loopback import Loopback
    from phx_pipeline.demo.standins import STANDINS, all_sites
    from phx_pipeline.model.refusal import on_disk

    own = load_settings()
    stores = _databases(own, postgres=postgres)
    root = resolved(str(folder or own.data_dir / "demo"), "--folder")
    require_place(root, "--folder")
    _require_own(root)
    with on_disk(root), Loopback(all_sites(), folder=root / STANDIN) as standin:
        settings = _settings(stores, root=root, standin=standin)
        line = _look_around(own, root, postgres=postgres)
        sites = standin if morning else None
        code = _shown(settings, changing=sites, stay_with=line if stay else None)
    photo_hosts = {each.photo_host for each in STANDINS.values()}
    photos = sum(asked.host in photo_hosts for asked in standin.asked)
    console.print(f"the stand-ins were asked for {counted(photos, 'photo')}")
    if code is not Exit.COMPLETE:
        console.print("some of it is open, as told above: `phx demo` again goes on")
    if morning:
        console.print(unbroken(f"what changed: {line} phx changes"), soft_wrap=True)
    console.print(unbroken(f"look around: {line} phx up"), soft_wrap=True)
    console.print(
        "  (its sources are off, lest real sites be asked for made-up houses;"
    )
    console.print("  `phx demo --stay` keeps the stand-ins up instead)")
    ctx.exit(code)


def _require_own(root: Path) -> None:
    """Raise `InputError` if the folder holds something, and no earlier demo."""
    from phx_pipeline.model.refusal import on_disk

    with on_disk(root):
        held = {it.name for it in root.iterdir()} if root.is_dir() else set()
    if held and STANDIN not in held:
        raise InputError(
            f"{root} holds other things than a demo: name a new or an empty folder, "
            "--folder FOLDER"
        )


def _settings(stores: Settings, *, root: Path, standin: "Loopback") -> Settings:
    from phx_pipeline.demo.standins import STANDINS
    from phx_pipeline.supervise.addresses import free_port

    settings = replace(
        load_settings({}),
        **{name: getattr(stores, name) for name in TAKEN},
        data_dir=root,
        dagster_dir=root / "dagster",
        sources=tuple(STANDINS),
        proxy=standin.proxy_url,
        standins=standin.proxy_url,
        ca_file=standin.ca_file,
        categorizers=_CATEGORIZERS,
        browser="off",  # the stand-ins refuse nobody
        pace_percent=0,  # the stand-in needs no rest
        final_after_days=1,  # and what it says is gone is gone
        webserver_port=free_port(),
    )
    return patient(settings, load=os.getloadavg()[0] / (os.cpu_count() or 1))


def patient(settings: Settings, *, load: float) -> Settings:
    """Return *settings* for a machine with *load* processes ready for each processor.

    What takes that many times as long is asked for by fewer at once, and nobody is
    taken for dead the sooner.
    """
    slower = max(1.0, load)
    return replace(
        settings,
        downloads=max(2, round(settings.downloads / slower)),
        lease_ttl_s=min(3600, round(settings.lease_ttl_s * max(4.0, slower))),
    )


def _shown(
    settings: Settings, *, changing: "Loopback | None", stay_with: str | None
) -> Exit:
    """Run the demo on its stores, where the sources are off for all others.

    Args:
        settings: of the demo.
        changing: the stand-ins, if they are to change after the first day.
        stay_with: the settings by which other commands find its stores, if it is to
            stay up for them.
    """
    from phx_pipeline.cli.session import opened
    from phx_pipeline.reads.facts import conflict_lines, conflicts_by_property
    from phx_pipeline.stages.views import refresh_views

    with (
        _supervised(settings) as supervisor,
        opened(settings) as context,
    ):
        _draw(context)
        code = _collected(context, settings, context.catalog.slugs())
        if changing is not None:
            code = max(code, _next_morning(context, settings, changing))
        refresh_views(context)
        _show_folders(context)
        for line in conflict_lines(conflicts_by_property(context.catalog)):
            console.print(line, soft_wrap=True)
        if stay_with is not None:
            _stay(supervisor, settings, others=stay_with)
    return code


def _groups(sources: Iterable[Source] | None = None) -> list[str]:
    from phx_pipeline.demo.standins import STANDINS
    from phx_pipeline.fetch.groups import group_names

    among = STANDINS if sources is None else sources
    return [name for source in among for name in group_names(source)]


def _draw(context: "StageContext") -> None:
    from phx_pipeline.demo.gallery import draw_all
    from phx_pipeline.demo.houses import HOUSES

    if not all(tally.is_complete for tally in context.tallies()):
        drawn = counted(draw_all(HOUSES), "photo")
        console.print(f"drew {drawn} for the stand-ins to show")


def _next_morning(
    context: "StageContext", settings: Settings, standin: "Loopback"
) -> Exit:
    """Let the stand-ins change, look at all houses, and collect what is new."""
    from phx_pipeline.cli.look import tell_looked
    from phx_pipeline.demo.gallery import draw_all
    from phx_pipeline.demo.morning import next_morning
    from phx_pipeline.demo.standins import all_sites
    from phx_pipeline.workflows.look import Look

    houses = next_morning()
    draw_all(houses)
    standin.show(all_sites(houses))
    is_known = context.catalog.looks.last_day(with_houses=True) is not None
    console.print(_SEEN_BEFORE if is_known else _CHANGED, soft_wrap=True)
    work, changed = Look(context, most_pages=settings.daily_pages), []
    looks = work.houses(context.catalog.slugs())
    for number, looked in enumerate(looks, start=1):
        tell_looked(looked, number=number)
        changed += [looked.slug] if looked.called else []
    return _collected(context, settings, changed) if changed else Exit.COMPLETE


def _collected(
    context: "StageContext", settings: Settings, slugs: Sequence[str]
) -> Exit:
    """Collect houses; what a busy machine left open is asked for again.

    Stand-ins never fail on the wire: where one seems to, this machine was too slow.
    """
    from phx_pipeline.cli.enqueue import enqueue
    from phx_pipeline.client.direct import CatalogClient
    from phx_pipeline.client.order import order_of

    order = order_of(slugs)
    with CatalogClient.of(context, settings) as client:
        code = enqueue(client, order)
        for _ in range(_MORE_ROUNDS):
            failing = _failing(context)
            is_cut_short = not all(it.is_published for it in context.tallies())
            if code is Exit.COMPLETE or not (failing or is_cut_short):
                break
            console.print("this machine is busy: what is open is asked for again …")
            context.catalog.policies.reset(_groups(failing))
            code = enqueue(client, order)
    return code


def _failing(context: "StageContext") -> set[Source]:
    """The sources of which a later round may get more: they failed on the wire.

    What a stand-in refused, or showed otherwise, it would again.
    """
    told = [source for tally in context.tallies() for source in tally.sources]
    refused = {it.source for it in told if it.outcome is ListingOutcome.BLOCKED}
    failed = {
        it.source for it in told if it.outcome in _PASSING or it.wanting > it.faulted
    }
    return failed - refused


def _stay(supervisor: "Supervisor", settings: Settings, *, others: str) -> None:
    url = f"http://127.0.0.1:{settings.webserver_port}"
    console.print(f"Dagster is up: {url}, stores in {settings.data_dir}")
    console.print(unbroken(f"in another terminal: {others} phx status"), soft_wrap=True)
    console.print(
        "  (for commands there its sources are off, lest real sites be asked for "
        "made-up houses)",
        soft_wrap=True,
    )
    console.print("stop with Ctrl-C")
    with suppress(KeyboardInterrupt):
        supervisor.keep_alive()


@contextmanager
def _supervised(settings: Settings) -> Iterator["Supervisor"]:
    """Make the stores and run Dagster on them; SIGTERM and HUP do as Ctrl-C."""
    from phx_pipeline.supervise.services import services
    from phx_pipeline.supervise.supervisor import Supervisor, holding

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with holding(settings) as held:
        _prepare(settings)
        console.print("starting Dagster's code server, daemon and webserver …")
        with Supervisor(services(held.settings), held=held) as supervisor:
            yield supervisor


def _databases(own: Settings, *, postgres: bool) -> Settings:
    """SQLite in the demo's folder, or the two PostgreSQL databases of *own*."""
    if not postgres:
        return stored_in(own, catalog_url=None, dagster_pg_url=None)
    if own.dagster_pg_url is None or not (own.catalog_url or "").startswith("postgres"):
        raise InputError(
            "phx demo --postgres: set PHX_CATALOG_URL and PHX_DAGSTER_PG_URL to two "
            "PostgreSQL databases"
        )
    return own


def _look_around(own: Settings, root: Path, *, postgres: bool) -> str:
    """The settings that lead to the demo's stores, whatever the environment has."""
    from phx_pipeline.demo.standins import STANDINS

    sources = ",".join(source.value for source in STANDINS)
    stores = f"PHX_DATA_DIR={shlex.quote(str(root))} PHX_SOURCES={sources}"
    words = [stores, f"PHX_CATEGORIZERS={','.join(_CATEGORIZERS)}"]
    words.append("PHX_FINAL_AFTER_DAYS=1")
    if own.dagster_dir != own.data_dir / "dagster":
        words.insert(0, "PHX_DAGSTER_DIR=")
    if own.channels:
        words.insert(0, "PHX_SMTP_HOST= PHX_WEBHOOK_URL=")
    if not postgres and (own.catalog_url or own.dagster_pg_url):
        words.insert(0, "PHX_CATALOG_URL= PHX_DAGSTER_PG_URL=")
    return " ".join(words)


def _prepare(settings: Settings) -> None:
    from phx_pipeline.cli.session import opened
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.demo.houses import HOUSES
    from phx_pipeline.model.address import Address
    from phx_pipeline.wiring.stores import initialise
    from phx_pipeline.workflows.intake import add_properties

    initialise(settings)
    open_instance(settings).dispose()
    houses = [Address.parse(house.address) for house in HOUSES]
    with opened(settings) as context:
        known = context.catalog.houses.find_address
        if (
            settings.catalog_url
            and context.catalog.slugs()
            and not all(map(known, houses))
        ):
            raise InputError(
                "PHX_CATALOG_URL holds other houses, and not the demo's: "
                "give the demo a database of its own"
            )
        context.catalog.policies.disable(_groups())  # real sites must never be asked
        add_properties(context, houses)


def _show_folders(context: "StageContext") -> None:
    for house in context.catalog.properties():
        folder = context.layout.folder(house.folder)
        files = len(list(folder.glob("*.png")))
        told = f"{counted(files, 'picture'):>12} of {house.address}: {folder}"
        console.print(unbroken(told), soft_wrap=True)
