"""What the answer about a parcel tells: of which, of whom nothing, and what of it."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.maricopa import MaricopaAssessor
from phx_pipeline_tests.unit.sources.maricopa.county import (
    ADDRESS,
    ANSWER,
    HERE,
    HOUSE,
    OTHERS,
    PARCEL,
    SKETCHES,
    asked,
    fetched,
    parcel,
    png,
    whole,
)

TREASURER = "https://treasurer.maricopa.gov/parcel/default.aspx?Parcel="
SOURCE = Border(MaricopaAssessor())
Change = Callable[[Any], object]


def stating(**members: object) -> Change:
    """What states members of the answer otherwise."""
    return lambda it: it.update(members)


def changed(change: Change, *, answer: bytes | None = None) -> bytes:
    """The house's answer after *change*, which works on the decoded one."""
    tree = json.loads(answer or parcel())
    change(tree)
    return json.dumps(tree).encode()


def saved(body: bytes, *, house: Property = HOUSE) -> Listing:
    return SOURCE.read_saved(fetched(body, url=""), house=house)


# --- captured answers -----------------------------------------------------------------

CAPTURED = {
    "501-79-577": (
        "15847 W Port Royale Ln, Surprise, AZ 85379",
        ListingFacts(
            living_area=1895,
            lot_size_square_feet=6240,
            year_built=2017,
            construction_materials="Frame Stucco",
        ),
        (
            6,
            Valuation(
                tax_year=2025, full_cash_value=355100, limited_property_value=193263
            ),
        ),
        [],
    ),
    "501-93-515": (
        "16219 W Cottonwood St, Surprise, AZ 85374",
        ListingFacts(
            living_area=1510,
            lot_size_square_feet=5560,
            year_built=2002,
            construction_materials="Frame Wood",
        ),
        (
            6,
            Valuation(
                tax_year=2025, full_cash_value=312600, limited_property_value=138844
            ),
        ),
        [(820, 1234)],
    ),
    "509-11-455": (
        "15947 W Winchcomb Dr, Surprise, AZ 85379",
        ListingFacts(
            living_area=1647,
            lot_size_square_feet=5830,
            year_built=2003,
            construction_materials="Frame Wood",
        ),
        (
            4,
            Valuation(
                tax_year=2024, full_cash_value=345000, limited_property_value=135279
            ),
        ),
        [(1280, 1024)],
    ),
}


def captured(shared_dir: Path, number: str) -> bytes:
    file = shared_dir / f"samples/maricopa/parcel_{number}.json"
    if not file.is_file():
        pytest.skip(f"no captured answer of the assessor ({file.name})")
    return file.read_bytes()


@pytest.mark.parametrize("number", CAPTURED)
def test_a_captured_answer_gives_its_house_its_facts_and_sketches(
    number: str, shared_dir: Path
) -> None:
    line, facts, (years, newest), sizes = CAPTURED[number]
    body = captured(shared_dir, number)
    address = Address.parse(line)

    listing = saved(body, house=Property.at(address))

    assert SOURCE.address_of(fetched(body)) == address
    assert (listing.listing_id, listing.complete) == (number, True)
    assert listing.outcome.saw_gallery
    assert listing.facts == replace(
        facts,
        garage_spaces=2.0,
        pool_private=False,
        roof="Concrete Tile",
        cooling="REFRIGERATION",
        heating="Yes",
        parcel_number=number,
        property_sub_type="Single Family Residence",
    )
    assert (len(listing.valuations), listing.valuations[0]) == (years, newest)
    pictures = [Image.open(BytesIO(it)) for it in listing.inline.values()]
    assert [picture.size for picture in pictures] == sizes
    assert list(listing.inline) == [photo.photo_key for photo in listing.photos]


@pytest.mark.parametrize("number", CAPTURED)
def test_a_captured_answer_is_of_no_house_it_calls_similar(
    number: str, shared_dir: Path
) -> None:
    body = captured(shared_dir, number)
    similar = json.loads(body)["SimilarParcels"]

    for other in similar:
        address = Address.parse(f"{other['SitusAddress']}, Surprise, AZ 85379")
        listing = saved(body, house=Property.at(address))

        assert listing.outcome is ListingOutcome.WRONG_PROPERTY
        assert (listing.facts, listing.photos, listing.valuations) == (None, (), ())


# --- whose it is ----------------------------------------------------------------------


