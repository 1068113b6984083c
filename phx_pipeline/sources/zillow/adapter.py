"""Zillow as a `ListingSource`.

What reads its pages is loaded when there is one: who only asks what a source is by
needs none of it.
"""

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import (
    ListingSource,
    PageUrls,
    SearchSource,
    SearchWhenAsked,
)
from phx_pipeline.sources.persons import without_persons
from phx_pipeline.sources.zillow.addresses import (
    HOSTS,
    PHOTO_HOSTS,
    SHORT_HOSTS,
    address_in,
)

_PERSONS = (
    "agent_directory",
    "attributionInfo",
    "business_name",
    "contactFormRenderData",
    "contact_recipients",
    "display_name",
    "infoString2",
    "listingAccountUserId",
    "listing_provided_by",
    "postingContact",
)


def _listings() -> SearchSource:
    from phx_pipeline.sources.zillow.listings import ZillowListings

    return ZillowListings()


class Zillow(ListingSource):
    """Zillow: the address leads to the listing, or to a search page that links it."""

    source = Source.ZILLOW
    is_browsed = True
    needs_browser = True  # for the pages of its houses
    page_hosts: tuple[str, ...] = ("www.zillow.com", "zillow.com")
    photo_hosts: tuple[str, ...] = PHOTO_HOSTS
    browser_hosts: tuple[str, ...] = (
        "zillowstatic.com",  # scripts and styles
        "px-cloud.net",  # the guard, which runs on good pages too,
        "px-cdn.net",  # and where it was before
    )
    urls: PageUrls | None = PageUrls(
        hosts=HOSTS, short_hosts=SHORT_HOSTS, address_in=address_in
    )
    listings: SearchSource | None = SearchWhenAsked(_listings)

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* and return its gallery, or why there is none."""
        from phx_pipeline.sources.zillow.asking import discover

        return await discover(house, fetcher=fetcher)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read a detail page; the errors are those of `parse_detail`."""
        from phx_pipeline.sources.zillow.detail import parse_detail
        from phx_pipeline.sources.zillow.payload import read_page
        from phx_pipeline.sources.zillow.search import zpid_in

        opened = read_page(page)
        if opened.cache is None:
            raise SourceChangedError("no details of a house in it")
        return parse_detail(opened, house=house, zpid=zpid_in(page.url))

    def address_of(self, page: Fetched) -> Address:
        """Return the address of a detail page; the errors are of `page_address`."""
        from phx_pipeline.sources.zillow.detail import page_address
        from phx_pipeline.sources.zillow.payload import read_page
        from phx_pipeline.sources.zillow.search import zpid_in

        return page_address(read_page(page), zpid=zpid_in(page.url))

    def photo_named(self, url: str) -> str | None:
        """Return the key of the photo that a URL names."""
        from phx_pipeline.sources.zillow.gallery import variant_of

        variant = variant_of(url)
        return variant.key if variant else None

    def scrubbed(self, text: str) -> str:
        """Return an answer without agents, brokers and whoever posts."""
        return without_persons(text, _PERSONS, keeping=("mlsId", "mlsName"))

    def holds_data(self, script: str) -> bool:
        """Whether a script carries the answers of a page of any generation."""
        from phx_pipeline.sources.zillow.payload import carries_answers

        return carries_answers(script)
