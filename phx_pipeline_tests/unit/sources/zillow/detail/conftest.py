"""Pages of the site, the home in them, and how they are read."""

from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import Page, read_page

PAGES = Path(__file__).parents[4] / "pages" / "zillow"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
ZPID = "90100418"
URL = f"https://www.zillow.com/homedetails/{ZPID}_zpid/"

CANONICAL = (
    "https://www.zillow.com/homedetails"
    "/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418_zpid/"
)
Fields = dict[str, Any]


def page_of(name: str) -> Page:
    body = (PAGES / name).read_bytes()
    return read_page(Fetched(url=URL, status=200, headers={}, body=body))


def parse(name: str, *, zpid: str | None = ZPID) -> Listing:
    return parse_detail(page_of(name), house=Property.at(HOUSE), zpid=zpid)


@pytest.fixture
def home() -> Fields:
    """The property object of a good page, for a test to change."""
    cache = page_of("listed_2026.html").cache or {}
    (fields,) = (
        answer["property"] for query, answer in cache.items() if "Priority" in query
    )
    assert isinstance(fields, dict)
    return fields


def parse_homes(*homes: Fields, zpid: str | None = ZPID, query: str = "q") -> Listing:
    cache = {f"{query}{n}": {"property": each} for n, each in enumerate(homes)}
    page = Page(url=URL, cache=cache, search=None, challenged=False)
    return parse_detail(page, house=Property.at(HOUSE), zpid=zpid)


def without_photos(home: Fields, **changes: object) -> Fields:
    emptied: Fields = {name: [] for name in home if "Photos" in name}
    return home | emptied | {"photoCount": 0} | changes
