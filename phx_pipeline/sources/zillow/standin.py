"""The pages of the stand-in for Zillow: homes, search results, the front page.

They have the shape of captured ones, traps included: photos of neighbouring homes,
logos of listing services, a face, the date of an earlier sale, the guard's app id that
good pages carry too.
"""

import html
import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from phx_pipeline.sources.standins import House, Record
from phx_pipeline.sources.zillow.standin_photos import (
    CUT,
    FULL,
    PHOTO_HOST,
    Upload,
    key_of,
    uploads,
)

PAGE_HOST = "www.zillow.com"
APP_ID = "<script>window._pxAppId = 'PXHYx10rg3';</script>"

_FIRST_HOME, _FIRST_ZPID = 190_000_000, 8_000_000
_AS_OF = date(2026, 3, 9)  # "today" of the pages: answers must not depend on the clock
_OVERLAY = (
    '<iframe id="px-captcha-modal" title="Human verification challenge" '
    'style="display: block; position: fixed; top: 0; width: 100%"></iframe>'
)

Json = dict[str, Any]


def zpid(house: House) -> int:
    """Return the site's own number of a house."""
    return house.home_id - _FIRST_HOME + _FIRST_ZPID


def detail_path(house: House) -> str:
    """Return where the site has a house's page."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", address_line(house))
    return f"/homedetails/{slug}/{zpid(house)}_zpid/"


@lru_cache(maxsize=64)
def detail_page(
    house: House, *, others: tuple[House, ...], challenged: bool = False
) -> bytes:
    """Return a house's page, with photos of *others* beside it."""
    number = zpid(house)
    answers = {
        f'VariantQuery{{"zpid":{number},"altId":null}}': {"property": _stub(house)},
        f'ForSalePriorityQuery{{"zpid":{number},"contactFormRenderParameter":{{}}}}': {
            "property": _property(house, others=others)
        },
    }
    component = {
        "gdpClientCache": _compact(answers),
        "zpid": number,
        "initialReduxState": None,
    }
    cards = "".join(
        f'<img src="{uploads(other)[0].url("p_c")}" alt="">' for other in others
    )
    own = f'<img src="{uploads(house)[0].url("cc_ft_960")}" alt="">'
    return _page(
        f"{address_line(house)} | MLS #{house.record.mls_id} | Zillow",
        {"componentProps": component, "pageFrameData": {}},
        body=own + cards + (_OVERLAY if challenged else ""),
    )


@lru_cache(maxsize=64)
def search_page(
    listed: tuple[House, ...],
    *,
    relaxed: tuple[House, ...],
    counted: bool = False,
    next_url: str = "",
) -> bytes:
    """Return a search page with *listed* as results and *relaxed* as a second list."""
    results = {
        "listResults": [_row(house, counted=counted) for house in listed],
        "mapResults": [],
        "relaxedResults": [_row(house, counted=counted) for house in relaxed],
        "relaxedMapResults": [],
        "resultsHash": "2fb5c30c",
        "relaxedResultsHash": "1",
    }
    state = {
        "queryState": {},
        "cat1": {
            "searchResults": results,
            "searchList": {"pagination": {"nextUrl": next_url} if next_url else None},
        },
        "categoryTotals": {"cat1": {"totalResultCount": len(listed)}},
    }
    return _page(
        "Phoenix AZ Real Estate | Zillow",
        {"subAppName": "search-page", "searchPageState": state},
    )


def home_page() -> bytes:
    """Return the front page, which somebody asking for an odd address may get."""
    data = {"moduleVersion": "hops-homepage", "appData": {"zipcode": -1}}
    return _page("Zillow: Real Estate, Apartments, Mortgages", data)


def _page(title: str, page_props: Json, *, body: str = "") -> bytes:
    data = {
        "props": {"isBot": False, "deviceType": "desktop", "pageProps": page_props},
        "page": "/render",
        "query": {},
    }
    # Nothing in the data can end the script.
    script = _compact(data).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>{APP_ID}</head><body>{body}"
        f'<script id="__NEXT_DATA__" type="application/json">{script}</script>'
        "</body></html>"
    ).encode()


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


