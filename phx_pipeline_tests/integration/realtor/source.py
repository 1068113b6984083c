"""A fifth source: what a package has to offer, and no more.

Its data lie in the script of Next.js, as the captured ones do.
"""

import json
import re
from datetime import date
from typing import Any

from phx_pipeline.errors import FetchError, SourceChangedError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources import next_data
from phx_pipeline.sources.base import ListingSource, PageUrls
from phx_pipeline.sources.endings import ended, failed
from phx_pipeline.sources.persons import without_persons

HOST, PHOTO_HOST = "www.realtor.com", "ap.rdcpix.com"
REALTOR = Source("realtor")

_DATA = re.compile(r'<script id="__NEXT_DATA__"[^<>]*>(.*?)</script>', re.DOTALL)
_PHOTO = re.compile(
    rf"https://{PHOTO_HOST}/(?P<key>[0-9a-f]{{32,34}}l-m\d+)(?:s|od-w\d+_h\d+)\.jpg"
)
_NAMED = re.compile(r"/realestateandhomes-detail/(?P<line>[^/]+?)(?:_M[\d-]+)?/?")


def address_in(path: str) -> str | None:
    """Return the address that the path of a page names."""
    found = _NAMED.fullmatch(path)
    parts = found["line"].split("_") if found else []
    if len(parts) != 4:
        return None
    street, city, state, zip_code = (part.replace("-", " ") for part in parts)
    return f"{street}, {city}, {state} {zip_code}"


def page_url(address: Address) -> str:
    """Return where the site has a house."""
    street, city, rest = (part.strip() for part in str(address).split(","))
    line = "_".join(part.replace(" ", "-") for part in (street, city))
    return f"https://{HOST}/realestateandhomes-detail/{line}_{'_'.join(rest.split())}"


class Realtor(ListingSource):
    """The site, asked for one page per house."""

    source = REALTOR
    pace_s = 2.0
    page_hosts = (HOST,)
    photo_hosts = (PHOTO_HOST,)
    urls: PageUrls | None = PageUrls(
        hosts=(HOST,), short_hosts=(), address_in=address_in
    )

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Ask for the page of the house's address."""
        url = page_url(house.address)
        request = Request(url=url, source=self.source, kind=RequestKind.PAGE)
        try:
            return self.read_saved(await fetcher.get(request), house=house)
        except FetchError as error:
            return failed(self.source, error)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read the details in a page, if they are of *house*."""
        details = _details(page)
        if house.means(_address(details)) is not Match.SAME:
            told = f"the page is of {_address(details)}"
            return ended(self.source, ListingOutcome.WRONG_PROPERTY, told)
        return Listing(
            source=self.source,
            outcome=ListingOutcome.LISTED,
            listing_id=details["id"],
            url=details["url"],
            listed_on=date.fromisoformat(details["list_date"][:10]),
            photos=tuple(_photos(details)),
            complete=True,
            facts=ListingFacts(
                living_area=details["details"]["sqft"],
                year_built=details["details"]["year_built"],
            ),
        )

    def address_of(self, page: Fetched) -> Address:
        """Return the address that a page is about."""
        return _address(_details(page))

    def photo_named(self, url: str) -> str | None:
        """Return the key that is the same for all sizes."""
        found = _PHOTO.fullmatch(url)
        return found["key"] if found else None

    def filed_under(self, photo: PhotoRef) -> Mark:
        """Return the upload that a photo belongs to."""
        return Mark(owner=photo.photo_key.partition("l-m")[0])

    def holds_data(self, script: str) -> bool:
        """Whether a script carries the state of a page."""
        return next_data.carries(script, ["initialReduxState"])

    def scrubbed(self, text: str) -> str:
        """Return an answer without those who advertise a house."""
        return without_persons(text, ["advertisers"])


def _details(page: Fetched) -> Any:
    found = _DATA.search(page.body.decode())
    if found is None:
        raise SourceChangedError("the page holds no data")
    state = json.loads(found[1])["props"]["pageProps"]["initialReduxState"]
    return state["propertyDetails"]


def _address(details: Any) -> Address:
    at = details["location"]["address"]
    return Address.parse(
        f"{at['line']}, {at['city']}, {at['state_code']} {at['postal_code']}"
    )


def _photos(details: Any) -> list[PhotoRef]:
    small = [photo["url"] for photo in details["photos"]]
    return [
        PhotoRef(
            source=REALTOR,
            photo_key=found["key"],
            url=url.removesuffix("s.jpg") + "od-w1024_h768.jpg",
            fallback_urls=(url,),
            position=position,
        )
        for position, url in enumerate(small)
        if (found := _PHOTO.fullmatch(url))
    ]
