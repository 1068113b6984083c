"""A stand-in for Zillow: search and detail pages, and the photo CDN.

The houses and drawings are those of the other sites, uploaded here anew: in other
sizes, some lightly cut, one or two more, some missing. Pages have the shape of
captured ones, traps included: photos of neighbouring homes, logos of listing services,
a face, the date of an earlier sale, the guard's app id that good pages carry too.
"""

import html
import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import (
    HOUSES,
    LARGE,
    Copied,
    Flaw,
    House,
    Record,
    Shot,
)
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.rooms import RoomKind

PAGE_HOST = "www.zillow.com"
PHOTO_HOST = "photos.zillowstatic.com"

_FIRST_HOME, _FIRST_ZPID = 190_000_000, 8_000_000
_AS_OF = date(2026, 3, 9)  # "today" of the pages: answers must not depend on the clock
_LEFT_OUT = 7  # one photo in seven is not uploaded here
_GONE_AT = 1  # the photo of each gallery whose largest size the CDN has lost
_SEEDS = 100  # of the drawings of one house

_HTML = {"content-type": "text/html; charset=utf-8"}
_JPEG = {"content-type": "image/jpeg"}

_APP_ID = "<script>window._pxAppId = 'PXHYx10rg3';</script>"
_OVERLAY = (
    '<iframe id="px-captcha-modal" title="Human verification challenge" '
    'style="display: block; position: fixed; top: 0; width: 100%"></iframe>'
)
_BLOCK_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="description" content="px-captcha">'
    f"<title>Access to this page has been denied</title>{_APP_ID}</head><body>"
    '<div id="px-captcha-wrapper"><div id="px-captcha"></div></div></body></html>'
).encode()
_BLOCKED = {**_HTML, "x-px-blocked": "1"}

_HOMES_PATH = re.compile(r"/homes/(?P<asked_for>[^/]+)_rb/?")
_DETAIL_PATH = re.compile(r"/homedetails/(?:[^/]+/)?(?P<zpid>\d+)_zpid/?", re.ASCII)
_PHOTO_PATH = re.compile(r"/fp/(?P<key>[0-9a-f]{32})-(?P<size>\w+)\.jpg", re.ASCII)
_UNIT_WORDS = frozenset({"unit", "apt"})

