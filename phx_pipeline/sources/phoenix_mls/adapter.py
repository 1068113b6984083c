"""Phoenix MLS as a `ListingSource`: a licensed way if it has a token, else its site.

What reads its pages is loaded when there is one: who only asks what a source is by
needs none of it.
"""

from collections.abc import Mapping
from typing import Final, Self

from phx_pipeline.fetch.base import Fetched, Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import Credential, ListingSource, PageUrls
from phx_pipeline.sources.phoenix_mls.addresses import HOSTS, address_in
from phx_pipeline.sources.phoenix_mls.licences import (
    RESO_HOST,
    RESO_SETTING,
    SPARK_HOST,
    SPARK_SETTING,
)
from phx_pipeline.sources.phoenix_mls.photos import PHOTO_HOSTS, photo_key

_LICENSED: Final[Mapping[str, str]] = {
    RESO_SETTING: "the RESO Web API",
    SPARK_SETTING: "the Spark API",
}
"""The ways that want a token, the best first, as `discover` goes them."""


def _without(setting: str, *, asks: str) -> str:
    return (
        f"without {setting} {asks} of the MLS is not asked: the MLS gives such a token "
        "to its members, and to those who have a licence for its data"
    )


_SITE_UNCAPTURED = (
    "it is asked by its public site phoenixmlssearch.com, of which no page was ever "
    "captured: its reader follows what the software of the site is known to write, and "
    "nobody knows whether it reads the site itself"
)


def _uncaptured(secrets: Mapping[str, str]) -> str:
    """Say by which way it is asked, and that no answer of that was captured."""
    for setting, way in _LICENSED.items():
        if secrets.get(setting):
            return (
                f"it is asked by {way}, as {setting} is set; no answer of that was "
                "ever captured: its reader follows what is documented, and nobody "
                "knows whether it reads the answers of the MLS"
            )
    return _SITE_UNCAPTURED


class PhoenixMls(ListingSource):
    """The MLS of Phoenix: its RESO Web API, its Spark API, or its public site."""

    source = Source.PHOENIX_MLS
    pace_s = 1.0
    is_browsed = True
    page_hosts: tuple[str, ...] = (*HOSTS, RESO_HOST, SPARK_HOST)
    photo_hosts: tuple[str, ...] = PHOTO_HOSTS
    urls: PageUrls | None = PageUrls(hosts=HOSTS, short_hosts=(), address_in=address_in)
    credentials: tuple[Credential, ...] = tuple(
        Credential(
            setting=setting, is_required=False, without=_without(setting, asks=way)
        )
        for setting, way in _LICENSED.items()
    )

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self._secrets = dict(secrets or {})
        self.uncaptured = _uncaptured(self._secrets)

    def equipped(self, secrets: Mapping[str, str]) -> Self:
        """Return the source with the tokens it is asked with."""
        return type(self)(secrets)

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """Find the listing of *house* by the best way there is a token for."""
        if token := self._secrets.get(RESO_SETTING):
            from phx_pipeline.sources.phoenix_mls import licensed_reso

            return await licensed_reso.discover(house, fetcher=fetcher, token=token)
        if token := self._secrets.get(SPARK_SETTING):
            from phx_pipeline.sources.phoenix_mls import licensed_spark

            return await licensed_spark.discover(house, fetcher=fetcher, token=token)
        from phx_pipeline.sources.phoenix_mls import idx_site

        return await idx_site.discover(house, fetcher=fetcher)

    def read_saved(self, page: Fetched, *, house: Property) -> Listing:
        """Read a listing's page; the errors are those of `parse_listing`."""
        from phx_pipeline.sources.phoenix_mls.idx_listing import parse_listing

        return parse_listing(page, house=house).listing

    def address_of(self, page: Fetched) -> Address:
        """Return the address of a listing's page; the errors are of `page_address`."""
        from phx_pipeline.sources.phoenix_mls.idx_listing import page_address

        return page_address(page)

    def photo_named(self, url: str) -> str | None:
        """Return the id of the photo that a URL names."""
        return photo_key(url)

    def scrubbed(self, text: str) -> str:
        """Return an answer without agents and offices."""
        from phx_pipeline.sources.phoenix_mls import persons

        return persons.scrubbed(text)
