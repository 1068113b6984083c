import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import BlockedError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.find import (
    home_at,
    homes_matching,
    near_addresses,
    search_url,
)

PAGES = Path(__file__).parents[3] / "pages" / "redfin"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
BUILDING = Address.parse("655 N Cactus Wren Ave, Phoenix, AZ 85004")
OWN_PATH_WITHOUT = "/AZ/Phoenix/1418-Quail-Whistle-Ln-85042/home/90100418"
OWN_PATH = "/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418"


def fetched(body: bytes) -> Fetched:
    return Fetched(url=search_url(HOUSE), status=200, headers={}, body=body)


def answer(**payload: object) -> Fetched:
    text = json.dumps({"resultCode": 0, "payload": payload})
    return fetched(f"{{}}&&{text}".encode())


def row(**changes: object) -> dict[str, object]:
    own = {"name": "1418 E Quail Whistle Ln", "subName": "Phoenix, AZ, USA"}
    return {**own, "url": OWN_PATH, **changes}


def test_the_search_asks_for_the_canonical_address() -> None:
    parts = urlsplit(search_url(HOUSE))

    assert (parts.hostname, parts.path) == (
        "www.redfin.com",
        "/stingray/do/location-autocomplete",
    )
    assert parse_qs(parts.query) == {
        "location": [str(HOUSE)],
        "start": ["0"],
        "count": ["10"],
        "v": ["2"],
        "iss": ["false"],
        "ooa": ["true"],
        "mrs": ["false"],
    }


@pytest.mark.parametrize("name", ["search_exact.txt", "search_list.txt"])
def test_the_own_row_is_found(name: str) -> None:
    homes = homes_matching(
        fetched((PAGES / name).read_bytes()), house=Property.at(HOUSE)
    )

    assert [home.path for home in homes] == [OWN_PATH]


def test_an_exact_match_that_is_the_neighbour_is_not_taken() -> None:
    body = (PAGES / "search_neighbour.txt").read_bytes()

    assert homes_matching(fetched(body), house=Property.at(HOUSE)) == ()


def test_units_of_a_building_are_not_the_building() -> None:
    body = (PAGES / "search_units.txt").read_bytes()

    assert homes_matching(fetched(body), house=Property.at(BUILDING)) == ()
    near = near_addresses(fetched(body), house=Property.at(BUILDING))
    assert {own.unit for own in near} == {"Unit 11", "Unit 12", "Unit 13"}


def lots(*units: str) -> Fetched:
    street = "17200-W-Bell-Rd-85374"
    rows = [
        row(
            name=f"17200 W Bell Rd {unit}",
            subName="Surprise, AZ, USA",
            url=f"/AZ/Surprise/{street}/{unit.replace(' ', '-').lower()}/home/{number}",
        )
        for number, unit in enumerate(units, start=1)
    ]
    return answer(sections=[{"name": "Addresses", "rows": rows}])


@pytest.mark.parametrize(
    ("units", "found"),
    [
        (["Unit 1512"], ["1"]),
        (["Unit 1513", "Apt 1512"], ["2"]),
        (["Unit 1512", "Lot 1512"], ["2"]),
        (["Unit 1512", "Spc 1512"], ["1", "2"]),
        (["Unit 15", "Unit 1513"], []),
    ],
)
def test_the_word_before_a_unit_matters_only_where_two_have_its_value(
    units: list[str], found: list[str]
) -> None:
    house = Property.at(Address.parse("17200 W Bell Rd Lot 1512, Surprise, AZ 85374"))

    homes = homes_matching(lots(*units), house=house)

    assert [home.home_id for home in homes] == found


def test_what_a_person_said_of_a_spelling_counts() -> None:
    body = answer(exactMatch=row(name="1418 Quail Whistle Ln", url=OWN_PATH_WITHOUT))
    shown = Address.parse("1418 Quail Whistle Ln, Phoenix, AZ 85042")
    house = Property.at(HOUSE)
    own = replace(house, spellings=frozenset({shown.match_key}))
    other = replace(house, strangers=frozenset({shown.match_key}))

    homes = [len(homes_matching(body, house=it)) for it in (house, own, other)]
    near = [near_addresses(body, house=it) for it in (house, own, other)]

    assert homes == [0, 1, 0]
    assert near == [(shown,), (), ()]


@pytest.mark.parametrize(("unit", "home_id"), [("11", "90100611"), ("13", "90100613")])
def test_each_unit_has_its_own_page(unit: str, home_id: str) -> None:
    body = (PAGES / "search_units.txt").read_bytes()
    address = Address.parse(f"655 N Cactus Wren Ave Apt {unit}, Phoenix, AZ 85004")

    homes = homes_matching(fetched(body), house=Property.at(address))

    assert [home.home_id for home in homes] == [home_id]


def test_a_row_of_the_same_street_in_another_zip_is_another_house() -> None:
    elsewhere = row(url="/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85041/home/5")

    assert homes_matching(answer(exactMatch=elsewhere), house=Property.at(HOUSE)) == ()


def test_a_row_that_names_another_city_is_the_same_house() -> None:
    renamed = row(
        subName="Guadalupe, AZ, USA",
        url="/AZ/Guadalupe/1418-E-Quail-Whistle-Ln-85042/home/90100418",
    )

    assert (
        len(homes_matching(answer(exactMatch=renamed), house=Property.at(HOUSE))) == 1
    )


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/AZ/Phoenix/1418-E-Quail-Whistle-Ln-85042/home/90100418",
        "https://evil.example" + OWN_PATH,
        OWN_PATH + "?next=x",
        OWN_PATH + "/../2",
        OWN_PATH + "\n",
        "/city/14240/AZ/Phoenix",
        "/AZ/Phoenix/Some-Tower/building/77",
        None,
        7,
    ],
)
def test_only_a_plain_home_path_is_a_home(path: object) -> None:
    assert home_at(path) is None
    assert (
        homes_matching(answer(exactMatch=row(url=path)), house=Property.at(HOUSE)) == ()
    )


def test_the_same_home_twice_is_one_home() -> None:
    sections = [{"name": "Addresses", "rows": [row(), row()]}]

    assert len(homes_matching(answer(sections=sections), house=Property.at(HOUSE))) == 1


def test_rows_of_other_sections_are_not_addresses() -> None:
    sections = [{"name": "Schools", "rows": [row()]}]

    assert homes_matching(answer(sections=sections), house=Property.at(HOUSE)) == ()


def test_a_result_code_other_than_zero_is_a_refusal() -> None:
    body = (PAGES / "search_refused.txt").read_bytes()

    with pytest.raises(BlockedError, match="resultCode 7"):
        homes_matching(fetched(body), house=Property.at(HOUSE))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}&&",
        b"<html></html>",
        b"[]",
        b'{}&&{"resultCode":0}',
        b'{}&&{"resultCode":0,"payload":{}}',
        b'{}&&{"resultCode":0,"payload":{"sections":{"a":1}}}',
        b'{}&&{"resultCode":0,"payload":{"sections":[{"name":"Addresses","rows":5}]}}',
        b'{}&&{"resultCode":0,"payload":{"exactMatch":{"name":"1418 E Quail"}}}',
        b"[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_a_changed_site(body: bytes) -> None:
    with pytest.raises(SourceChangedError):
        homes_matching(fetched(body), house=Property.at(HOUSE))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {}, optional={"exactMatch": json_values, "sections": json_values}
    )
)
def test_no_answer_breaks_the_reader(payload: dict[str, object]) -> None:
    try:
        homes = homes_matching(answer(**payload), house=Property.at(HOUSE))
    except SourceChangedError:
        return

    assert homes == ()
