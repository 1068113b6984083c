"""The RESO Web API: which record counts, and how each answer ends; all are drawn."""

import json
from datetime import date
from typing import Any

import pytest

from phx_pipeline.errors import BlockedError, FetchError, GoneError, TransientError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.drift import fields_read
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls.licensed_reso import (
    HOST,
    discover,
    literal,
    search_url,
)
from phx_pipeline_tests.canned import ENDINGS, CannedFetcher
from phx_pipeline_tests.hostile import TEXTS, VALUES, Change, changed, fields

HOUSE = Property.at(Address.parse("5219 W El Caminito Dr, Glendale, AZ 85302"))
URL = search_url(HOUSE)
TOKEN = "a-token-of-the-user"  # noqa: S105 - of these tests alone
NEXT = f"https://{HOST}/Version/3/Reso/OData/Property?$skiptoken=2"
NEXT_LINK = "@odata.nextLink"
KEYS = [f"2025030107000{number}000000000000" for number in range(6)]
LEASE = {"StandardStatus": "Active", "PropertyType": "Residential Lease"}
HOSTILE = (*VALUES, *TEXTS[::25])


def medium(number: int, **said: Any) -> dict[str, Any]:
    return {
        "MediaURL": f"https://cdn.photos.sparkplatform.com/az/{KEYS[number]}.jpg",
        "MediaCategory": "Photo",
        "Order": number,
        "Permission": ["IDX"],
        **said,
    }


def record(**said: Any) -> dict[str, Any]:
    """The house's current record, with two photos; what is None is left out."""
    given: dict[str, Any] = {
        "ListingKey": "20250301070000000000000000",
        "ListingId": "6937912",
        "StandardStatus": "Active",
        "MlsStatus": "Active",
        "ListingContractDate": "2025-03-01",
        "StreetNumber": "5219",
        "StreetDirPrefix": "W",
        "StreetName": "EL CAMINITO",
        "StreetSuffix": "Drive",
        "City": "Glendale",
        "StateOrProvince": "AZ",
        "PostalCode": "85302",
        "UnparsedAddress": "5219 W EL CAMINITO Drive, Glendale, AZ 85302",
        "PhotosCount": 2,
        "Media": [medium(0), medium(1)],
    }
    return {name: it for name, it in (given | said).items() if it is not None}


def old(**said: Any) -> dict[str, Any]:
    """An earlier record of the house, with another photo."""
    given = {
        "ListingKey": "20200101",
        "ListingId": "4719507",
        "StandardStatus": "Closed",
        "MlsStatus": "Closed",
        "ListingContractDate": "2020-01-01",
        "CloseDate": "2020-03-01",
        "PhotosCount": 1,
        "Media": [medium(5)],
    }
    return record(**(given | said))


def answer(*rows: object, **said: object) -> Fetched:
    body = json.dumps({"value": list(rows), **said}).encode()
    return Fetched(url=URL, status=200, headers={}, body=body)


async def ask(
    *pages: Fetched | Exception, house: Property = HOUSE
) -> tuple[Listing, CannedFetcher]:
    """What is made of the pages, the second of which is at `NEXT`."""
    urls = (search_url(house), NEXT)
    fetcher = CannedFetcher(dict(zip(urls, pages, strict=False)))
    return await discover(house, fetcher=fetcher, token=TOKEN), fetcher


def keys_of(listing: Listing) -> list[str]:
    return [photo.photo_key for photo in listing.photos]


async def test_the_current_record_is_taken_with_its_gallery() -> None:
    found, fetcher = await ask(answer(old(), record()))

    assert found.outcome is ListingOutcome.LISTED
    assert (found.mls_id, found.listing_id) == ("6937912", "20250301070000000000000000")
    assert found.listed_on == date(2025, 3, 1)
    assert (keys_of(found), found.complete) == (KEYS[:2], True)
    assert (found.detail, found.stated_photos, found.withdrawn) == ("", 2, {})
    (asked,) = fetcher.asked
    assert asked.secret_headers == {"authorization": f"Bearer {TOKEN}"}
    assert TOKEN not in f"{asked}{found}"


