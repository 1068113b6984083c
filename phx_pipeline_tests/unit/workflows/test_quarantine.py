"""What a person is shown, and how a photo is named there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from phx_pipeline.errors import InputError
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.quarantine import (
    Likeness,
    Lookalike,
    PhotoAt,
    Reason,
    Suspicion,
)
from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.model.source import Source
from phx_pipeline.reads.quarantine import CaseKind, case_id, cases
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.quarantine import case_table, drop, release
from phx_pipeline_tests.deployment import Deployment

ADDRESSES = (
    "4732 W Davis Rd, Glendale, AZ 85306",
    "5219 W El Caminito Dr, Glendale, AZ 85302",
)
ONE, OTHER = (
    "4732-w-davis-rd-glendale-az-85306",
    "5219-w-el-caminito-dr-glendale-az-85302",
)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, {}) as made:
        made.add(ADDRESSES)
        with made.context() as opened:
            yield opened


def at(slug: str, key: str) -> PhotoAt:
    return PhotoAt(slug=slug, source=Source.ZILLOW, photo_key=key)


def list_photos(context: StageContext, slug: str, keys: Sequence[str]) -> None:
    photos = tuple(
        PhotoRef(
            source=Source.ZILLOW,
            photo_key=key,
            url=f"https://photos.example/{key}.jpg",
            position=position,
        )
        for position, key in enumerate(keys)
    )
    listing = Listing(
        source=Source.ZILLOW,
        outcome=ListingOutcome.LISTED,
        photos=photos,
        complete=True,
    )
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=context.stamp())


def hold(context: StageContext, slug: str, keys: Sequence[str]) -> None:
    suspicion = Suspicion(reason=Reason.LISTING_ID, detail="filed under another")
    suspects = {(Source.ZILLOW, key): suspicion for key in keys}
    with context.holding(slug) as lease:
        context.catalog.quarantine.hold(lease, slug, suspects, stamp=context.stamp())


def note_alike(context: StageContext, *keys: tuple[str, str]) -> None:
    pairs = [
        Lookalike(
            one=at(ONE, one),
            other=at(OTHER, other),
            likeness=Likeness.NEAR_IDENTICAL,
            phash_distance=2,
            dhash_distance=0,
        )
        for one, other in keys
    ]
    with context.holding(ONE) as lease:
        context.catalog.quarantine.record_lookalikes(
            lease, ONE, pairs, at=context.stamp().at
        )


def test_an_id_is_short_and_the_same_everywhere() -> None:
    assert case_id(at(ONE, "k")) == "f8547be99e"
    assert case_id(at(ONE, "k")) != case_id(at(OTHER, "k"))


def test_held_photos_come_before_those_that_are_alike(context: StageContext) -> None:
    for slug in (ONE, OTHER):
        list_photos(context, slug, ["a", "z"])
    note_alike(context, ("a", "a"))
    hold(context, OTHER, ["z"])

    found = cases(context.catalog)

    assert [(case.kind, case.photo) for case in found] == [
        (CaseKind.HELD, at(OTHER, "z")),
        (CaseKind.ALIKE, at(ONE, "a")),
        (CaseKind.ALIKE, at(OTHER, "a")),
    ]
    assert found[1].others == (at(OTHER, "a"),)
    assert found[1].why == "near identical (pHash 2, dHash 0)"
    assert cases(context.catalog, ONE) == [found[1]]


def test_one_picture_on_many_photos_is_one_case(context: StageContext) -> None:
    list_photos(context, ONE, ["a"])
    list_photos(context, OTHER, ["x", "y"])
    note_alike(context, ("a", "x"), ("a", "y"))

    (case,) = cases(context.catalog, ONE)

    assert case.others == (at(OTHER, "x"), at(OTHER, "y"))


def test_a_picture_of_both_houses_is_settled_when_both_are_released(
    context: StageContext,
) -> None:
    for slug in (ONE, OTHER):
        list_photos(context, slug, ["a"])
    note_alike(context, ("a", "a"))

    release(context, case_id(at(ONE, "a")))
    left = [case.photo for case in cases(context.catalog)]
    release(context, case_id(at(OTHER, "a")))

    assert left == [at(OTHER, "a")]
    assert cases(context.catalog) == []
    assert {case.ruling for case in cases(context.catalog, settled=True)} == {
        PhotoRuling.RELEASED
    }


def test_a_picture_dropped_on_one_side_is_settled_on_both(
    context: StageContext,
) -> None:
    for slug in (ONE, OTHER):
        list_photos(context, slug, ["a"])
    note_alike(context, ("a", "a"))

    ruled = drop(context, case_id(at(ONE, "a")))

    (photo,) = context.catalog.photos(ONE)
    assert ruled.changed
    assert photo.verdict is Verdict.FOREIGN
    assert cases(context.catalog) == []


def test_a_released_photo_without_bytes_waits_for_them(context: StageContext) -> None:
    list_photos(context, ONE, ["a"])
    hold(context, ONE, ["a"])

    ruled = release(context, case_id(at(ONE, "a")))

    (photo,) = context.catalog.photos(ONE)
    assert ruled.waits
    assert is_photo_due(photo, final_after_days=1)


def test_the_start_of_an_id_is_enough_unless_several_start_so(
    context: StageContext,
) -> None:
    keys = [f"k{number}" for number in range(300)]
    list_photos(context, ONE, keys)
    hold(context, ONE, keys)
    ids = sorted(case.id for case in cases(context.catalog))

    with pytest.raises(InputError, match="phx quarantine list"):
        release(context, ids[0][:3])

    assert release(context, ids[0][:8]).photo == next(
        at(ONE, key) for key in keys if case_id(at(ONE, key)) == ids[0]
    )


@pytest.mark.parametrize("count", [0, 1, 20, 300])
def test_the_table_keeps_within_its_budget(context: StageContext, count: int) -> None:
    keys = [f"{'k' * 40}{number}" for number in range(count)]
    list_photos(context, ONE, keys)
    hold(context, ONE, keys)
    found = cases(context.catalog)

    table = case_table(context, found)

    assert len(table.encode()) <= 12_000
    assert table.count("| held ") + _left_out(table) == count
    if count:
        assert ADDRESSES[0].partition(",")[0] in table


def _left_out(table: str) -> int:
    last = table.splitlines()[-1]
    return int(last.split()[0]) if last[:1].isdigit() else 0
