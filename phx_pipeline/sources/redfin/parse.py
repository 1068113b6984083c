"""Redfin's listing page: whose house it is, its gallery, its state. No fetching.

Only the listing's own JSON objects are read, never URLs found in the markup: every
page shows photos of other houses, and of earlier listings of the same house.
"""

import html as markup
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from phx_pipeline.errors import InputError, SourceChangedError
from phx_pipeline.fetch.base import Captured
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import ended, near_miss
from phx_pipeline.sources.head import described, own_urls, titled
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.redfin.facts import listing_facts
from phx_pipeline.sources.redfin.find import SITE, home_at, home_named, path_address
from phx_pipeline.sources.redfin.gallery import (
    Gallery,
    count_shown,
    parse_gallery,
)
from phx_pipeline.sources.redfin.members import also_read
from phx_pipeline.sources.stated import (
    FIRST_DAY,
    LAST_DAY,
    OFF_MARKET_WORDS,
    day,
    identifier,
    mls_number,
    only,
    part,
    text,
    unwrapped,
    whole,
)
from phx_pipeline.sources.whose import (
    another_described,
    another_titled,
    contradicts,
    stated_beside,
)

_TAGS = r"photoTagsAndCaptions(?:/listingId/\d+/dataSourceId/\d+)?"
_PHOTO_URL = re.compile(r"https://ssl\.cdn-redfin\.com/photo/")
_TITLE = re.compile(r"<title[^<>]*>(?P<title>[^<]*)", re.IGNORECASE)
_TITLE_NUMBER = re.compile(r"\bMLS\s?#:?\s?(?P<number>\S+)", re.IGNORECASE)
_START = 200_000  # characters of a page that hold its title
_UNIT_WORD = re.compile(r"^(?:(?:unit|apt|ste|suite|no)\b\.?)?\s*#?\s*", re.IGNORECASE)
_NO_UNIT = re.compile(r"[\W_]*(?:n/?a|none|null|undefined|0)?[\W_]*", re.IGNORECASE)
_STREET_PARTS = (
    "streetNumber",
    "directionalPrefix",
    "streetName",
    "streetType",
    "directionalSuffix",
)
_SECONDS = 10**9  # and up: from 2001 on; as milliseconds of early 1970
_SOLD = 4  # searchStatus; 1 is active, 2 under contract
_ON_MARKET = (1, 2)
_OFF_MARKET_PAGES = ("sdp", "pdp")
_SOLD_WORDS = re.compile(r"\b(?:closed|sold)\b", re.IGNORECASE)
_LISTED = re.compile(r"listed(?: for sale)?(?:\s*\([^()]*\))?", re.IGNORECASE)
_MOST_VALUES = 20_000  # looked at for photos under another name


def parse_listing(
    html: str, *, house: Property, page_url: str, captured: Sequence[Captured] = ()
) -> Listing:
    """Return what a listing page says about *house*.

    The outcome is `listed`, `listed_empty`, `off_market`, `wrong_property`, or
    `ambiguous` where the page's address is only much like the house's.

    Args:
        html: the page.
        house: the one asked for.
        page_url: where the page is.
        captured: the answers to what the page asked for by itself.

    Raises:
        SourceChangedError: the page is no listing, or no longer of the known shape.
    """
    answers = EmbeddedAnswers(html, captured=captured)
    above = _own_above(answers, house=house)
    section = mapping(above.get("addressSectionInfo"), what="addressSectionInfo")
    shown = parse_page_address(section)
    match = house.means(shown)
    if match is Match.NEAR:
        return near_miss(Source.REDFIN, house, [shown], url=page_url)
    if match is Match.OTHER or shown.state != house.address.state:
        return _wrong(f"the page is about {shown}", page_url=page_url)
    media = _media(above)
    body = html.encode(errors="replace")
    links = [text(only(section.get("url"))), *own_urls(body)]
    told = _contradiction(section, media=media, own=shown)
    if told := told or _elsewhere(links, body, own=shown):
        return _wrong(f"the page contradicts itself: {told}", page_url=page_url)
    return _listing_of(
        answers,
        above=above,
        mls_id=_mls_id(answers, html=html),
        page_url=page_url,
        stated=count_shown(html),
    )


