"""Whatever member of a page is renamed, somebody is told and nothing wrong is filed.

Of each page each member is renamed, one after the other, wherever it stands. Then the
page is `page_changed` or refused, so that the source stays open; or it lacks a field
that it had, and the rule of `model.drift` names it; or the member is not needed,
because nothing reads it or because another one says the same. Keys that name a thing of
one page, such as a photo, are no members.
"""

import asyncio
import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import BlockedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.drift import FieldCount, drifts, fields_read
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin import find
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import rows_of, search_url
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.hostile import (
    PAGES,
    RedfinPage,
    RedfinSearch,
    ZillowPage,
    ZillowSearch,
)

CODE = Path(__file__).parents[3] / "phx_pipeline/sources"
DAY = date(2026, 3, 9)
HERE = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
_READ_AS_DATA = re.compile(r"/(?:aboveTheFold|belowTheFold|initialInfo|photoTags\w*)")
# What a fact is read from where the first member that says it is not there.
STAND_INS = frozenset(
    {"bathrooms_total", "days_on_market", "list_price", "lot_size_square_feet"}
    | {"living_area", "standard_status", "association_fee", "bedrooms_total"}
)

Read = Callable[[bytes], Listing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A page as JSON, how it is written, and how the source reads it."""

    tree: Any
    body: Callable[[Any], bytes]
    read: Read

    def listing(self) -> Listing:
        """What it says as it is."""
        return self.read(self.body(self.tree))

    def without(self, member: str) -> Listing:
        """What it says when a member has another name."""
        return self.read(self.body(renamed(self.tree, member)))


class Refusing(dict[str, Fetched]):
    """Answers by URL; pages without one are refused."""

    def __missing__(self, url: str) -> BlockedError:
        return BlockedError("no", url=url, status=403)


adapters = cache(available_sources)


def renamed(tree: Any, member: str) -> Any:
    """A copy of JSON in which a member has another name, wherever it stands."""
    if isinstance(tree, dict):
        return {
            f"{name}V2" if name == member else name: renamed(value, member)
            for name, value in tree.items()
        }
    return [renamed(it, member) for it in tree] if isinstance(tree, list) else tree


def members_of(tree: Any) -> Iterator[str]:
    """The names of all members, each once; ids that are keys are none."""
    found: dict[str, None] = {}
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= dict.fromkeys(name for name in value if not name.isdigit())
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    yield from found


@cache
def words_of(package: str) -> frozenset[str]:
    """All that stands in quotes in the code of a source."""
    code = "".join(it.read_text() for it in (CODE / package).glob("*.py"))
    return frozenset(re.findall(r'"([A-Za-z]\w+)"', code))


def house_at(address: str) -> Property:
    return Property.at(Address.parse(address))


def saved(body: bytes, *, source: Source, house: str, url: str = "") -> Listing:
    page = Fetched(url=url, status=200, headers={}, body=body)
    return adapters()[source].read_saved(page, house=house_at(house))


def asked(
    body: bytes, *, source: Source, house: str, others: Mapping[str, bytes]
) -> Listing:
    """What comes of asking, where the search is answered with *body*."""
    at = Address.parse(house)
    first = search_url(at) if source is Source.ZILLOW else find.search_url(at)
    answers = Refusing(
        (url, Fetched(url=url, status=200, headers={}, body=it))
        for url, it in {first: body, **others}.items()
    )
    fetcher: Any = CannedFetcher(answers)
    return asyncio.run(adapters()[source].discover(house_at(house), fetcher=fetcher))


# --- pages that hold every field ------------------------------------------------------


def made() -> dict[str, Sample]:
    redfin, zillow = RedfinPage(), ZillowPage()
    searched, rows = RedfinSearch(), ZillowSearch()
    page = {RedfinPage.url: redfin.body(redfin.tree)}
    of_redfin = partial(saved, source=Source.REDFIN, house=HERE)
    of_zillow = partial(saved, source=Source.ZILLOW, house=HERE)
    redfin_asked = partial(asked, source=Source.REDFIN, house=HERE, others=page)
    zillow_asked = partial(asked, source=Source.ZILLOW, house=HERE, others={})
    return {
        "redfin": Sample(tree=redfin.tree, body=redfin.body, read=of_redfin),
        "zillow": Sample(tree=zillow.tree, body=zillow.body, read=of_zillow),
        "redfin search": Sample(
            tree=searched.tree, body=searched.body, read=redfin_asked
        ),
        "zillow search": Sample(tree=rows.tree, body=rows.body, read=zillow_asked),
    }


# --- pages of each kind, written as they come -----------------------------------------

_MEMBER = re.compile(rb'"([A-Za-z_][\w.]*)\\*"\s*:')


def written(name: str) -> Sample:
    """A page of ours; its members are renamed in the text, also in JSON in a text."""
    site, _, file = name.partition(" ")
    text = (PAGES / site / file).read_bytes()
    source = Source(site)
    page = Fetched(url="", status=200, headers={}, body=text)
    read: Read
    if "search" in file:
        read = partial(asked, source=source, house=HERE, others={})
    else:
        own = str(adapters()[source].address_of(page))
        read = partial(saved, source=source, house=own)
    members = dict.fromkeys(it.decode() for it in _MEMBER.findall(text))
    return Sample(tree=members, body=partial(_with_members, text), read=read)


def _with_members(text: bytes, members: Mapping[str, None]) -> bytes:
    for member in members:
        old = member.removesuffix("V2").encode()
        if member.endswith("V2"):
            text = re.sub(rb'"%s(\\*"\s*:)' % re.escape(old), rb'"%sV2\1' % old, text)
    return text


# Also one whose home was sold, one off the market, one with a unit.
WRITTEN = (
    *("redfin off_market.html", "redfin sold_with_gallery.html", "redfin unit.html"),
    *("zillow listed_apollo.html", "zillow sold.html"),
)
MORE_WRITTEN = (
    *("redfin listed.html", "redfin listed_empty.html"),
    *("redfin listed_other_paths.html", "zillow listed_2023.html"),
    *("zillow listed_2026.html", "zillow off_market.html", "zillow unit.html"),
    *("zillow overlay.html", "zillow search_2018.json", "zillow search_2021.html"),
    *("zillow search_2024.html", "zillow search_2026.html"),
)


# --- captured pages -------------------------------------------------------------------


def captured_redfin(samples: Path) -> Sample:
    """The answers of a captured page that are read of it."""
    name = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
    whole = EmbeddedAnswers((samples / name).read_text(encoding="utf-8"))
    entries: Any = whole._entries
    tree = {
        path: json.loads(entry["res"]["text"].removeprefix("{}&&"))
        for path, entry in entries.items()
        if _READ_AS_DATA.search(path)
    }
    house = "94 King Arthur Ct, Dahlonega, GA 30533"
    read = partial(saved, source=Source.REDFIN, house=house)
    return Sample(tree=tree, body=RedfinPage().body, read=read)


def captured_home(samples: Path, *, name: str, house: str) -> Sample:
    """A captured property object in the page that holds such objects."""
    home = json.loads((samples / "zillow" / name).read_text(encoding="utf-8"))
    query = f'ForSaleShopperPlatformFullRenderQuery{{"zpid":{home["zpid"]}}}'
    return Sample(
        tree={query: {"property": home}},
        body=ZillowPage().body,
        read=partial(saved, source=Source.ZILLOW, house=house),
    )


def captured_row(samples: Path, *, name: str, at: int = 3) -> Sample:
    """A row of a captured search page and a neighbour; its detail page is refused."""
    body = (samples / "zillow" / name).read_bytes()
    page = read_page(Fetched(url="", status=200, headers={}, body=body))
    rows = [row for row in rows_of(page.search or {}) if row.addresses]
    told = [row for row in rows if row.photo_keys] or rows
    house = str(told[at].addresses[0])
    tree = _cut(page.search, zpid=told[at].zpid)
    read = partial(asked, source=Source.ZILLOW, house=house, others={})
    return Sample(
        tree=tree,
        body=(lambda it: json.dumps(it).encode())
        if "map" in tree
        else ZillowSearch().body,
        read=read,
    )


def _cut(search: Any, *, zpid: str) -> Any:
    if "map" in search:
        homes = search["map"]["properties"]
        own = [home for home in homes if zpid in json.dumps(home)]
        return {"map": {"properties": [*own[:1], *homes[:1]]}}
    return {
        key: {
            "searchResults": {
                name: _own_and_next(rows, zpid=zpid)
                for name, rows in category["searchResults"].items()
                if isinstance(rows, list)
            }
        }
        for key, category in search.items()
        if isinstance(category, dict) and "searchResults" in category
    }


def _own_and_next(rows: list[Any], *, zpid: str) -> list[Any]:
    homes = [row for row in rows if isinstance(row, dict)]
    own = [row for row in homes if str(row.get("zpid")) == zpid]
    return own + [row for row in homes if row not in own][:1]


CAPTURED: Mapping[str, Callable[[Path], Sample]] = {
    "redfin 2026": captured_redfin,
    "zillow 2023": partial(
        captured_home,
        name="property_2023-05_sf_zpid15192198.json",
        house="661 Lakeview Ave, San Francisco, CA 94112",
    ),
    "zillow 2025": partial(
        captured_home,
        name="property_2025-02_beverlyhills_zpid20533547.json",
        house="73 Beverly Park Ln, Beverly Hills, CA 90210",
    ),
    **{
        f"zillow search {name[7:14]}": partial(captured_row, name=name)
        for name in (
            "search_2026-03_houston_forsale.html",
            "search_2024-11_albuquerque.html",
            "search_2025-06_zip04011.html",
            "search_2021-07_rentals.html",
            "search_2018-12_GetResults.json",
        )
    },
}


# --- what must hold -------------------------------------------------------------------


def gone(before: Listing, after: Listing) -> set[str]:
    """The fields the rule names after five pages of the one, and three of the other."""
    had, has = (fields_read(it) for it in (before, after))
    counts = [
        FieldCount(
            source=before.source,
            page_kind=kind,
            field=field,
            seen_on=DAY,
            pages=8,
            had=5 * had.get((kind, field), False) + 3 * there,
            lacking=0 if there else 3,
        )
        for (kind, field), there in has.items()
    ]
    return {drift.field for drift in drifts(counts)}


def filed(listing: Listing) -> Listing:
    """What is filed of an answer, without what is told of it."""
    return replace(listing, detail="", also_read={}, complete=False, stated_photos=None)


def assert_nothing_wrong(before: Listing, after: Listing, *, member: str) -> None:
    """What *after* still says, *before* said too, or another member of it does."""
    assert after.complete <= before.complete, member
    assert after.listing_id in {before.listing_id, None}, member
    assert after.mls_id in {before.mls_id, None}, member
    key_of = adapters()[before.source].photo_named
    own = {photo.photo_key for photo in before.photos}
    for photo in after.photos:
        shown = {key_of(url) for url in (photo.url, *photo.fallback_urls)}
        assert shown == {photo.photo_key} <= own, member
    if before.facts and after.facts:
        said, says = before.facts.stated, after.facts.stated
        others = {name for name in says if says[name] != said.get(name)}
        assert others <= STAND_INS, member


def assert_told(before: Listing, after: Listing, *, member: str) -> None:
    """Somebody is told of what the page says no more."""
    assert_nothing_wrong(before, after, member=member)
    if filed(after) == filed(before) or not after.outcome.is_settled:
        return
    assert after.outcome in {before.outcome, ListingOutcome.OFF_MARKET}, member
    assert gone(before, after), member


def assert_all_told(sample: Sample, *, among: Container[str] | None = None) -> None:
    """Rename each member, one after the other."""
    before = sample.listing()
    assert before.facts is not None
    for member in members_of(sample.tree):
        if among is None or member in among:
            assert_told(before, sample.without(member), member=member)


@pytest.mark.parametrize("name", made())
def test_of_a_page_that_holds_every_field_each_member_is_missed(name: str) -> None:
    assert_all_told(made()[name])


@pytest.mark.parametrize("name", WRITTEN)
def test_of_a_page_of_each_kind_each_member_is_missed(name: str) -> None:
    assert_all_told(written(name))


@pytest.mark.parametrize("name", ["redfin 2026", "zillow search 2026-03"])
def test_of_a_captured_page_each_member_that_code_names_is_missed(
    name: str, shared_dir: Path
) -> None:
    sample = CAPTURED[name](shared_dir / "samples")

    assert_all_told(sample, among=words_of(name.partition(" ")[0]))


@pytest.mark.soak
@pytest.mark.parametrize("name", MORE_WRITTEN)
def test_of_every_page_of_ours_each_member_is_missed(name: str) -> None:
    assert_all_told(written(name))


@pytest.mark.soak
@pytest.mark.parametrize("name", CAPTURED)
def test_of_each_captured_page_each_member_is_missed(
    name: str, shared_dir: Path
) -> None:
    assert_all_told(CAPTURED[name](shared_dir / "samples"))
