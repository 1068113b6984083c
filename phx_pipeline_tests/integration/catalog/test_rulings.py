"""What people ruled, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from phx_pipeline.catalog.rulings import RulingBook
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.address import Address
from phx_pipeline.model.quarantine import Reason
from phx_pipeline.model.ruling import (
    About,
    PhotoRuling,
    Ruling,
    couple_in,
    couple_key,
)
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    expire,
    ruling_on,
)

KEY = (Source.REDFIN, "a")


@pytest.fixture
def book(catalog: Catalog) -> RulingBook:
    return catalog.rulings


def record(scene: Scene, value: str, key: str = "a") -> Ruling:
    return scene.catalog.rulings.record(scene.lease, ruling_on(scene, key, value))


def test_the_newest_ruling_on_a_thing_counts_and_the_others_stay(
    scene: Scene, book: RulingBook
) -> None:
    first = record(scene, PhotoRuling.DROPPED)
    second = record(scene, PhotoRuling.RELEASED)
    other = record(scene, PhotoRuling.DROPPED, key="b")

    assert book.newest(scene.slug, About.PHOTO) == {
        KEY: second,
        (Source.REDFIN, "b"): other,
    }
    assert book.newest(scene.slug, About.SPELLING) == {}
    assert set(book.all()) == {first, second, other}


def test_what_is_ruled_last_counts_also_when_the_clock_went_back(
    scene: Scene, book: RulingBook
) -> None:
    record(scene, PhotoRuling.DROPPED)
    early = ruling_on(
        scene, "a", PhotoRuling.RELEASED, at=STAMP.at - timedelta(hours=3)
    )

    stored = book.record(scene.lease, early)

    assert book.newest(scene.slug, About.PHOTO) == {KEY: stored}
    assert stored == replace(early, at=STAMP.at + timedelta(microseconds=1))


def test_a_house_that_a_run_holds_is_ruled_on_from_now_on(
    scene: Scene, book: RulingBook
) -> None:
    record(scene, PhotoRuling.DROPPED)
    known = ruling_on(scene, "a", PhotoRuling.RELEASED)
    nobodys = replace(known, id=str(uuid4()), slug="renamed-just-now")

    (stored,) = book.record_unheld([known, nobodys])

    assert stored == replace(known, at=STAMP.at + timedelta(microseconds=1))
    assert book.newest(scene.slug, About.PHOTO) == {KEY: stored}


def test_a_ruling_may_hold_for_every_source(scene: Scene, book: RulingBook) -> None:
    spelling = ruling_on(
        scene, "4732 DAVIS RD", "same", about=About.SPELLING, source=None
    )

    book.record(scene.lease, spelling)

    newest = book.newest(scene.slug, About.SPELLING)
    assert newest == {(None, "4732 DAVIS RD"): spelling}


def test_a_ruling_on_two_photos_is_of_no_single_source(
    scene: Scene, book: RulingBook
) -> None:
    one, other = KEY, (Source.ZILLOW, "b c%")
    couple = ruling_on(
        scene, couple_key(one, other), "same", about=About.COPIES, source=None
    )
    parted = replace(couple, id=str(uuid4()), value="other")

    book.record(scene.lease, couple)
    newest = book.record(scene.lease, parted)

    assert book.newest(scene.slug, About.COPIES) == {
        (None, "redfin/a zillow/b%20c%25"): newest
    }
    assert couple_in(newest.key) == (one, other)


def test_rulings_brought_twice_are_added_once(scene: Scene, book: RulingBook) -> None:
    there = record(scene, PhotoRuling.DROPPED)
    new = [ruling_on(scene, str(n), PhotoRuling.RELEASED) for n in range(600)]

    assert book.add_missing([there, *new, new[0]]) == new
    assert book.add_missing([there, *new]) == []
    assert len(book.all()) == 601


def test_an_older_ruling_brought_later_does_not_count(
    scene: Scene, book: RulingBook
) -> None:
    newest = record(scene, PhotoRuling.DROPPED)
    old = ruling_on(scene, "a", PhotoRuling.RELEASED, at=STAMP.at - timedelta(days=1))

    book.add_missing([old])

    assert book.newest(scene.slug, About.PHOTO) == {KEY: newest}
    assert book.all() == [old, newest]


def test_a_ruling_on_a_house_that_is_not_here_is_left_out(
    scene: Scene, book: RulingBook
) -> None:
    strange = ruling_on(scene, "a", PhotoRuling.DROPPED, slug="nowhere")

    assert book.add_missing([strange]) == []
    assert book.all() == []


def test_a_lost_lease_rules_nothing(scene: Scene, book: RulingBook) -> None:
    expire(scene.catalog._engine, scene.lease)
    scene.catalog.leases.acquire(scene.lease.name, owner="successor")

    with pytest.raises(StaleEpochError):
        record(scene, PhotoRuling.DROPPED)

    assert book.all() == []


def test_rulings_follow_a_rename_outlive_removal_and_go_with_a_purge(
    scene: Scene, book: RulingBook, catalog: Catalog
) -> None:
    record(scene, PhotoRuling.DROPPED)
    better = Address.parse("4732 W Davis Rd, Phoenix, AZ 85306")
    house = catalog.houses.rename(scene.lease, scene.slug, better, at=STAMP.at)
    renamed = book.newest(house.slug, About.PHOTO)
    catalog.houses.remove(scene.lease, house.slug, at=STAMP.at)
    removed = book.newest(house.slug, About.PHOTO)

    catalog.houses.purge(scene.lease, house.slug)

    assert [ruling.slug for ruling in renamed.values()] == [better.slug]
    assert removed == renamed
    assert book.all() == []


def test_a_ruled_photo_is_listed_while_its_house_is_followed(
    scene: Scene, catalog: Catalog
) -> None:
    record(scene, PhotoRuling.RELEASED)
    listed = catalog.quarantine.held()
    catalog.houses.remove(scene.lease, scene.slug, at=STAMP.at)

    assert [(held.ruling, held.suspicion.reason) for held in listed] == [
        (PhotoRuling.RELEASED, Reason.PERSON)
    ]
    assert catalog.quarantine.held() == catalog.quarantine.held(scene.slug) == []
