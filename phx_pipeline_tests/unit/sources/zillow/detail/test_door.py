"""A page must be of this very door, in all that it says of it."""

import json

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import Page, read_page
from phx_pipeline_tests.unit.sources.zillow.detail.conftest import (
    CANONICAL,
    HOUSE,
    PAGES,
    URL,
    ZPID,
    Fields,
    page_of,
    parse_homes,
)


def test_without_a_zpid_the_address_decides(home: Fields) -> None:
    other = home | {"zpid": 1, "streetAddress": "1422 E Quail Whistle Ln"}

    listing = parse_homes(other, home, zpid=None)

    assert (listing.outcome, listing.listing_id) == (ListingOutcome.LISTED, ZPID)


def test_several_records_of_the_house_are_ambiguous(home: Fields) -> None:
    listing = parse_homes(home, home | {"zpid": 90100777}, zpid=None)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert listing.photos == ()
    assert "90100777" in listing.detail


def test_the_wanted_zpid_is_taken_among_several(home: Fields) -> None:
    listing = parse_homes(home | {"zpid": 90100777}, home)

    assert (listing.outcome, listing.listing_id) == (ListingOutcome.LISTED, ZPID)


@pytest.mark.parametrize("zpid", [ZPID, None])
@pytest.mark.parametrize(
    "other",
    [
        {"streetAddress": "1422 E Quail Whistle Ln"},
        {"streetAddress": "1418 W Quail Whistle Ln"},
        {"streetAddress": "1418 E Quail Whistle Dr"},
        {"streetAddress": "1418 E Quail Whistle Ct UNIT 2"},
        {"zipcode": "85041"},
    ],
)
def test_another_house_gives_no_photos(
    home: Fields, other: dict[str, str], zpid: str | None
) -> None:
    listing = parse_homes(home | other, zpid=zpid)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert ZPID in listing.detail


@pytest.mark.parametrize("zpid", [ZPID, None])
@pytest.mark.parametrize("line", ["1418 Quail Whistle Ln", "1418 E Quail Whistel Ln"])
def test_a_page_of_an_address_much_like_it_is_for_a_person_to_judge(
    home: Fields, line: str, zpid: str | None
) -> None:
    listing = parse_homes(home | {"streetAddress": line}, zpid=zpid)

    assert (listing.outcome, listing.photos) == (ListingOutcome.AMBIGUOUS, ())
    assert f'confirm {HOUSE.slug} "{line}, Phoenix, AZ 85042"' in listing.detail


def test_another_zpid_than_the_one_asked_for_is_another_property(home: Fields) -> None:
    listing = parse_homes(home, zpid="90100999")

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        ("655 N Cactus Wren Ave #12", ListingOutcome.LISTED),
        ("655 N Cactus Wren Ave #21", ListingOutcome.WRONG_PROPERTY),
        ("655 N Cactus Wren Ave", ListingOutcome.AMBIGUOUS),
    ],
)
def test_the_unit_of_the_page_counts(asked: str, outcome: ListingOutcome) -> None:
    address = Address.parse(f"{asked}, Phoenix, AZ 85004")

    listing = parse_detail(
        page_of("unit.html"), house=Property.at(address), zpid="90100612"
    )

    assert listing.outcome is outcome


def test_an_address_stated_only_in_its_object_is_read(home: Fields) -> None:
    for name in ("streetAddress", "city", "state", "zipcode"):
        del home[name]

    assert parse_homes(home).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ({"streetAddress": None, "address": None}, "incomplete"),
        ({"zipcode": "", "address": []}, "incomplete"),
        ({"streetAddress": "(undisclosed Address)"}, "unreadable"),
    ],
)
def test_a_page_without_its_own_address_has_changed(
    home: Fields, address: Fields, told: str
) -> None:
    with pytest.raises(SourceChangedError, match=told):
        parse_homes(home | address)


NESTED = {
    "streetAddress": "1418 E Quail Whistle Ln",
    "city": "Phoenix",
    "state": "AZ",
    "zipcode": "85042",
}


@pytest.mark.parametrize(
    "said",
    [
        {"address": NESTED | {"streetAddress": "1422 E Quail Whistle Ln"}},
        {"address": NESTED | {"streetAddress": "1418 E Quail Whistle Ln UNIT 2"}},
        {"address": NESTED | {"zipcode": "85041"}},
        {"address": [NESTED | {"streetAddress": "1422 E Quail Whistle Ln"}]},
        {"address": {"value": NESTED | {"zipcode": "85041"}}},
        {"address": "1422 E Quail Whistle Ln, Phoenix, AZ 85042"},
        {"hdpUrl": ["/homedetails/90100422_zpid/"]},
        {"hdpUrl": CANONICAL.replace("1418-E", "1422-E")},
        {"hdpUrl": CANONICAL.replace("1418-E", "1418-W")},
        {"hdpUrl": CANONICAL.replace("85042", "85041")},
        {"hdpUrl": "/homedetails/90100422_zpid/"},
        {"url": CANONICAL.replace("1418-E", "1422-E")},
        {"url": CANONICAL.replace("Ln-Phoenix", "Ln-UNIT-2-Phoenix")},
    ],
)
def test_a_page_that_contradicts_itself_gives_no_photos(
    home: Fields, said: Fields
) -> None:
    listing = parse_homes(home | said)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()
    assert "contradicts itself" in listing.detail


