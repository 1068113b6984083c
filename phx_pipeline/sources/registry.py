"""Which listing sources exist, which hosts each may talk to, what its URLs name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.sources.redfin import addresses as redfin_addresses
from phx_pipeline.sources.redfin.gallery import photo_key as redfin_photo_key
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow import addresses as zillow_addresses
from phx_pipeline.sources.zillow.gallery import variant_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where pages of a site are that people copy the URL of, and how to read it."""

    hosts: tuple[str, ...]
    short_hosts: tuple[str, ...]
    address_in: Callable[[str], str | None]


_SITES: Mapping[Source, _Site] = {
    source: _Site(
        hosts=reading.HOSTS,
        short_hosts=reading.SHORT_HOSTS,
        address_in=reading.address_in,
    )
    for source, reading in (
        (Source.REDFIN, redfin_addresses),
        (Source.ZILLOW, zillow_addresses),
    )
}


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


def photo_named(source: Source, url: str) -> str | None:
    """Return the key of the photo that a URL names; None if it names none we can read.

    A key is the same for all sizes of a photo.
    """
    if source is Source.REDFIN:
        return redfin_photo_key(url)
    variant = variant_of(url) if source is Source.ZILLOW else None
    return variant.key if variant else None


def browser_hosts_of(
    sources: Mapping[Source, ListingSource],
) -> dict[Source, tuple[str, ...]]:
    """Return all that a browser may ask for a source: also what its pages run by."""
    return {
        source: (*adapter.page_hosts, *adapter.photo_hosts, *adapter.browser_hosts)
        for source, adapter in sources.items()
    }


def site_named(text: str) -> bool:
    """Whether *text* without `https://` begins with the host of a known site."""
    host = text.partition("/")[0].lower()
    return any(host in (*site.hosts, *site.short_hosts) for site in _SITES.values())


def address_at(url: str) -> str:
    """Return the address that the URL of a listing names; the site is not asked.

    Raises:
        InputError: it names none, or is of no site we know.
    """
    told = repr(printable(url))
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError as error:
        raise InputError(f"{told} is no URL: give the address instead") from error
    for site in _SITES.values():
        if host in site.short_hosts:
            raise InputError(
                f"{told} is a short link: open it and give the full URL, or give the "
                "address"
            )
        if host in site.hosts:
            if address := site.address_in(parts.path):
                return address
            raise InputError(
                f"{told} names no address: give the URL of the house's own page, or "
                "its address"
            )
    raise InputError(
        f"{told} is no page of {' or '.join(_SITES)}: give the address instead"
    )
