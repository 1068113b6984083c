"""Redfin as a `ListingSource`: what is asked, and how each ending is told."""

from phx_pipeline.errors import (
    FetchError,
    GoneError,
    SourceChangedError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource, PageUrls, SearchSource
from phx_pipeline.sources.endings import ended, failed, near_miss
from phx_pipeline.sources.persons import without_persons
from phx_pipeline.sources.redfin.addresses import HOSTS, SHORT_HOSTS, address_in
from phx_pipeline.sources.redfin.answers import carries_answers, text_of
from phx_pipeline.sources.redfin.find import (
    Home,
    homes_matching,
    near_addresses,
    search_url,
)
from phx_pipeline.sources.redfin.gallery import PHOTO_HOSTS, filed_under, photo_key
from phx_pipeline.sources.redfin.listings import RedfinListings
from phx_pipeline.sources.redfin.parse import page_address, parse_listing

_ANSWER_BYTES = 1_000_000
_PAGE_BYTES = 8_000_000  # a real page has 3 MB
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
_ASKED_BY_PAGES = (  # for parts of a home, by themselves
    "/stingray/api/home/details/",
    "/stingray/api/photoTagsAndCaptions",
    "/api/v1/home/details/",
)


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
    listings: SearchSource | None = RedfinListings()

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* and return its gallery, or why there is none."""
        try:
            return await _discover(house, fetcher=fetcher)
        except SourceChangedError as error:
            return ended(Source.REDFIN, ListingOutcome.PAGE_CHANGED, str(error))
        except FetchError as error:
            return failed(Source.REDFIN, error)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read a listing page; the errors are those of `parse_listing`."""
        return parse_listing(text_of(page), house=house, page_url=page.url)

    def address_of(self, page: Fetched) -> Address:
        """Return the address of a listing page; the errors are of `page_address`."""
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


async def _discover(house: Property, *, fetcher: Fetcher) -> Listing:
    answer = await _search(house.address, fetcher=fetcher)
    homes = homes_matching(answer, house=house)
    if not homes and (near := near_addresses(answer, house=house)):
        return near_miss(Source.REDFIN, house, near)
    if not homes:
        return ended(
            Source.REDFIN,
            ListingOutcome.NOT_FOUND,
            "the address search does not know the house",
        )
    if len(homes) > 1:
        paths = ", ".join(home.path for home in homes)
        return ended(Source.REDFIN, ListingOutcome.AMBIGUOUS, f"several pages: {paths}")
    return await _read_page(homes[0], house=house, fetcher=fetcher)


async def _search(address: Address, *, fetcher: Fetcher) -> Fetched:
    request = Request(
        url=search_url(address),
        source=Source.REDFIN,
        kind=RequestKind.API,
        max_bytes=_ANSWER_BYTES,
    )
    try:
        return await fetcher.get(request)
    except GoneError as error:
        # An unknown address is an empty answer; a 404 means the search has moved.
        raise SourceChangedError("the address search is gone") from error


async def _read_page(home: Home, *, house: Property, fetcher: Fetcher) -> Listing:
    request = Request(
        url=home.url,
        source=Source.REDFIN,
        kind=RequestKind.PAGE,
        max_bytes=_PAGE_BYTES,
        captures=_ASKED_BY_PAGES,
    )
    page = await fetcher.get(request)
    return parse_listing(
        text_of(page), house=house, page_url=page.url, captured=page.captured
    )
