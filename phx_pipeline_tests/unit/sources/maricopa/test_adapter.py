"""How asking the assessor ends, with a token and without."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from phx_pipeline.errors import BlockedError, CircuitOpenError, GoneError
from phx_pipeline.fetch.base import ClientName, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.maricopa import MaricopaAssessor
from phx_pipeline.sources.maricopa.parcel_map import map_url
from phx_pipeline.sources.maricopa.standin import TOKEN
from phx_pipeline_tests.canned import ENDINGS
from phx_pipeline_tests.unit.sources.maricopa.county import (
    ADDRESS,
    ANSWER,
    HERE,
    MAP,
    SEARCH,
    Answer,
    asked,
    beside,
    fetched,
    on_map,
    whole,
)

SETTING = "PHX_MARICOPA_TOKEN"
NOTHING = fetched(b"", status=204)
GONE = GoneError("no", url=ANSWER, status=404)


def refused(status: int, *, challenge: bool = False) -> BlockedError:
    return BlockedError("no", url=SEARCH, status=status, challenge=challenge)


# --- with a token ---------------------------------------------------------------------


async def test_search_and_parcel_are_asked_with_the_token_and_no_user_agent() -> None:
    fetcher = whole()

    listing = await asked(fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert [it.url for it in fetcher.asked] == [SEARCH, ANSWER]
    for request in fetcher.asked:
        assert request.kind is RequestKind.API
        assert request.secret_headers == {"authorization": TOKEN}
        assert request.headers == {"user-agent": ""}
        assert TOKEN not in repr(request)


def test_it_is_asked_by_a_plain_client_once_a_second() -> None:
    source: ListingSource = MaricopaAssessor()

    assert (source.client, source.pace_s) == (ClientName.HTTPX, 1.0)
    assert [it.setting for it in source.credentials] == [SETTING]
    assert TOKEN not in repr(source.equipped({SETTING: TOKEN}))


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("at", ["search", "parcel"])
async def test_a_refused_token_names_its_setting_and_what_to_do(
    at: str, status: int
) -> None:
    listing = await asked(whole(**{at: refused(status)}))

    assert listing.outcome is ListingOutcome.BLOCKED
    assert f"(HTTP {status}); check {SETTING}" in listing.detail
    assert "`phx sources reset maricopa_assessor`" in listing.detail


async def test_while_it_rests_from_a_refusal_the_remedy_is_the_same() -> None:
    rest = CircuitOpenError(
        "rest", url=SEARCH, retry_at=datetime(2026, 3, 1, tzinfo=UTC), refused=True
    )

    listing = await asked(whole(search=rest))

    assert listing.outcome is ListingOutcome.CIRCUIT_OPEN
    assert SETTING in listing.detail


async def test_a_challenge_says_nothing_of_the_token() -> None:
    listing = await asked(whole(search=refused(403, challenge=True)))

    assert listing.outcome is ListingOutcome.BLOCKED
    assert SETTING not in listing.detail


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"search": NOTHING}, ListingOutcome.NOT_FOUND),
        ({"parcel": NOTHING}, ListingOutcome.NOT_FOUND),
        ({"parcel": GONE}, ListingOutcome.NOT_FOUND),
        (
            {"search": GoneError("no", url=SEARCH, status=404)},
            ListingOutcome.PAGE_CHANGED,
        ),
        ({"search": b"<html>Welcome</html>"}, ListingOutcome.PAGE_CHANGED),
        ({"search": b'{"TOTAL":1}'}, ListingOutcome.PAGE_CHANGED),
        ({"search": b""}, ListingOutcome.PAGE_CHANGED),
        ({"parcel": b" "}, ListingOutcome.PAGE_CHANGED),
        ({"search": b'{"Results":[7]}'}, ListingOutcome.PAGE_CHANGED),
        ({"search": b'{"Results":[{"APN":"1"}]}'}, ListingOutcome.PAGE_CHANGED),
        ({"parcel": b'{"PropertyAddress"'}, ListingOutcome.PAGE_CHANGED),
    ],
)
async def test_an_answer_without_the_house_ends_as_what_it_is(
    answers: dict[str, Answer], outcome: ListingOutcome
) -> None:
    listing = await asked(whole(**answers))

    assert (listing.outcome, listing.photos) == (outcome, ())
    assert listing.detail
    assert "phx ingest" not in listing.detail


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
@pytest.mark.parametrize("at", ["search", "parcel"])
async def test_a_failed_request_is_an_outcome(
    at: str, error: Exception, outcome: ListingOutcome
) -> None:
    listing = await asked(whole(**{at: error}))

    assert listing.outcome is outcome


# --- without a token ------------------------------------------------------------------


async def test_without_a_token_the_public_map_is_asked_for_facts() -> None:
    fetcher = whole()

    listing = await asked(fetcher, token="")

    assert listing.outcome is ListingOutcome.DISABLED
    assert SETTING in listing.detail
    assert "API Question/Token" in listing.detail
    assert [(it.url, dict(it.secret_headers)) for it in fetcher.asked] == [(MAP, {})]
    assert listing.facts is not None
    assert listing.facts.stated == {
        "living_area": HERE.sqft,
        "lot_size_square_feet": HERE.lot_sqft,
        "year_built": HERE.year_built,
        "parcel_number": HERE.apn,
    }


QUOTED = replace(ADDRESS, street="N O'Connor St")


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        (ADDRESS, ("4871", "LARKSTONE", "85306")),
        (Address.parse("4343 N 21st St #1, Mesa, AZ 85016"), ("4343", "21ST", "85016")),
        (QUOTED, ("4871", "O''CONNOR", "85306")),
    ],
    ids=str,
)
def test_the_map_is_asked_for_the_parts_of_an_address(
    address: Address, parts: tuple[str, str, str]
) -> None:
    query = parse_qs(urlsplit(map_url(address)).query)

    names = ("NUM", "NAME")
    fields = [*(f"PHYSICAL_STREET_{name}" for name in names), "PHYSICAL_ZIP"]
    told = [f"{field}='{part}'" for field, part in zip(fields, parts, strict=True)]
    assert query["where"] == [" AND ".join(told)]
    assert "OWNER" not in query["outFields"][0]


@pytest.mark.parametrize(
    "answer",
    [
        on_map([]),
        on_map([HERE, beside(HERE, apn="200-90-118")]),
        on_map([beside(HERE, direction="E")]),
        on_map([beside(HERE, unit="2")]),
        b'{"error":{"code":400,"message":"Invalid field"}}',
        b'{"features":[{"attributes":{"APN":"20090117"}}]}',
        b"<html></html>",
        refused(403),
        NOTHING,
    ],
)
async def test_a_map_without_just_this_parcel_gives_no_facts(answer: Answer) -> None:
    listing = await asked(whole(map=answer), token="")

    assert listing.outcome is ListingOutcome.DISABLED
    assert not (listing.facts and listing.facts.stated)
    assert SETTING in listing.detail


@pytest.mark.parametrize(
    ("other", "is_found"),
    [
        ({"attributes": {"APN": None, "PHYSICAL_ADDRESS": None}}, True),
        ({"attributes": None}, True),
        (None, True),
        ("odd", True),
        ("own", False),
    ],
    ids=["bare", "empty", "none", "neighbour", "own"],
)
async def test_an_odd_parcel_of_the_map_matters_only_at_the_address(
    other: object, *, is_found: bool
) -> None:
    told = json.loads(on_map([beside(HERE, direction="E"), HERE]))
    if isinstance(other, str):
        told["features"][other == "own"]["attributes"]["APN"] = None
    else:
        told["features"].append(other)

    listing = await asked(whole(map=json.dumps(told).encode()), token="")

    assert bool(listing.facts and listing.facts.stated) is is_found


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
async def test_a_map_that_does_not_answer_leaves_the_house_open(
    error: Exception, outcome: ListingOutcome
) -> None:
    listing = await asked(whole(map=error), token="")

    assert listing.outcome is outcome
    assert SETTING in listing.detail


async def test_of_two_parcels_on_the_map_the_one_at_the_address_is_taken() -> None:
    across = beside(HERE, direction="E", apn="200-90-118", zip_code="85306")
    answer = on_map([across, HERE])

    listing = await asked(whole(map=answer), token="")

    assert listing.facts is not None
    assert listing.facts.parcel_number == HERE.apn
