"""The captured search pages of both sites, with houses of Phoenix in their first rows.

A few captured rows follow them as they are: of houses elsewhere, which match nothing.
"""

import json
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

from phx_pipeline_tests.fortnight import redfin_pages, zillow_pages
from phx_pipeline_tests.fortnight.table import Home, Shown

REDFIN: Final = "redfin/search_2020-07_irvine.html"
ZILLOW: Final = "zillow/search_2026-03_houston_forsale.html"
_ELSEWHERE: Final = 3
_NEXT_DATA = re.compile(r'<script id="__NEXT_DATA__"[^<>]*>')

Json = dict[str, Any]
Listed = Iterable[tuple[Home, Shown]]


def redfin_page(shared: Path, listed: Listed) -> bytes:
    """The page of a place, with all its houses in the answer that it embeds."""
    text, start, end, context = _parts(shared, REDFIN, redfin_pages.CONTEXT)
    entries = context["ReactServerAgent.cache"]["dataCache"]

    def rewrite(told: Json) -> None:
        row, *others = told["homes"]
        own = [_redfin_row(deepcopy(row), home, shown) for home, shown in listed]
        told["homes"] = [*own, *others[:_ELSEWHERE]]

    redfin_pages.change(entries, "/gis", rewrite)
    return f"{text[:start]}{redfin_pages.script(context)}{text[end:]}".encode()


def zillow_page(shared: Path, listed: Listed) -> bytes:
    """The first and only page of a place."""
    text, start, end, data = _parts(shared, ZILLOW, _NEXT_DATA)
    state = data["props"]["pageProps"]["searchPageState"]["cat1"]
    results, about = state["searchResults"], state["searchList"]
    row, *others = results["listResults"]
    own = [_zillow_row(deepcopy(row), home, shown) for home, shown in listed]
    results |= {"listResults": [*own, *others[:_ELSEWHERE]], "mapResults": []}
    about |= {"pagination": {}, "totalPages": 1, "totalResultCount": len(own)}
    script = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return f"{text[:start]}{script}{text[end:]}".encode()


def _redfin_row(row: Json, home: Home, shown: Shown) -> Json:
    levelled = {
        "price": shown.price,
        "sqFt": home.area,
        "lotSize": home.lot,
        "streetLine": home.line,
        "postalCode": home.zip_code,
        "yearBuilt": home.built,
    }
    row |= {name: {"value": value, "level": 1} for name, value in levelled.items()}
    row["mlsId"] = {"label": "MLS#", "value": str(shown.number)}
    del row["unitNumber"]
    return row | {
        "mlsStatus": shown.status,
        "beds": shown.beds,
        "baths": 2.0,
        "city": home.city,
        "state": "AZ",
        "zip": home.zip_code,
        "propertyId": home.site_id,
        "listingId": home.site_id + 100_000_000,
        "url": redfin_pages.path_of(home),
    }


def _zillow_row(row: Json, home: Home, shown: Shown) -> Json:
    zpid = zillow_pages.zpid_of(home)
    words = f"{home.address}".replace(",", "").replace(" ", "-")
    status = zillow_pages.STATES[shown.status]
    row["hdpData"]["homeInfo"] |= {
        "zpid": zpid,
        "streetAddress": home.line,
        "zipcode": home.zip_code,
        "city": home.city,
        "state": "AZ",
        "price": shown.price,
        "priceForHDP": shown.price,
        "bathrooms": 2,
        "bedrooms": shown.beds,
        "livingArea": home.area,
        "homeStatus": status,
        "homeStatusForHDP": status,
        "lotAreaValue": home.lot,
        "lotAreaUnit": "sqft",
    }
    keys = [zillow_pages.key_of(home, shown, name) for name in shown.photos]
    row["carouselPhotosComposable"]["photoData"] = [{"photoKey": key} for key in keys]
    return row | {
        "zpid": str(zpid),
        "id": str(zpid),
        "imgSrc": f"https://photos.zillowstatic.com/fp/{keys[0]}-p_e.jpg",
        "detailUrl": f"https://www.zillow.com/homedetails/{words}/{zpid}_zpid/",
        "statusType": status,
        "price": f"${shown.price:,}",
        "unformattedPrice": shown.price,
        "address": home.address,
        "addressStreet": home.line,
        "addressCity": home.city,
        "addressState": "AZ",
        "addressZipcode": home.zip_code,
        "beds": shown.beds,
        "baths": 2,
        "area": home.area,
    }


def _parts(
    shared: Path, name: str, opening: re.Pattern[str]
) -> tuple[str, int, int, Json]:
    """The page, where its JSON begins and ends, and a copy of that to be changed."""
    text = _text(shared / "samples" / name)
    found = opening.search(text)
    assert found is not None, name
    told, end = json.JSONDecoder().raw_decode(text, found.end())
    return text, found.end(), end, told


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