def page_address(html: str, *, page_url: str) -> Address:
    """Return the address of the house that a listing page is about.

    Args:
        html: the page.
        page_url: tells which home is its own where it tells of several.

    Raises:
        SourceChangedError: the page is no listing, or no longer of the known shape.
    """
    found = []
    for above in EmbeddedAnswers(html).payloads("aboveTheFold"):
        section = mapping(above.get("addressSectionInfo"), what="addressSectionInfo")
        found.append(parse_page_address(section))
    if not found:
        raise SourceChangedError("the page has no aboveTheFold answer")
    own = (own for own in found if _names_another(page_url, own) is False)
    return next(own, found[0])


def _own_above(answers: EmbeddedAnswers, *, house: Property) -> JsonObject:
    """Return what the page shows first; of several that of *house*, the fullest."""
    first = answers.payload("aboveTheFold")
    if first is None:
        raise SourceChangedError("the page has no aboveTheFold answer")
    several = answers.payloads("aboveTheFold")
    own = [above for above in several if len(several) > 1 and _is_of(above, house)]
    return max(own, key=_photos_shown, default=first)


def _is_of(above: JsonObject, house: Property) -> bool:
    with suppress(SourceChangedError):
        section = mapping(above.get("addressSectionInfo"), what="addressSectionInfo")
        return house.means(parse_page_address(section)) is Match.SAME
    return False


def _photos_shown(above: JsonObject) -> int:
    media = above.get("mediaBrowserInfo")
    photos = media.get("photos") if isinstance(media, dict) else None
    return len(photos) if isinstance(photos, list) else 0


def _mls_id(answers: EmbeddedAnswers, *, html: str) -> str | None:
    """Return the listing's number; a page without it may tell it in its title."""
    if stated := mls_number(answers.optional("initialInfo").get("mlsId")):
        return stated
    title = _TITLE.search(html, 0, _START)
    found = _TITLE_NUMBER.search(markup.unescape(title["title"])) if title else None
    return mls_number(found["number"]) if found else None


def parse_page_address(section: JsonObject) -> Address:
    """Return the address a page's `addressSectionInfo` states, with its unit.

    Raises:
        SourceChangedError: parts are missing or do not make an address.
    """
    street = mapping(section.get("streetAddress"), what="streetAddress")
    line = part(street.get("assembledAddress"), what="the street line")
    place = [part(section.get(key), what=key) for key in ("city", "state", "zip")]
    if not line or not all(place):
        raise SourceChangedError("the page's own address is incomplete")
    unit = _unit(street)
    where = f"{place[0]}, {place[1]} {place[2]}"
    try:
        own = Address.parse(f"{line}, {where}")
        if unit and not own.unit:
            own = Address.parse(f"{line} Unit {unit}, {where}")
    except InputError as error:
        raise SourceChangedError("the page's own address is unreadable") from error
    return own


def _names_another(link: str, own: Address) -> bool | None:
    """Whether a link to a Redfin page names another house; None if it names none."""
    home = home_named(link)
    named = path_address(home.path) if home else None
    return None if named is None else contradicts(own, named)


def _unit(street: JsonObject) -> str:
    stated = part(street.get("unitValue"), what="the unit")
    return "" if _NO_UNIT.fullmatch(stated) else _UNIT_WORD.sub("", stated).strip()


def _elsewhere(links: Sequence[str], body: bytes, *, own: Address) -> str:
    """Return how links, titles or structured data name another house; else empty."""
    homes = [(link, home) for link in links if (home := home_named(link))]
    for link, home in homes:
        if _names_another(link, own) or home.home_id != homes[0][1].home_id:
            return f"{own}, but its link is {link}"
    if title := another_titled(titled(body), own):
        return f"{own}, but its title is of {title}"
    other = another_described(
        described(body), own, link_differs=lambda link: _names_another(link, own)
    )
    return f"{own}, but its structured data is of {other}" if other else ""


def _contradiction(section: JsonObject, *, media: JsonObject, own: Address) -> str:
    """Return how the page says that it is about another house too; empty if not."""
    for what, stated in _statements(section, media=media, own=own):
        other = stated_beside(own, stated)
        if other and contradicts(own, other):
            _require_parts(section)
            return f"{own}, but {what} {stated}"
    return ""