async def test_sketches_are_pictures_of_the_parcel_in_their_order() -> None:
    listing = await asked(whole())

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)
    assert list(listing.inline.values()) == list(SKETCHES)
    assert [it.photo_key.rpartition("-")[0] for it in listing.photos] == [
        f"{PARCEL}-sketch-1",
        f"{PARCEL}-sketch-2",
    ]
    assert {SOURCE.filed_under(it).listing for it in listing.photos} == {PARCEL}
    assert all("mcassessor.maricopa.gov/mcs/" in it.url for it in listing.photos)


def test_keys_stay_the_same_and_change_with_the_drawing() -> None:
    first, again, redrawn = (
        [photo.photo_key for photo in saved(parcel(sketches=pages)).photos]
        for pages in (SKETCHES, SKETCHES, (SKETCHES[0], png(77)))
    )

    assert first == again
    assert (first[0], first[1] == redrawn[1]) == (redrawn[0], False)


@pytest.mark.parametrize("none", ["N/A", "n/a ", "", None])
async def test_without_an_address_that_of_the_search_counts_and_is_told(
    none: str | None,
) -> None:
    body = changed(stating(PropertyAddress=none))

    found, alone = await asked(whole(parcel=body)), saved(body)

    assert (found.outcome, len(found.photos)) == (ListingOutcome.LISTED, 2)
    assert "states no address" in found.detail
    assert (alone.outcome, alone.photos) == (ListingOutcome.PAGE_CHANGED, ())


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (parcel(OTHERS[0]), ListingOutcome.WRONG_PROPERTY),
        (
            changed(stating(TreasurersTransitionUrl=f"{TREASURER}20090118")),
            ListingOutcome.WRONG_PROPERTY,
        ),
        (
            changed(stating(PropertyAddress="4873 W LARKSTONE RD 85306")),
            ListingOutcome.WRONG_PROPERTY,
        ),
        (
            changed(stating(PropertyAddress="4871 LARKSTONE RD 85306")),
            ListingOutcome.AMBIGUOUS,
        ),
        (
            changed(stating(PropertyAddress="SEE MAP")),
            ListingOutcome.PAGE_CHANGED,
        ),
        (
            changed(stating(TreasurersTransitionUrl=None)),
            ListingOutcome.PAGE_CHANGED,
        ),
        (b"<html><body>Sign in</body></html>", ListingOutcome.PAGE_CHANGED),
        (b"[]", ListingOutcome.PAGE_CHANGED),
    ],
    ids=map(str, count()),
)
async def test_an_answer_that_is_not_of_the_house_gives_nothing(
    body: bytes, outcome: ListingOutcome
) -> None:
    listing = await asked(whole(parcel=body))

    assert listing.outcome is outcome
    assert listing.detail
    assert (listing.photos, listing.facts, listing.valuations) == ((), None, ())
    assert not listing.inline


def test_an_answer_without_an_address_names_no_house() -> None:
    body = changed(stating(PropertyAddress="N/A"))

    assert SOURCE.address_of(fetched(parcel())) == ADDRESS
    with pytest.raises(SourceChangedError, match="states no address"):
        SOURCE.address_of(fetched(body))


# --- sketches -------------------------------------------------------------------------


def pages(*sketches: object, total: object = None) -> Change:
    made = [
        {"Sketch": sketch, "PageNum": at, "APN": PARCEL}
        for at, sketch in enumerate(sketches, start=1)
    ]
    held = {"TotalPages": len(made) if total is None else total, "Pages": made}
    return stating(Sketches=held)


GOOD = base64.b64encode(SKETCHES[0]).decode()
WRAPPED = f"data:image/png;base64,{GOOD[:9]}\n{GOOD[9:]}"
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(100)).decode()


@pytest.mark.parametrize(
    ("change", "outcome", "kept", "told"),
    [
        (pages(), ListingOutcome.LISTED_EMPTY, 0, "0 sketches"),
        (pages(GOOD), ListingOutcome.LISTED, 1, "1 sketch"),
        (
            pages(f"data:image/png;base64,{GOOD[:9]}\n{GOOD[9:]}"),
            ListingOutcome.LISTED,
            1,
            "",
        ),
        (pages(GOOD, total="1"), ListingOutcome.LISTED, 1, ""),
    ],
    ids=map(str, count()),
)
def test_sketches_that_are_whole(
    change: Change, outcome: ListingOutcome, kept: int, told: str
) -> None:
    listing = saved(changed(change))

    assert (listing.outcome, listing.complete) == (outcome, True)
    assert (len(listing.photos), told in listing.detail) == (kept, True)


