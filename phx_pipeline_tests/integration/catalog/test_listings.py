from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, Scene, gallery, is_due, ref

REFUSALS = [
    ListingOutcome.BLOCKED,
    ListingOutcome.RATE_LIMITED,
    ListingOutcome.PAGE_CHANGED,
    ListingOutcome.CIRCUIT_OPEN,
    ListingOutcome.FAILED,
]


def _refusal(outcome: ListingOutcome) -> Listing:
    return Listing(source=Source.REDFIN, outcome=outcome, detail="no answer")


def _row(engine: sa.Engine, source: Source = Source.REDFIN) -> dict[str, Any]:
    with reading(engine) as connection:
        query = sa.select(tables.listing).where(tables.listing.c.source == source.value)
        return dict(connection.execute(query).one()._mapping)


def _present(scene: Scene) -> Sequence[PhotoKey]:
    return [photo.key for photo in scene.catalog.photos(scene.slug) if photo.present]


def test_listed_photos_wait_for_their_download(scene: Scene) -> None:
    listing = gallery("a", "b", listed_on=date(2024, 12, 1))

    scene.say(listing)

    photos = scene.catalog.photos(scene.slug)
    assert tuple(photo.ref for photo in photos) == listing.photos
    assert {photo.verdict for photo in photos} == {Verdict.PENDING}
    assert {photo.listed_on for photo in photos} == {date(2024, 12, 1)}
    assert {photo.first_seen_on for photo in photos} == {STAMP.today}
    assert all(photo.present and is_due(photo) for photo in photos)


def test_everything_the_source_said_of_a_photo_is_kept(scene: Scene) -> None:
    said = ref(
        "a",
        fallback_urls=("https://photos.example/s.jpg", "https://photos.example/t.jpg"),
        caption="Küche “mit” Insel 🏠",
        tags=("kitchen", "île"),
        width=4000,
        height=3000,
    )

    scene.say(gallery(photos=(said,)))

    assert scene.photo("a").ref == said


def test_photos_are_read_in_gallery_order(scene: Scene) -> None:
    scene.list_photos("z", "B", "a", source=Source.REDFIN)
    scene.list_photos("q", source=Source.MARICOPA)

    keys = [photo.ref.photo_key for photo in scene.catalog.photos(scene.slug)]

    assert keys == ["q", "z", "B", "a"]


def test_what_a_source_says_anew_replaces_what_it_said(scene: Scene) -> None:
    scene.list_photos("a", "b")
    moved = ref("a", position=1, caption="pool", url="https://photos.example/large.jpg")

    scene.say(gallery(photos=(ref("b"), moved)))

    assert scene.photo("a").ref == moved
    assert scene.photo("b").ref.position == 0


def test_a_photo_keeps_when_it_was_first_seen(scene: Scene) -> None:
    scene.list_photos("a")
    later = replace(scene, stamp=replace(STAMP, today=date(2026, 1, 1)))

    later.list_photos("a", "b")

    assert later.photo("a").first_seen_on == STAMP.today
    assert later.photo("b").first_seen_on == date(2026, 1, 1)


def test_a_listing_date_once_learnt_is_not_forgotten(scene: Scene) -> None:
    scene.say(gallery("a", listed_on=date(2024, 12, 1)))

    scene.list_photos("a")

    assert scene.photo("a").listed_on == date(2024, 12, 1)


def test_listing_again_leaves_downloads_alone(scene: Scene) -> None:
    scene.list_photos("a")
    blob = scene.download("a", "bytes")
    before = scene.photo("a")

    scene.list_photos("a")

    assert scene.photo("a") == before
    assert before.sha256 == blob.sha256


def test_the_last_outcome_of_each_source_counts(scene: Scene) -> None:
    scene.list_photos("a")
    scene.list_photos(source=Source.MARICOPA)

    scene.say(_refusal(ListingOutcome.BLOCKED))

    (tally,) = scene.catalog.tallies([], slugs=[scene.slug])
    assert {it.source: it.outcome for it in tally.sources} == {
        Source.REDFIN: ListingOutcome.BLOCKED,
        Source.MARICOPA: ListingOutcome.LISTED,
    }


@pytest.mark.parametrize("outcome", REFUSALS)
def test_a_refusal_keeps_what_was_learnt(
    engine: sa.Engine, scene: Scene, outcome: ListingOutcome
) -> None:
    learnt: dict[str, Any] = {
        "listing_id": "26790171",
        "mls_id": "6793451",
        "url": "https://listings.example/26790171",
        "listed_on": date(2024, 12, 1),
    }
    scene.say(gallery("a", "b", **learnt))
    later = replace(scene, stamp=replace(STAMP, run_id="run-2"))

    later.say(_refusal(outcome))

    row = _row(engine)
    assert row.items() >= {**learnt, "gallery_seen_at": STAMP.at}.items()
    assert (row["outcome"], row["detail"]) == (outcome, "no answer")
    assert row["run_id"] == "run-2"
    assert len(_present(scene)) == 2


def test_a_complete_gallery_marks_what_is_missing_as_absent(scene: Scene) -> None:
    scene.list_photos("a", "b")

    scene.list_photos("b")

    assert not scene.photo("a").present
    assert scene.photo("b").present


def test_an_empty_complete_gallery_marks_all_as_absent(scene: Scene) -> None:
    scene.list_photos("a", "b")

    scene.say(gallery(outcome=ListingOutcome.LISTED_EMPTY))

    assert _present(scene) == []


@pytest.mark.parametrize(
    "listing",
    [
        gallery("b", complete=False),
        *(
            gallery(outcome=outcome)
            for outcome in ListingOutcome
            if not outcome.saw_gallery
        ),
    ],
    ids=lambda listing: listing.outcome.value,
)
def test_only_a_complete_gallery_marks_absent(scene: Scene, listing: Listing) -> None:
    scene.list_photos("a", "b")

    scene.say(listing)

    assert len(_present(scene)) == 2


def test_a_gallery_marks_photos_of_its_own_source_only(scene: Scene) -> None:
    scene.list_photos("a", source=Source.REDFIN)
    scene.list_photos("a", source=Source.ZILLOW)

    scene.list_photos("b", source=Source.ZILLOW)

    assert _present(scene) == [(Source.REDFIN, "a"), (Source.ZILLOW, "b")]


def test_a_gallery_marks_photos_of_its_own_property_only(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=7)
    other.list_photos("a")
    scene.list_photos("a")

    scene.list_photos("b")

    assert other.photo("a").present
    assert not scene.photo("a").present


def test_a_photo_that_comes_back_is_present_again(scene: Scene) -> None:
    scene.list_photos("a")
    scene.list_photos("b")

    scene.list_photos("a")

    assert _present(scene) == [(Source.REDFIN, "a")]


@pytest.mark.parametrize(
    ("said", "kept"),
    [("a\0b", "ab"), ("a\ud83db", "a?b"), ("\0", "")],
    ids=["NUL", "half a surrogate pair", "NUL alone"],
)
def test_text_no_database_can_hold_does_not_stop_a_listing(
    engine: sa.Engine, scene: Scene, said: str, kept: str
) -> None:
    photo = ref("a", caption=said, tags=(said,))

    scene.say(gallery(photos=(photo,), detail=said))

    assert scene.photo("a").ref.caption == kept
    assert _row(engine)["detail"] == kept
