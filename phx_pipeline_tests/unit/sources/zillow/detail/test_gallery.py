"""The photos of a listing: which, in what order, and whether all were seen."""

import json

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.sources.zillow.gallery import PHOTO_LISTS
from phx_pipeline_tests.unit.sources.zillow.detail.conftest import (
    PAGES,
    ZPID,
    Fields,
    parse,
    parse_homes,
    without_photos,
)

LARGEST = "-uncropped_scaled_within_1536_1152.jpg"


@pytest.mark.parametrize(
    ("name", "photos"),
    [("listed_2026.html", 5), ("listed_2023.html", 3), ("sold.html", 3)],
)
def test_the_gallery_is_the_listings_own_and_largest(name: str, photos: int) -> None:
    listing = parse(name)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (photos, True)
    assert all(photo.url.endswith(LARGEST) for photo in listing.photos)


def test_the_gallery_keeps_its_order(home: Fields) -> None:
    listing = parse_homes(home)

    assert [photo.photo_key for photo in listing.photos] == [
        entry["key"] for entry in home["originalPhotos"]
    ]
    assert [photo.position for photo in listing.photos] == [0, 1, 2, 3, 4]


def test_a_page_of_the_first_generation_has_cuts_only() -> None:
    listing = parse("listed_apollo.html")

    assert len(listing.photos) == 2
    assert all(photo.url.endswith("-cc_ft_1536.jpg") for photo in listing.photos)


def test_photos_of_other_homes_agents_and_logos_are_left_out(home: Fields) -> None:
    listing = parse("listed_2026.html")
    own = {entry["key"] for entry in home["originalPhotos"]}

    assert {photo.photo_key for photo in listing.photos} == own
    text = (PAGES / "listed_2026.html").read_text()
    assert text.count("-p_c.jpg") == 2  # of a neighbour, in the JSON and the markup
    assert "-h_n.jpg" in text


@pytest.mark.parametrize(
    ("stated", "complete"), [(5, True), (6, False), (4, False), (None, True)]
)
def test_the_stated_count_decides_whether_the_gallery_is_complete(
    home: Fields, stated: int | None, *, complete: bool
) -> None:
    listing = parse_homes(home | {"photoCount": stated})

    assert listing.complete is complete
    assert len(listing.photos) == 5
    assert ("stated" in listing.detail) is not complete


def test_a_photo_listed_again_does_not_make_up_for_one_that_is_missing(
    home: Fields,
) -> None:
    again = {
        name: [*home[name][:4], home[name][0]] for name in PHOTO_LISTS if name in home
    }

    listing = parse_homes(home | again | {"photoCount": 5})

    assert (len(listing.photos), listing.complete) == (4, False)
    assert listing.detail.startswith("4 photos of 5 stated")


def test_a_photo_from_elsewhere_makes_the_gallery_incomplete(home: Fields) -> None:
    for size in home["originalPhotos"][1]["mixedSources"]["jpeg"]:
        size["url"] = size["url"].replace("zillowstatic.com", "example.com")

    listing = parse_homes(home)

    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete
    assert "1 gallery entries unreadable" in listing.detail


def shown_at(key: str, size: str = "p_c") -> str:
    return f"https://photos.zillowstatic.com/fp/{key}-{size}.jpg"


@pytest.mark.parametrize(
    "name", ["nearbyHomes", "comps", "compsCarouselPropertyPhotos"]
)
@pytest.mark.parametrize("as_text", [True, False])
def test_a_photo_that_is_shown_of_a_neighbour_too_is_left_out(
    home: Fields, name: str, *, as_text: bool
) -> None:
    key = home["originalPhotos"][1]["key"]
    card = {"zpid": 7, "miniCardPhotos": [{"url": shown_at(key)}]}

    listing = parse_homes(home | {name: [json.dumps(card) if as_text else card]})

    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete
    assert "1 left out" in listing.detail


def test_a_logo_and_a_face_in_the_gallery_are_left_out(home: Fields) -> None:
    logo, face = (entry["key"] for entry in home["originalPhotos"][:2])
    said = {
        "attributionInfo": home["attributionInfo"]
        | {"mlsLogoSrc": shown_at(logo, "zillow_web_48_23")},
        "listedBy": [{"photo": shown_at(face, "h_n")}],
    }

    assert len(parse_homes(home | said).photos) == 3


def test_a_card_of_the_home_itself_takes_nothing_away(home: Fields) -> None:
    key = home["originalPhotos"][0]["key"]
    card = {"zpid": ZPID, "miniCardPhotos": [{"url": shown_at(key)}]}

    assert len(parse_homes(home | {"comps": [card]}).photos) == 5


@pytest.mark.parametrize(
    ("stated", "complete"),
    [("5", True), (5.0, True), ("6", False), (-1, False), ("many", False), ([], False)],
)
def test_a_count_that_cannot_be_read_does_not_make_a_gallery_complete(
    home: Fields, stated: object, *, complete: bool
) -> None:
    assert parse_homes(home | {"photoCount": stated}).complete is complete


def test_photos_below_another_name_are_not_an_empty_gallery(home: Fields) -> None:
    moved = without_photos(home, pictures=home["originalPhotos"])

    with pytest.raises(SourceChangedError, match="other names"):
        parse_homes(moved)
