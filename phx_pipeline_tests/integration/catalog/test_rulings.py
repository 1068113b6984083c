"""What people ruled, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.quarantine import PhotoAt, QuarantineBook, Reason
from phx_pipeline.catalog.rulings import RulingBook
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.address import Address
from phx_pipeline.model.ruling import About, PhotoRuling, Ruling
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    TTL_S,
    Databases,
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


def test_a_ruling_may_hold_for_every_source(scene: Scene, book: RulingBook) -> None:
    spelling = ruling_on(
        scene, "4732 DAVIS RD", "same", about=About.SPELLING, source=None
    )

    book.record(scene.lease, spelling)

    newest = book.newest(scene.slug, About.SPELLING)
    assert newest == {(None, "4732 DAVIS RD"): spelling}


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


# --- older catalogues -----------------------------------------------------------------

_HOUSE = (
    "insert into property (slug, folder, address, street_number, street, city, state,"
    " zip_code, added_at) values ('h', 'f', 'a', '1', 's', 'c', 'AZ', '85001',"
    " '2025-01-01 00:00:00')"
)
_HELD = (
    "insert into quarantine (slug, source, photo_key, reason, detail, ruling,"
    " first_seen_at, ruled_at) values ('h', 'redfin', '{key}', '{reason}', 'why',"
    " '{ruling}', '2025-01-02 00:00:00', {ruled_at})"
)


def upgrade_to(engine: sa.Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "phx_pipeline.catalog:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_what_an_older_version_noted_becomes_rulings(
    databases: Databases, kind: str, opened: Callable[[str], sa.Engine]
) -> None:
    engine = opened(databases.empty(kind))
    upgrade_to(engine, "0011")
    ruled_at = "'2025-01-03 00:00:00'"
    rows = [
        {"key": "a", "reason": "photo_key", "ruling": "released", "ruled_at": ruled_at},
        {"key": "b", "reason": "person", "ruling": "dropped", "ruled_at": ruled_at},
        {"key": "c", "reason": "listing_id", "ruling": "open", "ruled_at": "null"},
    ]
    with writing(engine) as connection:
        connection.execute(sa.text(_HOUSE))
        for row in rows:
            connection.execute(sa.text(_HELD.format(**row)))

    upgrade(engine)

    rulings = RulingBook(engine).newest("h", About.PHOTO)
    assert {key: (it.value, it.who) for (_, key), it in rulings.items()} == {
        "a": ("released", "unknown"),
        "b": ("dropped", "unknown"),
    }
    assert {it.at.date().isoformat() for it in rulings.values()} == {"2025-01-03"}
    assert {it.photo.photo_key: it.ruling for it in QuarantineBook(engine).held()} == {
        "a": PhotoRuling.RELEASED,
        "b": PhotoRuling.DROPPED,
        "c": PhotoRuling.OPEN,
    }
    # And they are acted on: dropped is what stays held without any other reason.
    assert Catalog(engine, leases=Leases(engine, ttl_s=TTL_S)).quarantine.held("h")[
        1
    ].photo == PhotoAt(slug="h", source=Source.REDFIN, photo_key="b")