@pytest.mark.parametrize(
    ("change", "outcome", "kept", "told"),
    [
        (pages(GOOD, JPEG), ListingOutcome.LISTED, 1, "1 of 2 sketches left out: its"),
        (pages(JPEG), ListingOutcome.PAGE_CHANGED, 0, "no PNG"),
        (pages("%%%"), ListingOutcome.PAGE_CHANGED, 0, "no PNG"),
        (pages(None), ListingOutcome.PAGE_CHANGED, 0, "no PNG"),
        (pages(GOOD, total=3), ListingOutcome.LISTED, 1, "1 sketch of 3 stated"),
        (pages(GOOD, total="na"), ListingOutcome.LISTED, 1, "TotalPages"),
        (pages(total=2), ListingOutcome.PAGE_CHANGED, 0, "0 sketches of 2 stated"),
        (lambda it: it.pop("Sketches"), ListingOutcome.PAGE_CHANGED, 0, "Sketches"),
        (
            lambda it: it["Sketches"]["Pages"][1].update(APN="30279145"),
            ListingOutcome.LISTED,
            1,
            "1 of 2 sketches left out: the APN",
        ),
    ],
    ids=map(str, count()),
)
def test_sketches_that_are_not_are_never_complete_and_the_facts_stay(
    change: Change, outcome: ListingOutcome, kept: int, told: str
) -> None:
    listing = saved(changed(change))

    assert (listing.outcome, listing.complete) == (outcome, False)
    assert (len(listing.photos), len(listing.inline)) == (kept, kept)
    assert told in listing.detail
    assert listing.facts is not None
    assert listing.facts.living_area == HERE.sqft


def test_a_key_of_another_shape_tells_nothing() -> None:
    photo = PhotoRef(source=Source.MARICOPA, photo_key="x", url=ANSWER, position=0)

    assert SOURCE.filed_under(photo).listing is None


# --- facts ----------------------------------------------------------------------------


def home(**stated: object) -> Change:
    return lambda it: it["ResidentialPropertyData"].update(stated)


@pytest.mark.parametrize(
    ("change", "name", "value"),
    [
        (home(LivableSpace="2146        "), "living_area", 2146),
        (home(LivableSpace="na"), "living_area", None),
        (home(LivableSpace=""), "living_area", None),
        (home(LivableSpace=None), "living_area", None),
        (home(LivableSpace="0"), "living_area", None),
        (home(LotSize="na"), "lot_size_square_feet", 8712),
        (home(Pool=True), "pool_private", True),
        (home(Pool="378"), "pool_private", True),
        (home(Pool="0"), "pool_private", False),
        (home(Pool=[]), "pool_private", None),
        (home(NumberOfGarages="3   "), "garage_spaces", 3.0),
        (home(Stories="2"), "stories_total", 2.0),
        (home(RoofType="As - Asphalt Shingle"), "roof", "Asphalt Shingle"),
        (home(RoofType="Built Up"), "roof", "Built Up"),
        (home(RoofType="na"), "roof", None),
        (home(ExteriorWalls='S8 - 8" Stucco '), "construction_materials", '8" Stucco'),
        (home(Heating=""), "heating", None),
        (home(ConstructionYear="na"), "year_built", 1984),
        (stating(ResidentialPropertyData=None), "year_built", None),
        (stating(PEPropUseDesc=None), "property_sub_type", None),
    ],
    ids=map(str, count()),
)
def test_a_fact_is_read_whatever_way_it_is_stated(
    change: Change, name: str, value: object
) -> None:
    listing = saved(changed(change))

    assert listing.facts is not None
    assert listing.facts.value(name) == value


def test_valuations_are_read_by_year_and_senseless_ones_left_out() -> None:
    years = [
        {
            "TaxYear": "2026",
            "FullCashValue": "355100",
            "LimitedPropertyValue": "1932  ",
        },
        {"TaxYear": "2025", "FullCashValue": "na", "LimitedPropertyValue": None},
        {"TaxYear": "soon", "FullCashValue": "1", "LimitedPropertyValue": "1"},
        {"TaxYear": 2024, "FullCashValue": 219600},
        "2023",
    ]

    listing = saved(changed(stating(Valuations=years)))

    assert listing.valuations == (
        Valuation(tax_year=2026, full_cash_value=355100, limited_property_value=1932),
        Valuation(tax_year=2024, full_cash_value=219600),
    )


def test_a_page_of_people_is_no_answer() -> None:
    page = Fetched(url="", status=200, headers={}, body=b"<!DOCTYPE html><html></html>")

    listing = SOURCE.read_saved(page, house=HOUSE)

    assert (listing.outcome, listing.detail) == (
        ListingOutcome.PAGE_CHANGED,
        "the parcel's answer is not JSON",
    )
