"""Saved searches: what people look for, what a site's page of rows offers, proposals.

Where a site is asked and how its rows are read is told in `sources`; what becomes of an
offer in `workflows.searches`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import LARGEST_INTEGER, FactValue, ListingFacts
from phx_pipeline.model.moments import has_been
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.places import place_named, place_names
from phx_pipeline.model.source import Source
from phx_pipeline.model.states import HOME, states_of

MOST_PAGES: Final = 3
"""Pages that one search asks of one source on one day."""
MOST_ACCEPTED: Final = 50
"""Houses that one search may accept on one day by itself."""
MOST_PLACES: Final = 20
MOST_OFFERS: Final = 500
"""Rows that are read of one page; the longest one captured has 142."""
_FIRST_YEAR: Final = 1800  # no house in Arizona that is for sale is older

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_ZIP = re.compile(r"\d{5}", re.ASCII)
_CITY = re.compile(r"[A-Za-z][A-Za-z .'-]{1,39}", re.ASCII)
# Of the state of a listing: it can not be bought now.
_NOT_FOR_SALE = re.compile(
    r"\b(?:pending|contract|contingent|sold|closed|rent(?:al|ed)?|lease[d]?"
    r"|off.?market|withdrawn|expired|cancell?ed|hold|delisted|inactive|terminated"
    r"|removed|deleted|not for sale)\b",
    re.IGNORECASE,
)
# What sites call one that can; any other word is a doubt.
_FOR_SALE = re.compile(
    r"active|coming soon|for sale(?: by (?:agent|owner))?|new(?: listing)?"
    r"|back on market|price (?:change|reduced|increase)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What is looked for: at least a place; dollars, square feet, years of building.

    `min_lot` is the least lot in square feet. `pool` is whether a pool of its own is
    wanted; None where that does not matter.
    """

    zip_codes: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    min_price: int | None = None
    max_price: int | None = None
    min_beds: float | None = None
    min_baths: float | None = None
    min_area: int | None = None
    max_area: int | None = None
    min_year: int | None = None
    min_lot: int | None = None
    pool: bool | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return what `plain` gave."""
        known = {it.name for it in fields(cls)}
        held: dict[str, Any] = {
            name: tuple(it) if isinstance(it, list) else it
            for name, it in given.items()
            if name in known
        }
        return cls(**held)

    def plain(self) -> dict[str, Any]:
        """Return what is asked for, as JSON holds it."""
        told = {name: it for name, it in asdict(self).items() if it is not None}
        return {
            name: list(it) if isinstance(it, tuple) else it
            for name, it in told.items()
            if it != ()
        }

    def checked(self, *, this_year: int) -> Self:
        """Return it with each place once; *this_year* is the last one of building.

        Raises:
            InputError: no place is named, one is none in Arizona, a range is empty, or
                a count is none that a site can be asked for.
        """
        zips = tuple(dict.fromkeys(it.strip() for it in self.zip_codes))
        cities = tuple(dict.fromkeys(map(_city, self.cities)))
        if not 0 < len(zips) + len(cities) <= MOST_PLACES:
            raise InputError(
                f"a search needs 1 to {MOST_PLACES} places: give --zip or --city"
            )
        for each in zips:
            _require_zip(each)
        self._require_ranges(this_year)
        return replace(self, zip_codes=zips, cities=cities)

    def _require_ranges(self, this_year: int) -> None:
        _require_steps("--min-beds", self.min_beds, step=1, such_as="3")
        _require_steps(
            "--min-baths", self.min_baths, step=0.25, such_as="2, 2.5 or 2.75"
        )
        for name, value in self.limits().items():
            least, most = (
                _least_of(name),
                this_year if name == "min_year" else LARGEST_INTEGER,
            )
            if not least <= value <= most:
                raise InputError(
                    f"--{name.replace('_', '-')} {value}: no house is so; give a "
                    f"number from {least} to {most}"
                )
        for what in ("price", "area"):
            least, most = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if None not in {least, most} and least > most:
                raise InputError(
                    f"--min-{what} {least} is more than --max-{what} {most}: no house "
                    "is between them"
                )

    def limits(self) -> dict[str, float]:
        """Return the bounds that are set, by name."""
        return {
            it.name: value
            for it in fields(self)
            if it.name.startswith(("min_", "max_"))
            and (value := getattr(self, it.name)) is not None
        }

    def each_place(self) -> Iterator[Self]:
        """Yield the same for one place after the other: sites are asked for one."""
        for zip_code in self.zip_codes:
            yield replace(self, zip_codes=(zip_code,), cities=())
        for city in self.cities:
            yield replace(self, zip_codes=(), cities=(city,))

    @property
    def place(self) -> str:
        """Its places in words."""
        return ", ".join((*self.zip_codes, *self.cities))

    def is_in(self, address: Address) -> bool:
        """Whether an address is in one of the places, for sale in Arizona or not."""
        cities = {it.casefold() for it in self.cities}
        return address.zip_code in self.zip_codes or address.city.casefold() in cities

    def told(self) -> tuple[str, ...]:
        """Return the criteria beside the places, in words."""
        return tuple(words for words, _ in self._judged(ListingFacts()))

    def refused_by(self, facts: ListingFacts) -> str:
        """Return the first criterion that facts which were stated do not meet."""
        return next(
            (told for told, is_met in self._judged(facts) if is_met is False), ""
        )

    def unstated_by(self, facts: ListingFacts) -> tuple[str, ...]:
        """Return the criteria that cannot be judged: the facts were not stated."""
        return tuple(told for told, is_met in self._judged(facts) if is_met is None)

    def _judged(self, facts: ListingFacts) -> Iterator[tuple[str, bool | None]]:
        for name, limit in self.limits().items():
            fact = facts.value(_FACT_OF[name.partition("_")[2]])
            is_met = None if fact is None else _meets(name, fact, limit)
            yield _told(name, limit), is_met
        if self.pool is not None:
            stated = facts.pool_private
            told = "a pool of its own" if self.pool else "no pool of its own"
            yield told, None if stated is None else stated is self.pool


_FACT_OF: Final = {
    "price": "list_price",
    "beds": "bedrooms_total",
    "baths": "bathrooms_total",
    "area": "living_area",
    "year": "year_built",
    "lot": "lot_size_square_feet",
}


def _least_of(name: str) -> int:
    """The least bound that some house can meet."""
    if name == "min_year":
        return _FIRST_YEAR
    return 1 if name.startswith("max_") else 0


def _meets(name: str, fact: FactValue, limit: float) -> bool:
    if isinstance(fact, str):
        return False
    return fact >= limit if name.startswith("min_") else fact <= limit


_TOLD: Final = {
    "price": "${:,}",
    "beds": "{:g} beds",
    "baths": "{:g} baths",
    "area": "{:,} sqft",
    "lot": "{:,} sqft of lot",
}


def _told(name: str, limit: float) -> str:
    side, _, what = name.partition("_")
    if what == "year":
        return f"built in {limit:g} or later"
    return f"at {'least' if side == 'min' else 'most'} {_TOLD[what].format(limit)}"


def _require_steps(
    option: str, value: float | None, *, step: float, such_as: str
) -> None:
    if value is not None and value % step:
        raise InputError(f"{option} {value:g}: give a count such as {such_as}")


def _city(text: str) -> str:
    name = " ".join(text.split())
    if not _CITY.fullmatch(name):
        raise InputError(
            f"--city {text[:40]!r}: give the name of a city in Arizona alone"
        )
    if (known := place_named(name)) is None:
        raise InputError(
            f"--city {name!r}: no city in Arizona is known by this name"
            f"{did_you_mean(name, place_names())}: correct it, or give its ZIP codes "
            "by --zip"
        )
    return known


def _require_zip(text: str) -> None:
    if not _ZIP.fullmatch(text):
        raise InputError(f"--zip {text[:20]!r}: give five digits, such as 85306")
    if HOME not in states_of(text):
        raise InputError(
            f"--zip {text}: it is not in Arizona, where houses are followed: give one "
            "that is"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedSearch:
    """A search under its name.

    `accept_per_day` is how many of its proposals are followed by themselves on one day,
    0 if a person decides about each. No `sources` means all that can be searched.
    """

    name: str
    criteria: Criteria
    created_at: datetime
    accept_per_day: int = 0
    sources: tuple[Source, ...] = ()
    is_paused: bool = False

    def fits(self, proposal: "Proposal") -> bool:
        """Whether a house that another search found first is one of this, too."""
        is_asked = not self.sources or proposal.source in self.sources
        is_there = self.criteria.is_in(proposal.address)
        return is_asked and is_there and not self.criteria.refused_by(proposal.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAsked:
    """When a search last asked a source about one of its places, and where.

    `asked_at` is a moment in ISO's format, empty before its page was asked for. `url`
    is that of the page, where a source has to be asked for it first, as Redfin has for
    a city.
    """

    asked_at: str = ""
    url: str = ""

    def known_at(self, now: datetime) -> str:
        """`asked_at`, empty as well where a clock that was ahead noted it."""
        is_real = self.asked_at and has_been(
            datetime.fromisoformat(self.asked_at), now=now
        )
        return self.asked_at if is_real else ""


def require_name(name: str) -> None:
    """Raise `InputError` for a name that no search can have."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name[:40]!r} is no name of a search: give up to 40 small letters, "
            "digits and hyphens"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One row of a search page: a house that a source lists.

    `address` is None where none is disclosed or none can be read; `told` is what stands
    there then. No row's agent, broker or owner is in it.
    """

    source: Source
    listing_id: str
    url: str
    address: Address | None
    told: str = ""
    facts: ListingFacts = field(default_factory=ListingFacts)
    photo_url: str = ""

    @property
    def is_for_sale(self) -> bool:
        """Whether its state, if it is told, is of a house that can be bought."""
        return not is_no_sale(self.facts.standard_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferPage:
    """What one page of a search showed, and how asking for it ended.

    `next` is where the site goes on, for the next call; empty after the last page. Of
    an outcome other than `listed`, `detail` tells why. `is_challenged`: it came under a
    challenge, so the source is not to be asked again.
    """

    outcome: ListingOutcome
    offers: tuple[Offer, ...] = ()
    next: str = ""
    detail: str = ""
    is_challenged: bool = False

    @property
    def has_more(self) -> bool:
        """Whether the site has another page."""
        return bool(self.next)


def is_no_sale(status: str | None) -> bool:
    """Whether the state of a listing tells that it cannot be bought now."""
    return bool(_NOT_FOR_SALE.search((status or "").replace("_", " ")))


def doubt_about(facts: ListingFacts, criteria: Criteria) -> str:
    """Return what a row leaves open about a house; empty if it fits for sure."""
    status = (facts.standard_status or "").replace("_", " ").strip()
    unstated = [*criteria.unstated_by(facts), *(() if status else ("its state",))]
    told = f"its row does not tell: {', '.join(unstated)}" if unstated else ""
    is_known = not status or _FOR_SALE.fullmatch(status)
    odd = "" if is_known else f"it may not be for sale: its state is {status!r}"
    return "; ".join(filter(None, (told, odd)))


class ProposalState(StrEnum):
    """What became of a house that a search found.

    `REMOVED` is one that was accepted and is followed no more; it is never stored.
    """

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A house that a search found and nobody followed; there is one for each door.

    `search`, `source`, `listing_id`, `url` and `photo_url` are of the row that showed
    it first. `doubt` is why it is not accepted by itself, such as a criterion that no
    row told about; empty if nothing is. `slug` is the property it has become;
    `by_itself` tells that no person decided so.
    """

    match_key: str
    address: Address
    search: str
    source: Source
    listing_id: str
    url: str
    facts: ListingFacts
    first_seen_on: date
    photo_url: str = ""
    doubt: str = ""
    state: ProposalState = ProposalState.PROPOSED
    decided_at: datetime | None = None
    slug: str | None = None
    by_itself: bool = False


