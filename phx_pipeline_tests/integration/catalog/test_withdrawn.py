"""A photo whose licence was withdrawn: its row says why, and its bytes are let go."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import CatalogError, ImageError
from phx_pipeline.model.listing import EVERY_PHOTO
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.quarantine import Reason, Suspicion
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    all_rows,
    gallery,
    is_due,
    ref,
)

WHY = "the feed no longer lets it be seen"
GONE = (Verdict.WITHDRAWN, False)


def verdicts(scene: Scene) -> dict[str, tuple[Verdict, bool]]:
    photos = scene.catalog.photos(scene.slug)
    return {photo.ref.photo_key: (photo.verdict, photo.present) for photo in photos}


@pytest.fixture
def held(scene: Scene) -> Scene:
    """Two photos with bytes, and one without."""
    scene.list_photos("a", "b", "c")
    scene.download("a", "bytes of a")
    scene.download("b", "bytes of b")
    return scene


def remove(scene: Scene) -> list[str]:
    """What the stages do about bytes, but for the files."""
    book = scene.catalog.withdrawn
    sha256s = book.to_remove(scene.slug)
    book.record_removed(scene.lease, scene.slug, sha256s, stamp=STAMP)
    return sha256s


@pytest.mark.parametrize(
    "outcome", [ListingOutcome.LISTED, ListingOutcome.OFF_MARKET, ListingOutcome.FAILED]
)
def test_what_an_answer_withdraws_gets_its_verdict_with_the_answer(
    held: Scene, outcome: ListingOutcome
) -> None:
    held.say(gallery("b", "c", complete=False, outcome=outcome, withdrawn={"a": WHY}))

    pending = (Verdict.PENDING, True)
    assert verdicts(held) == {"a": GONE, "b": pending, "c": pending}
    assert not is_due(held.photo("a"))
    (told,) = (
        it
        for it in held.catalog.runs.photo_states(held.slug)
        if it.key == (Source.REDFIN, "a")
    )
    assert told.detail == WHY
    assert held.catalog.withdrawn.to_remove(held.slug) == [held.photo("a").sha256]


def test_a_record_that_is_withdrawn_takes_all_that_is_not_shown_with_it(
    held: Scene,
) -> None:
    told = {EVERY_PHOTO: WHY, "never seen": WHY}
    held.say(gallery("c", complete=False, withdrawn=told))

    assert verdicts(held) == {"a": GONE, "b": GONE, "c": (Verdict.PENDING, True)}


def test_another_source_keeps_its_photo_of_that_key(held: Scene) -> None:
    held.say(gallery(source=Source.ZILLOW, withdrawn={"a": WHY}))

    assert verdicts(held)["a"] == (Verdict.PENDING, True)


def test_bytes_are_let_go_with_all_that_is_known_of_them(
    engine: sa.Engine, held: Scene
) -> None:
    held.say(gallery("b", "c", withdrawn={"a": WHY}))

    removed = remove(held)

    assert len(removed) == 1
    assert held.photo("a").sha256 is held.photo("a").fetched_url is None
    with reading(engine) as connection:
        known = connection.execute(sa.select(tables.blob.c.sha256)).scalars().all()
    assert known == [held.photo("b").sha256]
    before = all_rows(engine)
    assert remove(held) == []
    held.say(gallery("b", "c", withdrawn={"a": WHY}))
    assert all_rows(engine) == before


def test_bytes_that_another_house_holds_by_its_own_licence_stay(
    engine: sa.Engine, catalog: Catalog, held: Scene
) -> None:
    other = Scene.of(catalog, number=1)
    other.list_photos("a")
    sha256 = other.download("a", "bytes of a").sha256
    held.say(gallery("b", "c", withdrawn={"a": WHY}))

    assert catalog.withdrawn.is_needed(sha256)
    remove(held)

    assert (other.photo("a").sha256, held.photo("a").sha256) == (sha256, None)
    other.say(gallery(withdrawn={"a": WHY}))
    assert not catalog.withdrawn.is_needed(sha256)
    remove(other)
    with reading(engine) as connection:
        known = connection.execute(sa.select(tables.blob.c.sha256)).scalars().all()
    assert sha256 not in known


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_photo_that_is_shown_again_is_had_again(
    held: Scene, *, is_removed: bool
) -> None:
    held.say(gallery("b", "c", withdrawn={"a": WHY}))
    if is_removed:
        remove(held)

    held.list_photos("a", "b", "c")

    assert verdicts(held)["a"] == (Verdict.PENDING, True)
    assert is_due(held.photo("a")) is is_removed
    held.download("a", "bytes of a")
    assert held.catalog.withdrawn.to_remove(held.slug) == []
    assert held.catalog.door.miscounts(held.slug) == []


def test_nothing_else_brings_it_back(held: Scene) -> None:
    before = held.photo("a")
    held.say(gallery("b", "c", withdrawn={"a": WHY}))
    why = Suspicion(reason=Reason.LISTING_ID, detail="of another")
    fault = ImageError("half of it", verdict=Verdict.DAMAGED)
    book, slug = held.catalog, held.slug

    book.quarantine.hold(held.lease, slug, {before.key: why}, stamp=STAMP)
    sha256 = str(before.sha256)
    book.record_no_pictures(held.lease, slug, {sha256: fault}, stamp=STAMP)
    with pytest.raises(CatalogError, match="licence of photo a"):
        held.download("a", "bytes of a")
    with pytest.raises(CatalogError, match="licence of photo a"):
        book.record_failure(held.lease, before, Verdict.GONE, detail="404", stamp=STAMP)

    assert verdicts(held)["a"] == GONE
    assert held.photo("a").sha256 == sha256
    assert book.door.miscounts(slug) == []


@pytest.mark.parametrize("withdrawn_of", ["kept", "merged"])
def test_two_houses_made_one_hold_no_more_than_either_may(
    catalog: Catalog, held: Scene, withdrawn_of: str
) -> None:
    other = Scene.of(catalog, number=1)
    other.list_photos("a")
    sha256 = other.download("a", "bytes of a").sha256
    its = held if withdrawn_of == "kept" else other
    its.say(gallery(complete=False, withdrawn={"a": WHY}))
    remove(its)

    leases = [held.lease, other.lease]
    catalog.houses.merge(leases, held.slug, other.slug, stamp=STAMP, ruling=None)

    assert verdicts(held)["a"] == GONE
    assert catalog.withdrawn.to_remove(held.slug) == [sha256]


def test_a_page_that_shows_what_it_withdraws_shows_it(held: Scene) -> None:
    shown = replace(gallery("b", withdrawn={"a": WHY}), photos=(ref("a"),))

    held.say(shown)

    assert verdicts(held)["a"] == (Verdict.PENDING, True)
