"""What stands out in one gallery, and which pictures agree."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.catalog.lookup import BAND_DISTANCE
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoKey, PhotoRef, PictureHashes
from phx_pipeline.model.quarantine import Reason, Suspicion
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.gallery import photo_key
from phx_pipeline.sources.registry import available_sources, marks_of
from phx_pipeline.stages.guard import (
    _galleries,
    near_identical,
    outliers,
)
from phx_pipeline_tests.bare_hashes import add_hashes
from phx_pipeline_tests.deployment import Deployment

SLUG = "4732-w-davis-rd-glendale-az-85306"
DAY = date(2025, 3, 8)


def photo(
    key: str,
    *,
    url: str = "https://photos.example/x.jpg",
    source: Source = Source.REDFIN,
) -> Photo:
    return Photo(
        property_slug=SLUG,
        ref=PhotoRef(source=source, photo_key=key, url=url, position=0),
        listed_on=None,
        first_seen_on=DAY,
        present=True,
        verdict=Verdict.PENDING,
    )


def redfin(mls_id: str, count: int) -> list[Photo]:
    return [photo(f"57-{mls_id}_{position}_0") for position in range(count)]


def spark(day: date, count: int) -> list[Photo]:
    ids = [f"{day:%Y%m%d}{position:018d}" for position in range(count)]
    return [
        photo(
            key,
            url=f"https://cdn.photos.sparkplatform.com/az/{key}-o.jpg",
            source=Source.PHOENIX_MLS,
        )
        for key in ids
    ]


def found_in(
    gallery: Sequence[Photo], *, mls_id: str | None
) -> Mapping[PhotoKey, Suspicion]:
    source = gallery[0].ref.source if gallery else Source.REDFIN
    marks = marks_of(source, among=available_sources())
    return dict(outliers(gallery, mls_id=mls_id, marks=marks))


def standing_out(gallery: Sequence[Photo], *, mls_id: str | None = None) -> list[str]:
    return [key for _, key in found_in(gallery, mls_id=mls_id)]


def test_a_photo_under_another_listing_stands_out() -> None:
    stray = photo("57-6890201_4_1")

    found = found_in([*redfin("7652074", 9), stray], mls_id="7652074")

    assert set(found) == {stray.key}
    assert found[stray.key].reason is Reason.LISTING_ID
    assert "6890201" in found[stray.key].detail


def test_the_listings_own_id_decides_even_against_most_photos() -> None:
    gallery = [*redfin("7652074", 2), *redfin("6890201", 9)]

    assert len(standing_out(gallery, mls_id="7652074")) == 9


def test_without_the_id_of_the_listing_most_photos_say_what_is_usual() -> None:
    gallery = [*redfin("7652074", 9), *redfin("6890201", 1)]

    assert standing_out(gallery) == ["57-6890201_0_0"]


@pytest.mark.parametrize("count", [1, 2, 8])
def test_a_gallery_wholly_under_another_id_than_the_pages_own_stands_out(
    count: int,
) -> None:
    found = found_in(redfin("6999999", count), mls_id="6900001")

    assert len(found) == count
    assert {why.detail for why in found.values()} == {
        "filed under listing 6999999, the page is of 6900001"
    }


@pytest.mark.parametrize(
    ("usual", "others", "held"),
    [(4, 1, 1), (8, 2, 2), (79, 20, 0), (7, 2, 0), (2, 1, 0), (3, 0, 0), (2, 0, 0)],
)
def test_four_fifths_of_a_gallery_and_no_less_say_what_is_usual(
    usual: int, others: int, held: int
) -> None:
    assert len(standing_out([*redfin("1", usual), *redfin("2", others)])) == held
    days = [*spark(DAY, usual), *spark(DAY - timedelta(days=900), others)]
    assert len(standing_out(days)) == held


@pytest.mark.parametrize(
    ("filed", "stated", "held"),
    [
        ("81929841", "ML81929841", 0),
        ("ML81929841", "81929841", 0),
        ("0081929841", "81929841", 0),
        ("NTX-6999999", "6999999", 0),
        ("NTX-6999999", "6900001", 3),
        ("O.6999999", "6900001", 3),
        ("A6988124", "B6988124", 3),
        ("81929842", "ML81929841", 3),
    ],
)
def test_letters_of_the_mls_before_a_number_may_be_left_out(
    filed: str, stated: str, held: int
) -> None:
    assert len(standing_out(redfin(filed, 3), mls_id=stated)) == held


@pytest.mark.parametrize(
    "gallery",
    [
        [],
        redfin("7652074", 1),
        [*redfin("7652074", 1), *redfin("6890201", 1)],
        [*redfin("7652074", 5), *redfin("6890201", 5)],
        redfin("A6988124", 12),
        [photo("media-3-item_7"), photo("media-4-item_8"), *redfin("7652074", 6)],
        [photo(f"key{n}", source=Source.ZILLOW) for n in range(9)],
    ],
)
def test_nothing_is_guessed_where_nothing_is_usual(gallery: list[Photo]) -> None:
    assert standing_out(gallery) == []


def test_an_id_may_be_written_in_another_case() -> None:
    assert standing_out(redfin("A6988124", 3), mls_id="a6988124") == []


@pytest.mark.parametrize(("days_before", "stands_out"), [(5000, 1), (181, 1), (180, 0)])
def test_an_upload_long_before_the_others_stands_out(
    days_before: int, stands_out: int
) -> None:
    earlier = DAY - timedelta(days=days_before)

    found = found_in([*spark(DAY, 8), *spark(earlier, 1)], mls_id=None)

    assert len(found) == stands_out
    assert all(why.reason is Reason.UPLOAD_DATE for why in found.values())


def test_photos_added_through_the_months_are_one_listing() -> None:
    days = [DAY + timedelta(days=25 * month) for month in range(12)]

    assert standing_out([p for day in days for p in spark(day, 2)]) == []


@pytest.mark.parametrize(("days_between", "stands_out"), [(30, 1), (31, 0)])
def test_uploads_of_thirty_days_make_one_batch_and_no_more(
    days_between: int, stands_out: int
) -> None:
    later = DAY + timedelta(days=days_between)
    stray = spark(DAY - timedelta(days=900), 1)

    assert len(standing_out([*spark(DAY, 3), *spark(later, 3), *stray])) == stands_out


def test_a_gallery_uploaded_twice_in_equal_parts_is_left_alone() -> None:
    halves = [*spark(DAY, 5), *spark(DAY - timedelta(days=900), 5)]

    assert standing_out(halves) == []


@pytest.mark.parametrize(
    ("url", "uploaded"),
    [
        (
            "https://cdn.photos.sparkplatform.com/az/20251023000000000000000000-o.jpg",
            DAY,
        ),
        (
            "https://cdn1.sparkplatform.com/az/64x48/true/20251023000000000000000000-o.jpg",
            DAY,
        ),
        (
            "https://cdn.photos.sparkplatform.com/az/20251399000000000000000000-o.jpg",
            None,
        ),
        ("https://photos.example/az/20251023000000000000000000-o.jpg", None),
        ("https://cdn.photos.sparkplatform.com/az/20251023-o.jpg", None),
    ],
)
def test_the_time_of_upload_is_read_from_the_sources_that_state_it(
    url: str, uploaded: date | None
) -> None:
    expected = uploaded and date(2025, 10, 23)

    marks = marks_of(Source.PHOENIX_MLS, among={})
    mark = marks(photo("k", url=url).ref)

    assert mark == Mark(uploaded=expected)


@given(
    st.lists(st.sampled_from(["7652074", "6890201", "6816375"]), max_size=12),
    st.sampled_from([None, "7652074", "1111111"]),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_gallery_does_not_matter(
    ids: list[str], mls_id: str | None, chance: Random
) -> None:
    gallery = [photo(f"57-{own}_{n}_0") for n, own in enumerate(ids)]
    shuffled = chance.sample(gallery, len(gallery))

    assert set(standing_out(shuffled, mls_id=mls_id)) == set(
        standing_out(gallery, mls_id=mls_id)
    )


def test_nothing_stands_out_in_real_galleries(shared_dir: Path) -> None:
    truth = json.loads((shared_dir / "samples/truth.json").read_text())
    galleries = {
        name: [
            photo(key, url=url)
            for url in page["largest_urls"]
            if (key := photo_key(url)) is not None
        ]
        for name, page in truth.items()
        if name.startswith("redfin/") and page.get("largest_urls")
    }

    assert {name: standing_out(found) for name, found in galleries.items()} == {
        name: [] for name in galleries
    }
    assert sum(len(found) for found in galleries.values()) >= 52


def test_the_six_listings_the_predecessor_mixed_are_told_apart() -> None:
    strays = ["6890201", "6816375", "6854788", "6933795", "6890899"]
    gallery = [p for mls_id in strays for p in redfin(mls_id, 3)]
    own = redfin("6398255", 5)

    found = standing_out([*gallery, *own], mls_id="6398255")

    assert len(found) == 15
    assert not {p.ref.photo_key for p in own} & set(found)


def test_photos_of_a_former_listing_are_not_judged_by_the_number_of_the_next_one() -> (
    None
):
    now = redfin("6900001", 3)
    gone = [replace(it, present=False) for it in redfin("6100007", 3)]
    held = replace(gone[0], verdict=Verdict.FOREIGN)

    galleries = _galleries([*now, held, *gone[1:]])

    assert galleries == {Source.REDFIN: [*now, held]}
    assert standing_out(galleries[Source.REDFIN], mls_id="6900001") == [
        held.ref.photo_key
    ]


@pytest.mark.parametrize(
    ("own", "foreign", "held"),
    [(0, 5, 6), (0, 1, 2), (1, 4, 5), (2, 5, 5), (5, 0, 0)],
)
def test_a_photo_under_no_number_is_held_with_nearly_all_that_have_a_foreign_one(
    own: int, foreign: int, held: int
) -> None:
    plain = photo("media-880021_JPG-item_3")
    gallery = [plain, *redfin("6900001", own), *redfin("6999999", foreign)]

    found = found_in(gallery, mls_id="6900001")

    assert len(found) == held
    assert (plain.key in found) is (held > foreign)
    if plain.key in found:
        assert found[plain.key].detail == (
            "under no listing, the others under 6999999, the page is of 6900001"
        )


def test_what_is_held_of_a_former_listing_holds_no_photo_of_the_next_one() -> None:
    before = [*redfin("6100007", 9), photo("media-1_JPG-item_1")]
    held = [replace(it, present=False, verdict=Verdict.FOREIGN) for it in before]
    now = [*redfin("6900001", 3), photo("media-2_JPG-item_2")]

    found = standing_out([*now, *held], mls_id="6900001")

    assert set(found) == {it.ref.photo_key for it in held}


@pytest.mark.parametrize("key", ["57-6999999", "57-6999999_0", "57-6999999_3_M"])
def test_the_name_of_a_photo_tells_its_listing_with_and_without_a_place(
    key: str,
) -> None:
    assert standing_out([photo(key)], mls_id="6900001") == [key]


def test_the_same_number_in_another_mls_is_another_listing() -> None:
    stray = photo("9-6900001_4_0")

    assert standing_out([*redfin("6900001", 8), stray], mls_id="6900001") == [
        stray.ref.photo_key
    ]


def test_pictures_agree_up_to_the_bound_of_both_hashes(tmp_path: Path) -> None:
    at, beyond = BAND_DISTANCE, BAND_DISTANCE + 1
    # The bits that differ lie side by side, so that all of these share bands.
    stored = [
        (f"{phash} {dhash}", (1 << phash) - 1, (1 << dhash) - 1)
        for phash in (at, beyond)
        for dhash in (at, beyond)
    ]
    nothing = PictureHashes(phash=0, dhash=0, trimmed_phash=0, trimmed_dhash=0)
    own = Blob(
        sha256="own",
        size_bytes=1,
        media_type="image/jpeg",
        width=1,
        height=1,
        hashes=nothing,
    )

    with Deployment(tmp_path, {}) as made, made.context() as context:
        add_hashes(context.catalog.lookup._engine, stored)
        found = near_identical({own.sha256: own}, context.catalog.lookup)

    assert found == {("own", f"{at} {at}"): (at, at)}
