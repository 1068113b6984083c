"""The site may put anything anywhere: every answer still ends in an outcome."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow.payload import read_page

PAGES = Path(__file__).parents[3] / "pages" / "zillow"
HOUSE = Property.at(Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042"))

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


class OneAnswer:
    """Answers every request with the same page."""

    def __init__(self, body: str) -> None:
        self.body = body.encode()

    async def get(self, request: Request) -> Fetched:
        return Fetched(url=request.url, status=200, headers={}, body=self.body)

    async def aclose(self) -> None:
        pass


def places_in(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield holder and key of everything in a JSON value."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, inner in pairs:
        yield value, key
        yield from places_in(inner)


def carried_by(name: str) -> dict[str, Any]:
    body = (PAGES / name).read_bytes()
    page = read_page(Fetched(url="u", status=200, headers={}, body=body))
    if page.cache is not None:
        return {"componentProps": {"gdpClientCache": dict(page.cache)}}
    return {"searchPageState": dict(page.search or {})}


def page_with(carried: object) -> str:
    text = json.dumps({"props": {"pageProps": carried}}).replace("<", "\\u003c")
    return f'<script id="__NEXT_DATA__">{text}</script>'


@given(
    name=st.sampled_from(["listed_2026.html", "search_2026.html", "search_2018.json"]),
    data=st.data(),
)
async def test_one_odd_value_anywhere_in_a_page_still_ends_in_an_outcome(
    name: str, data: st.DataObject
) -> None:
    carried = carried_by(name)
    holder, key = data.draw(st.sampled_from(list(places_in(carried))))
    holder[key] = data.draw(ODD)

    listing = await Zillow().discover(HOUSE, fetcher=OneAnswer(page_with(carried)))

    assert listing.outcome in set(ListingOutcome) - {ListingOutcome.FAILED}
    assert not listing.complete or listing.outcome.saw_gallery


@given(st.text().filter(str.strip) | ODD.map(json.dumps) | ODD.map(page_with))
async def test_any_text_still_ends_in_an_outcome(text: str) -> None:
    body = text.encode("utf-8", errors="replace").decode()

    listing = await Zillow().discover(HOUSE, fetcher=OneAnswer(body))

    assert listing.outcome is ListingOutcome.PAGE_CHANGED
    assert listing.photos == ()
