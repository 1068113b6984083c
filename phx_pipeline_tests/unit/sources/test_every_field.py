"""Whatever stands in any field of any page, a bounded listing comes of it.

Each page is one a source sends: the listing, the answer of its address search, the
page a user saved. Every field that a parser reads is in it.
"""

import asyncio
import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import BlockedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.border import MOST_PHOTOS
from phx_pipeline.sources.redfin.find import search_url
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.workflows.ingest import read_saved
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.hostile import (
    HUGE_TEXT,
    TEXTS,
    VALUES,
    RedfinPage,
    RedfinSearch,
    ZillowPage,
    ZillowSearch,
    changed,
    fields,
    nested,
)

ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
HOUSE = Property(slug=ADDRESS.slug, folder="686067a4", address=ADDRESS)
# What holds the fields, and is no field of a page itself.
ENVELOPES = frozenset(
    {"body", "dataCache", "res", "text", "apiCache", "componentProps", "props"}
    | {"gdpClientCache", "pageProps", "searchPageState", "properties", "data"}
)
SOURCES = Path(__file__).parents[3] / "phx_pipeline/sources"

Page = RedfinPage | ZillowPage | RedfinSearch | ZillowSearch
Read = Callable[[bytes], Listing]


class Refusing(dict[str, Fetched]):
    """Answers by URL; pages without one are refused."""

    def __missing__(self, url: str) -> BlockedError:
        return BlockedError("no", url=url, status=403)


def answered(source: Source, **bodies: bytes) -> Listing:
    """What comes of asking a source that answers with these bodies, by name of page."""
    urls = {"search": search_url(ADDRESS), "page": RedfinPage.url}
    if source is Source.ZILLOW:
        urls = {"search": ZillowPage.url}
    answers = Refusing(
        (urls[name], Fetched(url=urls[name], status=200, headers={}, body=body))
        for name, body in bodies.items()
    )
    fetcher: Any = CannedFetcher(answers)
    return asyncio.run(adapters()[source].discover(HOUSE, fetcher=fetcher))


adapters = cache(available_sources)


def saved(source: Source, body: bytes) -> Listing:
    page = Fetched(url="", status=200, headers={}, body=body)
    return read_saved(page, house=HOUSE, source=adapters()[source])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A page, and how a source or a user brings it."""

    name: str
    page: Page
    read: Read

    @property
    def kept(self) -> frozenset[str]:
        """The fields without which nothing is read of the others."""
        return self.page.whose | self.page.where

    def with_field(self, field: str, value: object) -> Listing:
        """Read the page with a value in all places of one field."""
        tree = changed(self.page.tree, lambda name, it: value if name == field else it)
        return self.read(self.page.body(tree))

    def with_all(self, values: Iterator[object]) -> Listing:
        """Read the page with the next value in each place but those of `kept`."""
        kept = self.kept
        tree = changed(
            self.page.tree, lambda name, it: it if name in kept else next(values)
        )
        return self.read(self.page.body(tree))


@cache
def ways() -> tuple[Way, ...]:
    redfin, zillow = RedfinPage(), ZillowPage()
    listed = redfin.body(redfin.tree)
    made: tuple[tuple[str, Page, Read], ...] = (
        (
            "redfin",
            redfin,
            lambda body: answered(Source.REDFIN, search=RedfinPage.search, page=body),
        ),
        ("redfin saved", redfin, lambda body: saved(Source.REDFIN, body)),
        (
            "redfin search",
            RedfinSearch(),
            lambda body: answered(Source.REDFIN, search=body, page=listed),
        ),
        ("zillow", zillow, lambda body: answered(Source.ZILLOW, search=body)),
        ("zillow saved", zillow, lambda body: saved(Source.ZILLOW, body)),
        (
            "zillow search",
            ZillowSearch(),
            lambda body: answered(Source.ZILLOW, search=body),
        ),
    )
    return tuple(Way(name=name, page=page, read=read) for name, page, read in made)


@pytest.fixture(params=range(6), ids=lambda number: ways()[number].name)
def way(request: pytest.FixtureRequest) -> Way:
    number: int = request.param
    return ways()[number]


def scalars(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from scalars(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from scalars(inner)
    else:
        yield value


@cache
def is_line(text: str) -> bool:
    """Whether it is one printable line that every file and database can hold."""
    return text == printable(text, most=2000) == text.encode().decode()


def assert_bounded(listing: Listing) -> None:
    told = list(scalars(dataclasses.asdict(listing)))
    for text in told:
        if isinstance(text, str):
            assert is_line(text)
        elif isinstance(text, int | float):
            assert -1 < text < 2**31  # false for not-a-number too
    assert len(told) < MOST_PHOTOS


def assert_whole(listing: Listing) -> None:
    assert_bounded(listing)
    assert listing.outcome in {ListingOutcome.LISTED, ListingOutcome.OFF_MARKET}
    assert len(listing.photos) == 5


def test_each_page_is_good_as_it_is(way: Way) -> None:
    listing = way.read(way.page.body(way.page.tree))

    assert listing.outcome is ListingOutcome.LISTED
    assert listing.complete
    assert_whole(listing)


def names_in(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        yield from tree
        tree = list(tree.values())
    for inner in tree if isinstance(tree, list) else ():
        yield from names_in(inner)


@pytest.mark.parametrize("site", ["redfin", "zillow"])
def test_the_pages_hold_every_field_a_parser_names(site: str) -> None:
    modules = (SOURCES / site).glob("*.py")
    # Searches by place have pages of their own in `test_listings`, stand-ins read URLs.
    others = ("listings", "standin_listings")
    code = "".join(it.read_text() for it in modules if it.stem not in others)
    read = set(re.findall(r"""\.get\(\s*"([a-z]\w+)\"""", code))
    trees = [it.page.tree for it in ways() if site in it.name]

    assert len(read) > 40
    assert read - {name for tree in trees for name in names_in(tree)} <= ENVELOPES


