"""A run that nobody asked for, in a process that workers are forked from.

What a process does at its first run alone, it has done then, and so have all that are
forked from it: statements compiled, modules imported amid a run, caches filled. The
house is made up and its photos are drawn; no site is asked, and its stores lie in a
folder that is gone afterwards. No connection, thread or file stays.
"""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, redirect_stderr, suppress
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

import dagster as dg
from PIL import Image

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.policies import CatalogPolicies
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.catalog.tables import metadata
from phx_pipeline.defs.assets.categorized_images import categorized_images
from phx_pipeline.defs.assets.deduped_images import deduped_images
from phx_pipeline.defs.assets.discovered_urls import discovered_urls
from phx_pipeline.defs.assets.manifest import manifest
from phx_pipeline.defs.assets.raw_images import raw_images
from phx_pipeline.defs.engines import forget_engines
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.address import EXAMPLE, Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import Border
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.catalog import url_of
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.workflows.intake import add_properties

_PAGE: Final = "https://rehearsal.invalid/"
_SIZE: Final = (480, 320)
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
_PREFIX: Final = "phx-rehearsal-"
_INSTANCE: Final = """
telemetry: {{enabled: false}}
compute_logs:
  module: phx_pipeline.defs.compute_logs
  class: ComputeLogs
  config: {{base_dir: {folder}}}
"""


def rehearse() -> None:
    """Run all steps of one house twice: with new photos, and with nothing new."""
    try:
        _sweep(_MEMORY)
        _rehearse_in(_MEMORY)  # a disk would be waited for at each commit
    except Exception:  # noqa: BLE001 - such as one that is full: each step tells it so
        _rehearse_in(None)


def _rehearse_in(place: Path | None) -> None:
    """Rehearse in a folder of *place*, by default where temporary files are."""
    with (
        TemporaryDirectory(prefix=_PREFIX, dir=place) as folder,
        _locked(Path(folder)),
    ):
        settings = _settings(Path(folder))
        try:
            with _signals_kept():
                _run_in(settings)
        finally:
            forget_engines()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals back to whoever had them: Dagster takes SIGTERM for good."""
    before = {it: signal.getsignal(it) for it in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(folder: Path) -> Settings:
    return replace(
        load_settings({}),
        data_dir=folder / "data",
        dagster_dir=folder / "dagster",
        sources=(Source.REDFIN,),
        browser="off",
        categorizers=("listing_text",),
    )


def _run_in(settings: Settings) -> None:
    settings.dagster_dir.mkdir()
    told = _INSTANCE.format(folder=settings.dagster_dir)
    (settings.dagster_dir / "dagster.yaml").write_text(told, encoding="utf-8")
    with (
        dg.DagsterInstance.local_temp(str(settings.dagster_dir)) as instance,
        _context(settings) as context,
        redirect_stderr(StringIO()),
    ):
        add_properties(context, [Address.parse(EXAMPLE)])
        (slug,) = context.catalog.slugs()
        instance.add_dynamic_partitions(str(PROPERTIES.name), [slug])
        job = _job(context)
        for _ in range(2):
            job.execute_in_process(partition_key=slug, instance=instance)


def _job(context: StageContext) -> dg.JobDefinition:
    return dg.Definitions(
        assets=[
            discovered_urls,
            raw_images,
            deduped_images,
            categorized_images,
            manifest,
        ],
        jobs=[extract_property],
        resources={"pipeline": context},
        executor=dg.in_process_executor,
    ).resolve_job_def(extract_property.name)


@contextmanager
def _context(settings: Settings) -> Iterator[StageContext]:
    Layout(settings.data_dir).catalogue.parent.mkdir(parents=True)
    engine = open_engine(url_of(settings))
    metadata.create_all(engine)
    catalog = Catalog(
        engine,
        leases=Leases(engine, ttl_s=settings.lease_ttl_s),
        policies=CatalogPolicies(engine, now=lambda: 0.0),
    )
    with closing(catalog):
        made = build_context(settings, run_id="rehearsal", catalog=catalog)
        source: ListingSource = Border(_Drawn())
        yield replace(
            made, sources={source.source: source}, registered={source.source: source}
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock that ends with this process.

    Raises:
        BlockingIOError: another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _sweep(place: Path) -> None:
    """Remove what processes left that were killed: it would stay in memory."""
    for left in place.glob(f"{_PREFIX}*"):
        with suppress(OSError), _locked(left):  # such as one of another user
            rmtree(left)


class _Drawn(ListingSource):
    """A source whose answers bring two small photos with them."""

    source = Source.REDFIN
    page_hosts = ("rehearsal.invalid",)
    photo_hosts = ()

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        del house, fetcher
        photos = {f"drawn-{turn}": _photo(turn) for turn in (0, 90)}
        return Listing(
            source=self.source,
            outcome=ListingOutcome.LISTED,
            url=_PAGE,
            photos=tuple(
                PhotoRef(
                    source=self.source,
                    photo_key=key,
                    url=_PAGE,
                    position=position,
                )
                for position, key in enumerate(photos)
            ),
            complete=True,
            facts=ListingFacts(list_price=400_000),
            inline=photos,
        )


def _photo(turn: int) -> bytes:
    body = BytesIO()
    drawn = Image.linear_gradient("L").rotate(turn).resize(_SIZE).convert("RGB")
    drawn.save(body, "JPEG", quality=90)
    return body.getvalue()
