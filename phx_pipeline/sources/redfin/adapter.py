"""Redfin as a `ListingSource`.

What reads its pages is loaded when there is one: who only asks what a source is by
needs none of it.
"""

from phx_pipeline.fetch.base import Fetched, Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import (
    ListingSource,
    PageUrls,
    SearchSource,
    SearchWhenAsked,
)
from phx_pipeline.sources.persons import without_persons
from phx_pipeline.sources.redfin.addresses import HOSTS, SHORT_HOSTS, address_in
from phx_pipeline.sources.redfin.answers import carries_answers, text_of
from phx_pipeline.sources.redfin.gallery import PHOTO_HOSTS, filed_under, photo_key

_PERSONS = (
    "agentInfo",
    "agentFirstName",
    "agentDisplayName",
    "agentPhotoUrl",
    "agentProfileUrl",
    "agentRequestAgents",
    "alt",
    "buyingAgents",
    "firstName",
    "fullName",
    "listingBroker",
    "listingCoBroker",
    "recommendedAgent",
    "redfin_agents",
    "sellingAgents",
    "sellingBroker",
)


def _listings() -> SearchSource:
    from phx_pipeline.sources.redfin.listings import RedfinListings

    return RedfinListings()


class Redfin(ListingSource):
    """Redfin: two requests per house, the address search and the listing page."""

    source = Source.REDFIN
    is_browsed = True
    page_hosts: tuple[str, ...] = (
        "www.redfin.com",
        "redfin.com",
        "ratelimited.redfin.com",  # so that being sent there is seen, not refused
    )
    photo_hosts: tuple[str, ...] = PHOTO_HOSTS
    browser_hosts: tuple[str, ...] = ("awswaf.com",)  # the guard, also of good pages
    urls: PageUrls | None = PageUrls(
        hosts=HOSTS, short_hosts=SHORT_HOSTS, address_in=address_in
    )
    listings: SearchSource | None = SearchWhenAsked(_listings)

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* and return its gallery, or why there is none."""
        from phx_pipeline.sources.redfin.asking import discover

        return await discover(house, fetcher=fetcher)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read a listing page; the errors are those of `parse_listing`."""
        from phx_pipeline.sources.redfin.parse import parse_listing

        return parse_listing(text_of(page), house=house, page_url=page.url)

    def address_of(self, page: Fetched) -> Address:
        """Return the address of a listing page; the errors are of `page_address`."""
        from phx_pipeline.sources.redfin.parse import page_address

        return page_address(text_of(page), page_url=page.url)

    def photo_named(self, url: str) -> str | None:
        """Return the key of the photo that a URL names."""
        return photo_key(url)

    def holds_data(self, script: str) -> bool:
        """Whether a script carries what the page was made from."""
        return carries_answers(script)

    def scrubbed(self, text: str) -> str:
        """Return an answer without agents, brokers and sellers."""
        return without_persons(text, _PERSONS)

    def filed_under(self, photo: PhotoRef) -> Mark:
        """Return the MLS and the MLS id that a photo's key names."""
        return filed_under(photo)
