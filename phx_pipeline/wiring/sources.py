"""Sources with the tokens there are; none is asked here."""

from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.wiring.browser import lacking_browser


def equipped_sources(settings: Settings) -> dict[Source, ListingSource]:
    """Return all sources with their tokens; each tells what it lacks to be asked here.

    Who names a source in PHX_SOURCES wants it asked by plain HTTP too, where there is
    no browser.
    """
    lacks_browser = "" if settings.sources else lacking_browser(settings)
    return available_sources(settings.secrets, lacks_browser=lacks_browser)