# Width and height in pixels of the box a full frame is scaled down into.
_FULL = {
    "d_d": (800, 600),
    "o_a": (1024, 768),
    "uncropped_scaled_within_1344_1008": (1344, 1008),
    "uncropped_scaled_within_1536_1152": (1536, 1152),
}
_LARGEST = "uncropped_scaled_within_1536_1152"
# Of the picture after cutting; the ladder cuts to 3:2.
_CUT = {
    f"cc_ft_{width}": (width, width * 2 // 3)
    for width in (192, 384, 576, 768, 960, 1152, 1344, 1536)
}
_THUMB = {"p_c": (316, 234), "p_d": (400, 300), "p_e": (596, 446)}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One photo of a gallery here.

    `twin` is the position of the same drawing in the house's record, None for a photo
    that only this site has; `gone` are the sizes the CDN has lost.
    """

    key: str
    shot: Shot
    twin: int | None
    gone: frozenset[str] = frozenset()

    def url(self, size: str = _LARGEST) -> str:
        """Return the address of a size, such as `o_a`; the largest by default."""
        return f"https://{PHOTO_HOST}/fp/{self.key}-{size}.jpg"


def zillow_sites(
    houses: Sequence[House] = HOUSES,
    *,
    blocked: frozenset[str] = frozenset(),
    details_refused: bool = False,
    challenged: bool = False,
    counted: bool = False,
    photo_delay_s: float = 0.0,
) -> dict[str, Handler]:
    """Return the handlers of the page host and of the photo CDN.

    Every other house is answered with its detail page at once, the rest with a search
    page that links it.

    Args:
        houses: what is on the market; each page shows photos of all the others.
        blocked: hosts that answer every request with a block page (403).
        details_refused: whether detail pages are blocked while searches are not.
        challenged: whether detail pages come under a challenge.
        counted: whether search rows state how many photos a home has; captured ones
            with a gallery do not.
        photo_delay_s: pause before each photo, to kill a run half-way.
    """
    pages = _Pages(
        houses=tuple(houses),
        details_refused=details_refused,
        challenged=challenged,
        counted=counted,
    )
    sites: dict[str, Handler] = {
        PAGE_HOST: pages.answer,
        PHOTO_HOST: _photos(houses, delay_s=photo_delay_s),
    }
    return {
        host: _refuse if host in blocked else handler for host, handler in sites.items()
    }


def zpid(house: House) -> int:
    """Return the site's own number of a house."""
    return house.home_id - _FIRST_HOME + _FIRST_ZPID


def detail_path(house: House) -> str:
    """Return where the site has a house's page."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", _address_line(house))
    return f"/homedetails/{slug}/{zpid(house)}_zpid/"


@lru_cache(maxsize=64)
def uploads(house: House) -> tuple[Upload, ...]:
    """Return the gallery of a house in order."""
    sound = [
        (at, shot)
        for at, shot in enumerate(house.record.shots)
        if shot.copied is None and shot.flaw is Flaw.NONE
    ]
    shared = [
        (at, _uploaded_anew(shot, style=number % 3))
        for number, (at, shot) in enumerate(sound)
        if number % _LEFT_OUT != _LEFT_OUT - 1
    ]
    own = [(None, shot) for shot in _own_shots(house)]
    gallery = [*shared[:3], *own[:1], *shared[3:], *own[1:]]
    return tuple(
        Upload(
            key=_hex(f"{house.record.mls_id} {position}"),
            shot=shot,
            twin=twin,
            gone=frozenset({_LARGEST} if position == _GONE_AT else ()),
        )
        for position, (twin, shot) in enumerate(gallery)
    )


def _uploaded_anew(shot: Shot, *, style: int) -> Shot:
    """Return a shot as it was uploaded here: larger, smaller, or smaller and cut."""
    width, height = shot.size
    if style == 0:
        return replace(shot, size=(width * 6 // 5, height * 6 // 5))
    if style == 1:
        return replace(shot, copied=Copied(width=width * 4 // 5))
    return replace(shot, copied=Copied(width=width * 15 // 16, cropped=0.02))


def _own_shots(house: House) -> Iterator[Shot]:
    """Yield one or two photos no other site has."""
    first = house.record.shots[0].seed // _SEEDS * _SEEDS
    yield Shot(kind=RoomKind.LIVING, seed=first + 81, size=LARGE)
    if house.home_id % 2:
        yield Shot(kind=RoomKind.YARD, seed=first + 82, size=LARGE)


def _hex(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


# --- handlers -------------------------------------------------------------------------


def _refuse(_asked: Asked) -> Answer:
    return Answer(status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_BLOCKED)


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    """The page host."""

    houses: tuple[House, ...]
    details_refused: bool
    challenged: bool
    counted: bool

    def answer(self, asked: Asked) -> Answer:
        path = urlsplit(asked.target).path
        if found := _HOMES_PATH.fullmatch(path):
            return self._search(unquote(found["asked_for"]))
        if found := _DETAIL_PATH.fullmatch(path):
            known = (
                house for house in self.houses if str(zpid(house)) == found["zpid"]
            )
            house = next(known, None)
            return self._detail(house) if house else _missing()
        return Answer(body=_home_page(), headers=_HTML) if path == "/" else _missing()

    def _search(self, asked_for: str) -> Answer:
        words = _words(asked_for)
        for number, house in enumerate(self.houses):
            if _words(_address_line(house)) == words:
                return self._results([house]) if number % 2 else self._detail(house)
        close = [house for house in self.houses if _is_close(house, words=words)]
        return self._results(close)

    def _results(self, listed: Sequence[House]) -> Answer:
        relaxed = tuple(house for house in self.houses if house not in listed)
        body = search_page(tuple(listed), relaxed=relaxed, counted=self.counted)
        return Answer(body=body, headers=_HTML)

    def _detail(self, house: House) -> Answer:
        if self.details_refused:
            return Answer(
                status=HTTPStatus.FORBIDDEN, body=_BLOCK_PAGE, headers=_BLOCKED
            )
        others = tuple(other for other in self.houses if other is not house)
        body = detail_page(house, others=others, challenged=self.challenged)
        return Answer(body=body, headers=_HTML)


def _words(text: str) -> tuple[str, ...]:
    found = re.findall(r"[a-z0-9]+", text.lower())
    return tuple(word for word in found if word not in _UNIT_WORDS)


def _is_close(house: House, *, words: Sequence[str]) -> bool:
    """Whether a house has the street and the ZIP somebody asked for."""
    street = {word for word in _words(house.street_line) if word.isalpha()}
    return street | {house.zip_code} <= set(words)


def _photos(houses: Sequence[House], *, delay_s: float) -> Handler:
    known = {upload.key: upload for house in houses for upload in uploads(house)}

    def answer(asked: Asked) -> Answer:
        time.sleep(delay_s)
        found = _PHOTO_PATH.fullmatch(urlsplit(asked.target).path)
        upload = known.get(found["key"]) if found else None
        body = _sized(upload, size=found["size"]) if upload and found else None
        return Answer(body=body, headers=_JPEG) if body else _missing()

    return answer


@lru_cache(maxsize=64)
def _sized(upload: Upload, *, size: str) -> bytes | None:
    """Return a photo in a size, never blown up; None if the CDN has no such size."""
    if size in upload.gone:
        return None
    width, height = upload.shot.uploaded_size
    if box := _FULL.get(size):
        part = min(1.0, box[0] / width, box[1] / height)
        return rooms.copy(_uploaded(upload.shot), width=round(width * part))
    if box := (_CUT | _THUMB).get(size):
        part = min(1.0, width / box[0], height / box[1])
        cut = (round(box[0] * part), round(box[1] * part))
        return rooms.fitted(_uploaded(upload.shot), size=cut)
    return None


@lru_cache(maxsize=256)
def _uploaded(shot: Shot) -> bytes:
    drawn = rooms.draw(
        shot.kind, seed=shot.seed, size=shot.size, orientation=shot.orientation
    )
    if shot.copied is None:
        return drawn
    return rooms.copy(drawn, width=shot.copied.width, cropped=shot.copied.cropped)


# --- pages ----------------------------------------------------------------------------


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
        f"{_address_line(house)} | MLS #{house.record.mls_id} | Zillow",
        {"componentProps": component, "pageFrameData": {}},
        body=own + cards + (_OVERLAY if challenged else ""),
    )


@lru_cache(maxsize=64)
def search_page(
    listed: tuple[House, ...], *, relaxed: tuple[House, ...], counted: bool = False
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
        "cat1": {"searchResults": results, "searchList": {}},
        "categoryTotals": {"cat1": {"totalResultCount": len(listed)}},
    }
    return _page(
        "Phoenix AZ Real Estate | Zillow",
        {"subAppName": "search-page", "searchPageState": state},
    )


def _home_page() -> bytes:
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
        f"<title>{html.escape(title)}</title>{_APP_ID}</head><body>{body}"
        f'<script id="__NEXT_DATA__" type="application/json">{script}</script>'
        "</body></html>"
    ).encode()


def _compact(value: Json) -> str:
    return json.dumps(value, separators=(",", ":"))


# --- the property object --------------------------------------------------------------


def _street_line(house: House) -> str:
    return f"{house.street_line} UNIT {house.unit}" if house.unit else house.street_line


def _address_line(house: House) -> str:
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
    return {"zpid": zpid(house), **_address(house), "homeStatus": "FOR_SALE"}


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
        "originalPhotos": [_entry(upload, _FULL, keyed=True) for upload in gallery],
        "responsivePhotosOriginalRatio": [_entry(upload, _FULL) for upload in gallery],
        "responsivePhotos": [_responsive(upload) for upload in gallery],
        "hiResImageLink": gallery[0].url("p_f"),
        "desktopWebHdpImageLink": gallery[0].url("p_h"),
        "attributionInfo": _attribution(record),
        "priceHistory": list(_history(house)),
        "nearbyHomes": [_nearby(other) for other in others],
        "compsCarouselPropertyPhotos": [
            _entry(uploads(other)[0], {"cc_ft_384": _CUT["cc_ft_384"]})
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
    return {**_entry(upload, _CUT), "subjectType": None, "url": upload.url("p_d")}


def _logo(name: str) -> str:
    return f"https://{PHOTO_HOST}/fp/{_hex(name)}-zillow_web_logo_inf_11.jpg"


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
    return f"https://{PHOTO_HOST}/fp/{_hex('face')}-h_g.jpg"


def _nearby(other: House) -> Json:
    return {
        "zpid": zpid(other),
        "miniCardPhotos": [{"url": uploads(other)[0].url("p_c")}],
        "address": _address(other),
        "price": other.record.price,
        "homeStatus": "FOR_SALE",
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
        "address": _address_line(house),
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
        "homeStatusForHDP": "FOR_SALE",
    }