# --- the property object --------------------------------------------------------------


def _street_line(house: House) -> str:
    return f"{house.street_line} UNIT {house.unit}" if house.unit else house.street_line


def address_line(house: House) -> str:
    """Return the address as the site writes it."""
    return f"{_street_line(house)}, {house.city}, AZ {house.zip_code}"


def _address(house: House) -> Json:
    return {
        "streetAddress": _street_line(house),
        "city": house.city,
        "state": "AZ",
        "zipcode": house.zip_code,
    }


def _stub(house: House) -> Json:
    """Return the short answer a second query of the page gets about the home."""
    return {"zpid": zpid(house), **_address(house), "homeStatus": _status(house)}


def _status(house: House) -> str:
    return "PENDING" if house.record.is_pending else "FOR_SALE"


def _property(house: House, *, others: Sequence[House]) -> Json:
    record, gallery = house.record, uploads(house)
    sold = house.earlier.sold_on
    return {
        **_stub(house),
        "address": {**_address(house), "neighborhood": None, "community": None},
        "abbreviatedAddress": _street_line(house),
        "hdpUrl": detail_path(house),
        "homeType": "SINGLE_FAMILY",
        "keystoneHomeStatus": "ForSale",
        "contingentListingType": None,
        "price": record.price,
        **_size(house),
        "livingAreaValue": house.sqft,
        "livingAreaUnits": "Square Feet",
        "lotSize": house.lot_sqft,
        "lotAreaValue": house.lot_sqft,
        "lotAreaUnits": "Square Feet",
        "monthlyHoaFee": house.hoa or None,
        "resoFacts": _reso(house),
        "yearBuilt": house.year_built,
        "latitude": house.latitude,
        "longitude": house.longitude,
        "parcelId": house.apn.replace("-", ""),
        "timeZone": "America/Phoenix",
        "datePostedString": record.listed_on.isoformat(),
        "daysOnZillow": (_AS_OF - record.listed_on).days,
        # Of the EARLIER sale, as on real pages of homes that are for sale now.
        "dateSold": f"{sold}T00:00:00.000Z" if sold else None,
        "dateSoldString": sold.isoformat() if sold else None,
        "photoCount": len(gallery),
        "originalPhotos": [_entry(upload, FULL, keyed=True) for upload in gallery],
        "responsivePhotosOriginalRatio": [_entry(upload, FULL) for upload in gallery],
        "responsivePhotos": [_responsive(upload) for upload in gallery],
        "hiResImageLink": gallery[0].url("p_f"),
        "desktopWebHdpImageLink": gallery[0].url("p_h"),
        "attributionInfo": _attribution(record),
        "priceHistory": list(_history(house)),
        "nearbyHomes": [_nearby(other) for other in others],
        "compsCarouselPropertyPhotos": [
            _entry(uploads(other)[0], {"cc_ft_384": CUT["cc_ft_384"]})
            for other in others[:2]
        ],
    }


def _size(house: House) -> Json:
    """Return the counts as the site states them: it counts half a bath as one."""
    return {
        "bedrooms": house.beds_on_zillow or house.beds,
        "bathrooms": math.ceil(house.baths),
        "livingArea": house.sqft,
    }


def _reso(house: House) -> Json:
    return {
        "bathroomsFull": math.floor(house.baths),
        "bathroomsHalf": 1 if house.baths % 1 else None,
        "bathroomsFloat": house.baths,
        "hasGarage": bool(house.garage),
        "garageParkingCapacity": house.garage,
        "hasPrivatePool": house.pool or None,
        "poolFeatures": None if house.pool else ["None"],
        "hasAssociation": bool(house.hoa),
        "hoaFee": f"${house.hoa} monthly" if house.hoa else None,
        "sewer": [house.sewer],
        "associationName": None,
        "associationPhone": None,
    }


