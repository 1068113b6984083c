"""Which listing sources exist, and which hosts each may talk to."""

from collections.abc import Mapping

from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.sources.zillow import Zillow


def available_sources() -> dict[Source, ListingSource]:
    """Return a fresh adapter of every source, behind the border, by its name."""
    adapters: list[ListingSource] = [Redfin(), Zillow()]
    return {adapter.source: Border(adapter) for adapter in adapters}


def hosts_of(
    sources: Mapping[Source, ListingSource],
) -> dict[Source, tuple[str, ...]]:
    """Return the page and photo hosts of each source: all it may be asked at."""
    return {
        source: (*adapter.page_hosts, *adapter.photo_hosts)
        for source, adapter in sources.items()
    }
