"""Pages of the site, their cache of answers, and how they are read."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.parse import parse_listing

PAGES = Path(__file__).parents[4] / "pages" / "redfin"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
URL = "https://www.redfin.com/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"
CONTEXT = re.compile(r"InitialContext = (\{.*\});")
Cache = dict[str, dict[str, Any]]


def html_of(name: str) -> str:
    return (PAGES / name).read_text()


def parse(name: str) -> Listing:
    return parse_listing(html_of(name), house=Property.at(HOUSE), page_url=URL)


def cache_of(html: str) -> Cache:
    """Take a page's answers out, decoded, by path."""
    found = CONTEXT.search(html)
    assert found
    entries = json.loads(found[1])["ReactServerAgent.cache"]["dataCache"]
    return {
        path: json.loads(entry["res"]["text"].removeprefix("{}&&"))
        for path, entry in entries.items()
    }


def page_of(cache: Cache) -> str:
    entries = {
        path: {"res": {"text": "{}&&" + json.dumps(answer)}}
        for path, answer in cache.items()
    }
    context = json.dumps({"ReactServerAgent.cache": {"dataCache": entries}})
    return f"<script>root.__reactServerState.InitialContext = {context};</script>"


def payload_in(cache: Cache, end: str) -> dict[str, Any]:
    (payload,) = (a["payload"] for path, a in cache.items() if path.endswith(end))
    assert isinstance(payload, dict)
    return payload


@pytest.fixture
def cache() -> Cache:
    """The answers of a good page, for a test to change."""
    return cache_of(html_of("listed.html"))


def parse_html(html: str) -> Listing:
    return parse_listing(html, house=Property.at(HOUSE), page_url=URL)


def parse_cache(cache: Cache) -> Listing:
    return parse_html(page_of(cache))


def section_of(cache: Cache) -> dict[str, Any]:
    section = payload_in(cache, "/aboveTheFold")["addressSectionInfo"]
    assert isinstance(section, dict)
    return section
