"""A listing page of the stand-in for Redfin, with the API answers embedded in it.

It has the shape of captured ones, traps included: cards and thumbnails of other houses,
an earlier record of the same house, an earlier sale date, the challenge SDK that good
pages load too.
"""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from phx_pipeline.sources.redfin.standin_photos import (
    FULL,
    LIST,
    MIDDLE,
    PAGE,
    THUMB,
    WIDE,
    address_of,
)
from phx_pipeline.sources.standins import House, Record

PAGE_HOST = "www.redfin.com"
MARKET = 18

_GUARD = "{}&&"  # keeps an API answer from being run as a script
_API = "/stingray/api/home/details"
_LISTED = 5  # pageType of a listing page
_ACTIVE, _UNDER_CONTRACT = 1, 2  # searchStatus
_AS_OF = date(2026, 3, 9)  # "today" of the pages: answers must not depend on the clock
_SITE_ZONE = ZoneInfo("America/Los_Angeles")  # captured dates are midnights there
_SDK = "https://0d0c1f7e2a66.edge.sdk.awswaf.com/0d0c1f7e2a66/51be8f20c7d9/challenge.js"


Json = dict[str, Any]


@lru_cache(maxsize=64)
def listing_page(house: House, *, others: tuple[House, ...]) -> bytes:
    """Return a house's page, with cards of *others* beside it."""
    context = {
        "ReactServerAgent.cache": {"dataCache": _cache(house, others=others)},
        "deviceType": "desktop",
        "subPageType": "APDP",
        "webViewAppName": None,
    }
    body = _body(house, others=others)
    return f"{_head(house)}{body}{_state(context)}</body></html>".encode()


def state_page(title: str, answers: Mapping[str, Json]) -> bytes:
    """Return a page that embeds the payloads of *answers* by their paths."""
    cache = {path: _wrapped(path, guarded(it)) for path, it in answers.items()}
    context = {"ReactServerAgent.cache": {"dataCache": cache}, "deviceType": "desktop"}
    return (
        f'<!DOCTYPE html><html lang="en"><head><title>{html.escape(title)} | Redfin'
        f'</title><script>_tLAB.script("{_SDK}")</script></head><body>'
        f"{_state(context)}</body></html>"
    ).encode()


def _state(context: Json) -> str:
    config = {"environmentName": "prod", "awsWafSdkPath": _SDK}
    return "".join(
        [
            "<script>_tLAB.wait(function(){\n(function (root) {\n/* -- Data -- */\n",
            "root.__reactServerState || (root.__reactServerState = {});\n",
            f"root.__reactServerState.InitialContext = {_script(context)};\n",
            f"root.__reactServerState.Config = {_script(config)};\n",
            "}(this));\n;rfBootstrap();});</script>",
        ]
    )


def _head(house: House) -> str:
    name = html.escape(house.address)
    url = f"https://{PAGE_HOST}{house.path}"
    image = address_of(house.record, 0, WIDE)
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
    own = address_of(house.record, 0, FULL)
    pictures = [f'<img class="landscape" src="{own}" fetchpriority="high"/>']
    pictures += [
        f'<img class="col ph-thumbnail" src="{address_of(house.earlier, at, WIDE)}"/>'
        for at in range(len(house.earlier.shots))
    ]
    return f"<body><div>{''.join([*pictures, *map(_card, others)])}</div>"


def _card(other: House) -> str:
    name = html.escape(other.address)
    return (
        f'<div class="bp-Homecard" role="button" aria-label="Property at {name}">'
        f'<a href="{other.path}">{name}</a><img class="bp-Homecard__Photo--image" '
        f'alt="" src="{address_of(other.record, 0, LIST)}" loading="lazy"/></div>'
    )


def _script(value: Json) -> str:
    """Return JSON as the site puts it into a script: nothing in it can end the tag."""
    text = _compact(value)
    for character, escaped in (("/", "2F"), ("<", "3C"), (">", "3E")):
        text = text.replace(character, f"\\u00{escaped}")
    return text


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


def guarded(payload: Json) -> str:
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
    texts |= {path: guarded(payload) for path, payload in payloads.items()}
    return {
        "/corv/api/cop/placement/nav_header?pageType=ldp": {
            "loaded": True,
            "res": {"_hasBody": True, "body": {"blocks": []}, "status": 200},
        },
        **{path: _wrapped(path, text, house=house) for path, text in texts.items()},
    }


def _wrapped(path: str, text: str, *, house: House | None = None) -> Json:
    own = {"propertyId": house.home_id, "listingId": house.listing_id} if house else {}
    query = {**own, "accessLevel": 1, "pageType": _LISTED}
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
        "marketId": MARKET,
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
            address_of(house.record, 0, variant) for variant in (WIDE, FULL)
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
        "status": {
            "displayValue": record.status,
            "longerDefinitionToken": record.status.lower(),
        },
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
        "searchStatus": _search_status(record),
        "propertyType": 6,
        "listingType": 1,
        "url": house.path,
        "primaryPhotoUrl": address_of(record, 0, FULL),
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
        "nonFullScreenPhotoUrlCompressed": PAGE,
        "nonFullScreenPhotoUrl": WIDE,
        "fullScreenPhotoUrl": FULL,
        "lightboxListUrl": LIST,
    }
    return {
        "photoUrls": {
            name: address_of(record, position, variant)
            for name, variant in urls.items()
        },
        "thumbnailData": {"thumbnailUrl": address_of(record, position, THUMB)},
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
                "photoUrl": address_of(record, at, FULL),
                "thumbnailphotoUrl": address_of(record, at, MIDDLE),
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


def _search_status(record: Record) -> int:
    return _UNDER_CONTRACT if record.is_pending else _ACTIVE


def _cards(others: Sequence[House]) -> Json:
    return {"homes": [home_card(other) for other in others], "dataSources": []}


def home_card(other: House) -> Json:
    """Return a house as answers list it beside others."""
    record = other.record
    plain = {
        "showMlsId": False,
        "mlsStatus": record.status,
        "beds": other.beds,
        "baths": other.baths,
        "city": other.city,
        "state": "AZ",
        "zip": other.zip_code,
        "countryCode": "US",
        "soldDate": _sold_ms(other),
        "searchStatus": _search_status(record),
        "propertyType": 6,
        "listingType": 1,
        "propertyId": other.home_id,
        "listingId": other.listing_id,
        "dataSourceId": record.data_source_id,
        "marketId": MARKET,
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
