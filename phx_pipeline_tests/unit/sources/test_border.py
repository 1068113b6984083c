"""Each field of a listing has its bounds, and a parser's surprise is an outcome."""

import asyncio
import dataclasses
import logging
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from phx_pipeline.errors import (
    BlockedError,
    CatalogDownError,
    InputError,
    SourceChangedError,
)
from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.printable import LONGEST_LINE, printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import MOST_PHOTOS, Border, begun, bounded
from phx_pipeline.sources.endings import LONGEST_DETAIL
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.sources.registry import available_sources
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.hostile import RedfinPage

ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
HOUSE = Property(slug=ADDRESS.slug, folder="686067a4", address=ADDRESS)
PHOTO_URL = "https://ssl.cdn-redfin.com/photo/9/bigphoto/242/6801242_0.jpg"


SIXTY = {str(n): True for n in range(60)}


def photo(**changed: Any) -> PhotoRef:
    good = PhotoRef(
        source=Source.REDFIN, photo_key="9-6801242_0", url=PHOTO_URL, position=0
    )
    return dataclasses.replace(good, **changed)


def held(**changed: Any) -> Listing:
    good = Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=(photo(),),
        complete=True,
    )
    return bounded(dataclasses.replace(good, **changed), of=Redfin())


@pytest.mark.parametrize(
    ("field", "said", "kept"),
    [
        ("detail", "a\x1b[31m\nb", "a\ufffd[31m b"),
        ("listing_id", "200300400", "200300400"),
        ("listing_id", "2" * 61, None),
        ("listing_id", "\u0662", None),
        ("mls_id", "ML81929841", "ML81929841"),
        ("mls_id", "<b>", None),
        ("url", RedfinPage.url, RedfinPage.url),
        ("url", RedfinPage.url.replace("https", "http"), None),
        ("url", "https://evil.example/", None),
        ("url", "https://www.redfin.com@evil.example/", None),
        ("url", "https://www.redfin.com:8443/", None),
        ("url", "https://www.redfin.com/\x1b", None),
        ("url", "https://[", None),
        ("url", RedfinPage.url + "x" * 2000, None),
        ("url", "", None),
        ("listed_on", date(2025, 3, 8), date(2025, 3, 8)),
        ("listed_on", date(1970, 1, 1), None),
        ("listed_on", date(9999, 12, 31), None),
        ("page_kind", "search\x1brow" + "x" * 40, "search\ufffdrow" + "x" * 29 + "…"),
        ("stated_photos", 45, 45),
        ("stated_photos", -1, None),
        ("stated_photos", 10**18, None),
        ("also_read", {"largest\nphotos": 7}, {"largest photos": True}),
        ("also_read", {str(n): True for n in range(99)}, SIXTY),
        ("valuations", (Valuation(tax_year=2025, full_cash_value=-1),), ()),
    ],
)
def test_each_field_of_a_listing_is_held_to_its_bounds(
    field: str, said: object, kept: object
) -> None:
    assert getattr(held(**{field: said}), field) == kept


@pytest.mark.parametrize(
    ("field", "said", "kept"),
    [
        ("caption", "a\0" + "b" * 600, "a\ufffd" + "b" * 497 + "…"),
        ("tags", ("Kit\x1bchen", "\u200b"), ("Kit\ufffdchen",)),
        ("tags", ("x" * 61,) * 30, ("x" * 59 + "…",) * 20),
        ("position", -1, 0),
        ("position", 2**31, 0),
        ("width", 10**18, None),
        ("height", -1, None),
        ("height", 1152, 1152),
        ("fallback_urls", (PHOTO_URL, "http://x", "x" * 3000), (PHOTO_URL,)),
    ],
)
def test_each_field_of_a_photo_is_held_to_its_bounds(
    field: str, said: object, kept: object
) -> None:
    listing = held(photos=(photo(**{field: said}),))

    assert getattr(listing.photos[0], field) == kept
    assert listing.complete


