"""The photos of a listing: which, in what order, and whether all were seen."""

from datetime import date

import pytest

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.sources.redfin.gallery import photo_key
from phx_pipeline_tests.unit.sources.redfin.parse.conftest import (
    URL,
    Cache,
    cache_of,
    html_of,
    page_of,
    parse,
    parse_cache,
    parse_html,
    payload_in,
)

HOST = "https://ssl.cdn-redfin.com"


def test_the_gallery_is_the_listings_own_in_order_and_largest() -> None:
    listing = parse("listed.html")

    assert [photo.url for photo in listing.photos] == [
        f"{HOST}/photo/9/bigphoto/242/6801242_0.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_1_0.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_2_M.jpg",
        f"{HOST}/system_files/media/880021_JPG/item_3.jpg",
        f"{HOST}/photo/9/bigphoto/242/6801242_4_B.jpg",
    ]
    assert [photo.position for photo in listing.photos] == [0, 1, 2, 3, 4]
    assert listing.complete


def test_photos_are_named_by_owner_and_file() -> None:
    keys = [photo.photo_key for photo in parse("listed.html").photos]

    assert keys == [
        "9-6801242_0",
        "9-6801242_1_0",
        "9-6801242_2_M",
        "media-880021_JPG-item_3",
        "9-6801242_4_B",
    ]


def test_tags_and_captions_join_by_photo_id() -> None:
    told = [(photo.tags, photo.caption) for photo in parse("listed.html").photos]

    assert told == [
        (("Exterior",), "Stucco home with tile roof"),
        (("Kitchen", "Interior"), "Bright kitchen"),
        (("Bed", "Interior"), "A primary bedroom with a ceiling fan."),
        (("Exterior",), "Backyard with pool"),
        ((), ""),
    ]


def test_the_listing_is_identified_and_dated_by_its_own_mls_record() -> None:
    listing = parse("listed.html")

    assert (listing.listing_id, listing.mls_id) == ("200300400", "6801242")
    assert listing.listed_on == date(2025, 2, 25)
    assert listing.url == URL


def test_the_sizes_are_those_the_page_states() -> None:
    photo = parse("listed.html").photos[0]

    assert (photo.width, photo.height) == (1600, 1067)


def test_another_path_prefix_and_a_body_object_read_the_same() -> None:
    listing = parse("listed_other_paths.html")

    assert listing.outcome is ListingOutcome.LISTED
    assert len(listing.photos) == 2
    assert listing.detail == "2 photos; status Active Under Contract"


@pytest.mark.parametrize(
    "url",
    [
        "https://photos.example/photo/9/bigphoto/242/6801242_1_0.jpg",
        "http://ssl.cdn-redfin.com/photo/9/bigphoto/242/6801242_1_0.jpg",
        "https://ssl.cdn-redfin.com@evil.example/photo/9/bigphoto/242/1.jpg",
        "https://ssl.cdn-redfin.com:8443/photo/9/bigphoto/242/1.jpg",
        "https://[/1.jpg",
        "",
        None,
    ],
)
def test_a_photo_from_elsewhere_is_left_out_and_the_gallery_is_not_complete(
    cache: Cache, url: str | None
) -> None:
    photos = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]
    photos[1]["photoUrls"]["fullScreenPhotoUrl"] = url

    listing = parse_cache(cache)

    assert listing.outcome is ListingOutcome.LISTED
    assert [photo.position for photo in listing.photos] == [0, 2, 3, 4]
    assert not listing.complete


def test_a_gallery_without_one_known_photo_url_is_a_changed_page(cache: Cache) -> None:
    for photo in payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]:
        del photo["photoUrls"]

    with pytest.raises(SourceChangedError, match="none of 5"):
        parse_cache(cache)


def test_a_photo_listed_twice_is_one_photo(cache: Cache) -> None:
    photos = payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"]
    photos.append(photos[0])

    listing = parse_cache(cache)

    assert len(listing.photos) == 5
    assert listing.complete


def with_count(cache: Cache, shown: int) -> str:
    button = f'<button type="button" tabindex="0" aria-label="{shown} photos">'
    other = '<button aria-label="99 photos">'
    return f"<body>{button}{other}{page_of(cache)}"


@pytest.mark.parametrize(("shown", "complete"), [(4, True), (5, True), (6, False)])
def test_a_gallery_that_is_short_of_the_count_shown_is_not_complete(
    cache: Cache, shown: int, *, complete: bool
) -> None:
    listing = parse_html(with_count(cache, shown))

    assert (len(listing.photos), listing.complete) == (5, complete)
    assert ("of 6 stated" in listing.detail) is not complete


def test_an_empty_gallery_under_a_count_is_a_changed_page(cache: Cache) -> None:
    payload_in(cache, "/aboveTheFold")["mediaBrowserInfo"]["photos"] = []

    with pytest.raises(SourceChangedError, match="states 5 photos and shows none"):
        parse_html(with_count(cache, 5))


def test_tags_of_another_listing_are_not_joined(cache: Cache) -> None:
    payload_in(cache, "/dataSourceId/9")["listingId"] = 1

    assert {photo.tags for photo in parse_cache(cache).photos} == {()}


@pytest.mark.parametrize("end", ["/dataSourceId/9", "/belowTheFold", "/initialInfo"])
def test_a_page_without_its_lesser_answers_keeps_its_gallery(
    cache: Cache, end: str
) -> None:
    (path,) = (path for path in cache if path.endswith(end))
    cache[path] = {"resultCode": 500, "errorMessage": "no"}

    listing = parse_cache(cache)

    assert (len(listing.photos), listing.complete) == (5, True)


def test_size_variants_of_a_photo_share_its_key() -> None:
    photos = cache_of(html_of("listed.html"))
    for entry in payload_in(photos, "/aboveTheFold")["mediaBrowserInfo"]["photos"]:
        keys = {photo_key(url) for url in entry["photoUrls"].values()}

        assert len(keys) == 1


@pytest.mark.parametrize(
    "path",
    [
        "v617.0.2/images/logos/Redfin_Logo.png",
        "system_files/images/58443/640x460/5_20.jpg",
        "agent/1234.jpg",
        "photo/9/../../logo.jpg",
        "photo/9/bigphoto/%2e%2e/logo.jpg",
        "photo/9/bigphoto/242/6801242_1_0.mp4",
        "photo/9/bigphoto/242/6801242_1_0.svg",
        "",
    ],
)
def test_what_else_lies_on_the_photo_host_is_no_photo(path: str) -> None:
    assert photo_key(f"{HOST}/{path}") is None


def test_photos_below_another_name_are_not_an_empty_gallery(cache: Cache) -> None:
    above = payload_in(cache, "/aboveTheFold")
    photos = above["mediaBrowserInfo"].pop("photos")
    above["mediaBrowserInfo"]["gallery"] = {"items": [p["photoUrls"] for p in photos]}

    with pytest.raises(SourceChangedError, match="another name"):
        parse_cache(cache)
