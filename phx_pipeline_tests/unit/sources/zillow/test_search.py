from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import (
    Row,
    detail_path,
    rows_matching,
    rows_of,
    search_url,
    zpid_in,
)

PAGES = Path(__file__).parents[3] / "pages" / "zillow"
HOUSE = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
PATH = "/homedetails/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418_zpid/"
GENERATIONS = [
    "search_2026.html",
    "search_2024.html",
    "search_2021.html",
    "search_2018.json",
]

Entry = dict[str, Any]


def state_of(name: str) -> dict[str, Any]:
    body = (PAGES / name).read_bytes()
    page = read_page(Fetched(url="u", status=200, headers={}, body=body))
    assert page.search is not None
    return dict(page.search)


def state_with(*entries: object, where: str = "listResults") -> dict[str, Any]:
    return {"cat1": {"searchResults": {where: list(entries)}}}


def entry(**changes: object) -> Entry:
    """Return a row of our house, for a test to change."""
    rows = state_of("search_2026.html")["cat1"]["searchResults"]["listResults"]
    found: Entry = next(row for row in rows if row["zpid"] == "90100418")
    return found | changes


def matching(*entries: object, address: Address = HOUSE) -> tuple[Row, ...]:
    return rows_matching(state_with(*entries), house=Property.at(address))


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (
            "4732 W Davis Rd, Glendale, AZ 85306",
            "https://www.zillow.com/homes/4732-W-Davis-Rd-Glendale-AZ-85306_rb/",
        ),
        (
            "7316 East Copper Thrush Avenue #204, Scottsdale, AZ 85251",
            (
                "https://www.zillow.com/homes/"
                "7316-E-Copper-Thrush-Ave-Unit-204-Scottsdale-AZ-85251_rb/"
            ),
        ),
    ],
)
def test_an_address_is_asked_in_its_canonical_spelling(address: str, url: str) -> None:
    assert search_url(Address.parse(address)) == url


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_house_is_found_among_others_in_every_generation(name: str) -> None:
    (row,) = rows_matching(state_of(name), house=Property.at(HOUSE))

    assert row.zpid == "90100418"
    assert zpid_in(row.url) == "90100418"


@pytest.mark.parametrize(
    ("name", "shown", "stated"),
    [
        ("search_2026.html", 5, None),
        ("search_2024.html", 5, 5),
        ("search_2021.html", 0, None),
        ("search_2018.json", 0, 5),
    ],
)
def test_a_row_has_the_photos_its_generation_shows(
    name: str, shown: int, stated: int | None
) -> None:
    (row,) = rows_matching(state_of(name), house=Property.at(HOUSE))

    assert (len(row.photos), row.stated) == (shown, stated)
    assert row.has_whole_gallery == (shown == stated)


def test_the_gallery_of_a_row_is_its_own_without_the_communitys() -> None:
    state = state_of("search_2026.html")
    (row,) = rows_matching(state, house=Property.at(HOUSE))
    others = {
        key for other in rows_of(state) if other.zpid != row.zpid
        for key in other.photo_keys
    }  # fmt: skip
    community = entry()["carouselPhotosComposable"]["communityPhotoData"]

    assert others
    assert not others & set(row.photo_keys)
    assert community[0]["photoKey"] not in row.photo_keys
    assert [photo.position for photo in row.photos] == [0, 1, 2, 3, 4]
    assert [photo.photo_key for photo in row.photos] == list(row.photo_keys)


def test_buildings_are_no_homes() -> None:
    rows = rows_of(state_of("search_neighbours.html"))

    assert [row.zpid for row in rows] == ["90100422", "90100500", "90100501"]


@pytest.mark.parametrize("name", ["search_neighbours.html", "search_nothing.html"])
def test_neighbours_are_not_the_house(name: str) -> None:
    assert rows_matching(state_of(name), house=Property.at(HOUSE)) == ()


@pytest.mark.parametrize(
    "where", ["listResults", "mapResults", "relaxedResults", "relaxedMapResults"]
)
def test_the_house_is_found_in_each_list_of_results(where: str) -> None:
    rows = rows_matching(state_with(entry(), where=where), house=Property.at(HOUSE))

    assert [row.zpid for row in rows] == ["90100418"]


def test_a_house_in_several_lists_is_one_row_with_its_photos() -> None:
    bare = entry(carouselPhotosComposable=None)

    (row,) = matching(bare, entry(), bare)

    assert len(row.photos) == 5


def test_two_records_of_one_door_are_two_rows() -> None:
    other = entry(zpid="90100777", detailUrl="/homedetails/90100777_zpid/")

    assert [row.zpid for row in matching(entry(), other)] == ["90100418", "90100777"]


@pytest.mark.parametrize(
    "unread",
    [
        {"address": "(undisclosed Address), Phoenix, AZ", "addressStreet": None},
        {"address": None, "addressZipcode": None},
        {"hdpData": None},
        {"hdpData": {"homeInfo": []}},
    ],
)
def test_one_readable_address_is_enough(unread: dict[str, object]) -> None:
    assert len(matching(entry(**unread))) == 1


def test_a_row_without_a_readable_address_is_not_the_house() -> None:
    hidden = entry(zpid="90100777", address=None, addressStreet=None, hdpData=None)

    assert [row.zpid for row in matching(hidden, entry())] == ["90100418"]