@pytest.mark.parametrize(
    "bad",
    [
        {"photo_key": "k" * 201},
        {"photo_key": ""},
        {"photo_key": "a b"},
        {"photo_key": "k\u0301"},
        {"url": "https://evil.example/1.jpg"},
        {"url": "http://ssl.cdn-redfin.com/1.jpg"},
        {"url": PHOTO_URL + "x" * 2000},
    ],
)
def test_a_photo_that_cannot_be_taken_is_left_out_and_told_of(
    bad: dict[str, str],
) -> None:
    listing = held(photos=(photo(), photo(**bad)), detail="2 photos")

    assert len(listing.photos) == 1
    assert not listing.complete
    assert listing.detail == "1 of 2 photos left out; 2 photos"


def test_a_gallery_of_which_nothing_can_be_taken_is_a_changed_page() -> None:
    listing = held(photos=(photo(url="https://evil.example/1.jpg"),))

    assert (listing.outcome, listing.photos) == (ListingOutcome.PAGE_CHANGED, ())


def test_what_is_withdrawn_is_told_in_bounds_and_not_shown() -> None:
    told = {photo().photo_key: "", "<b>": "odd", EVERY_PHOTO: "a\nb" * 500}
    other = photo(photo_key="9-6801242_1")

    found = held(photos=(photo(), other), withdrawn=told, detail="")

    assert set(found.withdrawn) == {photo().photo_key, EVERY_PHOTO}
    assert found.withdrawn[photo().photo_key] == "its licence was withdrawn"
    assert len(found.withdrawn[EVERY_PHOTO]) <= LONGEST_DETAIL
    assert "\n" not in found.withdrawn[EVERY_PHOTO]
    assert (found.photos, found.complete, found.detail) == ((other,), True, "")


def test_of_withdrawals_without_end_the_first_count() -> None:
    told = {str(number): "why" for number in range(20 * MOST_PHOTOS)}

    assert len(held(withdrawn=told).withdrawn) == 10 * MOST_PHOTOS


def test_of_a_gallery_without_end_the_first_photos_are_taken() -> None:
    many = tuple(photo(photo_key=f"9-{n}_0") for n in range(MOST_PHOTOS + 12))

    listing = held(photos=many)

    assert len(listing.photos) == MOST_PHOTOS
    assert listing.detail.startswith("12 of 512 photos left out")
    assert not listing.complete


@pytest.mark.parametrize(
    ("name", "said", "kept"),
    [
        ("list_price", 10**18, None),
        ("list_price", 450_000, 450_000),
        ("bedrooms_total", float("nan"), None),
        ("bathrooms_total", 2.5, 2.5),
        ("bathrooms_total", float("inf"), None),
        ("living_area", -3, None),
        ("garage_spaces", 1e300, None),
        ("pool_private", False, False),
        ("association_fee", -0.5, None),
        ("sewer", "city\x1b" + "x" * 90, "city\ufffd" + "x" * 54 + "…"),
        ("year_built", 99999, None),
        ("days_on_market", 10**9, None),
        ("standard_status", "\u202eActive", "Active"),
        ("stories_total", 1.5, 1.5),
        ("stories_total", 999.0, None),
        ("roof", "Tile\n", "Tile"),
    ],
)
def test_each_fact_is_one_a_house_can_have(
    name: str, said: object, kept: object
) -> None:
    facts = held(facts=ListingFacts(**{name: said})).facts  # type: ignore[arg-type]  # on purpose

    assert facts is not None
    assert facts.value(name) == kept


class Surprising(ListingSource):
    """A source whose parser raises, or whose fetcher does."""

    source = Source.REDFIN
    page_hosts = Redfin.page_hosts
    photo_hosts = Redfin.photo_hosts

    def __init__(self, raises: Callable[[], object] | None = None) -> None:
        self.raises = raises

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        if self.raises is None:
            request = Request(
                url=RedfinPage.url, source=self.source, kind=RequestKind.PAGE
            )
            await fetcher.get(request)
        else:
            self.raises()
        raise AssertionError(house)


def throw(error: Exception) -> Callable[[], object]:
    def raising() -> object:
        raise error

    return raising


def endless() -> object:
    return endless()


def discover(source: Any, fetcher: Any = None) -> Listing:
    return asyncio.run(Border(source).discover(HOUSE, fetcher=fetcher))


