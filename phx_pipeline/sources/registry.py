"""Which listing sources exist, which hosts each may talk to, what its URLs name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import InputError
from phx_pipeline.fetch.base import ClientName
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import LETTERED, Source, in_order
from phx_pipeline.sources.base import ListingSource, PageUrls
from phx_pipeline.sources.spark import mark_at_host

# Who only shows what is known names sources, and loads no adapter: they read pages.


def _redfin() -> ListingSource:
    from phx_pipeline.sources.redfin import Redfin  # noqa: PLC0415 - as told above

    return Redfin()


def _zillow() -> ListingSource:
    from phx_pipeline.sources.zillow import Zillow  # noqa: PLC0415 - as told above

    return Zillow()


def _maricopa() -> ListingSource:
    from phx_pipeline.sources.maricopa import (  # noqa: PLC0415 - as told above
        MaricopaAssessor,
    )

    return MaricopaAssessor()


def _phoenix_mls() -> ListingSource:
    from phx_pipeline.sources.phoenix_mls import (  # noqa: PLC0415 - as told above
        PhoenixMls,
    )

    return PhoenixMls()


REGISTERED: Mapping[Source, Callable[[], ListingSource]] = MappingProxyType(
    {
        Source.REDFIN: _redfin,
        Source.ZILLOW: _zillow,
        Source.MARICOPA: _maricopa,
        Source.PHOENIX_MLS: _phoenix_mls,
    }
)
"""What makes the adapter of each source; they are named in this order."""


_NO_SECRETS: Final[Mapping[str, str]] = MappingProxyType({})


def available_sources(
    secrets: Mapping[str, str] = _NO_SECRETS, *, lacks_browser: str = ""
) -> dict[Source, ListingSource]:
    """Return a fresh adapter of every source, behind the border, by its name.

    Args:
        secrets: the tokens there are, by their settings.
        lacks_browser: why no browser can be asked, where those that need one are not to
            be asked without.
    """
    from phx_pipeline.sources.border import Border  # noqa: PLC0415 - as adapters

    adapters = [
        Border(
            it.equipped(secrets),
            lacks=lacking(it, secrets, lacks_browser=lacks_browser),
            secrets=secrets.values(),
        )
        for make in REGISTERED.values()
        for it in (make(),)
    ]
    return {adapter.source: adapter for adapter in adapters}


def lacking(
    source: ListingSource, secrets: Mapping[str, str], *, lacks_browser: str
) -> str:
    """Return why *source* cannot be asked with these means; empty if it can."""
    for credential in source.credentials:
        if credential.is_required and credential.setting not in secrets:
            return credential.without
    return lacks_browser if source.needs_browser else ""


def named_sources() -> list[Source]:
    """Return all sources that people may name, in the order in which they are shown."""
    return in_order({*LETTERED, *REGISTERED})


def hosts_of(
    sources: Mapping[Source, ListingSource],
) -> dict[Source, tuple[str, ...]]:
    """Return the page and photo hosts of each source: all it may be asked at."""
    return {
        source: (*adapter.page_hosts, *adapter.photo_hosts)
        for source, adapter in sources.items()
    }


def paces_of(sources: Mapping[Source, ListingSource]) -> dict[str, float]:
    """Return the base period of each source's page hosts, in seconds."""
    return {source.value: adapter.pace_s for source, adapter in sources.items()}


def browsed_among(sources: Mapping[Source, ListingSource]) -> tuple[Source, ...]:
    """Return those whose pages a browser is asked for where plain HTTP is refused."""
    return tuple(name for name, adapter in sources.items() if adapter.is_browsed)


def clients_of(sources: Mapping[Source, ListingSource]) -> dict[Source, ClientName]:
    """Return the client of each source that another than curl asks."""
    told = {source: adapter.client for source, adapter in sources.items()}
    return {name: it for name, it in told.items() if it is not ClientName.CURL}


def data_of(sources: Mapping[Source, ListingSource]) -> Callable[[str], bool]:
    """Return what tells whether a script of a page holds data of any of *sources*."""
    known = [adapter.holds_data for adapter in sources.values()]
    return lambda script: any(holds(script) for holds in known)


def marks_of(
    source: Source, *, among: Mapping[Source, ListingSource]
) -> Callable[[PhotoRef], Mark]:
    """Return what reads the marks of a source's photos.

    Of one that is not *among* the sources that can be asked, photo hosts tell all.
    """
    adapter = among.get(source)
    return adapter.filed_under if adapter else mark_at_host


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
    return any(host in (*urls.hosts, *urls.short_hosts) for urls in _sites().values())


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
    sites = _sites()
    for site in sites.values():
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
        f"{told} is no page of {' or '.join(sites)}: give the address instead"
    )


def _sites() -> dict[Source, PageUrls]:
    adapters = available_sources()
    return {name: adapter.urls for name, adapter in adapters.items() if adapter.urls}
