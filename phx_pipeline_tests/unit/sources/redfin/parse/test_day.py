"""The day of a listing, whatever an event looks like."""

from datetime import date

import pytest

from phx_pipeline_tests.unit.sources.redfin.parse.conftest import (
    Cache,
    parse_cache,
    payload_in,
)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Phoenix", date(2025, 2, 25)),
        ("US/Pacific", date(2025, 2, 24)),
        ("No/Where", date(2025, 2, 25)),
        ("../etc", date(2025, 2, 25)),
        ("US", date(2025, 2, 25)),
        (7, date(2025, 2, 25)),
    ],
)
def test_the_listing_day_is_that_of_the_propertys_time_zone(
    cache: Cache, zone: object, day: date
) -> None:
    payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["displayTimeZone"] = zone

    assert parse_cache(cache).listed_on == day


@pytest.mark.parametrize("stamp", [None, "x", True, 10**18, 10**400, 1.5, -(10**18)])
def test_an_impossible_event_date_is_no_date(cache: Cache, stamp: object) -> None:
    history = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]
    for event in history["events"]:
        event["eventDate"] = stamp

    assert parse_cache(cache).listed_on is None


@pytest.mark.parametrize(
    "stamp",
    [1740466800, "1740466800000", "2025-02-25", {"value": 1740466800}, 1740466800000.0],
    ids=repr,
)
def test_the_date_of_an_event_is_read_in_any_shape(cache: Cache, stamp: object) -> None:
    events = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"]
    (own,) = (
        event
        for event in events
        if (event["eventDescription"], event["sourceId"]) == ("Listed", "6801242")
    )
    own["eventDate"] = stamp

    assert parse_cache(cache).listed_on == date(2025, 2, 25)


def test_a_relisted_house_has_the_newest_day(cache: Cache) -> None:
    history = payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]
    listed = {"eventDescription": "Listed", "sourceId": "6801242"}
    history["events"].append({**listed, "eventDate": 1741500000000})

    assert parse_cache(cache).listed_on == date(2025, 3, 8)


@pytest.mark.parametrize("odd", [253402300799000, 10**17, -1, 1, None, float("nan")])
@pytest.mark.parametrize("word", ["Listed", "LISTED", "Listed (Active)"])
def test_an_odd_event_does_not_hide_the_day_of_the_listing(
    cache: Cache, word: str, odd: object
) -> None:
    own = {"eventDescription": word, "sourceId": "MLS #6801242"}
    events = [own | {"eventDate": at} for at in (odd, 1741500000000.0)]
    events.append(own | {"eventDescription": "Listed for Rent", "eventDate": 10**12})
    payload_in(cache, "/belowTheFold")["propertyHistoryInfo"]["events"] = events

    assert parse_cache(cache).listed_on == date(2025, 3, 8)