def _require_parts(section: JsonObject) -> None:
    """Raise where a contradiction may be of a part that has another name now."""
    street = mapping(section.get("streetAddress"), what="streetAddress")
    missing = [name for name in (*_STREET_PARTS, "unitValue") if name not in street]
    if missing:
        raise SourceChangedError(
            f"the street address has no {', '.join(missing)}, and contradicts itself"
        )


def _statements(
    section: JsonObject, *, media: JsonObject, own: Address
) -> Iterator[tuple[str, str]]:
    """Yield what else tells the street line, and what it tells."""
    street = mapping(section.get("streetAddress"), what="streetAddress")
    if unit := _unit(street):
        line = f"{own.street_number} {own.street} Unit {unit}"
        yield "the unit stated apart makes it", line
    parts = [part(street.get(name), what=name) for name in _STREET_PARTS]
    if parts[0]:
        rest = parts[1:] if parts[2] else [own.street, own.unit or ""]
        yield "its parts make", " ".join(filter(None, [parts[0], *rest]))
    for name in ("assembledAddress", "streetAddress"):
        if of_gallery := text(media.get(name)):
            yield "its gallery is of", of_gallery


def _wrong(told: str, *, page_url: str) -> Listing:
    return ended(Source.REDFIN, ListingOutcome.WRONG_PROPERTY, told, url=page_url)


def _listing_of(
    answers: EmbeddedAnswers,
    *,
    above: JsonObject,
    mls_id: str | None,
    page_url: str,
    stated: int,
) -> Listing:
    section = mapping(above.get("addressSectionInfo"), what="addressSectionInfo")
    initial = answers.optional("initialInfo")
    listing_id = identifier(initial.get("listingId"))
    off_market = _is_off_market(initial, section=section)
    entries = _photo_entries(above)
    tags = _own_tags(answers, listing_id=listing_id)
    gallery = parse_gallery(entries or (), tags=tags)
    outcome = _outcome(gallery, initial=initial, section=section)
    if outcome is ListingOutcome.LISTED_EMPTY and stated:
        raise SourceChangedError(
            f"the page states {counted(stated, 'photo')} and shows none"
        )
    home = home_at(section.get("url"))
    return Listing(
        source=Source.REDFIN,
        outcome=outcome,
        detail=_detail(gallery, section=section, stated=stated),
        listing_id=listing_id,
        mls_id=mls_id,
        url=SITE + home.path if home else page_url,
        listed_on=_listed_on(answers, section=section, mls_id=mls_id),
        photos=gallery.photos,
        # A page that has no list of photos does not say that those known are gone.
        complete=outcome.saw_gallery
        and entries is not None
        and not gallery.unreadable
        and len(gallery.photos) >= stated,
        facts=listing_facts(
            answers, section=section, mls_id=mls_id, off_market=off_market
        ),
        stated_photos=stated or None,
        also_read=also_read(answers, section=section, photos=entries or (), tags=tags),
    )


def _media(above: JsonObject) -> JsonObject:
    """Return what the page shows; nothing where it says that there is nothing."""
    if above.get("mediaBrowserInfo", ...) is None:
        return {}
    return mapping(above.get("mediaBrowserInfo"), what="mediaBrowserInfo")


def _photo_entries(above: JsonObject) -> list[Any] | None:
    """Return the gallery as decoded from JSON; None if the page has none.

    Raises:
        SourceChangedError: photos are there under another name or in another shape.
    """
    photos = _media(above).get("photos")
    if photos is not None and not isinstance(photos, list):
        raise SourceChangedError("mediaBrowserInfo.photos is not a list")
    others = {key: above[key] for key in above if key != "addressSectionInfo"}
    if photos is None and _shows_photos(others):
        raise SourceChangedError("mediaBrowserInfo.photos has another name")
    return photos


def _shows_photos(told: Mapping[str, object]) -> bool:
    """Whether the URL of a photo, or an entry of a gallery, stands anywhere in *told*.

    The section of the address names one photo, as an icon: it is not looked at.
    """
    waiting: list[object] = [told]
    for _ in range(_MOST_VALUES):
        if not waiting:
            break
        value = waiting.pop()
        if isinstance(value, str) and _PHOTO_URL.match(value):
            return True
        if isinstance(value, dict):
            if "photoUrls" in value:
                return True
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return False


