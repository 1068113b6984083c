"""What every listing source offers."""

from typing import Protocol

from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source


class ListingSource(Protocol):
    """One site: how a property's listing is found and its gallery read.

    `browser_hosts` are what its pages are run by in a browser beside the others: their
    scripts, styles and guards. No request of ours goes there.
    """

    source: Source
    page_hosts: tuple[str, ...]
    photo_hosts: tuple[str, ...]
    browser_hosts: tuple[str, ...]

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* and return its gallery.

        Never raises for what a site can do to us: a block, a changed page, a wrong
        house and a network failure are outcomes of the returned `Listing`.
        """
        ...