def test_the_question_is_of_number_and_zip_code_in_quotes() -> None:
    assert URL.startswith(f"https://{HOST}/Version/3/Reso/OData/Property?$filter=")
    assert "PostalCode%20eq%20%2785302%27%20and%20StreetNumber%20eq%20%275219" in URL
    assert "&$expand=Media&" in URL
    assert literal("O'Neil' or 1 eq 1") == "'O''Neil'' or 1 eq 1'"


async def test_what_the_record_says_of_the_house_are_facts_by_their_names() -> None:
    told = record(
        ListPrice=450000,
        BedroomsTotal=4,
        BathroomsTotalInteger=2,
        LivingArea="2077.0",
        LotSizeAcres=0.25,
        GarageSpaces=2.0,
        PoolFeatures=["PrivateOnly", "Fenced"],
        AssociationFee=120,
        AssociationFeeFrequency="SemiAnnually",
        Sewer=["PublicSewer"],
        YearBuilt=1979,
        DaysOnMarket=12,
        StandardStatus="ActiveUnderContract",
        MlsStatus="UCB (Under Contract-Backups)",
        StoriesTotal=1,
        Roof=["Composition", "TarGravel"],
        ConstructionMaterials={"Block": True, "Brick": False},
        Cooling="CentralAir",
        Heating="********",
        ParcelNumber="14827042",
        PropertySubType="SingleFamilyResidence",
        ListAgentFullName="Somebody",
    )

    found, _ = await ask(answer(told))

    assert found.facts == ListingFacts(
        list_price=450000,
        bedrooms_total=4,
        bathrooms_total=2,
        living_area=2077,
        lot_size_square_feet=10890,
        garage_spaces=2,
        pool_private=True,
        association_fee=20,
        sewer="city",
        year_built=1979,
        days_on_market=12,
        standard_status="Active Under Contract",
        mls_number="6937912",
        stories_total=1,
        roof="Composition, Tar Gravel",
        construction_materials="Block",
        cooling="Central Air",
        parcel_number="148-27-042",
        property_sub_type="Single Family Residence",
    )
    assert found.detail == ""
    assert "Somebody" not in str(found)


@pytest.mark.parametrize(
    ("rows", "mls_id", "outcome"),
    [
        ([record(StandardStatus="Pending"), old()], "6937912", "listed"),
        ([record(StandardStatus="Closed"), old()], "6937912", "listed"),
        ([record(StandardStatus="Expired"), old()], "6937912", "off_market"),
        ([record(StandardStatus=None, MlsStatus="Sold"), old()], "6937912", "listed"),
        (
            [record(StandardStatus=None, MlsStatus="Temp Off Market")],
            "6937912",
            "off_market",
        ),
        ([record(StandardStatus="Incomplete"), old()], "4719507", "listed"),
        ([record(), old(**LEASE)], "6937912", "listed"),
        ([record(PhotosCount=0, Media=[])], "6937912", "listed_empty"),
    ],
)
async def test_of_several_records_an_offer_counts_then_the_newest(
    rows: list[object], mls_id: str, outcome: str
) -> None:
    for order in (rows, rows[::-1]):
        found, _ = await ask(answer(*order))

        assert (found.mls_id, found.outcome.value) == (mls_id, outcome)


async def test_two_offers_at_once_are_told_by_their_numbers() -> None:
    found, _ = await ask(answer(record(), old(StandardStatus="Active")))

    assert found.outcome is ListingOutcome.AMBIGUOUS
    assert found.detail == "current records: 6937912, 4719507"
    assert found.photos == ()


@pytest.mark.parametrize(
    ("said", "outcome", "told"),
    [
        ({"StreetNumber": "5221"}, "page_changed", "without an address"),
        (
            {"StreetName": "EL CAMINO", "UnparsedAddress": None},
            "not_found",
            "1 record of other houses",
        ),
        (
            {"PostalCode": "85303", "UnparsedAddress": None},
            "not_found",
            "1 record of other houses",
        ),
        (
            {"UnitNumber": "4", "UnparsedAddress": None},
            "ambiguous",
            "only an address much like it",
        ),
        (
            {"StreetSuffix": None, "UnparsedAddress": None},
            "ambiguous",
            "only an address much like it",
        ),
        ({"PostalCode": None}, "page_changed", "without an address"),
        (
            {"StreetName": None, "UnparsedAddress": "Address withheld"},
            "page_changed",
            "1 record without an address that can be read",
        ),
        ({"StreetNumber": {"a": 1}}, "page_changed", "without an address"),
    ],
)
async def test_the_record_of_another_house_is_never_taken(
    said: dict[str, Any], outcome: str, told: str
) -> None:
    found, _ = await ask(answer(record(**said)))

    assert (found.outcome.value, found.photos, found.facts) == (outcome, (), None)
    assert told in found.detail


