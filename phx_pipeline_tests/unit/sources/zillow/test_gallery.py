from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.sources.zillow.gallery import (
    PHOTO_LISTS,
    parse_gallery,
    photo_of_key,
    variant_of,
)

HOST = "https://photos.zillowstatic.com/fp/"
A, B, C = "a" * 32, "b" * 32, "c" * 32
FULL = {
    "d_d": 800,
    "o_a": 1024,
    "uncropped_scaled_within_1344_1008": 1344,
    "uncropped_scaled_within_1536_1152": 1536,
}
CUT = {"cc_ft_192": 192, "cc_ft_960": 960, "cc_ft_1536": 1536}


def entry(key: str, sizes: dict[str, int], **more: object) -> dict[str, Any]:
    jpeg = [{"url": f"{HOST}{key}-{n}.jpg", "width": w} for n, w in sizes.items()]
    webp = [{"url": f"{HOST}{key}-{n}.webp", "width": 9999} for n in sizes]
    return {"mixedSources": {"jpeg": jpeg, "webp": webp}, **more}


def names(urls: tuple[str, ...]) -> list[str]:
    return [found.name for url in urls if (found := variant_of(url))]


def test_full_frames_come_before_cuts_and_large_before_small() -> None:
    home = {
        "responsivePhotos": [entry(A, CUT)],
        "responsivePhotosOriginalRatio": [entry(A, FULL)],
    }

    (photo,) = parse_gallery(home).photos

    assert photo.url == f"{HOST}{A}-uncropped_scaled_within_1536_1152.jpg"
    assert names(photo.fallback_urls) == [
        "uncropped_scaled_within_1344_1008",
        "o_a",
        "d_d",
        "cc_ft_1536",
        "cc_ft_960",
        "cc_ft_192",
    ]


@given(st.permutations(list((FULL | CUT).items())))
def test_the_order_in_which_sizes_are_listed_does_not_matter(
    sizes: list[tuple[str, int]],
) -> None:
    in_order = parse_gallery({"photos": [entry(A, FULL | CUT)]})

    assert parse_gallery({"photos": [entry(A, dict(sizes))]}) == in_order


def test_lists_are_joined_by_key_not_by_place() -> None:
    home = {
        "responsivePhotosOriginalRatio": [entry(A, FULL), entry(B, FULL)],
        "responsivePhotos": [entry(B, CUT), entry(C, CUT), entry(A, CUT)],
    }

    gallery = parse_gallery(home)

    assert [photo.photo_key for photo in gallery.photos] == [A, B]
    for photo in gallery.photos:
        urls = (photo.url, *photo.fallback_urls)
        assert len(urls) == 7
        assert all(photo.photo_key in url for url in urls)


@pytest.mark.parametrize("name", PHOTO_LISTS)
def test_each_list_alone_is_a_gallery(name: str) -> None:
    gallery = parse_gallery({name: [entry(B, FULL), entry(A, FULL)]})

    assert [photo.photo_key for photo in gallery.photos] == [B, A]
    assert (gallery.entries, gallery.unreadable) == (2, 0)


def test_the_first_list_with_photos_gives_the_order() -> None:
    home = {
        "originalPhotos": [],
        "responsivePhotosOriginalRatio": [entry(A, FULL), entry(B, FULL)],
        "responsivePhotos": [entry(B, CUT), entry(A, CUT)],
    }

    assert [photo.photo_key for photo in parse_gallery(home).photos] == [A, B]


