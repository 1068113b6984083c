"""Settings in, ready objects out: the one place where parts are put together."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from phx_pipeline.catalog.engine import catalogue_url, open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.migrate import require_current, upgrade
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.listing_text import ListingTextCategorizer
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.fetch.chain import build_fetcher
from phx_pipeline.settings import Settings
from phx_pipeline.sources.registry import available_sources, hosts_of
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout


def utc_now() -> datetime:
    """The wall clock, as an aware UTC time."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock that is handed to others


def build_catalog(settings: Settings) -> Catalog:
    """Open the catalogue; `RevisionError` tells when `phx init` is due."""
    engine = open_engine(_url(settings))
    require_current(engine)
    return Catalog(engine, leases=Leases(engine, ttl_s=settings.lease_ttl_s))


def initialise_catalog(settings: Settings) -> str:
    """Bring the catalogue to this version; return the revision it had."""
    engine = open_engine(_url(settings))
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


def build_fetcher_factory(settings: Settings) -> Callable[[], Fetcher]:
    """Return a maker of fetchers; each belongs to the event loop that made it."""
    return partial(
        build_fetcher,
        allowed=hosts_of(available_sources()),
        proxy=settings.proxy,
        ca_file=settings.ca_file,
        attempts=settings.attempts,
    )


def build_context(
    settings: Settings, *, run_id: str, clock: Callable[[], datetime] = utc_now
) -> StageContext:
    """Put everything together that the stages need."""
    layout = Layout(settings.data_dir)
    known = available_sources()
    return StageContext(
        catalog=build_catalog(settings),
        blobs=BlobStore(layout),
        layout=layout,
        sources={source: known[source] for source in settings.sources},
        open_fetcher=build_fetcher_factory(settings),
        categorizers=(ListingTextCategorizer(),),
        clock=clock,
        run_id=run_id,
        downloads=settings.downloads,
        max_side=settings.max_side,
        lease_wait_s=settings.lease_wait_s,
    )


def _url(settings: Settings) -> str:
    return catalogue_url(
        settings.catalog_url, default_file=Layout(settings.data_dir).catalogue
    )