@pytest.mark.parametrize("unit", ["4", "#4", "Unit 4", 4], ids=repr)
async def test_a_unit_is_read_however_it_is_written(unit: object) -> None:
    house = Property.at(
        Address.parse(f"{HOUSE.address.line} Unit 4, Glendale, AZ 85302")
    )
    own = record(UnitNumber=unit, UnparsedAddress=None)
    other = record(UnitNumber="5", UnparsedAddress=None, ListingId="1")

    found, _ = await ask(answer(other, own), house=house)

    assert (found.mls_id, len(found.photos)) == ("6937912", 2)


@pytest.mark.parametrize(
    ("said", "found_all", "told"),
    [
        ({"PhotosCount": 3}, False, "2 of 3 photos stated"),
        ({"PhotosCount": None}, True, ""),
        ({"PhotosCount": 1}, True, ""),
        (
            {"Media": [medium(0), medium(1, Permission=None)]},
            False,
            "1 of 2 photos stated; left out: 1 without a word on permission",
        ),
        (
            {"Media": [medium(0), medium(1, MediaURL="https://b.example/1.jpg")]},
            False,
            "1 of 2 photos stated; left out: 1 not at Spark's hosts",
        ),
        (
            {"Media": [medium(0), medium(1, Permission="Private")]},
            True,
            "withheld by the licence: 1",
        ),
        ({"Media": None, "PhotosCount": None}, False, ""),
        ({"Media": None, "PhotosCount": 40}, False, "0 of 40 photos stated"),
        ({"Media": {"a": 1}, "PhotosCount": 0}, True, ""),
    ],
)
async def test_a_gallery_is_complete_if_all_that_is_stated_was_seen(
    said: dict[str, Any], told: str, *, found_all: bool
) -> None:
    found, _ = await ask(answer(record(**said)))

    assert (found.complete, found.detail) == (found_all, told)


@pytest.mark.parametrize(
    "again",
    [record(), record(Media=[medium(5)]), record(ListingId="1")],
    ids=["same", "other media", "other number"],
)
async def test_a_record_that_comes_again_on_the_next_page_is_one(
    again: dict[str, Any],
) -> None:
    found, _ = await ask(answer(record(), **{NEXT_LINK: NEXT}), answer(again))

    assert (found.mls_id, keys_of(found)) == ("6937912", KEYS[:2])
    assert found.complete


@pytest.mark.parametrize("flags", [(None, False), (False, None)])
async def test_a_record_that_is_held_back_once_is_held_back(
    flags: tuple[bool | None, ...],
) -> None:
    found, _ = await ask(answer(*(record(MlgCanView=flag) for flag in flags)))

    assert (found.outcome, [*found.withdrawn]) == ("not_found", [EVERY_PHOTO])


async def test_records_without_any_key_are_not_taken_for_one() -> None:
    bare = record(ListingKey=None, ListingId=None)

    found, _ = await ask(answer(bare, bare))

    assert found.outcome is ListingOutcome.AMBIGUOUS


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"Media": []}, "page_changed"),
        ({"Media": "none"}, "page_changed"),
        ({"Media": [medium(0, MediaCategory="OfficePhoto")]}, "page_changed"),
        ({"Media": [medium(0, Permission=None)]}, "page_changed"),
        ({"Media": [medium(0, MediaURL="x")], "PhotosCount": None}, "page_changed"),
        ({"Media": [medium(0, Permission="Private")]}, "listed_empty"),
        ({"Media": [], "PhotosCount": 0}, "listed_empty"),
        ({"Media": [], "StandardStatus": "Closed"}, "listed_empty"),
        ({"Media": [], "StandardStatus": "Expired"}, "off_market"),
    ],
)
async def test_photos_of_which_none_can_be_read_are_no_empty_gallery(
    said: dict[str, Any], outcome: str
) -> None:
    found, _ = await ask(answer(record(YearBuilt=1979, **said)))

    assert (found.outcome, found.photos) == (outcome, ())
    assert found.facts is not None
    assert found.facts.year_built == 1979