def test_a_list_of_another_shape_gives_way_to_the_next() -> None:
    home = {"originalPhotos": [{"key": A}], "photos": [entry(A, CUT)]}

    gallery = parse_gallery(home)

    assert [photo.photo_key for photo in gallery.photos] == [A]
    assert gallery.unreadable == 0


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}{A}-zillow_web_logo_inf_11.jpg",
        f"{HOST}{A}-zillow_web_95_35.jpg",
        f"{HOST}{A}-h_g.jpg",
        f"{HOST}{A}-h_n.jpg",
        f"{HOST}{A}-p_e.gif",
        f"{HOST}{A}.jpg",
        f"{HOST}{A[:-1]}-p_e.jpg",
        f"{HOST}{A.upper()}-p_e.jpg",
        HOST + "\u0661" * 32 + "-p_e.jpg",
        f"http://photos.zillowstatic.com/fp/{A}-p_e.jpg",
        f"https://photos.example/fp/{A}-p_e.jpg",
        f"https://photos.zillowstatic.com@evil.example/fp/{A}-p_e.jpg",
        f"https://photos.zillowstatic.com:8443/fp/{A}-p_e.jpg",
        "https://photos.zillowstatic.com/p_e/ISmadeup0000000000.jpg",
        "https://maps.googleapis.com/maps/api/streetview?size=400x250",
        "https://[/fp/",
        "",
        None,
        7,
    ],
)
def test_what_is_no_listing_photo_is_left_out(url: object) -> None:
    foreign = {"mixedSources": {"jpeg": [{"url": url, "width": 4000}]}}

    gallery = parse_gallery({"photos": [foreign, entry(B, CUT)]})

    assert variant_of(url) is None
    assert [(photo.photo_key, photo.position) for photo in gallery.photos] == [(B, 1)]
    assert (gallery.entries, gallery.unreadable) == (2, 1)


def test_a_size_of_another_photo_inside_an_entry_is_left_out() -> None:
    mixed = entry(A, FULL)
    mixed["mixedSources"]["jpeg"].append(
        {"url": f"{HOST}{B}-uncropped_scaled_within_1536_1152.jpg", "width": 5000}
    )

    (photo,) = parse_gallery({"photos": [mixed]}).photos

    assert photo.photo_key == A
    assert not any(B in url for url in (photo.url, *photo.fallback_urls))


def test_a_photo_listed_twice_is_one_photo_at_its_first_place() -> None:
    gallery = parse_gallery({"photos": [entry(A, CUT), entry(B, CUT), entry(A, CUT)]})

    assert [photo.position for photo in gallery.photos] == [0, 1]
    assert gallery.entries == 3


def test_captions_and_subjects_are_taken_from_whichever_list_has_them() -> None:
    told = entry(A, CUT, caption=" Bright\n kitchen ", subjectType="KITCHEN")
    home = {
        "originalPhotos": [entry(A, FULL, caption=""), entry(B, FULL)],
        "responsivePhotos": [entry(B, CUT, subjectType=None), told],
    }

    first, second = parse_gallery(home).photos

    assert (first.caption, first.tags) == ("Bright kitchen", ("KITCHEN",))
    assert (second.caption, second.tags) == ("", ())


@pytest.mark.parametrize(
    "odd",
    [None, 7, "x", [], {}, {"mixedSources": []}, {"mixedSources": {"jpeg": {}}}],
)
def test_an_entry_of_another_shape_is_counted_as_unreadable(odd: object) -> None:
    gallery = parse_gallery({"photos": [odd, entry(A, CUT)]})

    assert (len(gallery.photos), gallery.unreadable) == (1, 1)


@pytest.mark.parametrize("width", [None, "1536", True, 1.5])
def test_an_unstated_width_ranks_last_of_its_sort(width: object) -> None:
    photo = entry(A, {"cc_ft_960": 960, "d_d": 800, "o_a": 1024})
    photo["mixedSources"]["jpeg"][2]["width"] = width

    (ref,) = parse_gallery({"photos": [photo]}).photos

    assert names((ref.url, *ref.fallback_urls)) == ["d_d", "o_a", "cc_ft_960"]


def test_a_home_without_lists_has_no_photos() -> None:
    gallery = parse_gallery({"photos": None, "nearbyHomes": [entry(A, CUT)]})

    assert (gallery.photos, gallery.entries) == ((), 0)


def test_a_list_that_is_none_is_a_changed_page() -> None:
    with pytest.raises(SourceChangedError, match="originalPhotos"):
        parse_gallery({"originalPhotos": {"a": 1}})


def test_a_photo_known_by_key_is_asked_in_the_usual_sizes() -> None:
    photo = photo_of_key(A, position=3)

    assert photo is not None
    assert photo.url == f"{HOST}{A}-uncropped_scaled_within_1536_1152.jpg"
    assert names(photo.fallback_urls)[:4] == [
        "uncropped_scaled_within_1344_1008",
        "o_a",
        "d_d",
        "cc_ft_1536",
    ]
    assert (photo.photo_key, photo.position) == (A, 3)


@pytest.mark.parametrize("key", [None, "", A[:-1], A + "a", A.upper(), "../" + A, 7])
def test_what_is_no_photo_key_is_no_photo(key: object) -> None:
    assert photo_of_key(key, position=0) is None
