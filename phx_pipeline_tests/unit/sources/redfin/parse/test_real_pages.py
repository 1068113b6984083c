"""Pages that the site has really given."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.gallery import parse_gallery
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline_tests.unit.sources.redfin.parse.conftest import HOUSE, URL

REAL = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"


@pytest.fixture(scope="module")
def truth(shared_dir: Path) -> dict[str, Any]:
    """What is known about each real page."""
    known: dict[str, Any] = json.loads((shared_dir / "samples/truth.json").read_text())
    return known


@pytest.fixture(scope="module")
def real_listing(shared_dir: Path, truth: dict[str, Any]) -> Listing:
    """The real listing page, read."""
    return parse_listing(
        (shared_dir / "samples" / REAL).read_text(),
        house=Property.at(Address.parse(truth[REAL]["address"])),
        page_url="https://www.redfin.com/home/137774138",
    )


def test_a_real_page_gives_exactly_its_largest_photos_in_order(
    real_listing: Listing, truth: dict[str, Any]
) -> None:
    urls = [photo.url for photo in real_listing.photos]

    assert urls == truth[REAL]["largest_urls"]
    assert real_listing.outcome is ListingOutcome.LISTED
    assert real_listing.complete


def test_a_real_page_gives_its_ids_and_its_listing_day(
    real_listing: Listing, truth: dict[str, Any]
) -> None:
    ids = (real_listing.listing_id, real_listing.mls_id)

    assert ids == (str(truth[REAL]["listing_id"]), truth[REAL]["mls_id"])
    assert real_listing.listed_on == date(2025, 9, 18)
    assert real_listing.url == (
        "https://www.redfin.com/GA/Dahlonega/94-King-Arthur-Ct-30533/home/137774138"
    )


def test_a_real_page_gives_tags_and_captions(real_listing: Listing) -> None:
    photos = real_listing.photos

    assert sum("Kitchen" in photo.tags for photo in photos) == 8
    assert sum("Exterior" in photo.tags for photo in photos) == 23
    assert sum(photo.tags == () for photo in photos) == 4
    assert photos[1].caption == "Newly built house exterior"
    assert photos[50].tags == ("Floor plans",)
    assert photos[5].photo_key == "82-7652074_5_I"


def test_a_real_page_of_another_house_is_refused(shared_dir: Path) -> None:
    html = (shared_dir / "samples" / REAL).read_text()

    listing = parse_listing(html, house=Property.at(HOUSE), page_url=URL)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()


def test_a_real_search_page_is_not_a_listing(shared_dir: Path) -> None:
    html = (shared_dir / "samples/redfin/search_2020-07_irvine.html").read_text()

    with pytest.raises(SourceChangedError, match="aboveTheFold"):
        parse_listing(html, house=Property.at(HOUSE), page_url=URL)


def test_a_real_gallery_of_2024_reads_the_same(
    shared_dir: Path, truth: dict[str, Any]
) -> None:
    name = "redfin/photos_2024-09_mls6754782.ts"
    literal = (shared_dir / "samples" / name).read_text().partition("= ")[2]

    gallery = parse_gallery(photos_in_literal(literal), tags={})

    assert [photo.url for photo in gallery.photos] == truth[name]["largest_urls"]
    assert gallery.unreadable == 0
    assert len({photo.photo_key for photo in gallery.photos}) == 26


def photos_in_literal(literal: str) -> list[Any]:
    """Decode the photo entries of a TypeScript literal: bare keys, trailing commas."""
    quoted = re.sub(r"(?m)^(\s*)(\w+):", r'\1"\2":', literal)
    plain = re.sub(r",(\s*[}\]])", r"\1", re.sub(r"\{ (\w+): ", r'{ "\1": ', quoted))
    entry = re.compile(
        r'\{\s*"dataSourceId": \d+,\s*"displayLevel".*?"width"', re.DOTALL
    )
    return [json.loads(f"{found}: 1}}") for found in entry.findall(plain)]
