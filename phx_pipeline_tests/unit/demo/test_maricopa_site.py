"""The stand-in for the assessor answers as the county's document says."""

import json
from dataclasses import replace
from io import BytesIO
from urllib.parse import quote

import pytest
from PIL import Image

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.maricopa_site import maricopa_sites
from phx_pipeline.demo.maricopa_sketches import draw_all, sketches_of
from phx_pipeline.sources.maricopa.standin import MAP_HOST, PAGE_HOST, TOKEN

HOUSE = HOUSES[0]


def answered(target: str, *, host: str = PAGE_HOST, token: str = TOKEN) -> Answer:
    headers = {"authorization": token} if token else {}
    asked = Asked(host=host, method="GET", target=target, headers=headers, at=0.0)
    return maricopa_sites()[host](asked)


@pytest.mark.parametrize("token", ["", "Bearer", f"Bearer {TOKEN}"])
def test_without_its_very_token_nothing_is_told(token: str) -> None:
    refused = answered("/parcel/20090117", token=token)

    assert (refused.status, refused.body) == (401, b"")


@pytest.mark.parametrize(
    ("asked_for", "found"),
    [
        (HOUSE.street_line, [HOUSE.apn]),
        (f"{HOUSE.street_line} {HOUSE.city}", []),
        (f"{HOUSE.street_line} {HOUSE.zip_code}", []),
    ],
)
def test_only_a_street_line_finds_a_parcel(asked_for: str, found: list[str]) -> None:
    page = answered(f"/search/property/?q={quote(asked_for)}")

    assert [row["APN"] for row in json.loads(page.body)["Results"]] == found


def test_what_it_does_not_know_is_answered_with_nothing() -> None:
    assert answered("/parcel/99999999").status == 204
    assert answered("/", host=MAP_HOST).status == 404


@pytest.mark.parametrize("sqft", [1, 400, 2_000, 9_000])
def test_a_building_of_any_size_is_drawn(sqft: int) -> None:
    house = replace(HOUSE, sqft=sqft)

    (page,) = sketches_of(house)

    assert Image.open(BytesIO(page)).size == (820, 1234)
    assert draw_all(house) == 1


def test_each_house_has_a_drawing_of_its_own_and_a_flat_has_none() -> None:
    drawn = [page for house in HOUSES for page in sketches_of(house)]

    assert len(set(drawn)) == len(drawn)
    assert [len(sketches_of(house)) for house in HOUSES if house.unit] == [0]
