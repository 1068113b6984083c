"""`phx demo`: the whole pipeline on made-up houses, without any network."""

import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console
from phx_pipeline.errors import InputError
from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings, stored_in

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext

_PHOTO_HOSTS = {"ssl.cdn-redfin.com", "photos.zillowstatic.com"}
_SOURCES = (Source.ZILLOW, Source.REDFIN)


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep the demo's stores; default: data/demo.",
)
@click.option(
    "--postgres",
    is_flag=True,
    help="Keep rows and runs in PHX_CATALOG_URL and PHX_DAGSTER_PG_URL, both empty "
    "or of an earlier demo.",
)
@click.pass_context
def demo(ctx: click.Context, *, folder: Path | None, postgres: bool) -> None:
    """Collect six made-up houses from two stand-in sites on this machine.

    They speak the formats of the real pages; the requests carry production URLs
    through a loopback proxy that refuses every other host. Both show many of the same
    photos in other sizes and crops, and disagree about one house. Repeat it: the second
    time nothing is downloaded.

    \b
    Examples:
      phx demo --folder /tmp/demo
      phx demo --postgres     on PostgreSQL, as PHX_CATALOG_URL and
                              PHX_DAGSTER_PG_URL say
    """
    from phx_pipeline.cli.extract import enqueue
    from phx_pipeline.cli.session import opened
    from phx_pipeline.demo.loopback import Loopback
    from phx_pipeline.demo.redfin_site import redfin_sites
    from phx_pipeline.demo.zillow_site import zillow_sites
    from phx_pipeline.model.refusal import on_disk
    from phx_pipeline.stages.facts import conflict_lines, conflicts_by_property
    from phx_pipeline.storage.private import private_folder
    from phx_pipeline.supervise.addresses import free_port

    own = load_settings()
    stores = _databases(own, postgres=postgres)
    root = (folder or own.data_dir / "demo").resolve()
    private_folder(root)
    sites = {**redfin_sites(), **zillow_sites()}
    with on_disk(root), Loopback(sites, folder=root / "standin") as standin:
        settings = replace(
            stores,
            data_dir=root,
            dagster_dir=root / "dagster",
            sources=_SOURCES,
            proxy=standin.proxy_url,
            ca_file=standin.ca_file,
            pace_percent=0,  # the stand-in needs no rest
            final_after_days=1,  # and what it says is gone is gone
            webserver_port=free_port(),
        )
        with _supervised(settings), opened(settings) as context:
            slugs = context.catalog.slugs()
            code = enqueue(context, settings, slugs, mode=Mode.RESUME)
            _show_folders(context)
            for line in conflict_lines(conflicts_by_property(context)):
                console.print(line, soft_wrap=True)
    photos = sum(asked.host in _PHOTO_HOSTS for asked in standin.asked)
    console.print(f"the stand-ins were asked for {photos} photos")
    console.print(f"look around: {_look_around(own, root, postgres=postgres)}")
    ctx.exit(code)


@contextmanager
def _supervised(settings: Settings) -> Iterator[None]:
    """Make the stores and run Dagster on them; SIGTERM and HUP do as Ctrl-C."""
    from phx_pipeline.supervise.services import services
    from phx_pipeline.supervise.supervisor import Supervisor, holding

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    with holding(settings) as held:
        _prepare(settings)
        console.print("starting Dagster's code server, daemon and webserver …")
        with Supervisor(services(held.settings), held=held):
            yield


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
    """The command that shows the demo's stores, whatever else is in the environment."""
    sources = ",".join(source.value for source in _SOURCES)
    stores = f"PHX_DATA_DIR={shlex.quote(str(root))} PHX_SOURCES={sources}"
    words = [stores, "PHX_FINAL_AFTER_DAYS=1", "phx up"]
    if own.dagster_dir != own.data_dir / "dagster":
        words.insert(0, "PHX_DAGSTER_DIR=")
    if not postgres and (own.catalog_url or own.dagster_pg_url):
        words.insert(0, "PHX_CATALOG_URL= PHX_DAGSTER_PG_URL=")
    return " ".join(words)


def _prepare(settings: Settings) -> None:
    from phx_pipeline.cli.session import opened
    from phx_pipeline.defs.submit import open_instance
    from phx_pipeline.demo.houses import HOUSES
    from phx_pipeline.model.address import Address
    from phx_pipeline.stages.intake import add_properties
    from phx_pipeline.wiring import initialise

    initialise(settings)
    open_instance(settings).dispose()
    houses = [Address.parse(house.address) for house in HOUSES]
    with opened(settings) as context:
        if set(context.catalog.slugs()) - {address.slug for address in houses}:
            raise InputError(
                "PHX_CATALOG_URL holds other houses than the demo's: "
                "give the demo a database of its own"
            )
        add_properties(context, houses)


def _show_folders(context: "StageContext") -> None:
    for house in context.catalog.properties():
        folder = context.layout.folder(house.folder)
        files = len(list(folder.glob("*.png")))
        console.print(f"{files:4} pictures of {house.address}: {folder}", markup=False)
