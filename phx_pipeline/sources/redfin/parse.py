"""Redfin's listing page: whose house it is, its gallery, its state. No fetching.

Only the listing's own JSON objects are read, never URLs found in the markup: every
page shows photos of other houses, and of earlier listings of the same house.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from phx_pipeline.errors import InputError, SourceChangedError
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.answers import (
    EmbeddedAnswers,
    JsonObject,
    mapping,
)
from phx_pipeline.sources.redfin.facts import listing_facts
from phx_pipeline.sources.redfin.find import SITE, home_at

PHOTO_HOSTS = ("ssl.cdn-redfin.com",)

_TAGS = r"photoTagsAndCaptions(?:/listingId/\d+/dataSourceId/\d+)?"
_MLS_PHOTO = re.compile(
    r"/photo/(?P<owner>\d+)/[^/]+/(?:[^/]+/)*(?:gen[A-Za-z]+\.)?(?P<stem>[^/]+)\.\w+"
)
_UPLOADED_PHOTO = re.compile(
    r"/system_files/media/(?P<owner>[^/]+)/(?:[^/]+/)*(?P<stem>[^/]+)\.\w+"
)
_PHOENIX = ZoneInfo("America/Phoenix")
_SOLD = 4  # searchStatus; 1 is active, 2 under contract
_ON_MARKET = (1, 2)
_OFF_MARKET_PAGES = ("sdp", "pdp")
_OFF_MARKET_WORDS = re.compile(r"\b(?:closed|sold|off market)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """The photos of a listing; `unreadable` entries could not be taken as a photo."""

    photos: tuple[PhotoRef, ...]
    unreadable: int


def parse_listing(html: str, *, address: Address, page_url: str) -> Listing:
    """Return what a listing page says about the house at *address*.

    The outcome is `listed`, `listed_empty`, `off_market` or `wrong_property`.

    Raises:
        SourceChangedError: the page is no listing, or no longer of the known shape.
    """
    answers = EmbeddedAnswers(html)
    above = answers.payload("aboveTheFold")
    if above is None:
        raise SourceChangedError("the page has no aboveTheFold answer")
    section = mapping(above.get("addressSectionInfo"), what="addressSectionInfo")
    shown = parse_page_address(section)
    if not address.same_house(shown):
        return Listing(
            source=Source.REDFIN,
            outcome=ListingOutcome.WRONG_PROPERTY,
            detail=f"the page is about {shown}",
            url=page_url,
        )
    media = mapping(above.get("mediaBrowserInfo"), what="mediaBrowserInfo")
    return _listing_of(answers, section=section, media=media, page_url=page_url)


def parse_page_address(section: JsonObject) -> Address:
    """Return the address a page's `addressSectionInfo` states, with its unit.

    Raises:
        SourceChangedError: parts are missing or do not make an address.
    """
    street = mapping(section.get("streetAddress"), what="streetAddress")
    line = _text(street.get("assembledAddress"))
    place = [_text(section.get(key)) for key in ("city", "state", "zip")]
    if not line or not all(place):
        raise SourceChangedError("the page's own address is incomplete")
    unit = _text(street.get("unitValue")).lstrip("#").strip()
    where = f"{place[0]}, {place[1]} {place[2]}"
    try:
        own = Address.parse(f"{line}, {where}")
        if unit and not own.unit:
            own = Address.parse(f"{line} Unit {unit}, {where}")
    except InputError as error:
        raise SourceChangedError("the page's own address is unreadable") from error
    return own


def parse_gallery(photos: Iterable[Any], *, tags: JsonObject) -> Gallery:
    """Return the photos of `mediaBrowserInfo.photos` in their order.

    Args:
        photos: the entries as decoded from JSON.
        tags: `tagsByPhotoId` of the page, or nothing.
    """
    refs: dict[str, PhotoRef] = {}
    unreadable = 0
    for position, entry in enumerate(photos):
        ref = _photo(entry, position=position, tags=tags)
        if ref is None:
            unreadable += 1
        else:
            refs.setdefault(ref.photo_key, ref)
    return Gallery(photos=tuple(refs.values()), unreadable=unreadable)


def photo_key(url: str) -> str | None:
    """Return a photo's identity, the same for all its size variants.

    None if *url* is not an https URL of Redfin's photo host.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # such as brackets that hold no address
        return None
    if parts.scheme != "https" or parts.netloc not in PHOTO_HOSTS:
        return None
    if found := _MLS_PHOTO.fullmatch(parts.path):
        return f"{found['owner']}-{found['stem']}"
    if found := _UPLOADED_PHOTO.fullmatch(parts.path):
        return f"media-{found['owner']}-{found['stem']}"
    return parts.path.strip("/") or None


