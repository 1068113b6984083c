"""What reads are given; what only some of them need is loaded when it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.imaging.recipe import recipe_name
from phx_pipeline.model.address import Address
from phx_pipeline.model.circuit import Circuits
from phx_pipeline.model.source import Source
from phx_pipeline.model.standing import Means
from phx_pipeline.reads.base import Reads
from phx_pipeline.settings import Settings
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.registry import REGISTERED
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.browser import lacking_browser
from phx_pipeline.wiring.catalog import given_or_opened
from phx_pipeline.wiring.clock import utc_now


def max_side(settings: Settings) -> int | None:
    """The longest side of published pictures in pixels; None for that of each."""
    return None if settings.image_format == "original" else settings.max_side


def build_reads(
    settings: Settings,
    *,
    catalog: Catalog | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Reads:
    """Put together what reads need: of the stages and their backends nothing is made.

    Args:
        settings: of the store, and of what this machine has.
        catalog: one that is open; else one is opened, for the caller to close.
        clock: the current time.
    """
    if settings.categorizers:
        _refuse_unknown_backends(settings)  # a wrong name opens no store
    with given_or_opened(catalog, settings, clock=clock) as opened:
        machine = _Machine(settings, opened)
    return Reads(
        catalog=opened,
        layout=Layout(settings.data_dir),
        enabled=settings.sources or tuple(REGISTERED),
        means=machine.means,
        circuits=machine.circuits,
        recipe=recipe_name(max_side=max_side(settings)),
        final_after_days=settings.final_after_days,
        clock=clock,
        typed_address=_typed_address,
        lacks_browser=machine.lacks_browser,
        naming_gaps=machine.naming_gaps,
    )


def _refuse_unknown_backends(settings: Settings) -> None:
    from phx_pipeline.categorize.registry import chosen

    chosen(settings.categorizers)


def _typed_address(text: str) -> Address | None:
    from phx_pipeline.workflows.typed import address_in

    return address_in(text)


class _Machine:
    """What this machine has to ask sources and to name pictures with."""

    def __init__(self, settings: Settings, catalog: Catalog) -> None:
        self._settings = settings
        self._catalog = catalog
        self.lacks_browser = lacking_browser(settings)

    @cached_property
    def _sources(self) -> Mapping[Source, ListingSource]:
        from phx_pipeline.wiring.sources import equipped_sources

        return equipped_sources(self._settings)

    def means(self) -> Mapping[Source, Means]:
        from phx_pipeline.sources.standing import means_of

        return means_of(self._sources, named=self._settings.sources)

    def circuits(self) -> Circuits:
        from phx_pipeline.sources.standing import circuits_of

        read, lacks = self._catalog.policies.source_states, self.lacks_browser
        return circuits_of(self._sources, read, has_browser=not lacks)()

    def naming_gaps(self) -> Iterator[str]:
        from phx_pipeline.categorize.registry import chosen, gap_lines, missing_of

        wanted = chosen(self._settings.categorizers)
        away = [it.name for it in wanted if it.votes_go_on]
        return gap_lines(missing_of(wanted), away=away)
