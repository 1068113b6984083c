"""What both licensed feeds of the MLS have in common: token, records and the choice.

A house has several records, one for each time it was listed. How a feed is asked for
them and for photos is told in `licensed_reso` and `licensed_spark`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from http import HTTPStatus
from typing import Final

from phx_pipeline.errors import (
    BlockedError,
    FetchError,
    GoneError,
    SourceChangedError,
)
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.reso import StandardStatus, word_of
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, failed, near_miss
from phx_pipeline.sources.json_values import JsonObject, decoded, mapping
from phx_pipeline.sources.stated import (
    OFF_MARKET_WORDS,
    day,
    identifier,
    mls_number,
    part,
    text,
)
from phx_pipeline.sources.stated_facts import status_word
from phx_pipeline.sources.whose import contradicts, readable

PAGE_ROWS: Final = 25
"""Both feeds give so many rows at a time."""
MOST_PAGES: Final = 8
_MOST_ROWS = 500  # of a page that keeps no limit
_ANSWER_BYTES = 16_000_000  # a record has hundreds of fields, most of them empty
_OVER_LIMIT = 1550  # Spark's code, sent with various statuses
_OF_THE_KEY = range(1000, 1031)  # keys and sessions, by the list of Spark
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LEASE = re.compile(r"\b(?:lease|rental|rent)\b", re.IGNORECASE)
_STREET = (
    *("StreetNumber", "StreetDirPrefix", "StreetName", "StreetSuffix"),
    "StreetDirSuffix",
)
_STATUSES = ("StandardStatus", "MlsStatus")
# The day a record begins, and further ones it may have changed on last.
_BEGINS = ("ListingContractDate", "OnMarketDate", "OriginalEntryTimestamp")
_CHANGES = ("StatusChangeTimestamp", "OffMarketDate", "CloseDate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a feed is asked: by whom, and what is told when it refuses.

    What is told are our own words and the number of the feed's complaint. Its message
    may repeat the token, or name who asks or sells, so it is never passed on.
    `setting` is the environment variable that holds the token.
    """

    fetcher: Fetcher
    setting: str
    token: str = field(repr=False)

    async def ask(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> JsonObject | None:
        """Return the JSON object that is the answer; None for one without content.

        Raises:
            SourceChangedError: it is no JSON object, or nothing is there.
            FetchError: `ending` tells what it stands for.
        """
        request = Request(
            url=url,
            source=Source.PHOENIX_MLS,
            kind=RequestKind.API,
            max_bytes=_ANSWER_BYTES,
            headers={"accept": "application/json", **(headers or {})},
            secret_headers={"authorization": f"Bearer {self.token}"},
        )
        try:
            answer = await self.fetcher.get(request)
        except GoneError as error:
            told = "what the feed was asked for is not there any more"
            raise SourceChangedError(told) from error
        if answer.status == HTTPStatus.NO_CONTENT:
            return None
        return _decoded(answer.body)

    def ending(self, error: FetchError) -> Listing:
        """Return how a failed request ends; for a bad token it names the setting."""
        code = _complaint(error.body)
        if code == _OVER_LIMIT:
            return self.over_limit()
        is_challenge = isinstance(error, BlockedError) and error.challenge
        if error.status in _DENIED and not is_challenge:
            return self.denied(f"answered {error.status}", code)
        return failed(Source.PHOENIX_MLS, error, has_page=False)

    def over_limit(self) -> Listing:
        """The ending of a feed that was asked too often."""
        told = f"more was asked than the feed allows (code {_OVER_LIMIT})"
        return ended(Source.PHOENIX_MLS, ListingOutcome.RATE_LIMITED, told)

    def denied(self, how: str, code: int | None) -> Listing:
        """The ending of a feed that does not take the token."""
        why = f" (code {code})" if code else ""
        told = (
            f"the feed {how}: it does not take the token in {self.setting}; set one "
            f"that is valid, then `phx sources reset phoenix_mls`{why}"
        )
        return ended(Source.PHOENIX_MLS, ListingOutcome.BLOCKED, told)

    def complained(self, answer: JsonObject) -> Listing | None:
        """The ending of an answer that tells of a failure with a good status."""
        if not _complains(answer):
            return None
        code = _code_in(answer)
        if code == _OVER_LIMIT:
            return self.over_limit()
        if code in _OF_THE_KEY:
            return self.denied("refuses", code)
        which = f"code {code}" if code else "without a code"
        told = f"the feed tells of a failure ({which})"
        return ended(Source.PHOENIX_MLS, ListingOutcome.PAGE_CHANGED, told)


def _decoded(body: bytes) -> JsonObject:
    if not body.strip():
        raise SourceChangedError("the feed answered with nothing")
    answer = decoded(body.decode("utf-8", errors="replace"), what="the answer")
    return mapping(answer, what="the answer")


def _complaint(body: bytes) -> int | None:
    try:
        return _code_in(_decoded(body))
    except SourceChangedError:
        return None


def _complains(answer: JsonObject) -> bool:
    """Whether it is of the shape of a failure: Spark's `D`, or OData's `error`."""
    spark = answer.get("D")
    has_failed = isinstance(spark, dict) and spark.get("Success") is not True
    return has_failed or isinstance(answer.get("error"), dict)


def _code_in(answer: JsonObject) -> int | None:
    """The number of a complaint, by whatever of the two it is told."""
    spark, odata = answer.get("D"), answer.get("error")
    said = spark.get("Code") if isinstance(spark, dict) else None
    told = odata.get("code") if isinstance(odata, dict) else None
    return _code(said) or _code(told)


def _code(stated: object) -> int | None:
    told = identifier(stated) or ""
    return int(told) if re.fullmatch(r"[1-9]\d{0,5}", told, re.ASCII) else None


def rows_of(value: object, *, what: str) -> list[JsonObject]:
    """Return a list of JSON objects; what is none among them is no row.

    Raises:
        SourceChangedError: it is no list, or longer than any page.
    """
    if not isinstance(value, list):
        raise SourceChangedError(f"{what} is missing or not a list")
    if len(value) > _MOST_ROWS:
        raise SourceChangedError(f"{what} has {len(value)} rows")
    return [row for row in value if isinstance(row, dict)]


def is_false(flag: object) -> bool:
    """Whether a flag says no; one that is not there says nothing."""
    return flag is False or text(flag).lower() == "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One listing of a house, by the names of the RESO Data Dictionary.

    `address` is None where it cannot be read, or where its parts tell of two houses.
    """

    key: str
    fields: JsonObject
    address: Address | None

    @property
    def mls_id(self) -> str | None:
        """Its number in the MLS."""
        return mls_number(self.fields.get("ListingId"))

    @property
    def status(self) -> StandardStatus | None:
        """Its state, where the feed says it in a word of the standard."""
        said = (status_word(self.fields.get(name)) for name in _STATUSES)
        found = (word_of(StandardStatus, word) for word in said if word)
        return next((status for status in found if status), None)

    @property
    def is_on_market(self) -> bool:
        """Whether the house is offered, or nothing says that it is not."""
        if self.status is not None:
            return self.status.is_on_market
        local = " ".join(text(self.fields.get(name)) for name in _STATUSES)
        return not OFF_MARKET_WORDS.search(local)

    @property
    def outcome(self) -> ListingOutcome:
        """How a source ends that shows it with photos; what is sold is still shown."""
        shown = self.is_on_market or self.status is StandardStatus.CLOSED
        return ListingOutcome.LISTED if shown else ListingOutcome.OFF_MARKET

    @property
    def withdrawn(self) -> str:
        """Why the licence does not let it be held any more; empty if it does."""
        if is_false(self.fields.get("MlgCanView")):
            return "the feed lets its record be seen no more (MlgCanView is false)"
        if self.status is StandardStatus.DELETE:
            return "the feed asks for its record to be deleted (StandardStatus Delete)"
        return ""

    @property
    def is_lease(self) -> bool:
        """Whether the house is offered for rent."""
        return _LEASE.search(text(self.fields.get("PropertyType"))) is not None

    @property
    def listed_on(self) -> date | None:
        """The day it began; never that of a sale."""
        return next((at for at in map(self._day, _BEGINS) if at), None)

    @property
    def age(self) -> tuple[date, date, str]:
        """What tells the newest of several that are no longer offered."""
        days = [at for at in map(self._day, (*_BEGINS, *_CHANGES)) if at]
        return max(days, default=date.min), self.listed_on or date.min, self.key

    def _day(self, name: str) -> date | None:
        return day(self.fields.get(name))


def record_of(key: object, fields: object, *, house: Property) -> Record:
    """Read a record of either feed; city and state are *house*'s where none is said."""
    known = fields if isinstance(fields, dict) else {}
    return Record(
        key=identifier(key) or "",
        fields=known,
        address=_address_of(known, house=house),
    )


def _address_of(fields: JsonObject, *, house: Property) -> Address | None:
    try:
        place = _place(fields, house=house)
        parts = [part(fields.get(name), what=name) for name in _STREET]
        unit = part(fields.get("UnitNumber"), what="UnitNumber")
    except SourceChangedError:
        return None
    if place is None:
        return None
    line = " ".join(filter(None, parts)) if parts[0] and parts[2] else ""
    # A feed may write "#4" or "Unit 4" as well as "4".
    by_parts = line and _first_readable(
        f"{line} {unit}, {place}", f"{line} Unit {unit}, {place}", has=unit
    )
    whole = text(fields.get("UnparsedAddress"))
    by_line = whole and (readable(whole) or readable(f"{whole}, {place}"))
    if by_parts and by_line and contradicts(by_parts, by_line):
        return None
    return by_parts or by_line or None


def _first_readable(*texts: str, has: str) -> Address | None:
    """Return the first address that has a unit, if one is said."""
    if not has:
        return readable(texts[0].replace(" ,", ","))
    found = (readable(each) for each in texts)
    return next((it for it in found if it and it.unit), None)


def _place(fields: JsonObject, *, house: Property) -> str | None:
    zip_code = part(fields.get("PostalCode"), what="PostalCode")
    city = part(fields.get("City"), what="City") or house.address.city
    state = part(fields.get("StateOrProvince"), what="StateOrProvince")
    return f"{city}, {state or house.address.state} {zip_code}" if zip_code else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The current record of a house, and those the licence holds back."""

    current: Record
    held_back: tuple[Record, ...]


def choose(records: Sequence[Record], *, house: Property) -> Choice | Listing:
    """Return the record of *house* that counts now, or how the source ends without.

    An offer counts before what is over, a sale before a lease, then the newest.
    """
    own = _each_once(
        r for r in records if r.address and house.means(r.address) is Match.SAME
    )
    held_back = tuple(record for record in own if record.withdrawn)
    shown = [
        record
        for record in own
        if not record.withdrawn and record.status is not StandardStatus.INCOMPLETE
    ]
    if not shown:
        return _none_shown(records, held_back=held_back, house=house)
    offers = [record for record in shown if record.is_on_market]
    best = [record for record in offers if not record.is_lease] or offers
    if len(best) > 1:
        return _ended(ListingOutcome.AMBIGUOUS, f"current records: {_named(best)}")
    current = best[0] if best else max(shown, key=lambda record: record.age)
    return Choice(current=current, held_back=held_back)


def _each_once(records: Iterable[Record]) -> list[Record]:
    """Return each record once: where pages shift, one may come again.

    One that the licence holds back in either of them is held back.
    """
    found: dict[object, Record] = {}
    for record in records:
        own = record.key or record.mls_id or id(record)
        if own not in found or (record.withdrawn and not found[own].withdrawn):
            found[own] = record
    return list(found.values())


def _none_shown(
    records: Sequence[Record], *, held_back: Sequence[Record], house: Property
) -> Listing:
    if held_back:
        why = held_back[0].withdrawn
        gone = _ended(ListingOutcome.NOT_FOUND, f"{why}: {_named(held_back)}")
        return replace(gone, withdrawn={EVERY_PHOTO: why})
    read = [record.address for record in records if record.address]
    near = [it for it in read if house.means(it) is Match.NEAR]
    if near:
        return near_miss(Source.PHOENIX_MLS, house, near)
    if records and not read:
        told = f"{counted(len(records), 'record')} without an address that can be read"
        return _ended(ListingOutcome.PAGE_CHANGED, told)
    others = f": {counted(len(records), 'record')} of other houses" if records else ""
    told = f"the feed knows no record of the house{others}"
    return _ended(ListingOutcome.NOT_FOUND, told)


def _ended(outcome: ListingOutcome, told: str) -> Listing:
    return ended(Source.PHOENIX_MLS, outcome, told)


def _named(records: Iterable[Record]) -> str:
    """The numbers of records in the MLS; other texts of a feed are not passed on."""
    return ", ".join(record.mls_id or "one without a number" for record in records)