async def test_media_without_permission_are_withdrawn_or_left_out_and_counted() -> None:
    media = [medium(0, Permission="VOW"), medium(1, Permission=None)]

    found, _ = await ask(answer(record(Media=media)))

    assert (found.outcome, found.complete) == (ListingOutcome.LISTED_EMPTY, False)
    assert set(found.withdrawn) == {KEYS[0]}
    assert "left out: 1 without a word on permission" in found.detail
    assert "withheld by the licence: 1" in found.detail


@pytest.mark.parametrize("flag", [{"MlgCanView": False}, {"StandardStatus": "Delete"}])
async def test_a_record_the_feed_withdraws_takes_its_photos_with_it(
    flag: dict[str, Any],
) -> None:
    alone, _ = await ask(answer(record(**flag)))
    beside, _ = await ask(answer(record(), old(**flag)))
    silent, _ = await ask(answer(record(), old(**flag, Media=None)))
    unsure, _ = await ask(answer(record(PhotosCount=9), old(**flag, Media=None)))

    assert alone.outcome is ListingOutcome.NOT_FOUND
    assert (set(alone.withdrawn), alone.photos) == ({EVERY_PHOTO}, ())
    assert "6937912" in alone.detail
    # The photos of an earlier record, where they are told; else all that is not shown.
    assert (keys_of(beside), set(beside.withdrawn)) == (KEYS[:2], {KEYS[5]})
    assert (keys_of(silent), set(silent.withdrawn)) == (KEYS[:2], {EVERY_PHOTO})
    assert unsure.withdrawn == {}


async def test_a_record_of_another_house_withdraws_nothing() -> None:
    other = record(StreetName="EL CAMINO", UnparsedAddress=None, MlgCanView=False)

    found, _ = await ask(answer(other))

    assert (found.outcome, found.withdrawn) == (ListingOutcome.NOT_FOUND, {})


async def test_further_pages_of_records_and_of_media_are_read() -> None:
    more = {NEXT_LINK: NEXT}
    found, fetcher = await ask(answer(old(), **more), answer(record()))
    assert (found.mls_id, len(fetcher.asked)) == ("6937912", 2)
    assert all(it.secret_headers for it in fetcher.asked)

    media = record(PhotosCount=3, **{f"Media{NEXT_LINK}": NEXT})
    found, _ = await ask(answer(media), answer(medium(2)))
    assert (keys_of(found), found.complete) == (KEYS[:3], True)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/Version/3/Reso/OData/Property?$skiptoken=2",
        f"https://{HOST}.evil.example/Version/3/Reso/OData/Property",
        f"https://{HOST}:8443/Version/3/Reso/OData/Property",
        f"http://{HOST}/Version/3/Reso/OData/Property",
        f"https://user@{HOST}/Version/3/Reso/OData/Property",
        "//evil.example/Version/3/Reso/OData/Property",
        "/v1/contacts",
        "https://[",
        "",
        7,
        ["x"],
        URL,
        "x" * 5000,
    ],
)
async def test_a_link_that_leads_elsewhere_is_not_followed(link: object) -> None:
    found, fetcher = await ask(answer(record(), **{NEXT_LINK: link}))

    assert len(fetcher.asked) == 1
    is_none = not link
    expected = ListingOutcome.LISTED if is_none else ListingOutcome.PAGE_CHANGED
    assert found.outcome is expected


async def test_pages_without_end_are_left_off() -> None:
    ends = [f"{NEXT}{number}" for number in range(20)]
    pages = {
        url: answer(old(), **{NEXT_LINK: after})
        for url, after in zip([URL, *ends], ends, strict=False)
    }
    fetcher = CannedFetcher(pages)

    found = await discover(HOUSE, fetcher=fetcher, token=TOKEN)

    assert (found.outcome, len(fetcher.asked)) == (ListingOutcome.PAGE_CHANGED, 8)


