"""Ids, links and the day of a listing."""

import dataclasses
import json
from datetime import date

import pytest

from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline_tests.unit.sources.zillow.detail.conftest import (
    CANONICAL,
    PAGES,
    URL,
    ZPID,
    Fields,
    parse,
    parse_homes,
)


def test_the_listing_is_identified_and_dated(home: Fields) -> None:
    listing = parse_homes(home)

    assert (listing.listing_id, listing.mls_id) == (ZPID, "6801242")
    assert listing.url == CANONICAL
    assert listing.listed_on == date(2025, 2, 24)
    assert listing.detail == "5 photos; status FOR_SALE"
    assert not listing.challenged


def test_nothing_of_an_agent_is_in_the_listing() -> None:
    told = json.dumps(dataclasses.asdict(parse("listed_2026.html")), default=str)

    assert "Made-Up" in (PAGES / "listed_2026.html").read_text()
    assert "Made-Up" not in told
    assert "000-000-0000" not in told


def test_the_fullest_answer_about_a_home_is_read(home: Fields) -> None:
    stub = {name: home[name] for name in ("zpid", "streetAddress", "city", "state")}

    assert len(parse_homes(stub, home).photos) == 5
    assert len(parse_homes(home, stub).photos) == 5


def test_a_zpid_may_be_a_text(home: Fields) -> None:
    assert parse_homes(home | {"zpid": ZPID}).outcome is ListingOutcome.LISTED


def test_the_mls_id_of_an_older_page_is_found(home: Fields) -> None:
    assert parse_homes(home | {"attributionInfo": None, "mlsid": "77"}).mls_id == "77"
    assert parse_homes(home | {"attributionInfo": []}).mls_id is None


@pytest.mark.parametrize(
    "link", [None, "/homedetails/90100422_zpid/", "https://evil.example/90100418_zpid/"]
)
def test_a_foreign_link_is_not_the_pages_address(home: Fields, link: object) -> None:
    assert parse_homes(home | {"hdpUrl": link}).url == URL


@pytest.mark.parametrize(
    ("history", "posted", "day"),
    [
        (
            [
                {"event": "Listed for sale", "date": "2019-05-02"},
                {"event": "Price change", "date": "2025-03-20"},
                {"event": "Listed for sale", "date": "2025-03-09"},
                {"event": "Sold", "date": "2026-01-01"},
            ],
            "2025-02-24",
            date(2025, 3, 9),
        ),
        ([{"event": "Sold", "date": "2019-06-14"}], "2025-02-24", date(2025, 2, 24)),
        (None, "2025-02-24T00:00:00", date(2025, 2, 24)),
        ([], None, None),
        (["x", {"event": "Listed for sale", "date": 5}], "soon", None),
        ([{"event": "Listed for sale", "date": "2025-13-45"}], None, None),
    ],
)
def test_the_listing_day_is_the_newest_listing_or_the_posting(
    home: Fields, history: object, posted: object, day: date | None
) -> None:
    fields = home | {"priceHistory": history, "datePostedString": posted}

    assert parse_homes(fields).listed_on == day


OWNER = {"event": "Listed for sale", "date": "2025-01-15", "source": "Owner"}


def event(what: str, on: str, number: str = "", source: str = "ARMLS") -> Fields:
    by = {"infoString1": number} if number else {}
    return {"event": what, "date": on, "source": source, "attributeSource": by}


@pytest.mark.parametrize(
    ("history", "posted", "day"),
    [
        (
            [event("Price change", "2026-03-02", "M2"), OWNER],
            "2026-03-02",
            "2026-03-02",
        ),
        ([event("Price change", "2026-03-02", "M2"), OWNER], None, "2026-03-02"),
        ([event("Price change", "2026-03-05", "M2")], "2026-03-02", "2026-03-02"),
        ([event("Price change", "2026-03-02", "M2")], "2026-03-05", "2026-03-02"),
        ([event("Listed for sale", "2026-02-01", "M2")], "2026-03-02", "2026-02-01"),
        ([event("Listed for sale", "2026-02-01", "MLS #M2")], None, "2026-02-01"),
        (
            [
                event("Listed for sale", "2026-02-01", "M2"),
                event("Listed for sale", "2026-03-20", "M3"),
                event("Listed for sale", "2025-12-01", "M2"),
            ],
            "2026-03-02",
            "2026-02-01",
        ),
        (
            [event("Price change", "2026-03-02", source="MLS M2"), OWNER],
            None,
            "2026-03-02",
        ),
        ([event("Listed for sale", "2026-03-20", "M3")], "2026-03-02", "2026-03-02"),
        ([event("Listed for sale", "2026-03-20", "M3")], None, None),
        ([OWNER], "2026-03-02", "2026-03-02"),
        ([OWNER], None, None),
        ([event("Listed for sale", "2026-03-05")], "2026-03-02", "2026-03-05"),
        ([event("LISTED FOR SALE", "2026-03-05", source="")], None, "2026-03-05"),
        (
            [event("Listed for sale", "2026-02-01", source="ARMLS (M2)")],
            "2026-03-02",
            "2026-02-01",
        ),
        (
            {"value": [event("Listed for sale", "2026-02-01", "M2")]},
            "2026-03-02",
            "2026-02-01",
        ),
    ],
)
def test_the_listing_day_is_of_the_listings_own_events(
    home: Fields, history: object, posted: str | None, day: str | None
) -> None:
    own = {"mlsId": {"value": "M2"}, "mlsName": "ARMLS"}
    changes = {"attributionInfo": own, "priceHistory": history}

    listing = parse_homes(home | changes | {"datePostedString": posted})

    assert listing.mls_id == "M2"
    assert listing.listed_on == (day and date.fromisoformat(day))


def test_a_house_its_owner_sells_has_the_owners_day(home: Fields) -> None:
    sold = {"attributionInfo": None, "priceHistory": [OWNER], "datePostedString": None}

    assert parse_homes(home | sold).listed_on == date(2025, 1, 15)


@pytest.mark.parametrize("odd", ["9999-12-31", "0001-01-01", "2025-02-30"])
def test_an_odd_day_does_not_hide_the_day_of_the_listing(
    home: Fields, odd: str
) -> None:
    history = [event("Listed for sale", at, "M2") for at in (odd, "2025-03-09")]
    said = {"attributionInfo": {"mlsId": "M2"}, "priceHistory": history}

    listing = parse_homes(home | said | {"datePostedString": odd})

    assert listing.listed_on == date(2025, 3, 9)
