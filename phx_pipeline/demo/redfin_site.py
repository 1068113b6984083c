"""A stand-in for Redfin: address search, listing pages and the photo CDN.

Pages have the shape of captured ones, traps included: cards and thumbnails of other
houses, an earlier record of the same house, an earlier sale date, the challenge SDK
that good pages load too. What is served is a pure function of the houses.
"""

import html
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import HOUSES, Flaw, House, Record, Shot
from phx_pipeline.demo.loopback import Answer, Asked, Handler

PAGE_HOST = "www.redfin.com"
PHOTO_HOST = "ssl.cdn-redfin.com"
AUTOCOMPLETE_PATH = "/stingray/do/location-autocomplete"

_GUARD = "{}&&"  # keeps an API answer from being run as a script
_API = "/stingray/api/home/details"
_LISTED, _ACTIVE = 5, 1  # pageType of a listing page; searchStatus of an active one
_AS_OF = date(2026, 3, 9)  # "today" of the pages: answers must not depend on the clock
_SITE_ZONE = ZoneInfo("America/Los_Angeles")  # captured dates are midnights there
_MARKET = 18
_KEPT_BYTES = 0.6  # of a truncated photo
_SDK = "https://0d0c1f7e2a66.edge.sdk.awswaf.com/0d0c1f7e2a66/51be8f20c7d9/challenge.js"

_HTML = {"content-type": "text/html; charset=utf-8"}
_JSON = {"content-type": "application/json;charset=utf-8"}
_JPEG = {"content-type": "image/jpeg"}

_BLOCK_PAGE = b"""<!DOCTYPE html><html><head><meta charset="utf-8">\
<title>Are You a Robot? | Redfin</title></head><body><div id="header"></div>\
<h1>Are you a robot?</h1><p>Please confirm that you are a person.</p></body></html>"""
_NOT_A_PHOTO = b"""<!DOCTYPE html><html><head><title>Photo unavailable</title></head>\
<body><p>This photo cannot be shown.</p></body></html>"""