@pytest.mark.parametrize("shift", range(0, len(TEXTS), 25))
def test_each_hostile_part_in_each_place_leaves_the_gallery_whole(
    way: Way, shift: int
) -> None:
    # Each part stands in five forms, one after the other: in the end each place has met
    # each part in one of them, and its neighbour in the next. All: see below.
    for start in range(shift, shift + 25, 5):
        assert_whole(way.with_all(texts_from(start)))


def texts_from(start: int) -> Iterator[str]:
    return itertools.islice(itertools.cycle(TEXTS), start, None)


def test_hostile_texts_of_each_kind_where_it_says_whose_page_it_is_are_an_outcome(
    way: Way,
) -> None:
    numbers = itertools.cycle(range(len(TEXTS)))
    for field in fields(way.page.tree):
        if field in way.kept:
            for number in itertools.islice(numbers, 0, len(TEXTS), 19):
                assert_bounded(way.with_field(field, TEXTS[number]))


def test_each_value_beyond_reason_in_each_place_is_an_outcome(way: Way) -> None:
    for start in range(len(VALUES)):
        turn = itertools.islice(itertools.cycle(VALUES), start, None)
        assert_bounded(way.with_all(turn))


def test_a_value_beyond_reason_in_any_one_field_is_an_outcome(way: Way) -> None:
    values = itertools.cycle(VALUES)  # of 15 values each field meets 2
    for field in fields(way.page.tree):
        for value in itertools.islice(values, 2):
            assert_bounded(way.with_field(field, value))


@pytest.mark.parametrize(
    "field",
    ["caption", "shortCaption", "homeStatus", "displayValue", "mlsId", "url", "city"],
)
def test_three_megabytes_in_a_field_are_an_outcome(way: Way, field: str) -> None:
    assert_bounded(with_once(way, field, HUGE_TEXT))


def with_once(way: Way, field: str, value: object) -> Listing:
    once = iter([value])
    tree = changed(
        way.page.tree, lambda name, it: next(once, it) if name == field else it
    )
    return way.read(way.page.body(tree))


@pytest.mark.parametrize("levels", [300, 900, 100_000])
def test_a_page_nested_without_end_is_an_outcome(way: Way, levels: int) -> None:
    deep = "[" * levels + "]" * levels
    whole = way.page.body(way.page.tree)

    assert_bounded(way.read(whole.replace(b"null", deep.encode())))
    assert_bounded(way.read(b"<script>" + deep.encode()))
    if levels < 900:
        for field in fields(way.page.tree):
            assert_bounded(way.with_field(field, nested(levels)))


# --- all of it, one field at a time ---------------------------------------------------


@pytest.mark.soak
def test_each_hostile_text_in_each_place_leaves_the_gallery_whole(way: Way) -> None:
    for start in range(len(TEXTS)):
        assert_whole(way.with_all(texts_from(start)))


@pytest.mark.soak
def test_each_of_the_texts_alone_in_each_of_the_fields_is_an_outcome(way: Way) -> None:
    for field in fields(way.page.tree):
        for text in TEXTS:
            assert_bounded(way.with_field(field, text))


@pytest.mark.soak
def test_each_value_and_three_megabytes_alone_in_each_field_are_an_outcome(
    way: Way,
) -> None:
    for field in fields(way.page.tree):
        assert_bounded(with_once(way, field, HUGE_TEXT))
        for value in VALUES:
            assert_bounded(way.with_field(field, value))