def _outcome(
    gallery: Gallery, *, initial: JsonObject, section: JsonObject
) -> ListingOutcome:
    if gallery.photos:
        unsold = _is_off_market(initial, section=section) and not _is_sold(section)
        return ListingOutcome.OFF_MARKET if unsold else ListingOutcome.LISTED
    if gallery.unreadable:
        raise SourceChangedError(
            f"none of {gallery.unreadable} gallery entries has a known photo URL"
        )
    if _is_off_market(initial, section=section):
        return ListingOutcome.OFF_MARKET
    on_market = whole(section.get("searchStatus")) in _ON_MARKET
    if on_market or text(initial.get("riftPageType")) == "ldp":
        return ListingOutcome.LISTED_EMPTY
    raise SourceChangedError("no photos, and no sign whether the house is listed")


def _is_off_market(initial: JsonObject, *, section: JsonObject) -> bool:
    return (
        text(initial.get("riftPageType")) in _OFF_MARKET_PAGES
        or _is_sold(section)
        or OFF_MARKET_WORDS.search(_status_words(section)) is not None
    )


def _is_sold(section: JsonObject) -> bool:
    sold = _SOLD_WORDS.search(_status_words(section)) is not None
    return sold or whole(section.get("searchStatus")) == _SOLD


def _status_words(section: JsonObject) -> str:
    return f"{_status(section)} {text(section.get('homeStatusLabel'))}"


def _status(section: JsonObject) -> str:
    status = section.get("status")
    shown = status.get("displayValue", status) if isinstance(status, dict) else status
    return printable(text(shown), most=40)


def _detail(gallery: Gallery, *, section: JsonObject, stated: int) -> str:
    told = counted(len(gallery.photos), "photo")
    if len(gallery.photos) < stated:
        told += f" of {stated} stated"
    if gallery.unreadable:
        told += f", {gallery.unreadable} gallery entries unreadable"
    status = _status(section)
    return f"{told}; status {status}" if status else told


def _own_tags(answers: EmbeddedAnswers, *, listing_id: str | None) -> JsonObject:
    for payload in answers.payloads(_TAGS):
        owner = identifier(payload.get("listingId"))
        tags = payload.get("tagsByPhotoId")
        is_own = not owner or not listing_id or owner == listing_id
        if is_own and isinstance(tags, dict):
            return tags
    return {}


def _listed_on(
    answers: EmbeddedAnswers, *, section: JsonObject, mls_id: str | None
) -> date | None:
    """Return the day this listing began.

    The history mixes listings of several MLS and of earlier sales, so only events
    under the listing's own MLS id count. `soldDate` is of an earlier sale: never used.
    """
    history = answers.optional("belowTheFold").get("propertyHistoryInfo")
    events = history.get("events") if isinstance(history, dict) else None
    if not isinstance(history, dict) or not isinstance(events, list) or not mls_id:
        return None
    zone = _zone(history.get("displayTimeZone") or section.get("soldDateTimeZone"))
    own = [
        _local_day(unwrapped(event.get("eventDate")), zone=zone)
        for event in events
        if isinstance(event, dict)
        and _LISTED.fullmatch(text(event.get("eventDescription")))
        and (mls_number(event.get("sourceId")) or "").lower() == mls_id.lower()
    ]
    stated = [at for at in own if at and FIRST_DAY <= at <= LAST_DAY]
    return max(stated, default=None)


def _local_day(epoch_ms: object, *, zone: tzinfo) -> date | None:
    """Return the day of a number of milliseconds, or of seconds; or one in a text."""
    if isinstance(epoch_ms, str):
        return day(epoch_ms)
    if isinstance(epoch_ms, bool) or not isinstance(epoch_ms, int | float):
        return None
    try:
        scale = 1 if _SECONDS <= abs(epoch_ms) < 10 * _SECONDS else 1000
        at = datetime.fromtimestamp(epoch_ms / scale, tz=UTC)
        return at.astimezone(zone).date()
    except (OverflowError, OSError, ValueError):
        return None


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(text(name)) if text(name) else PHOENIX
    except (KeyError, ValueError, OSError):  # unknown, malformed, or names a folder
        return PHOENIX
