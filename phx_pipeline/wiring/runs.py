"""What stages are given; commands that only show something need none of it."""

from collections.abc import Callable
from datetime import datetime

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.categorize.registry import chosen, equip, gap_lines
from phx_pipeline.reads.base import Reads
from phx_pipeline.settings import Settings
from phx_pipeline.sources.standing import circuits_of, means_of
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.backends import build_equipment
from phx_pipeline.wiring.browser import lacking_browser
from phx_pipeline.wiring.catalog import given_or_opened
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.wiring.fetchers import LeaseTurns, build_fetcher_factory
from phx_pipeline.wiring.reads import max_side
from phx_pipeline.wiring.sources import equipped_sources
from phx_pipeline.workflows.typed import address_in


def build_context(
    settings: Settings,
    *,
    run_id: str,
    catalog: Catalog | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> StageContext:
    """Put everything together that the stages need.

    Args:
        settings: of the stores, and of what this machine has.
        run_id: of whoever works with it.
        catalog: one that is open; else one is opened, for the caller to close.
        clock: the current time.
    """
    registered = equipped_sources(settings)
    layout = Layout(settings.data_dir)
    wanted = chosen(settings.categorizers)  # a wrong name opens no store
    with given_or_opened(catalog, settings, clock=clock) as opened:
        equipment = build_equipment(settings, opened)
        backends = equip(wanted, equipment)
    return StageContext(
        catalog=opened,
        blobs=BlobStore(layout),
        layout=layout,
        sources={it: registered[it] for it in settings.sources or registered},
        registered=registered,
        open_fetcher=build_fetcher_factory(
            settings,
            policies=opened.policies,
            proxies=opened.proxies,
            turns=LeaseTurns(opened.leases, owner=process_owner(run_id)),
            clock=clock,
        ),
        lacks_browser=lacking_browser(settings),
        categorizers=backends.categorizers,
        lacks_categorizers=backends.missing,
        away_categorizers=backends.away,
        calibration=equipment.trained,
        clock=clock,
        run_id=run_id,
        downloads=settings.downloads,
        max_side=max_side(settings),
        stale_days=settings.stale_days,
        final_after_days=settings.final_after_days,
        who=settings.user,
        lease_wait_s=settings.lease_wait_s,
    )


def reads_of(context: StageContext) -> Reads:
    """Return the reads of a context's catalogue, sources and clock."""
    away = [it.name for it in context.away_categorizers]
    registered = {**context.registered, **context.sources}
    return Reads(
        catalog=context.catalog,
        layout=context.layout,
        enabled=tuple(context.sources),
        means=lambda: means_of(registered, named=context.sources),
        circuits=circuits_of(
            registered,
            context.catalog.policies.source_states,
            has_browser=not context.lacks_browser,
        ),
        recipe=context.recipe,
        final_after_days=context.final_after_days,
        clock=context.clock,
        typed_address=address_in,
        lacks_browser=context.lacks_browser,
        naming_gaps=lambda: gap_lines(context.lacks_categorizers, away=away),
    )
