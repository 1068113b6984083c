"""The county's property search: its URL, its rows, and which of them is the house.

Rows name owners; none of that is read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, near_miss
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.maricopa.answers import (
    SITE,
    decoded,
    is_address,
    member,
    situs,
    text_of,
    zip_in,
)
from phx_pipeline.sources.maricopa.rows import Place, sifted
from phx_pipeline.sources.stated_facts import parcel_number

ROWS_A_PAGE: Final = 25
MOST_PAGES: Final = 10

_WHAT = "the property search"
_ROW = "a row of the property search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A parcel that the search found; `is_whole` if its row tells the ZIP."""

    parcel: str
    address: Address
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page of the search: how many rows it has, and those that have an address.

    `doubt` is why a row that may be the house's cannot be read; empty if all can.
    """

    count: int = 0
    rows: tuple[Row, ...] = ()
    doubt: str = ""


def search_url(address: Address, *, page: int = 1) -> str:
    """Return the URL that asks for the parcels at the street line of *address*.

    City, state, ZIP and unit would find nothing.
    """
    query = {"q": f"{address.street_number} {address.street}"}
    if page > 1:
        query["page"] = str(page)
    return f"{SITE}/search/property/?{urlencode(query, quote_via=quote)}"


def read_rows(fetched: Fetched, *, house: Property) -> Answer:
    """Read a page of the search; a row of another house may be odd.

    Raises:
        SourceChangedError: the answer has another shape.
    """
    rows = decoded(text_of(fetched), what=_WHAT).get("Results")
    if not isinstance(rows, list):
        raise SourceChangedError(f"{_WHAT} has no list of Results")
    found = sifted(
        rows[:ROWS_A_PAGE],
        lambda row: _place(row, house=house),
        house=house,
        what=_ROW,
    )
    read = (
        Row(parcel=parcel, address=place.address, is_whole=place.is_whole)
        for parcel, place, _ in found.rows
    )
    return Answer(count=len(rows), rows=tuple(read), doubt=found.doubt)


def is_last(answer: Answer, *, known: Iterable[Row]) -> bool:
    """Whether no page follows this one.

    A search that shows its first page whatever page it is asked for ends there, too.
    """
    before = {row.parcel for row in known}
    return answer.count < ROWS_A_PAGE or {it.parcel for it in answer.rows} <= before


def of_house(rows: Iterable[Row], *, house: Property) -> tuple[Row, ...]:
    """Return the rows whose street and ZIP are those of *house*, each parcel once."""
    same = (row for row in rows if row.is_whole)
    found = {row.parcel: row for row in same if house.means(row.address) is Match.SAME}
    return tuple(found.values())


def not_one(rows: Sequence[Row], *, house: Property, is_cut: bool) -> Listing:
    """Return what a search tells in which the house is not just once.

    Args:
        rows: all that was found.
        house: what was asked for.
        is_cut: whether there is more to find than was looked at.
    """
    end = Source.MARICOPA, ListingOutcome.AMBIGUOUS
    if same := of_house(rows, house=house):
        return ended(*end, f"several parcels at that address: {_named(same)}")
    near = [row.address for row in rows if house.means(row.address) is Match.NEAR]
    if near:
        return near_miss(Source.MARICOPA, house, near)
    partial = [row for row in rows if house.means(row.address) is Match.SAME]
    if partial:
        told = f"the search tells no ZIP code of {_named(partial)} at that street line"
        return ended(*end, told)
    if is_cut:
        return ended(*end, f"not among the first {len(rows)} parcels of that street")
    told = "the property search does not know the house"
    return ended(Source.MARICOPA, ListingOutcome.NOT_FOUND, told)


def _place(row: JsonObject, *, house: Property) -> Place | None:
    """Read where a row is; None if it tells no address, as of bare land."""
    line, zip_code, city = (
        member(row, name, what=_ROW)
        for name in ("SitusAddress", "SitusZip", "SitusCity")
    )
    if not is_address(line):
        return None
    told = zip_in(zip_code) or zip_in(line)
    place = city if city.replace(" ", "").isalpha() else house.address.city
    end = told or house.address.zip_code
    address = situs(line, city=place, zip_code=end)
    return Place(address=address, is_whole=bool(told)) if address else None


def _named(rows: Iterable[Row]) -> str:
    return ", ".join(str(parcel_number(row.parcel)) for row in rows)
