"""The catalogue opened; made it is in `stores`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from phx_pipeline.catalog.engine import catalogue_url, open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.migrate import require_current
from phx_pipeline.catalog.policies import CatalogPolicies, StandinPolicies
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.settings import Settings
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.clock import utc_now


def build_catalog(
    settings: Settings, *, clock: Callable[[], datetime] = utc_now
) -> Catalog:
    """Open the catalogue; `RevisionError` tells when `phx init` is due.

    Circuits go by *clock*; leases by the machine's, for processes share them.
    """
    engine = open_engine(url_of(settings))
    with ExitStack() as opened:
        opened.callback(engine.dispose)
        require_current(engine)
        opened.pop_all()
    asks_standins = settings.proxy is not None and settings.standins == settings.proxy
    policies = StandinPolicies if asks_standins else CatalogPolicies
    return Catalog(
        engine,
        leases=Leases(engine, ttl_s=settings.lease_ttl_s),
        policies=policies(engine, now=lambda: clock().timestamp()),
    )


@contextmanager
def given_or_opened(
    catalog: Catalog | None, settings: Settings, *, clock: Callable[[], datetime]
) -> Iterator[Catalog]:
    """*catalog*, or one that is opened, and closed again only if the body raises."""
    with ExitStack() as opened:
        if catalog is None:
            catalog = build_catalog(settings, clock=clock)
            opened.callback(catalog.close)
        yield catalog
        opened.pop_all()


def url_of(settings: Settings) -> str:
    """The URL of the catalogue."""
    return catalogue_url(
        settings.catalog_url, default_file=Layout(settings.data_dir).catalogue
    )