def _photo(entry: object, *, position: int, tags: JsonObject) -> PhotoRef | None:
    if not isinstance(entry, dict):
        return None
    urls = entry.get("photoUrls")
    url = _text(urls.get("fullScreenPhotoUrl")) if isinstance(urls, dict) else ""
    if (key := photo_key(url)) is None:
        return None
    own = tags.get(str(entry.get("photoId")))
    told = own if isinstance(own, dict) else {}
    return PhotoRef(
        source=Source.REDFIN,
        photo_key=key,
        url=url,
        position=position,
        caption=_text(told.get("shortCaption")) or _text(told.get("longCaption")),
        tags=_room_tags(told.get("tags")),
        width=_pixels(entry.get("width")),
        height=_pixels(entry.get("height")),
    )


def _room_tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, list):
        return ()
    return tuple(text for tag in tags if (text := _text(tag)) and text != "All")


def _pixels(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def _text(value: object) -> str:
    """Return a JSON string on one line, without what no database can store."""
    if not isinstance(value, str):
        return ""
    storable = value.replace("\0", "").encode("utf-8", errors="replace").decode()
    return " ".join(storable.split())


def _listing_of(
    answers: EmbeddedAnswers,
    *,
    section: JsonObject,
    media: JsonObject,
    page_url: str,
) -> Listing:
    initial = answers.optional("initialInfo")
    listing_id = _identifier(initial.get("listingId"))
    mls_id = _identifier(initial.get("mlsId"))
    off_market = _is_off_market(initial, section=section)
    gallery = parse_gallery(
        _photo_entries(media, off_market=off_market),
        tags=_own_tags(answers, listing_id=listing_id),
    )
    outcome = _outcome(gallery, initial=initial, section=section)
    home = home_at(section.get("url"))
    return Listing(
        source=Source.REDFIN,
        outcome=outcome,
        detail=_detail(gallery, section=section),
        listing_id=listing_id,
        mls_id=mls_id,
        url=SITE + home.path if home else page_url,
        listed_on=_listed_on(answers, section=section, mls_id=mls_id),
        photos=gallery.photos,
        complete=outcome.saw_gallery and not gallery.unreadable,
        facts=listing_facts(
            answers, section=section, mls_id=mls_id, off_market=off_market
        ),
    )


def _photo_entries(media: JsonObject, *, off_market: bool) -> list[Any]:
    photos = media.get("photos")
    if photos is None and off_market:
        return []
    if not isinstance(photos, list):
        raise SourceChangedError("mediaBrowserInfo.photos is missing or not a list")
    return photos


def _outcome(
    gallery: Gallery, *, initial: JsonObject, section: JsonObject
) -> ListingOutcome:
    if gallery.photos:
        return ListingOutcome.LISTED
    if gallery.unreadable:
        raise SourceChangedError(
            f"none of {gallery.unreadable} gallery entries has a known photo URL"
        )
    if _is_off_market(initial, section=section):
        return ListingOutcome.OFF_MARKET
    on_page, status = initial.get("riftPageType"), section.get("searchStatus")
    if status in _ON_MARKET or on_page == "ldp":
        return ListingOutcome.LISTED_EMPTY
    raise SourceChangedError("no photos, and no sign whether the house is listed")


def _is_off_market(initial: JsonObject, *, section: JsonObject) -> bool:
    words = f"{_status(section)} {_text(section.get('homeStatusLabel'))}"
    return (
        initial.get("riftPageType") in _OFF_MARKET_PAGES
        or section.get("searchStatus") == _SOLD
        or _OFF_MARKET_WORDS.search(words) is not None
    )


def _status(section: JsonObject) -> str:
    status = section.get("status")
    shown = status.get("displayValue") if isinstance(status, dict) else status
    return _text(shown)[:40]


def _detail(gallery: Gallery, *, section: JsonObject) -> str:
    told = f"{len(gallery.photos)} photos"
    if gallery.unreadable:
        told += f", {gallery.unreadable} gallery entries unreadable"
    status = _status(section)
    return f"{told}; status {status}" if status else told


def _own_tags(answers: EmbeddedAnswers, *, listing_id: str | None) -> JsonObject:
    payload = answers.optional(_TAGS)
    owner = _identifier(payload.get("listingId"))
    if owner and listing_id and owner != listing_id:
        return {}
    tags = payload.get("tagsByPhotoId")
    return tags if isinstance(tags, dict) else {}


def _identifier(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return _text(str(value)) or None


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
    own = [
        event.get("eventDate")
        for event in events
        if isinstance(event, dict)
        and event.get("eventDescription") == "Listed"
        and _identifier(event.get("sourceId")) == mls_id
    ]
    stated = [ms for ms in own if isinstance(ms, int) and not isinstance(ms, bool)]
    zone = history.get("displayTimeZone") or section.get("soldDateTimeZone")
    return _local_day(max(stated), zone=_zone(zone)) if stated else None


def _local_day(epoch_ms: int, *, zone: tzinfo) -> date | None:
    try:
        at = datetime.fromtimestamp(epoch_ms / 1000, tz=UTC)
        return at.astimezone(zone).date()
    except (OverflowError, OSError, ValueError):
        return None


def _zone(name: object) -> tzinfo:
    try:
        return ZoneInfo(_text(name)) if _text(name) else _PHOENIX
    except (KeyError, ValueError, OSError):  # unknown, malformed, or names a folder
        return _PHOENIX
