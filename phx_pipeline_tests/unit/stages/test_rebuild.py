"""PNGs and folders made again from originals: what lacks, and nothing else."""

from dataclasses import replace

import pytest

from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.missing import lacking_files
from phx_pipeline.stages.rebuild import rebuild
from phx_pipeline.workflows.lifecycle import remove, take_up_again
from phx_pipeline.workflows.recompute import verify_facts
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.damage import (
    Break,
    a_png,
    alter_png,
    delete_file,
    delete_original,
    delete_png,
    edit_manifest,
    forget_looks,
    forget_pngs,
    hold_half_a_picture,
)
from phx_pipeline_tests.stored_blobs import raw_hashes


@pytest.fixture
def slug(collected: StageContext) -> str:
    (only,) = collected.catalog.slugs()
    return only


def test_pngs_that_are_there_are_not_made_again(
    collected: StageContext, slug: str
) -> None:
    before = a_png(collected).stat().st_ino

    assert dedupe(collected, slug).encoded == 0
    assert a_png(collected).stat().st_ino == before


@pytest.mark.parametrize("break_it", [delete_png, alter_png])
def test_a_png_that_is_not_whole_is_made_again_alone(
    collected: StageContext, slug: str, break_it: Break
) -> None:
    whole = a_png(collected).read_bytes()
    break_it(collected)

    assert dedupe(collected, slug).encoded == 1
    assert a_png(collected).read_bytes() == whole


def test_a_png_nothing_can_make_again_keeps_no_other_from_being_named(
    collected: StageContext, slug: str
) -> None:
    png = a_png(collected)
    collected.layout.raw(png.stem).unlink()
    png.unlink()
    folder = collected.layout.folder(collected.house(slug).folder)
    names = {path.name for path in folder.glob("*.png")}
    for path in folder.iterdir():
        path.unlink()

    report = rebuild(collected, slug)

    kept = [p for p in collected.catalog.photos(slug) if p.verdict is Verdict.KEPT]
    assert report.linked == len(names) - 1 == len(kept) - 1
    assert {path.name for path in folder.glob("*.png")} < names


@pytest.mark.parametrize("need_it", [forget_looks, forget_pngs, None])
def test_what_an_older_version_took_for_a_picture_is_given_up_once_it_is_decoded_again(
    collected: StageContext, slug: str, need_it: Break | None
) -> None:
    known = set(raw_hashes(collected.layout))
    hold_half_a_picture(collected)
    (half,) = set(raw_hashes(collected.layout)) - known
    if need_it is None:
        collected = replace(collected, max_side=800)
    else:
        need_it(collected)
    before = {photo.key: photo for photo in collected.catalog.photos(slug)}

    report = rebuild(collected, slug)

    after = {photo.key: photo for photo in collected.catalog.photos(slug)}
    (given_up,) = (photo for photo in before.values() if photo.sha256 == half)
    now = after[given_up.key]
    assert (now.verdict, now.sha256, now.cluster_id) == (Verdict.DAMAGED, None, None)
    assert is_photo_due(now, final_after_days=1)
    (copy,) = (
        key
        for key, photo in before.items()
        if photo.cluster_id == given_up.cluster_id and key != given_up.key
    )
    assert after[copy].verdict is Verdict.KEPT
    assert report.files == sum(p.verdict is Verdict.KEPT for p in before.values())
    assert verify_property(collected, slug) == []
    assert verify_facts(collected, slug) == []
    again = dedupe(collected, slug)
    assert (again.decided, again.encoded, again.looked_at) == (0, 0, 0)


@pytest.mark.parametrize(
    ("break_it", "lacks"),
    [
        (delete_original, True),
        (delete_png, True),
        (delete_file, True),
        (alter_png, False),
        (edit_manifest, False),
    ],
)
def test_a_house_is_due_when_a_file_of_its_rows_is_not_there(
    collected: StageContext, slug: str, break_it: Break, *, lacks: bool
) -> None:
    assert lacking_files(collected, [slug, slug]) == set()

    break_it(collected)

    assert lacking_files(collected, [slug]) == ({slug} if lacks else set())


def test_a_house_taken_up_after_half_a_purge_stays_open(
    collected: StageContext, slug: str
) -> None:
    remove(collected, slug)
    delete_original(collected)
    house = collected.catalog.houses.removed()[0].house
    collected.catalog.houses.add([house], at=collected.stamp().at)

    take_up_again(collected, [slug])

    assert not collected.tally(slug).is_published


def test_a_house_taken_up_whole_is_published_at_once(
    collected: StageContext, slug: str
) -> None:
    remove(collected, slug)
    house = collected.catalog.houses.removed()[0].house
    collected.catalog.houses.add([house], at=collected.stamp().at)
    delete_file(collected)

    take_up_again(collected, [slug])

    assert collected.tally(slug).is_published
    assert lacking_files(collected, [slug]) == set()
