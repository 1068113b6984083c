"""What a listing of the public site says of the house, and of the state it is in.

Only labels named here are read: the same pages name agents and offices.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.sources.phoenix_mls.idx_labels import Labelled, first
from phx_pipeline.sources.stated import (
    OFF_MARKET_WORDS,
    day,
    mls_number,
    number,
    rounded,
)
from phx_pipeline.sources.stated_facts import (
    monthly_fee,
    own_words,
    parcel_number,
    price,
    private_pool,
    sewer_kind,
    square_feet,
    status_word,
    year,
    yes_or_no,
)

_LONGEST_STATUS = 60

_PRICE = ("list price", "current price", "price")
_BEDS = ("# bedrooms", "bedrooms", "total bedrooms", "beds total", "beds")
_BATHS = ("# bathrooms", "bathrooms", "total bathrooms", "baths total", "baths")
_AREA = (
    "approx sqft",
    "approx. sqft",
    "square footage",
    "approx livable sqft",
    "livable sqft",
    "living area",
    "building area total",
)
_LOT = (
    "approx lot sqft",
    "approx. lot sqft",
    "lot size (sq. ft.)",
    "lot size square feet",
    "lot sqft",
    "lot size",
)
_GARAGE = ("garage spaces", "# garage spaces", "# of garage spaces")
_HAS_POOL = ("private pool y/n", "private pool", "pool private y/n")
_POOL = ("pool", "pool - private", "pool features", "private pool features")
_FEE = ("hoa fee", "association fee", "hoa amount")
_FEES_INCLUDED = ("association fee incl", "hoa fee incl")
_DAYS = ("days on market", "cumulative days on market", "dom", "adom")
_STORIES = ("# of interior levels", "stories", "stories total", "# of stories")
_ROOF = ("roofing", "roof")
_WALLS = ("construction", "construction materials", "exterior walls")
_PARCEL = ("assessor number", "assessor's parcel #", "parcel number", "apn")
_KIND = ("dwelling type", "property sub type", "property subtype", "dwelling style")
_OFFERED_AS = ("property type", "listing type", "type")
_RENTED_OUT = re.compile(r"\b(?:rental|lease|for rent)\b", re.IGNORECASE)
_LISTED_ON = ("list date", "listing date", "on market date", "listing contract date")
_ENDED_ON = (
    "close of escrow date",
    "close date",
    "closing date",
    "sold date",
    "off market date",
    "status change date",
    "expiration date",
)
STATUS: Final = ("status", "mls status", "listing status", "standard status")

# How this MLS calls states that RESO has other words for.
_OWN_WORDS: Sequence[tuple[re.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"(?:ucb|ccbs)\b.*", "Active Under Contract"),
        (r"temp(?:orarily)? off.*", "Hold"),
        (r"cancell?ed\b.*", "Canceled"),
    )
)
_CURRENT = re.compile(
    r"\b(?:active|ucb|ccbs|under contract|contingent|pending|coming soon|for sale"
    r"|back on market|new)\b",
    re.IGNORECASE,
)
_ENDED = re.compile(r"\b(?:closed|sold|cancell?ed|delete|incomplete)\b", re.IGNORECASE)


def is_current(status: str) -> bool:
    """Whether a listing in a state, in the site's words, is offered now.

    Raises:
        SourceChangedError: the words are not known.
    """
    told = _is_current(status)
    if told is None:
        raise SourceChangedError(f"the state of the listing is not known: {status!r}")
    return told


def _is_current(status: str) -> bool | None:
    if _ENDED.search(status) or OFF_MARKET_WORDS.search(status):
        return False
    return True if _CURRENT.search(status) else None


def status_in(values: Labelled) -> str:
    """Return the state that labelled values tell; empty if they do not.

    Raises:
        SourceChangedError: they tell of a current listing and of one that has ended,
            or only in words that are not known.
    """
    told = [
        value[:_LONGEST_STATUS] for name in STATUS for value in values.get(name, ())
    ]
    known = [status for status in told if _is_current(status) is not None] or told
    if len({is_current(status) for status in known}) > 1:
        raise SourceChangedError(f"two states are told: {' and '.join(known[:4])}")
    return known[0] if known else ""


def is_for_rent(values: Labelled) -> bool:
    """Whether a house is offered to tenants: it may be offered for sale elsewhere."""
    return _RENTED_OUT.search(first(values, _OFFERED_AS)) is not None


def listed_on(values: Labelled) -> date | None:
    """Return the day the listing began, as it states it."""
    return day(first(values, _LISTED_ON))


def last_day(values: Labelled) -> date | None:
    """Return the last day that the listing tells of itself."""
    told = (day(first(values, names)) for names in (_LISTED_ON, _ENDED_ON))
    return max(filter(None, told), default=None)


def facts_of(values: Labelled, *, status: str, mls_id: str) -> ListingFacts:
    """Return the facts among the labelled values of a listing.

    A listing that has ended shows the price of the sale in place of what was asked, and
    one for tenants a rent.
    """
    is_offered = (is_current(status) if status else True) and not is_for_rent(values)
    return ListingFacts(
        list_price=price(first(values, _PRICE)) if is_offered else None,
        bedrooms_total=number(first(values, _BEDS)),
        bathrooms_total=number(first(values, _BATHS)),
        living_area=square_feet(first(values, _AREA), unit="sqft"),
        lot_size_square_feet=_lot(first(values, _LOT)),
        garage_spaces=number(first(values, _GARAGE)),
        pool_private=_pool(values),
        association_fee=_fee(values),
        sewer=sewer_kind(first(values, ("sewer",)).split(";")),
        year_built=year(first(values, ("year built",))),
        days_on_market=rounded(first(values, _DAYS)),
        standard_status=_standard(status or "Active"),
        mls_number=mls_number(mls_id),
        stories_total=number(first(values, _STORIES)),
        roof=own_words(first(values, _ROOF)),
        construction_materials=own_words(first(values, _WALLS)),
        cooling=own_words(first(values, ("cooling",))),
        heating=own_words(first(values, ("heating",))),
        parcel_number=parcel_number(first(values, _PARCEL)),
        property_sub_type=own_words(first(values, _KIND)),
    )


def _lot(told: str) -> int | None:
    """Return the lot in square feet, which is what the labels say unless told else."""
    return square_feet(told) or square_feet(told, unit="sqft")


def _pool(values: Labelled) -> bool | None:
    told = yes_or_no(first(values, _HAS_POOL))
    return private_pool(first(values, _POOL).split(";")) if told is None else told


def _fee(values: Labelled) -> float | None:
    stated = monthly_fee(first(values, _FEE))
    included = monthly_fee(first(values, _FEES_INCLUDED))
    # What a fee includes is no amount; that there is none is one.
    return stated if stated is not None else (0.0 if included == 0 else None)


def _standard(status: str) -> str | None:
    for pattern, word in _OWN_WORDS:
        if pattern.fullmatch(status):
            return word
    return status_word(status)
