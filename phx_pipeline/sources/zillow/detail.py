"""Zillow's detail page: whose house it is, its state, its gallery. No fetching.

Of the property object only the fields named here are read: it also names agents and
owners, with their phone numbers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from phx_pipeline.errors import InputError, SourceChangedError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import near_miss
from phx_pipeline.sources.json_values import JsonObject
from phx_pipeline.sources.stated import (
    OFF_MARKET_WORDS,
    day,
    identifier,
    mls_number,
    only,
    part,
    rounded,
    text,
    unwrapped,
)
from phx_pipeline.sources.whose import (
    another_described,
    another_titled,
    contradicts,
    link_contradicts,
    stated_beside,
)
from phx_pipeline.sources.zillow.facts import home_facts, status_of
from phx_pipeline.sources.zillow.gallery import (
    PHOTO_LISTS,
    Gallery,
    completed,
    has_renamed_list,
    parse_gallery,
)
from phx_pipeline.sources.zillow.members import of_home
from phx_pipeline.sources.zillow.payload import LAZY, Page
from phx_pipeline.sources.zillow.search import SITE, detail_path, named_in, zpid_in

_ON_MARKET = frozenset({"FOR_SALE", "PENDING", "COMING_SOON", "FOR_RENT"})
_SOLD = frozenset({"SOLD", "RECENTLY_SOLD"})
_OFF_MARKET = _SOLD | {
    "OTHER",
    "OFF_MARKET",
    "NOT_FOR_SALE",
    "PRE_FORECLOSURE",
    "FORECLOSED",
}
_OFF_MARKET_QUERY = "NotForSale"
_LISTED = "listed for sale"
_EVENT_DAYS = ("date", "time")
_LONGEST_QUERY = 2000
_LINKS = ("hdpUrl", "url")
_ADDRESS_PARTS = ("streetAddress", "city", "state", "zipcode")
# Several queries of a page answer with the same home; the fullest answer is read.
_ZPID_OF_QUERY = re.compile(r"zpid[\\\"']*\s*:[\s\\\"']*(?P<zpid>\d+)", re.ASCII)
_TELLING = ("streetAddress", "zipcode", "homeStatus", "photoCount", "priceHistory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A property object and the query that was answered with it."""

    query: str
    fields: JsonObject

    @property
    def zpid(self) -> str | None:
        """Zillow's own number of the house."""
        return identifier(self.fields.get("zpid"))

    @property
    def status(self) -> str:
        """The state of the listing in the site's words, such as FOR_SALE."""
        return printable(status_of(self.fields), most=40)

    @property
    def is_off_market(self) -> bool:
        """Whether it is not for sale; a query may say so where the status does not."""
        if self.status in _ON_MARKET:
            return False
        said_so = OFF_MARKET_WORDS.search(self.status.replace("_", " ")) is not None
        ended = said_so or self.status in _OFF_MARKET
        return ended or self.query.startswith(_OFF_MARKET_QUERY)

    @property
    def was_sold(self) -> bool:
        """Whether its listing ended with a sale, and may still show its gallery."""
        return self.status in _SOLD

    @property
    def fullness(self) -> int:
        """How many of the fields we need are there."""
        return sum(self.fields.get(name) is not None for name in _TELLING + PHOTO_LISTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """A row of the price history, and whose record it is from."""

    day: date
    is_listing: bool
    number: str
    source: str

    def is_under(self, mls_id: str | None) -> bool:
        """Whether it is under this number in the MLS, which may stand in a text."""
        words = re.findall(r"[\w./-]+", f"{self.number} {self.source}".lower())
        return mls_id is not None and mls_id.lower() in words


def parse_detail(page: Page, *, house: Property, zpid: str | None) -> Listing:
    """Return what a detail page says about *house*.

    The outcome is `listed`, `listed_empty`, `off_market`, `wrong_property`, or
    `ambiguous` if the page is about several records of the house, or of one whose
    address is only much like it.

    Args:
        page: with the answers of a detail page.
        house: the one asked for.
        zpid: the home the page was asked for; None if only the address is known.

    Raises:
        SourceChangedError: the page is no longer of the known shape.
    """
    homes = _homes(page.cache or {})
    if not homes:
        raise SourceChangedError("the detail page holds no property")
    if zpid:
        homes = {zpid: homes[zpid]} if zpid in homes else homes
    shown = {own: parse_home_address(home.fields) for own, home in homes.items()}
    matches = {
        own: house.means(its) if its.state == house.address.state else Match.OTHER
        for own, its in shown.items()
    }
    same = [own for own, match in matches.items() if match is Match.SAME]
    near = [own for own, match in matches.items() if match is Match.NEAR]
    if near and not same:
        spellings = [shown[own] for own in near]
        answer = near_miss(Source.ZILLOW, house, spellings, url=page.url)
        return replace(answer, challenged=page.challenged)
    if not same or (zpid and zpid not in same):
        told = "; ".join(f"{its} (zpid {own})" for own, its in shown.items())
        return _ended(ListingOutcome.WRONG_PROPERTY, f"the page is about {told}", page)
    if len(same) > 1:
        told = f"several records: zpid {', '.join(same)}"
        return _ended(ListingOutcome.AMBIGUOUS, told, page)
    home = homes[same[0]]
    own_address = shown[same[0]]
    told = _contradiction(home, own=own_address, cache=page.cache or {})
    if told := told or _elsewhere(home, page=page, own=own_address):
        told = f"the page contradicts itself: {own_address}, but {told}"
        return _ended(ListingOutcome.WRONG_PROPERTY, told, page)
    return _listing_of(home, page=page)


def page_address(page: Page, *, zpid: str | None) -> Address:
    """Return the address of the house that a detail page is about.

    Args:
        page: with the answers of a detail page.
        zpid: tells which home is its own where it tells of several.

    Raises:
        SourceChangedError: the page is no longer of the known shape, or tells of
            several homes.
    """
    homes = _homes(page.cache or {})
    if zpid in homes:
        return parse_home_address(homes[zpid].fields)
    if len(homes) != 1:
        raise SourceChangedError(
            "several homes in it, and it does not say which is its own"
            if homes
            else "no details of a house in it"
        )
    (home,) = homes.values()
    return parse_home_address(home.fields)


def parse_home_address(fields: JsonObject) -> Address:
    """Return the address a property object states; the unit is in its street line.

    Raises:
        SourceChangedError: parts are missing or do not make an address.
    """
    nested = _nested(fields)
    lines = [
        part(fields.get(name), what=name) or part(nested.get(name), what=name)
        for name in _ADDRESS_PARTS
    ]
    if not all(lines):
        raise SourceChangedError("the page's own address is incomplete")
    street, city, state, zip_code = lines
    try:
        return Address.parse(f"{street}, {city}, {state} {zip_code}")
    except InputError as error:
        raise SourceChangedError("the page's own address is unreadable") from error


def _elsewhere(home: Home, *, page: Page, own: Address) -> str:
    """Return how links, titles or structured data name another house; else empty."""

    def differs(link: str) -> bool | None:
        zpid, words = named_in(link)
        if zpid and zpid != home.zpid:
            return True
        return link_contradicts(words, own) if zpid or words else None

    for link in (*(text(only(home.fields.get(name))) for name in _LINKS), *page.links):
        if differs(link):
            return f"its link is {link}"
    if title := another_titled(page.titles, own):
        return f"its title is of {title}"
    other = another_described(page.houses, own, link_differs=differs)
    return f"its structured data is of {other}" if other else ""


def _contradiction(home: Home, *, own: Address, cache: JsonObject) -> str:
    """Return how the answers about a home name another house too; empty if not."""
    asked = _ZPID_OF_QUERY.search(home.query[:_LONGEST_QUERY])
    if asked and asked["zpid"] != home.zpid:
        return f"it answers a query of zpid {asked['zpid']}"
    for each in _answers(cache):
        for street, zip_code in _stated(each) if each.zpid == home.zpid else ():
            other = stated_beside(own, street, zip_code=zip_code)
            if other and contradicts(own, other):
                return f"an address in it is {other}"
    return ""


def _stated(home: Home) -> Iterator[tuple[str, str]]:
    """Yield the street lines a property object states, with their ZIPs."""
    fields, nested = home.fields, _nested(home.fields)
    outer, inner = (
        [part(each.get(name), what=name) for name in ("streetAddress", "zipcode")]
        for each in (fields, nested)
    )
    yield outer[0] or inner[0], outer[1]
    yield inner[0] or outer[0], inner[1]
    yield text(fields.get("abbreviatedAddress")), ""
    yield text(only(fields.get("address"))), ""


def _nested(fields: JsonObject) -> JsonObject:
    nested = only(fields.get("address"))
    return nested if isinstance(nested, dict) else {}


def _homes(cache: JsonObject) -> dict[str, Home]:
    """Return the fullest answer about each home of the page, by zpid."""
    found: dict[str, Home] = {}
    for home in _answers(cache):
        if home.zpid is None:
            continue
        known = found.setdefault(home.zpid, home)
        if home.fullness > known.fullness:
            found[home.zpid] = home
    return {zpid: _completed(home, cache) for zpid, home in found.items()}


def _completed(home: Home, cache: JsonObject) -> Home:
    """Return *home* with the lists of photos that its page completed when run."""
    fields = home.fields
    for later in _answers(cache):
        if later.query.startswith(LAZY) and later.zpid == home.zpid:
            fields = completed(fields, later.fields)
    return replace(home, fields=fields)


def _answers(cache: JsonObject) -> Iterator[Home]:
    for query, answer in cache.items():
        fields = answer.get("property") if isinstance(answer, dict) else None
        if isinstance(fields, dict):
            yield Home(query=query, fields=fields)


def _listing_of(home: Home, *, page: Page) -> Listing:
    gallery = parse_gallery(home.fields)
    outcome = _outcome(gallery, home=home)
    counted = home.fields.get("photoCount")
    stated = rounded(counted)
    agrees = counted is None or stated == gallery.entries == len(gallery.photos)
    mls_id = _mls_id(home.fields)
    return Listing(
        source=Source.ZILLOW,
        outcome=outcome,
        detail=_detail(gallery, home=home, stated=stated),
        listing_id=home.zpid,
        mls_id=mls_id,
        url=_own_url(home, page=page),
        listed_on=_listed_on(home.fields, mls_id=mls_id),
        photos=gallery.photos,
        complete=outcome.saw_gallery
        and agrees
        and not (gallery.unreadable or gallery.foreign),
        facts=home_facts(home.fields, mls_id=mls_id),
        page_kind="detail",
        stated_photos=stated,
        also_read=of_home(home.fields),
    )


def _outcome(gallery: Gallery, *, home: Home) -> ListingOutcome:
    if gallery.photos:
        ended = home.is_off_market and not home.was_sold
        return ListingOutcome.OFF_MARKET if ended else ListingOutcome.LISTED
    if home.is_off_market:
        return ListingOutcome.OFF_MARKET
    if gallery.unreadable or gallery.foreign:
        raise SourceChangedError(
            f"none of {gallery.entries} gallery entries is a photo of the home"
        )
    if has_renamed_list(home.fields):
        raise SourceChangedError("the lists of photos have other names")
    stated = rounded(home.fields.get("photoCount"))
    if stated:
        raise SourceChangedError(
            f"the page states {counted(stated, 'photo')} and shows none"
        )
    if stated is None and not any(name in home.fields for name in PHOTO_LISTS):
        raise SourceChangedError("the page has neither a photo list nor a photo count")
    if home.status not in _ON_MARKET:
        raise SourceChangedError("no photos, and no sign whether the house is listed")
    return ListingOutcome.LISTED_EMPTY


def _detail(gallery: Gallery, *, home: Home, stated: int | None) -> str:
    told = counted(len(gallery.photos), "photo")
    if stated is not None and not stated == gallery.entries == len(gallery.photos):
        told += f" of {stated} stated"
    if gallery.unreadable:
        told += f", {gallery.unreadable} gallery entries unreadable"
    if gallery.foreign:
        told += f", {gallery.foreign} left out that are shown of others"
    if home.is_off_market and not home.was_sold:
        told += ", off market"
    return f"{told}; status {home.status}" if home.status else told


def _mls_id(fields: Mapping[str, Any]) -> str | None:
    info = only(fields.get("attributionInfo"))
    stated = info.get("mlsId") if isinstance(info, dict) else None
    others = (fields.get(name) for name in ("mlsid", "mlsId"))
    return next(filter(None, map(mls_number, (stated, *others))), None)


def _mls_name(fields: JsonObject) -> str:
    info = only(fields.get("attributionInfo"))
    return text(info.get("mlsName")) if isinstance(info, dict) else ""


def _own_url(home: Home, *, page: Page) -> str:
    link = text(home.fields.get("hdpUrl"))
    path = detail_path(link) if zpid_in(link) == home.zpid else None
    return SITE + path if path else page.url


def _listed_on(fields: JsonObject, *, mls_id: str | None) -> date | None:
    """Return the day this listing began.

    The history mixes listings: those under the listing's own number in the MLS are its
    events. Where none of them is the listing itself, it began when it was posted, and
    no later than the first of them. Events without a number may be its own, unless
    another service or the owner made them.

    `dateSold` is of an earlier sale, also on homes that are for sale: never used.
    """
    events = list(_events(fields))
    own = [event for event in events if event.is_under(mls_id)]
    if began := [event.day for event in own if event.is_listing]:
        return max(began)
    posted = [posted] if (posted := day(fields.get("datePostedString"))) else []
    if own:
        return min([*posted, *(event.day for event in own)])
    of_service = {"", _mls_name(fields)} if mls_id else None
    unnumbered = [
        event.day
        for event in events
        if event.is_listing
        and not event.number
        and (of_service is None or event.source in of_service)
    ]
    return max([*unnumbered, *posted], default=None)


def _events(fields: JsonObject) -> Iterator[_Event]:
    history = unwrapped(fields.get("priceHistory"))
    for event in history if isinstance(history, list) else ():
        told = event if isinstance(event, dict) else {}
        if on := next(filter(None, (day(told.get(it)) for it in _EVENT_DAYS)), None):
            by = only(told.get("attributeSource"))
            yield _Event(
                day=on,
                is_listing=text(told.get("event")).lower() == _LISTED,
                number=text(by.get("infoString1")) if isinstance(by, dict) else "",
                source=text(told.get("source")),
            )


def _ended(outcome: ListingOutcome, detail: str, page: Page) -> Listing:
    return Listing(source=Source.ZILLOW, outcome=outcome, detail=detail, url=page.url)
