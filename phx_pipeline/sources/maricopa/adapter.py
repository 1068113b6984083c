"""The assessor as a `ListingSource`.

What reads its answers is loaded when there is one: who only asks what a source is by
needs none of it.
"""

from collections.abc import Mapping

from phx_pipeline.fetch.base import ClientName, Fetched, Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import Credential, ListingSource, PageUrls
from phx_pipeline.sources.maricopa.county import HOST, MAP_HOST, ONLY, TOKEN, WITHOUT
from phx_pipeline.sources.persons import without_persons

_UNCAPTURED = (
    "no answer of its public map was ever captured: its reader follows what the map's "
    "software is known to write, and nobody knows whether it reads the map itself"
)


class MaricopaAssessor(ListingSource):
    """The assessor: the search, one parcel; without a token the public parcel map.

    The token goes to its host alone, and no answer to it is kept.
    """

    source = Source.MARICOPA
    pace_s = 1.0
    client = ClientName.HTTPX
    page_hosts: tuple[str, ...] = (HOST, MAP_HOST)
    photo_hosts: tuple[str, ...] = ()
    urls: PageUrls | None = PageUrls(
        hosts=(HOST,), short_hosts=(), address_in=lambda _path: None
    )
    credentials = (Credential(setting=TOKEN, is_required=True, without=WITHOUT),)
    asks_without = ONLY
    look_every_days = 30  # its values are of a year

    def __init__(self, token: str = "") -> None:
        self._token = token
        self.uncaptured = "" if token else _UNCAPTURED

    def equipped(self, secrets: Mapping[str, str]) -> "MaricopaAssessor":
        """Return the source with its token, if that is among *secrets*."""
        return type(self)(secrets.get(TOKEN, ""))

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the parcel of *house*, and return its sketches and facts."""
        from phx_pipeline.sources.maricopa.asking import discover

        return await discover(house, fetcher=fetcher, token=self._token)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read the saved answer about a parcel; the errors are of `read_parcel`."""
        from phx_pipeline.sources.maricopa.parcel import read_parcel

        return read_parcel(page, house=house)

    def address_of(self, page: Fetched) -> Address:
        """Return the address of a parcel; the errors are of `parcel_address`."""
        from phx_pipeline.sources.maricopa.parcel import parcel_address

        return parcel_address(page)

    def scrubbed(self, text: str) -> str:
        """Return an answer without owners, tenants, and where their mail goes."""
        from phx_pipeline.sources.maricopa.answers import PERSONS

        return without_persons(text, PERSONS)

    def filed_under(self, photo: PhotoRef) -> Mark:
        """Return the parcel that a sketch's key names."""
        from phx_pipeline.sources.maricopa.sketches import filed_under

        return filed_under(photo)