@pytest.mark.parametrize(
    "said",
    [
        {"address": NESTED | {"streetAddress": "1418 East Quail Whistle Lane"}},
        {"address": NESTED | {"city": "Laveen"}},
        {"address": {"streetAddress": "1418 E Quail Whistle Ln"}},
        {"address": 7, "url": None},
        {"address": "1418 E Quail Whistle Ln, Laveen, AZ 85042"},
        {"hdpUrl": CANONICAL.replace("Phoenix", "Laveen")},
        {"url": "https://evil.example/1422-E-Quail-Whistle-Ln-Phoenix-AZ-85042/"},
    ],
)
def test_another_spelling_of_the_same_house_is_no_contradiction(
    home: Fields, said: Fields
) -> None:
    assert parse_homes(home | said).outcome is ListingOutcome.LISTED


@pytest.mark.parametrize(
    ("link", "outcome"),
    [
        (CANONICAL, ListingOutcome.LISTED),
        (CANONICAL.replace("1418-E", "1422-E"), ListingOutcome.WRONG_PROPERTY),
        (CANONICAL.replace("90100418", "90100422"), ListingOutcome.WRONG_PROPERTY),
    ],
)
def test_the_pages_own_link_in_its_head_must_name_the_house(
    link: str, outcome: ListingOutcome
) -> None:
    head = f'<link rel="canonical" href="{link}">'.encode()
    body = head + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome is outcome


OTHER_LINK = CANONICAL.replace("1418-E", "1422-E").replace("90100418", "90100422")


@pytest.mark.parametrize(
    "link",
    [
        OTHER_LINK.rstrip("/"),
        OTHER_LINK + "photos/",
        OTHER_LINK.replace("https:", "http:"),
        OTHER_LINK.replace("https:", ""),
        OTHER_LINK.replace("www.", "m.").lower(),
        CANONICAL.replace("1418-E-", "1422%20E%20"),
        "/homedetails/90100422_zpid",
        "/homes/90100422_zpid/",
        "/homes/1422-E-Quail-Whistle-Ln-Phoenix-AZ-85042_rb/",
    ],
)
def test_a_link_names_a_neighbour_however_it_is_written(
    home: Fields, link: str
) -> None:
    page = Page(
        url=URL,
        cache={"q": {"property": home}},
        search=None,
        challenged=False,
        links=(CANONICAL, link),
    )
    told = [
        parse_homes(home | {"url": link}),
        parse_detail(page, house=Property.at(HOUSE), zpid=ZPID),
    ]

    assert [each.outcome for each in told] == [ListingOutcome.WRONG_PROPERTY] * 2


@pytest.mark.parametrize(
    ("street", "outcome"),
    [
        ("1418 E Quail Whistle Ln", "listed"),
        ("1422 E Quail Whistle Ln", "wrong_property"),
    ],
)
def test_structured_data_must_be_of_the_house(street: str, outcome: str) -> None:
    told = {
        "@type": "SingleFamilyResidence",
        "address": {"streetAddress": street, "postalCode": "85042"},
    }
    data = f'<script type="application/ld+json">{json.dumps(told)}</script>'.encode()
    body = data + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome == outcome


@pytest.mark.parametrize(
    ("number", "outcome"), [(1418, "listed"), (1422, "wrong_property")]
)
def test_the_titles_of_a_page_must_be_of_the_house(number: int, outcome: str) -> None:
    line = f"{number} E Quail Whistle Ln, Phoenix, AZ 85042"
    head = f"<title>{line} | MLS #6801242 | Zillow</title>".encode()
    body = head + (PAGES / "listed_2026.html").read_bytes()
    page = read_page(Fetched(url=URL, status=200, headers={}, body=body))

    assert parse_detail(page, house=Property.at(HOUSE), zpid=ZPID).outcome == outcome


def test_two_answers_about_one_home_must_be_of_one_address(home: Fields) -> None:
    stub = {"zpid": ZPID, "streetAddress": "1422 E Quail Whistle Ln"}

    assert parse_homes(home, stub).outcome is ListingOutcome.WRONG_PROPERTY


def test_an_answer_must_be_about_the_home_it_was_asked_for(home: Fields) -> None:
    for query in ('Q{"zpid":_}', "Q{'zpid': '_'}", 'Q{\\"zpid\\":_}'):
        told = [parse_homes(home, query=query.replace("_", it)) for it in (ZPID, "7")]

        assert [each.outcome.value for each in told] == ["listed", "wrong_property"]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"abbreviatedAddress": "1422 E Quail Whistle Ln"}, "wrong_property"),
        ({"abbreviatedAddress": "1418 E Quail Whistle Lane"}, "listed"),
        ({"address": NESTED | {"zipcode": 85041}}, "wrong_property"),
        ({"address": NESTED | {"zipcode": 85042}, "zipcode": 85042}, "listed"),
        ({"address": NESTED | {"state": "CA"}, "state": "CA"}, "wrong_property"),
    ],
)
def test_what_else_states_the_address_must_agree(
    home: Fields, said: Fields, outcome: str
) -> None:
    assert parse_homes(home | said).outcome == outcome