_SHORT = {
    "avenue": "ave",
    "court": "ct",
    "drive": "dr",
    "lane": "ln",
    "road": "rd",
    "street": "st",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
}
_IGNORED = frozenset({"unit", "apt", "usa", "az", "arizona"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """A size the CDN offers: its folder, the prefix of its names, its pixels."""

    folder: str
    prefix: str = ""
    size: tuple[int, int] | None = None


_FULL = _Variant(folder="bigphoto")
_PAGE = _Variant(folder="mbphotov3", prefix="genMid.", size=(1080, 771))
_WIDE = _Variant(folder="mbpaddedwide", prefix="genMid.", size=(665, 449))
_LIST = _Variant(folder="bcsphoto", prefix="genBcs.", size=(546, 364))
_MIDDLE = _Variant(folder="midphoto", prefix="genMid.", size=(300, 200))
_THUMB = _Variant(folder="tmbphoto", prefix="genTmb.", size=(120, 80))
_VARIANTS = (_FULL, _PAGE, _WIDE, _LIST, _MIDDLE, _THUMB)


def redfin_sites(
    houses: Sequence[House] = HOUSES,
    *,
    blocked: frozenset[str] = frozenset(),
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    Args:
        houses: what is on the market; each page shows cards of all the others.
        blocked: hosts that answer every request with a block page (403).
        photo_delay_s: pause before each photo. Stand-ins answer one at a time, so it
            slows the whole site: meant for killing a run half-way, not for load.
    """
    sites: dict[str, Handler] = {
        PAGE_HOST: _pages(tuple(houses)),
        PHOTO_HOST: _photos(houses, delay_s=photo_delay_s),
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


def photo_url(record: Record, *, position: int) -> str:
    """Return the address of a photo's largest full-frame variant."""
    return _address(record, position, _FULL)


# --- address search -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something the address search can find."""

    line: str
    city: str
    state: str
    zip_code: str
    home_id: int
    path: str


def suggest(asked_for: str, *, places: Sequence[Place]) -> Answer:
    """Answer an address search as the site does.

    A place asked for exactly comes with `exactMatch`; otherwise the rows hold houses
    of the same street and ZIP, neighbours nobody asked for.
    """
    exact = [place for place in places if _same(asked_for, place=place)]
    found = exact or [place for place in places if _close(asked_for, place=place)]
    rows = [_row(place) for place in found]
    payload: Json = {
        "sections": [{"rows": rows, "name": "Addresses"}] if rows else [],
        "extraResults": {},
        "responseTime": 0,
        "hasFakeResults": False,
        "isGeocoded": False,
        "isRedfinServiced": bool(rows),
    }
    if exact:
        payload["exactMatch"] = rows[0]
    return Answer(body=_guarded(payload).encode(), headers=_JSON)


def _row(place: Place) -> Json:
    return {
        "id": f"1_{place.home_id}",
        "type": "1",
        "name": place.line,
        "subName": f"{place.city}, {place.state}, USA",
        "url": place.path,
        "active": True,
        "claimedHome": False,
        "invalidMRS": False,
        "businessMarketIds": [_MARKET],
        "countryCode": "US",
    }


def _words(text: str) -> frozenset[str]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(_SHORT.get(word, word) for word in found) - _IGNORED


def _same(asked_for: str, *, place: Place) -> bool:
    beside = _words(f"{place.city} {place.state}")
    own = _words(f"{place.line} {place.zip_code}")
    return _words(asked_for) - beside == own - beside


def _close(asked_for: str, *, place: Place) -> bool:
    street = {word for word in _words(place.line) if word.isalpha()}
    return street | {place.zip_code} <= _words(asked_for)


def _place(house: House) -> Place:
    return Place(
        line=house.unit_line,
        city=house.city,
        state="AZ",
        zip_code=house.zip_code,
        home_id=house.home_id,
        path=house.path,
    )


# --- handlers -------------------------------------------------------------------------


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_HTML)


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)


def _moved(path: str) -> Answer:
    return Answer(status=HTTPStatus.MOVED_PERMANENTLY, headers={"location": path})


def _pages(houses: tuple[House, ...]) -> Handler:
    by_path = {house.path: house for house in houses}
    by_number = {f"/home/{house.home_id}": house for house in houses}
    places = [_place(house) for house in houses]

    def answer(asked: Asked) -> Answer:
        parts = urlsplit(asked.target)
        if parts.path == AUTOCOMPLETE_PATH:
            asked_for = parse_qs(parts.query).get("location", [""])
            return suggest(asked_for[0], places=places)
        if house := by_number.get(parts.path):
            return _moved(house.path)
        if house := by_path.get(parts.path):
            others = tuple(other for other in houses if other is not house)
            return Answer(body=listing_page(house, others=others), headers=_HTML)
        return _missing()

    return answer


def _photos(houses: Sequence[House], *, delay_s: float) -> Handler:
    known = {
        path: (shot, variant)
        for house in houses
        for record in (house.record, house.earlier)
        for position, shot in enumerate(record.shots)
        for variant in _VARIANTS
        for path in [_photo_path(record, position, variant)]
    }

    def answer(asked: Asked) -> Answer:
        time.sleep(delay_s)
        found = known.get(urlsplit(asked.target).path)
        return _delivered(*found) if found else _missing()

    return answer


def _delivered(shot: Shot, variant: _Variant) -> Answer:
    if shot.flaw is Flaw.GONE:
        return _missing()
    if shot.flaw is Flaw.HTML:
        return Answer(body=_NOT_A_PHOTO, headers=_JPEG)
    body = _sized(shot, variant.size)
    if shot.flaw is Flaw.TRUNCATED:
        body = body[: round(len(body) * _KEPT_BYTES)]
    return Answer(body=body, headers=_JPEG)


def _sized(shot: Shot, size: tuple[int, int] | None) -> bytes:
    """Return the photo in a variant's size; small ones are never blown up."""
    if size is None or size[0] > shot.uploaded_size[0]:
        return _uploaded(shot)
    return rooms.fitted(_uploaded(shot), size=size)


@lru_cache(maxsize=256)
def _uploaded(shot: Shot) -> bytes:
    if copied := shot.copied:
        first = _uploaded(replace(shot, copied=None))
        return rooms.copy(first, width=copied.width, cropped=copied.cropped)
    return rooms.draw(
        shot.kind, seed=shot.seed, size=shot.size, orientation=shot.orientation
    )


def _photo_path(record: Record, position: int, variant: _Variant) -> str:
    name = f"{variant.prefix}{record.file_name(position)}"
    return f"/photo/{record.data_source_id}/{variant.folder}/{record.folder}/{name}"


def _address(record: Record, position: int, variant: _Variant) -> str:
    return f"https://{PHOTO_HOST}{_photo_path(record, position, variant)}"


# --- the listing page -----------------------------------------------------------------


@lru_cache(maxsize=64)
def listing_page(house: House, *, others: tuple[House, ...]) -> bytes:
    """Return a house's page, with cards of *others* beside it."""
    context = {
        "ReactServerAgent.cache": {"dataCache": _cache(house, others=others)},
        "deviceType": "desktop",
        "subPageType": "APDP",
        "webViewAppName": None,
    }
    config = {"environmentName": "prod", "awsWafSdkPath": _SDK}
    return "".join(
        [
            _head(house),
            _body(house, others=others),
            "<script>_tLAB.wait(function(){\n(function (root) {\n/* -- Data -- */\n",
            "root.__reactServerState || (root.__reactServerState = {});\n",
            f"root.__reactServerState.InitialContext = {_script(context)};\n",
            f"root.__reactServerState.Config = {_script(config)};\n",
            "}(this));\n;rfBootstrap();});</script></body></html>",
        ]
    ).encode()


def _head(house: House) -> str:
    name = html.escape(house.address)
    url = f"https://{PAGE_HOST}{house.path}"
    image = _address(house.record, 0, _WIDE)
    return (
        '<!DOCTYPE html><html lang="en"><head>'
        f"<title>{name} | MLS# {house.record.mls_id} | Redfin</title>"
        f'<link rel="canonical" href="{url}" />'
        f'<meta property="og:title" content="{name} - {house.beds} beds" />'
        f'<meta property="og:url" content="{url}" />'
        f'<meta property="og:image" content="{image}" />'
        f'<script>_tLAB.script("{_SDK}")</script></head>'
    )


def _body(house: House, *, others: Sequence[House]) -> str:
    """Return the visible part: own photos, earlier ones, cards of other houses."""
    own = _address(house.record, 0, _FULL)
    pictures = [f'<img class="landscape" src="{own}" fetchpriority="high"/>']
    pictures += [
        f'<img class="col ph-thumbnail" src="{_address(house.earlier, at, _WIDE)}"/>'
        for at in range(len(house.earlier.shots))
    ]
    return f"<body><div>{''.join([*pictures, *map(_card, others)])}</div>"


def _card(other: House) -> str:
    name = html.escape(other.address)
    return (
        f'<div class="bp-Homecard" role="button" aria-label="Property at {name}">'
        f'<a href="{other.path}">{name}</a><img class="bp-Homecard__Photo--image" '
        f'alt="" src="{_address(other.record, 0, _LIST)}" loading="lazy"/></div>'
    )


def _script(value: Json) -> str:
    """Return JSON as the site puts it into a script: nothing in it can end the tag."""
    text = _compact(value)
    for character, escaped in (("/", "2F"), ("<", "3C"), (">", "3E")):
        text = text.replace(character, f"\\u00{escaped}")
    return text


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def _guarded(payload: Json) -> str:
    """Return an API answer as it travels."""
    envelope = {"version": 630, "errorMessage": "Success", "resultCode": 0}
    return _GUARD + _compact({**envelope, "payload": payload})


# --- the API answers inside the page --------------------------------------------------


def _cache(house: House, *, others: Sequence[House]) -> Json:
    """Return the embedded API answers by request path."""
    record = house.record
    tags = f"/listingId/{house.listing_id}/dataSourceId/{record.data_source_id}"
    newest = sorted(others, key=lambda other: other.record.listed_on, reverse=True)
    payloads: Mapping[str, Json] = {
        f"{_API}/initialInfo": _initial_info(house),
        f"{_API}/aboveTheFold": _above_the_fold(house),
        f"/stingray/api/photoTagsAndCaptions{tags}": _tags_and_captions(house),
        f"{_API}/belowTheFold": _below_the_fold(house),
        f"{_API}/similars/listings": _cards(others),
        f"{_API}/newest-listings-nearby": _cards(newest),
    }
    route = "/home-data/api/v1/properties/page-route"
    texts = {route: '{"responseCode":404}'}
    texts |= {path: _guarded(payload) for path, payload in payloads.items()}
    return {
        "/corv/api/cop/placement/nav_header?pageType=ldp": {
            "loaded": True,
            "res": {"_hasBody": True, "body": {"blocks": []}, "status": 200},
        },
        **{path: _entry(path, text, house=house) for path, text in texts.items()},
    }


def _entry(path: str, text: str, *, house: House) -> Json:
    query = {
        "propertyId": house.home_id,
        "accessLevel": 1,
        "listingId": house.listing_id,
        "pageType": _LISTED,
    }
    request = {"urlPath": path, "method": "GET", "queryParams": [query]}
    answer = {"_hasBody": True, "text": text, "type": "application/json"}
    return {
        "url": path,
        "requestData": {**request, "postParams": None, "type": "json"},
        "requesters": 1,
        "loaded": True,
        "res": {**answer, "status": 200, "statusType": 2, "ok": True, "error": False},
    }


def _initial_info(house: House) -> Json:
    return {
        "responseCode": 200,
        "marketId": _MARKET,
        "listingId": house.listing_id,
        "propertyId": house.home_id,
        "dataSourceId": house.record.data_source_id,
        "riftPageType": "ldp",
        "hasAvm": True,
        "marketName": "phoenix",
        "pageType": _LISTED,
        "mlsId": house.record.mls_id,
        "latLong": _lat_long(house),
        "listingAccessLevel": 1,
        "preloadImageUrls": [
            _address(house.record, 0, variant) for variant in (_WIDE, _FULL)
        ],
    }


def _above_the_fold(house: House) -> Json:
    return {
        "addressSectionInfo": _address_section(house),
        "mediaBrowserInfo": _media(house, record=house.record),
    }


def _address_section(house: House) -> Json:
    record = house.record
    price = {"amount": record.price, "label": "Listed at Price", "displayLevel": 1}
    return {
        "status": {"displayValue": "Active", "longerDefinitionToken": "active"},
        "priceInfo": price,
        "latestPriceInfo": price,
        "sqFt": {"displayLevel": 1, "value": house.sqft},
        "pricePerSqFt": round(record.price / house.sqft),
        "streetAddress": _street_address(house),
        "latLong": _lat_long(house),
        "beds": house.beds,
        "baths": house.baths,
        "yearBuilt": house.year_built,
        "lotSize": house.lot_sqft,
        "city": house.city,
        "state": "AZ",
        "zip": house.zip_code,
        "countryCode": "US",
        # Of the EARLIER sale, as on real pages of homes that are for sale now.
        "soldDate": _sold_ms(house),
        "soldDateTimeZone": "US/Arizona",
        "apn": house.apn,
        "timeOnRedfin": _ms(_AS_OF) - _ms(record.listed_on),
        "cumulativeDaysOnMarket": (_AS_OF - record.listed_on).days,
        "isRedfin": False,
        "searchStatus": _ACTIVE,
        "propertyType": 6,
        "listingType": 1,
        "url": house.path,
        "primaryPhotoUrl": _address(record, 0, _FULL),
    }


def _street_address(house: House) -> Json:
    return {
        "streetNumber": house.number,
        "directionalPrefix": house.direction,
        "streetName": house.street,
        "streetType": house.street_type,
        "directionalSuffix": "",
        "unitType": "#" if house.unit else "",
        "unitValue": house.unit,
        "addressDisplayLevel": {"displayLevel": 1, "displayText": ""},
        "assembledAddress": house.unit_line,
        "includeStreetNumber": True,
        "includeUnitNumber": True,
        "includeStreetName": True,
    }


def _lat_long(house: House) -> Json:
    return {"latitude": house.latitude, "longitude": house.longitude}


def _media(house: House, *, record: Record) -> Json:
    return {
        "photos": [_photo(record, at) for at in range(len(record.shots))],
        "scans": [],
        "sashes": [],
        "videos": [],
        "isHot": False,
        "streetView": {"latLong": _lat_long(house), "streetViewAvailable": True},
        "altTextForImage": house.unit_line,
        "dataSourceId": record.data_source_id,
        "assembledAddress": house.unit_line,
        "previousListingPhotosCount": 0,
        "displayType": 1,
    }


def _photo(record: Record, position: int) -> Json:
    width, height = record.shots[position].uploaded_size
    urls = {
        "nonFullScreenPhotoUrlCompressed": _PAGE,
        "nonFullScreenPhotoUrl": _WIDE,
        "fullScreenPhotoUrl": _FULL,
        "lightboxListUrl": _LIST,
    }
    return {
        "photoUrls": {
            name: _address(record, position, variant) for name, variant in urls.items()
        },
        "thumbnailData": {"thumbnailUrl": _address(record, position, _THUMB)},
        "displayLevel": 1,
        "dataSourceId": record.data_source_id,
        "photoType": "SPRITED",
        "subdirectory": record.folder,
        "fileName": record.file_name(position),
        "height": height,
        "width": width,
        "photoId": record.first_photo_id + position,
    }


def _tags_and_captions(house: House) -> Json:
    """Return what the site says about the photos; about some it says nothing."""
    record = house.record
    tagged = [(at, shot) for at, shot in enumerate(record.shots) if shot.tags]
    tags = {tag for _, shot in tagged for tag in shot.tags}
    return {
        "listingId": house.listing_id,
        "tagsByPhotoId": {
            str(record.first_photo_id + at): {
                "photoId": record.first_photo_id + at,
                "photoUrl": _address(record, at, _FULL),
                "thumbnailphotoUrl": _address(record, at, _MIDDLE),
                "tags": list(shot.tags),
                "shortCaption": shot.caption,
                "longCaption": f"{shot.caption}, seen in daylight.",
            }
            for at, shot in tagged
        },
        "includedFilterTags": {
            tag: sum(tag in shot.tags for _, shot in tagged) for tag in sorted(tags)
        },
    }


def _below_the_fold(house: House) -> Json:
    earlier = house.earlier
    media = {earlier.mls_id: _media(house, record=earlier)}
    history = {
        "isHistoryStillGrowing": False,
        "dataSourceId": house.record.data_source_id,
        "canSeeListing": True,
        "listingIsNull": False,
        "hasPropertyHistory": True,
        "displayTimeZone": "US/Arizona",
        "events": list(_events(house)),
        "mediaBrowserInfoBySourceId": media,
        "addressInfo": {"street": house.unit_line, "countryCode": "US"},
        "historyHasHiddenRows": False,
    }
    return {
        "amenitiesInfo": _amenities(house),
        "publicRecordsInfo": {},
        "propertyHistoryInfo": history,
    }


def _amenities(house: House) -> Json:
    """Return what the MLS says, and the county of a smaller house built before."""
    mls: dict[str, list[tuple[str, str, str]]] = {
        "Parking": [("# of Garage Spaces", "GARAGE_SPACES", str(house.garage))],
        "Exterior": [
            ("Pool Private", "POOL_PRIVATE_YN", "Yes" if house.pool else "No")
        ],
        "Utilities": [("Sewer", "SEWER", house.sewer)],
        "Financial": [("Association", "ASSOCIATION_YN", "Yes" if house.hoa else "No")],
    }
    if house.hoa:
        mls["Financial"] += [
            ("Association Fee", "ASSOCIATION_FEE", f"${house.hoa * 3}"),
            ("Association Fee Frequency", "ASSOCIATION_FEE_FREQUENCY", "Quarterly"),
        ]
    groups = [
        _super_group(title, [_amenity(*entry) for entry in entries])
        for title, entries in mls.items()
    ]
    county = {"Year Built": "1961", "Total Sq. Ft.": "912", "Beds": "\u2014"}
    entries = [_amenity(name, None, value) for name, value in county.items()]
    return {
        "provider": "ARMLS",
        "superGroups": [*groups, _super_group("Public facts", entries)],
        "mlsDisclaimerInfo": {"listingAgentName": "An Agent"},
    }


def _super_group(title: str, entries: list[Json]) -> Json:
    groups = [{"groupTitle": title, "amenityEntries": entries}]
    return {"types": [22], "amenityGroups": groups, "titleString": title}


def _amenity(name: str, reference: str | None, value: str) -> Json:
    entry: Json = {"amenityName": name, "accessLevel": 1, "displayLevel": 1}
    if reference:
        entry["referenceName"] = reference
    return {**entry, "amenityValues": [value]}


def _events(house: House) -> Iterator[Json]:
    """Yield the history, newest first: this listing, the sale before, its listing."""
    record, earlier = house.record, house.earlier
    yield _event(record, "Listed", day=record.listed_on, status="Active")
    if earlier.sold_on:
        sold = _event(earlier, "Sold (MLS)", day=earlier.sold_on, status="Closed")
        yield {**sold, "historyEventType": 2}
    yield _event(earlier, "Listed", day=earlier.listed_on, status="Active")


def _event(record: Record, description: str, *, day: date, status: str) -> Json:
    return {
        "isEventAdminOnly": False,
        "price": record.price,
        "eventDescription": description,
        "mlsDescription": status,
        "source": "ARMLS",
        "sourceId": record.mls_id,
        "dataSourceDisplay": {"dataSourceId": record.data_source_id},
        "priceDisplayLevel": 1,
        "historyEventType": 1,
        "eventDate": _ms(day),
    }


def _cards(others: Sequence[House]) -> Json:
    return {"homes": [_home_card(other) for other in others], "dataSources": []}


def _home_card(other: House) -> Json:
    record = other.record
    plain = {
        "showMlsId": False,
        "mlsStatus": "Active",
        "beds": other.beds,
        "baths": other.baths,
        "city": other.city,
        "state": "AZ",
        "zip": other.zip_code,
        "countryCode": "US",
        "soldDate": _sold_ms(other),
        "searchStatus": _ACTIVE,
        "propertyType": 6,
        "listingType": 1,
        "propertyId": other.home_id,
        "listingId": other.listing_id,
        "dataSourceId": record.data_source_id,
        "marketId": _MARKET,
        "primaryPhotoDisplayLevel": 1,
        "url": other.path,
    }
    levelled = {
        "price": record.price,
        "sqFt": other.sqft,
        "streetLine": other.unit_line,
        "unitNumber": f"#{other.unit}" if other.unit else " ",
        "postalCode": other.zip_code,
        "photos": _photo_ranges(record),
        "latLong": _lat_long(other),
    }
    label = {"mlsId": {"label": "MLS#", "value": record.mls_id}}
    wrapped = {name: {"value": value, "level": 1} for name, value in levelled.items()}
    return {**label, **plain, **wrapped}


def _photo_ranges(record: Record) -> str:
    """Return the versions of a gallery as cards state them, e.g. `0:1,1-28:0`."""
    return ",".join(
        f"{at}:{record.versions[at % len(record.versions)]}"
        for at in range(len(record.shots))
    )


def _sold_ms(house: House) -> int | None:
    return _ms(house.earlier.sold_on) if house.earlier.sold_on else None


def _ms(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=_SITE_ZONE)
    return round(midnight.timestamp() * 1000)