def denied(status: int, body: bytes = b"") -> BlockedError:
    error = BlockedError(f"{HOST} answered {status}", url=URL, status=status)
    error.body = body
    return error


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_names_the_setting_and_never_the_token(
    status: int,
) -> None:
    body = json.dumps({"error": {"code": "x", "message": f"bad {TOKEN}\x1b"}}).encode()

    found, _ = await ask(denied(status, body))

    assert found.outcome is ListingOutcome.BLOCKED
    assert f"answered {status}" in found.detail
    assert "PHX_RESO_TOKEN" in found.detail
    assert "`phx sources reset phoenix_mls`" in found.detail
    assert "bad" not in found.detail


async def test_a_challenge_is_no_matter_of_the_token() -> None:
    error = BlockedError("a challenge", url=URL, status=403, challenge=True)

    found, _ = await ask(error)

    assert found.outcome is ListingOutcome.BLOCKED
    assert "PHX_RESO_TOKEN" not in found.detail


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
async def test_a_failed_request_ends_as_everywhere(
    error: Exception, outcome: ListingOutcome
) -> None:
    found, _ = await ask(error)

    assert found.outcome is outcome


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (Fetched(url=URL, status=204, headers={}, body=b""), "not_found"),
        (answer(), "not_found"),
        (answer(7, None, []), "not_found"),
        (Fetched(url=URL, status=200, headers={}, body=b"no JSON"), "page_changed"),
        (Fetched(url=URL, status=200, headers={}, body=b"[]"), "page_changed"),
        (Fetched(url=URL, status=200, headers={}, body=b'{"value":1}'), "page_changed"),
        (Fetched(url=URL, status=200, headers={}, body=b"[" * 99_999), "page_changed"),
        (answer(*[{}] * 501), "page_changed"),
        (answer(error={"code": "500", "message": "out of order"}), "page_changed"),
        (answer(error={"code": "1020", "message": "has expired"}), "blocked"),
        (answer(error={"code": 1550, "message": "slow down"}), "rate_limited"),
        (GoneError("gone", url=URL, status=404), "page_changed"),
        (FetchError("bad question", url=URL, status=400), "failed"),
    ],
)
async def test_each_odd_answer_has_its_outcome(
    page: Fetched | Exception, outcome: str
) -> None:
    found, _ = await ask(page)

    assert (found.outcome.value, found.photos) == (outcome, ())


async def test_a_limit_is_one_whatever_its_status() -> None:
    error = TransientError("answered 503", url=URL, status=503)
    error.body = b'{"D": {"Success": false, "Code": 1550, "Message": "slow"}}'

    found, _ = await ask(error)

    assert found.outcome is ListingOutcome.RATE_LIMITED


@pytest.mark.parametrize("name", [*record(), *medium(0)])
async def test_a_member_that_is_renamed_files_nothing_wrong_and_is_missed(
    name: str,
) -> None:
    whole, _ = await ask(answer(record()))
    text = json.dumps({"value": [record()]}).replace(f'"{name}"', f'"{name}New"')
    page = Fetched(url=URL, status=200, headers={}, body=text.encode())

    found, _ = await ask(page)

    assert set(keys_of(found)) <= set(KEYS[:2])
    is_less = found.outcome is not whole.outcome or not found.complete
    lacks = set(fields_of(whole).items()) - set(fields_of(found).items())
    assert is_less or lacks or name in {"City", "StateOrProvince"}


def fields_of(listing: Listing) -> dict[str, bool]:
    return {field: had for (_, field), had in fields_read(listing).items()}


def _put(value: object, name: str) -> Change:
    return lambda at, it: value if at == name else it


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_value_in_any_field_stops_it_or_brings_another_house(
    value: object,
) -> None:
    tree = {"value": [record(), old()]}
    for name in fields(tree):
        told = changed(tree, _put(value, name))
        body = json.dumps(told).encode()
        page = Fetched(url=URL, status=200, headers={}, body=body)

        found, _ = await ask(page)

        assert isinstance(found.outcome, ListingOutcome)
        assert set(keys_of(found)) <= {KEYS[0], KEYS[1], KEYS[5]}
