"""Which pictures the sheet of a step shows, in which order, and what stands below."""

from dataclasses import replace
from datetime import date

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.sheet import (
    Step,
    categorized_tiles,
    deduped_tiles,
    raw_tiles,
    shown_photos,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject


def photo(position: int, verdict: Verdict, *, cluster: str | None = None) -> Photo:
    return Photo(
        property_slug="1-main-st-mesa-az-85204",
        ref=PhotoRef(
            source=Source.REDFIN,
            photo_key=f"p{position}",
            url=f"https://photos.example/{position}",
            position=position,
        ),
        listed_on=None,
        first_seen_on=date(2026, 2, 12),
        present=True,
        verdict=verdict,
        sha256=f"{position:064x}",
        cluster_id=cluster,
    )


KEPT = photo(0, Verdict.KEPT, cluster="front")
COPY = photo(1, Verdict.DUPLICATE, cluster="front")
FOREIGN = photo(2, Verdict.FOREIGN)
GONE = replace(photo(3, Verdict.GONE), sha256=None)
OTHER = photo(4, Verdict.KEPT, cluster="pool")
PHOTOS = [KEPT, COPY, FOREIGN, GONE, OTHER]


def test_all_that_was_downloaded_is_shown_with_its_verdict() -> None:
    assert [tile.caption for tile in raw_tiles(PHOTOS)] == [
        "redfin 1: kept",
        "redfin 2: duplicate",
        "redfin 3: rejected:foreign",
        "redfin 5: kept",
    ]


def test_of_copies_the_best_is_shown_with_the_number_of_the_others() -> None:
    assert [tile.caption for tile in deduped_tiles(PHOTOS)] == [
        "redfin 1, copies: 1",
        "redfin 5, copies: 0",
    ]


def test_pictures_stand_by_what_they_show_the_surest_first() -> None:
    def seen(confidence: int) -> Category:
        return Category(
            location=Location.EXTERIOR, subject=Subject.POOL, confidence=confidence
        )

    told = categorized_tiles(
        PHOTOS, {KEPT.key: seen(60), OTHER.key: seen(92), GONE.key: seen(99)}
    )

    assert [(tile.caption, tile.sha256) for tile in told] == [
        ("ext pool 92 %", OTHER.sha256),
        ("ext pool 60 %", KEPT.sha256),
    ]


def test_a_house_without_bytes_has_nothing_to_show() -> None:
    assert [shown_photos(step, [GONE]) for step in Step] == [[], [], [], []]