class LeftOut(StrEnum):
    """Why a row was not proposed, in words."""

    UNDISCLOSED = "address not disclosed"
    UNREADABLE = "address not readable"
    NOT_FOR_SALE = "not for sale"
    ELSEWHERE = "in another place"
    CRITERIA = "outside the criteria"
    FOLLOWED = "followed already"
    REMOVED = "removed on purpose"
    BEFORE = "proposed before"
    REJECTED = "rejected before"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTurn:
    """What one search found at one source on one day in Phoenix.

    `rows` counts what its pages showed, `proposed` the houses that were new, `left_out`
    the others, by why. They add up.
    """

    search: str
    source: Source
    on: date
    pages: int = 0
    rows: int = 0
    proposed: int = 0
    left_out: Mapping[LeftOut, int] = field(default_factory=dict, hash=False)
    outcome: ListingOutcome | None = None
    detail: str = ""
    at: datetime | None = None


def sift(offer: Offer, criteria: Criteria) -> tuple[LeftOut | None, str]:
    """Return why a row is left out by what it says itself, and in which words."""
    address = offer.address
    if address is None:
        why = LeftOut.UNREADABLE if offer.told else LeftOut.UNDISCLOSED
        return why, offer.told
    if not offer.is_for_sale:
        return LeftOut.NOT_FOR_SALE, offer.facts.standard_status or ""
    if not criteria.is_in(address):
        return LeftOut.ELSEWHERE, f"{address.city} {address.zip_code}"
    told = criteria.refused_by(offer.facts)
    return (LeftOut.CRITERIA, told) if told else (None, "")


def misfit(proposal: Proposal, criteria: Criteria) -> str:
    """Return why a search does not accept a proposal by itself now; empty if it may.

    Its criteria may be others since, and another row may have told more.
    """
    row = Offer(
        source=proposal.source,
        listing_id=proposal.listing_id,
        url=proposal.url,
        address=proposal.address,
        facts=proposal.facts,
    )
    why, told = sift(row, criteria)
    if why:
        return f"{why.value}: {told}"
    return doubt_about(proposal.facts, criteria)