def _entry(
    upload: Upload, sizes: dict[str, tuple[int, int]], *, keyed: bool = False
) -> Json:
    """Return an entry of a photo list; the site has neither captions nor subjects."""
    jpeg = [{"url": upload.url(name), "width": box[0]} for name, box in sizes.items()]
    webp = [
        {"url": upload.url(name).replace(".jpg", ".webp"), "width": box[0]}
        for name, box in sizes.items()
    ]
    entry: Json = {"caption": "", "mixedSources": {"jpeg": jpeg, "webp": webp}}
    return {**entry, "key": upload.key} if keyed else entry


def _responsive(upload: Upload) -> Json:
    return {**_entry(upload, CUT), "subjectType": None, "url": upload.url("p_d")}


def _logo(name: str) -> str:
    return f"https://{PHOTO_HOST}/fp/{key_of(name)}-zillow_web_logo_inf_11.jpg"


def _attribution(record: Record) -> Json:
    return {
        "mlsId": record.mls_id,
        "mlsName": "ARMLS",
        "agentName": "An Agent",
        "agentPhoneNumber": "000-000-0000",
        "brokerName": "A Broker",
        "providerLogo": _logo("provider"),
    }


def _history(house: House) -> Iterator[Json]:
    """Yield the history, newest first: this listing, the sale before, its listing."""
    record, earlier = house.record, house.earlier
    yield _event(record, "Listed for sale", day=record.listed_on)
    if earlier.sold_on:
        yield _event(earlier, "Sold", day=earlier.sold_on)
    yield _event(earlier, "Listed for sale", day=earlier.listed_on)


def _event(record: Record, event: str, *, day: date) -> Json:
    source = {"infoString1": record.mls_id, "infoString3": _logo("history")}
    return {
        "date": day.isoformat(),
        "event": event,
        "price": record.price,
        "source": "ARMLS",
        "buyerAgent": None,
        "sellerAgent": {"name": "An Agent", "photo": {"url": _face()}},
        "postingIsRental": False,
        "attributeSource": {**source, "infoString2": "ARMLS"},
    }


def _face() -> str:
    return f"https://{PHOTO_HOST}/fp/{key_of('face')}-h_g.jpg"


def _nearby(other: House) -> Json:
    return {
        "zpid": zpid(other),
        "miniCardPhotos": [{"url": uploads(other)[0].url("p_c")}],
        "address": _address(other),
        "price": other.record.price,
        "homeStatus": _status(other),
        "hdpUrl": detail_path(other),
    }


# --- the rows of a search page --------------------------------------------------------


def _row(house: House, *, counted: bool) -> Json:
    gallery = uploads(house)
    row = {
        "zpid": str(zpid(house)),
        "id": str(zpid(house)),
        "imgSrc": gallery[0].url("p_e"),
        "hasImage": True,
        "detailUrl": f"https://{PAGE_HOST}{detail_path(house)}",
        "statusType": "FOR_SALE",
        "price": f"${house.record.price:,}",
        "address": address_line(house),
        "addressStreet": _street_line(house),
        "addressCity": house.city,
        "addressState": "AZ",
        "addressZipcode": house.zip_code,
        "isUndisclosedAddress": False,
        "latLong": {"latitude": house.latitude, "longitude": house.longitude},
        "hdpData": {"homeInfo": _home_info(house)},
        "brokerName": "A Broker",
        "carouselPhotosComposable": {
            "baseUrl": f"https://{PHOTO_HOST}/fp/{{photoKey}}-p_e.jpg",
            "communityBaseUrl": None,
            "photoData": [{"photoKey": upload.key} for upload in gallery],
            "communityPhotoData": None,
            "isStaticUrls": False,
        },
    }
    return {**row, "photoCount": len(gallery)} if counted else row


def _home_info(house: House) -> Json:
    return {
        **_stub(house),
        **_size(house),
        "price": house.record.price,
        "daysOnZillow": (_AS_OF - house.record.listed_on).days,
        "lotAreaValue": house.lot_sqft,
        "lotAreaUnit": "sqft",
        "homeStatusForHDP": _status(house),
    }