def test_readings_that_disagree_are_not_the_house() -> None:
    odd = entry(address="1422 E Quail Whistle Ln, Phoenix, AZ 85042")

    assert matching(odd) == ()


def test_a_unit_in_one_reading_outweighs_a_reading_without() -> None:
    flat = entry(addressStreet="1418 E Quail Whistle Ln # 9-203")
    address = Address.parse("1418 E Quail Whistle Ln Unit 9-203, Phoenix, AZ 85042")

    assert matching(flat) == ()
    assert len(matching(flat, address=address)) == 1


def test_rows_without_any_readable_address_are_a_changed_page() -> None:
    renamed = entry(address=None, addressStreet=None, hdpData=None)

    with pytest.raises(SourceChangedError, match="address"):
        matching(renamed)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"categoryTotals": {}},
        {"cat1": {}},
        {"cat1": {"searchResults": {"results": []}}},
        {"cat1": []},
        {"map": {}},
        {"map": []},
    ],
)
def test_a_state_without_lists_of_results_is_a_changed_page(
    state: dict[str, Any],
) -> None:
    with pytest.raises(SourceChangedError):
        rows_of(state)


@pytest.mark.parametrize("zpid", [None, "", True, "33.37,-112.04", "\u0661", [], "-1"])
def test_a_row_without_a_zpid_is_left_out(zpid: object) -> None:
    assert matching(entry(), entry(zpid=zpid))[0].zpid == "90100418"


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}])
def test_a_row_of_another_shape_is_left_out(odd: object) -> None:
    assert [row.zpid for row in matching(odd, entry())] == ["90100418"]


@pytest.mark.parametrize(
    "link",
    [
        None,
        "/b/cardinal-flats/",
        "https://www.zillow.com/community/sundance/90100418_zpid/",
        "https://evil.example/homedetails/90100418_zpid/",
        "/homedetails/somewhere-else/90100422_zpid/",
    ],
)
def test_a_row_without_its_own_detail_link_is_opened_by_zpid(link: object) -> None:
    (row,) = matching(entry(detailUrl=link))

    assert row.url == "https://www.zillow.com/homedetails/90100418_zpid/"


@pytest.mark.parametrize(
    "link",
    [
        PATH,
        f"https://www.zillow.com{PATH}",
        f"https://zillow.com{PATH}",
        f"https://www.zillow.com{PATH}#image-lightbox",
        f"{PATH}?view=public",
    ],
)
def test_a_detail_link_is_read_from_its_path(link: str) -> None:
    assert (detail_path(link), zpid_in(link)) == (PATH, "90100418")


@pytest.mark.parametrize(
    "link", ["", None, "https://www.zillow.com/homes/Phoenix-AZ_rb/", "/homedetails/x/"]
)
def test_another_link_is_no_detail_page(link: object) -> None:
    assert (detail_path(link), zpid_in(link)) == (None, None)


@pytest.mark.parametrize(
    "composed",
    [
        None,
        [],
        {},
        {"photoData": 7},
        {"baseUrl": None, "photoData": [{"photoKey": "a" * 32}]},
        {
            "baseUrl": "https://evil.example/fp/{photoKey}-p_e.jpg",
            "photoData": [{"photoKey": "a" * 32}],
        },
        {
            "baseUrl": "https://photos.zillowstatic.com/fp/{photoKey}-p_e.jpg",
            "photoData": [{"photoKey": "x"}, {"photoKey": None}, 7, {}],
        },
    ],
)
def test_photos_of_another_shape_are_no_photos(composed: object) -> None:
    odd = entry(carouselPhotosComposable=composed, carouselPhotos=5, photoCount=0)

    (row,) = matching(odd)

    assert row.photos == ()
    assert not row.has_whole_gallery


@pytest.mark.parametrize(
    ("stated", "whole"),
    [(5, True), (6, False), (4, False), (None, False), ("5", False)],
)
def test_a_gallery_is_whole_only_if_the_count_says_so(
    stated: object, *, whole: bool
) -> None:
    (row,) = matching(entry(photoCount=stated))

    assert row.has_whole_gallery is whole


@pytest.mark.parametrize("inner", [6, "many", []])
def test_the_largest_count_of_a_row_counts_and_one_unread_makes_none(
    inner: object,
) -> None:
    row = entry(photoCount=5)
    row["hdpData"] = {"homeInfo": row["hdpData"]["homeInfo"] | {"photoCount": inner}}

    (found,) = matching(row)

    assert len(found.photos) == 5
    assert not found.has_whole_gallery


def test_the_rows_of_a_home_have_the_largest_count_of_any_of_them() -> None:
    short = entry(photoCount=2)
    short["carouselPhotosComposable"] = short["carouselPhotosComposable"] | {
        "photoData": short["carouselPhotosComposable"]["photoData"][:2]
    }
    without = entry(photoCount=6, carouselPhotosComposable=None)

    assert matching(short)[0].has_whole_gallery
    for rows in ((short, without), (without, short)):
        (found,) = matching(*rows)
        assert (len(found.photos), found.stated) == (2, 6)
        assert not found.has_whole_gallery
