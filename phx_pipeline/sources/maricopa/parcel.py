"""The answer about one parcel: whose it is, its sketches and its facts.

It has no parcel number of its own; a link to the treasurer names it.
"""

import re
from dataclasses import replace

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, near_miss
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.maricopa.answers import (
    SITE,
    bare,
    decoded,
    is_address,
    member,
    page_url,
    situs,
    text_of,
)
from phx_pipeline.sources.maricopa.facts import also_read, listing_facts, valuations
from phx_pipeline.sources.maricopa.search import Row
from phx_pipeline.sources.maricopa.sketches import sketches_in
from phx_pipeline.sources.stated_facts import parcel_number

_WHAT = "the parcel's answer"
_PARCEL = re.compile(r"[?&]Parcel=(?P<parcel>[\w.-]{1,20})(?:&|$)", re.ASCII)
_MOST_WORDS = 100  # of a line with an address
_ANYWHERE = "Phoenix"  # of a line without a place: identity does not count the city


def parcel_url(parcel: str) -> str:
    """Return the URL that asks for what is known of a parcel."""
    return f"{SITE}/parcel/{parcel}"


def read_parcel(page: Fetched, *, house: Property, row: Row | None = None) -> Listing:
    """Return what the answer about a parcel tells of *house*.

    Args:
        page: the answer.
        house: what was asked for.
        row: the row of the search that led there. Where the answer states no address,
            it is the row's.

    Raises:
        SourceChangedError: it is no such answer, or does not say whose it is.
    """
    answer = decoded(text_of(page), what=_WHAT)
    parcel = _own_parcel(answer)
    if row and row.parcel != parcel:
        asked, given = parcel_number(row.parcel), parcel_number(parcel)
        told = f"the answer is of parcel {given}, and {asked} was asked for"
        return ended(Source.MARICOPA, ListingOutcome.WRONG_PROPERTY, told)
    own = _own_address(answer, city=row.address.city if row else house.address.city)
    if own is None and row is None:
        raise SourceChangedError(f"{_WHAT} states no address: nobody knows whose it is")
    if own is not None and (other := _of_another(own, parcel=parcel, house=house)):
        return other
    note = "" if own else "the parcel states no address: that of the search counts; "
    return _listing(answer, parcel=parcel, note=note)


def parcel_address(page: Fetched) -> Address:
    """Return the address an answer is about.

    Raises:
        SourceChangedError: it is no such answer, or states no address.
    """
    own = _own_address(decoded(text_of(page), what=_WHAT), city=_ANYWHERE)
    if own is None:
        raise SourceChangedError(f"{_WHAT} states no address")
    return own


def _own_parcel(answer: JsonObject) -> str:
    name = "TreasurersTransitionUrl"
    found = _PARCEL.search(member(answer, name, what=_WHAT))
    parcel = bare(found["parcel"]) if found else None
    if parcel is None:
        raise SourceChangedError(f"the {name} of {_WHAT} names no parcel")
    return parcel


def _own_address(answer: JsonObject, *, city: str) -> Address | None:
    line = member(answer, "PropertyAddress", what=_WHAT)
    if not is_address(line):
        return None
    if own := situs(line, city=city):
        return own
    raise SourceChangedError(f"the PropertyAddress of {_WHAT} cannot be read")


def _of_another(own: Address, *, parcel: str, house: Property) -> Listing | None:
    """Return how an answer about another house ends, None for one about *house*."""
    match house.means(own):
        case Match.SAME:
            return None
        case Match.NEAR:
            return near_miss(Source.MARICOPA, house, [own], url=page_url(parcel))
        case Match.OTHER:
            told = f"parcel {parcel_number(parcel)} is at {own}"
            return ended(
                Source.MARICOPA,
                ListingOutcome.WRONG_PROPERTY,
                told,
                url=page_url(parcel),
            )


def _listing(answer: JsonObject, *, parcel: str, note: str) -> Listing:
    known = Listing(
        source=Source.MARICOPA,
        outcome=ListingOutcome.PAGE_CHANGED,
        listing_id=parcel_number(parcel),
        url=page_url(parcel),
        facts=listing_facts(answer, parcel=parcel),
        valuations=valuations(answer),
        page_kind="parcel",
        also_read=also_read(answer),
    )
    try:
        sketches = sketches_in(answer, parcel=parcel)
    except SourceChangedError as error:
        return replace(known, detail=f"{note}{error}")
    if sketches.pictures:
        outcome = ListingOutcome.LISTED
    elif not sketches.faults:
        outcome = ListingOutcome.LISTED_EMPTY
    else:
        outcome = known.outcome
    told = sketches.faults or (counted(len(sketches.pictures), "sketch"),)
    return replace(
        known,
        outcome=outcome,
        detail=note + "; ".join(told),
        photos=sketches.photos(parcel),
        inline=sketches.pictures,
        complete=not sketches.faults,
        stated_photos=sketches.stated,
    )