@pytest.mark.parametrize(
    ("raises", "outcome", "told"),
    [
        (throw(KeyError("photos")), "page_changed", "KeyError in test_border.py, line"),
        (lambda: float(10**400), "page_changed", "OverflowError"),
        (endless, "page_changed", "RecursionError"),
        (throw(MemoryError()), "page_changed", "MemoryError"),
        (throw(InputError("address \x1b[2J")), "page_changed", "InputError in"),
        (throw(ValueError("x" * 9000)), "page_changed", "ValueError in"),
        (throw(SourceChangedError("no\nlist")), "page_changed", "no list"),
        (throw(BlockedError("no", url="https://x")), "blocked", "no"),
    ],
    ids=["key", "overflow", "recursion", "memory", "input", "long", "changed", "block"],
)
def test_a_parsers_surprise_is_an_outcome_told_on_one_line(
    raises: Callable[[], object], outcome: str, told: str
) -> None:
    listing = discover(Surprising(raises))

    assert listing.outcome == outcome
    assert told in listing.detail
    assert len(listing.detail) <= LONGEST_DETAIL
    assert listing.detail == printable(listing.detail, most=LONGEST_DETAIL)


def test_a_surprise_can_be_followed_in_the_log_and_quotes_no_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, logger="phx_pipeline.sources.bounds"):
        listing = discover(Surprising(throw(ValueError("owner JANE ROE"))))

    assert "ValueError" in caplog.text
    assert "in raising" in caplog.text
    assert "JANE" not in caplog.text + listing.detail


@pytest.mark.parametrize(
    "told",
    [
        "sent to https://other.example/?t=Tok/en+1234",
        "sent to https://other.example/?t=TOK%2fEN%2B1234",
        "the feed says tOK/EN+1234, tok/en+1234",
        printable("x" * (LONGEST_LINE - 9) + " Tok/en+1234"),
    ],
    ids=["url", "escaped", "case", "cut"],
)
def test_no_detail_holds_what_the_source_is_asked_with(told: str) -> None:
    source = Border(
        Surprising(throw(BlockedError(told, url="https://x"))),
        secrets=["Tok/en+1234", "x", ""],
    )

    listing = asyncio.run(source.discover(HOUSE, fetcher=CannedFetcher({})))

    assert listing.outcome is ListingOutcome.BLOCKED
    assert "[token]" in listing.detail
    assert "tok" not in listing.detail.replace("[token]", "").lower()


class Asking(dict[str, Any]):
    """Every address is that of a failed request."""

    def __missing__(self, url: str) -> Exception:
        return BlockedError("sent to /?t=A-SECRET-OF-TESTS", url=url, status=302)


@pytest.mark.parametrize("setting", ["PHX_RESO_TOKEN", "PHX_SPARK_TOKEN"])
def test_sources_as_they_are_made_are_freed_of_their_tokens(setting: str) -> None:
    secrets = {setting: "a-secret-of-tests"}
    made = available_sources(secrets)[Source.PHOENIX_MLS]
    equipped = available_sources()[Source.PHOENIX_MLS].equipped(secrets)
    for source in (made, equipped):
        listing = asyncio.run(source.discover(HOUSE, fetcher=CannedFetcher(Asking())))

        assert "t=[token]" in listing.detail


def test_what_stops_the_pipeline_itself_is_no_outcome_of_a_source() -> None:
    down = CannedFetcher({RedfinPage.url: CatalogDownError("down")})

    with pytest.raises(CatalogDownError):
        discover(Surprising(), down)


def test_the_border_hands_on_all_that_a_source_offers() -> None:
    border = Border(Redfin())
    offered = {name for name in vars(ListingSource) if not name.startswith("_")}
    offered |= set(ListingSource.__annotations__)

    assert offered <= set(vars(Border)) | set(vars(border))


def test_every_source_is_behind_the_border() -> None:
    assert all(isinstance(source, Border) for source in available_sources().values())


@pytest.mark.parametrize(
    ("listed", "kept"), [(1, True), (2, True), (3, False), (28, False)]
)
def test_a_listing_does_not_begin_in_the_future(listed: int, *, kept: bool) -> None:
    listing = held(listed_on=date(2025, 2, listed))

    assert (begun(listing, today=date(2025, 2, 1)).listed_on is not None) is kept
