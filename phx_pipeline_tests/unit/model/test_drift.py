from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest

from phx_pipeline.model.drift import (
    Drift,
    FieldCount,
    drifts,
    fields_read,
)
from phx_pipeline.model.facts import FACT_NAMES, ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation

DAY = date(2026, 3, 9)
PHOTO = PhotoRef(source=Source.REDFIN, photo_key="a", url="https://x/a", position=0)
LISTED = Listing(
    source=Source.REDFIN,
    outcome=ListingOutcome.LISTED,
    facts=ListingFacts(bedrooms_total=3.0, pool_private=False),
    photos=(PHOTO,),
)


def counts_of(days: Iterable[str], *, field: str = "sewer") -> list[FieldCount]:
    """The counts of a field: for each day a letter a page, `x` had it and `.` not."""
    return [
        FieldCount(
            source=Source.REDFIN,
            page_kind="",
            field=field,
            seen_on=DAY + timedelta(days=number),
            pages=len(pages),
            had=pages.count("x"),
            lacking=len(pages) - len(pages.rstrip(".")),
        )
        for number, pages in enumerate(days)
        if pages
    ]


def read_of(listing: Listing) -> dict[str, bool]:
    """Whether a page had what it could have, by field."""
    return {field: had for (_, field), had in fields_read(listing).items()}


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (["xxxxx", "..."], (1, 5, 5, 3)),
        (["xxxxx..."], (0, 5, 5, 3)),
        (["x.xxxx", "xxxxx.", "..", "", ".."], (1, 11, 10, 5)),
        (["x"] * 5 + ["."] * 3, (5, 5, 5, 3)),
        (["x.x.x", "......"], (1, 5, 3, 6)),
        (["xxxxx", "...", "x"], None),
        (["xxxxx", ".."], None),
        (["xxxx", "......"], None),
        (["x.x.x", "....."], None),
        ([".x.x.x", "........."], None),
        (["xxxxx"], None),
        ([".........."], None),
        ([], None),
    ],
    ids=[
        "all had it, three have not",
        "gone in the middle of a day",
        "over several days",
        "a page a day",
        "three of five had it, six have not",
        "it is there again",
        "two pages may be chance",
        "four pages tell nothing",
        "three of five, and five may be chance",
        "half of the pages are not most",
        "never gone",
        "never there",
        "nothing counted",
    ],
)
def test_a_field_is_gone_that_most_pages_had_and_none_has(
    days: list[str], told: tuple[int, int, int, int] | None
) -> None:
    found = drifts(counts_of(days))

    assert [((it.since - DAY).days, it.before, it.had, it.lacking) for it in found] == (
        [told] if told else []
    )


def test_the_order_of_counts_does_not_matter() -> None:
    counts = counts_of(["xxxxx", "..", ".."])

    assert drifts(counts[::-1]) == drifts(counts) != ()


def test_pages_of_long_ago_do_not_tell_what_is_usual() -> None:
    seldom = ["." * 100, "x" * 50, "..."]

    (drift,) = drifts(counts_of(seldom))

    assert (drift.before, drift.had) == (50, 50)


def test_fields_sources_and_kinds_of_pages_are_judged_apart() -> None:
    gone, there = ["xxxxx", "..."], ["xxxxx", "xxx"]
    zillow = [
        replace(it, source=Source.ZILLOW, page_kind="detail")
        for it in counts_of(gone, field="roof")
    ]
    row = [replace(it, page_kind="search row") for it in counts_of(there, field="roof")]

    found = drifts([*zillow, *row, *counts_of(there), *counts_of(gone, field="tags")])

    assert found == (
        Drift(
            source=Source.REDFIN,
            page_kind="",
            field="tags",
            since=DAY + timedelta(days=1),
            before=5,
            had=5,
            lacking=3,
        ),
        replace(found[1], source=Source.ZILLOW, page_kind="detail", field="roof"),
    )


def test_every_fact_and_what_photos_tell_is_counted() -> None:
    told = replace(
        PHOTO,
        caption="Front",
        tags=("Exterior",),
        width=9,
        height=6,
        fallback_urls=("u",),
    )
    full = replace(
        LISTED,
        photos=(PHOTO, told),
        listing_id="1",
        mls_id="2",
        listed_on=DAY,
        stated_photos=0,
        valuations=(
            Valuation(tax_year=2025, full_cash_value=1),
            Valuation(tax_year=2024, limited_property_value=1),
        ),
        also_read={"largest_photos": True},
    )
    of_listing = {"listed_on", "listing_id", "mls_id", "stated_photos"}
    of_listing |= {"full_cash_value", "limited_property_value"}
    of_photos = {"captions", "photo_sizes", "smaller_photos", "tags"}

    bare, all_told = read_of(LISTED), read_of(full)

    said = {"bedrooms_total", "pool_private"}
    assert set(bare) == {*FACT_NAMES, *of_listing, *of_photos, "photos"}
    assert {name for name, had in bare.items() if had} == said | {"photos"}
    assert {name for name, had in all_told.items() if had} == (
        said | of_listing | of_photos | {"photos", "largest_photos"}
    )


def test_an_answer_that_is_of_no_house_counts_nothing() -> None:
    assert fields_read(replace(LISTED, facts=None)) == {}


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        (ListingOutcome.LISTED_EMPTY, True),
        (ListingOutcome.OFF_MARKET, True),
        (ListingOutcome.BLOCKED, False),
        (ListingOutcome.DISABLED, False),
    ],
)
def test_photos_are_missed_only_where_a_gallery_was_read(
    outcome: ListingOutcome, *, counted: bool
) -> None:
    read = read_of(replace(LISTED, outcome=outcome, photos=()))

    assert ("photos" in read, "captions" in read) == (counted, False)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, ""),
        ({"page_kind": "detail"}, "detail"),
        ({"outcome": ListingOutcome.OFF_MARKET}, "off market"),
        (
            {"page_kind": "row", "facts": ListingFacts(standard_status="Closed")},
            "row, off market",
        ),
        ({"facts": ListingFacts(standard_status="Pending")}, ""),
    ],
)
def test_pages_of_houses_that_nobody_offers_are_counted_apart(
    changes: dict[str, object], kind: str
) -> None:
    read = fields_read(replace(LISTED, **changes))  # type: ignore[arg-type]  # of any field

    assert {of for of, field in read if field != "standard_status"} == {kind}


def test_the_status_tells_the_kinds_apart_and_is_counted_over_all_of_them() -> None:
    closed = replace(LISTED, facts=ListingFacts(standard_status="Closed"))

    assert fields_read(closed)["", "standard_status"]
    assert not fields_read(LISTED)["", "standard_status"]
