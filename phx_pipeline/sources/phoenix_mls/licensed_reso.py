"""The RESO Web API of the MLS: a house's records with their media, in one question.

It takes a bearer token, and gives 25 records at a time with a link to the next ones.
"""

from typing import Final
from urllib.parse import quote, urlencode, urljoin, urlsplit

from phx_pipeline.errors import FetchError, SourceChangedError
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.phoenix_mls.licences import RESO_HOST, RESO_SETTING
from phx_pipeline.sources.phoenix_mls.licensed import (
    MOST_PAGES,
    PAGE_ROWS,
    Access,
    Choice,
    Record,
    choose,
    record_of,
    rows_of,
)
from phx_pipeline.sources.phoenix_mls.licensed_listing import listing_of
from phx_pipeline.sources.phoenix_mls.reso_media import media_of

HOST: Final = RESO_HOST
SETTING: Final = RESO_SETTING
_ROOT = "/Version/3/Reso/OData/"
_HEADERS = {"prefer": f"odata.maxpagesize={PAGE_ROWS}"}
_NEXT = "@odata.nextLink"
_LONGEST_LINK = 4000


async def discover(house: Property, *, fetcher: Fetcher, token: str) -> Listing:
    """Find the current record of *house* and return its gallery.

    Never raises for what the feed can do to us: that is an outcome of the listing.
    """
    access = Access(fetcher=fetcher, setting=SETTING, token=token)
    try:
        rows = await _all_rows(search_url(house), access=access, name="value")
        if isinstance(rows, Listing):
            return rows
        records = [record_of(row.get("ListingKey"), row, house=house) for row in rows]
        chosen = choose(records, house=house)
        if isinstance(chosen, Listing):
            return chosen
        return await _listing(chosen, access=access)
    except SourceChangedError as error:
        return ended(Source.PHOENIX_MLS, ListingOutcome.PAGE_CHANGED, str(error))
    except FetchError as error:
        return access.ending(error)


def search_url(house: Property) -> str:
    """Return the address of all records of the house's number and ZIP code.

    Streets are spelled in too many ways to be asked for. What changed last comes first,
    lest a feed that ends early leave out the current one. No `$top`: by OData that is
    the most there may be, on all pages together.
    """
    address = house.address
    told = {
        "$filter": f"PostalCode eq {literal(address.zip_code)} and "
        f"StreetNumber eq {literal(address.street_number)}",
        "$expand": "Media",
        "$orderby": "ModificationTimestamp desc",
    }
    return f"https://{HOST}{_ROOT}Property?{urlencode(told, safe='$', quote_via=quote)}"


def literal(value: str) -> str:
    """Return a text as OData writes it: in quotes, those within doubled."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


async def _all_rows(
    url: str, *, access: Access, name: str
) -> list[JsonObject] | Listing:
    """Return the rows of all pages, or how the feed ended instead.

    Raises:
        SourceChangedError: a link leads elsewhere, or pages do not end: what is not
            read might be the house's.
    """
    rows: list[JsonObject] = []
    for _ in range(MOST_PAGES):
        answer = await access.ask(url, headers=_HEADERS)
        if answer is None:
            return rows
        if (ending := access.complained(answer)) is not None:
            return ending
        rows += rows_of(answer.get(name), what=name)
        if not (link := answer.get(_NEXT)):
            return rows
        url = _next_url(link, after=url)
    raise SourceChangedError(f"more than {MOST_PAGES} pages of records")


def _next_url(link: object, *, after: str) -> str:
    """Return the address of the next page: of this service, or of none."""
    if not isinstance(link, str) or len(link) > _LONGEST_LINK:
        raise SourceChangedError("the link to the next page cannot be read")
    try:
        url = urljoin(after, link)
        parts = urlsplit(url)
    except ValueError as error:  # such as brackets that hold no address
        raise SourceChangedError("the link to the next page is no address") from error
    is_ours = parts.scheme == "https" and parts.netloc == HOST
    if not is_ours or not parts.path.startswith(_ROOT):
        raise SourceChangedError("the next page is to be at another address")
    if url == after:
        raise SourceChangedError("the next page is to be the same")
    return url


async def _listing(chosen: Choice, *, access: Access) -> Listing:
    record = chosen.current
    media_rows = _entries(record)
    if link := record.fields.get(f"Media{_NEXT}"):
        url = _next_url(link, after=f"https://{HOST}{_ROOT}")
        more = await _all_rows(url, access=access, name="value")
        if isinstance(more, Listing):
            return more
        media_rows += more
    media = media_of(media_rows, record_key=record.key)
    held_back = {
        it.key: media_of(_entries(it), record_key=it.key).keys
        for it in chosen.held_back
    }
    return listing_of(chosen, media, page_kind="RESO Web API", held_back=held_back)


def _entries(record: Record) -> list[object]:
    """The media that the feed gave along with a record."""
    entries = record.fields.get("Media")
    return list(entries) if isinstance(entries, list) else []
