"""One house that an older catalogue holds twice: numbered, named, merged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.rows import property_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, StaleEpochError
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Decision
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.catalog.test_door import changes_of, state_of
from phx_pipeline_tests.integration.catalog.test_lifecycle import rows_of
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    TTL_S,
    Databases,
    Scene,
    add_twin,
    expire,
    gallery,
)

LATER = STAMP.at + timedelta(days=1)
LAVEEN, PHOENIX, LOT = (
    Property.at(Address.parse(text))
    for text in (
        "7411 S 40th Ln, Laveen, AZ 85339",
        "7411 S 40th Ln, Phoenix, AZ 85339",
        "7411 S 40th Lane, Laveen Village, AZ 85339",
    )
)

# Two spellings of a house, with the keys an earlier version gave them.
KEYS_BEFORE = [
    (Property.at(Address.parse(f"{line}, Phoenix, AZ 85021")), key)
    for line, key in (
        ("1511 W N Ln", "1511|w n lane||85021"),
        ("1511 W North Ln", "1511|w north lane||85021"),
    )
]


def scene_of(catalog: Catalog, house: Property) -> Scene:
    lease = catalog.leases.acquire(property_lease(house.slug), owner="test")
    return Scene(catalog=catalog, house=house, lease=lease)


@pytest.fixture
def twins(catalog: Catalog) -> tuple[Scene, Scene]:
    catalog.add_properties([LAVEEN], at=STAMP.at)
    add_twin(catalog, PHOENIX)
    return scene_of(catalog, LAVEEN), scene_of(catalog, PHOENIX)


def merge(keep: Scene, other: Scene) -> None:
    keep.catalog.houses.merge(
        [keep.lease, other.lease], keep.slug, other.slug, stamp=STAMP
    )


def decide(scene: Scene, key: str, cluster: str) -> None:
    kept = Decision(verdict=Verdict.KEPT, cluster_id=cluster)
    scene.catalog.record_decisions(
        scene.lease, scene.slug, {(Source.REDFIN, key): kept}, stamp=STAMP
    )


def migrated_to(
    url: str, opened: Callable[[str], sa.Engine], revision: str
) -> sa.Engine:
    engine = opened(url)
    config = Config()
    config.set_main_option("script_location", "phx_pipeline.catalog:migrations")
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def test_an_older_catalogue_keeps_its_twins_and_names_them(
    databases: Databases, kind: str, opened: Callable[[str], sa.Engine]
) -> None:
    engine = migrated_to(databases.empty(kind), opened, "0011")
    with writing(engine) as connection:
        for day, house in enumerate((PHOENIX, LAVEEN, LOT)):
            at = STAMP.at + timedelta(days=day)
            row = property_values(house) | {"added_at": at, "removed_at": None}
            row["removed_at"] = at if house is PHOENIX else None
            del row["match_key"]
            table = sa.table("property", *map(sa.column, row))
            connection.execute(sa.insert(table).values(row))

    upgrade(engine)

    catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
    query = sa.select(tables.house.c.slug, tables.house.c.twin)
    with reading(engine) as connection:
        numbers = {row.slug: row.twin for row in connection.execute(query)}
    assert numbers == {LAVEEN.slug: 0, LOT.slug: 1, PHOENIX.slug: 2}
    assert catalog.houses.twins() == [(LAVEEN, LOT)]
    assert catalog.add_properties([LAVEEN, PHOENIX, LOT], at=LATER) == []


def test_an_address_means_the_twin_that_is_spelled_so(
    twins: tuple[Scene, Scene],
) -> None:
    find = twins[0].catalog.houses.find_address
    other = replace(LAVEEN.address, city="Mesa")

    found = [find(address) for address in (LAVEEN.address, PHOENIX.address, other)]

    assert [it.house for it in found if it] == [LAVEEN, PHOENIX, LAVEEN]


def test_merging_joins_everything_and_keeps_what_was_kept(
    twins: tuple[Scene, Scene],
) -> None:
    keep, other = twins
    keep.list_photos("a", "b")
    keep.download("a", "first")
    decide(keep, "a", "c")
    other.say(gallery("a", "c", "b"))
    for key in "abc":
        other.download(key, f"of {key}")
    decide(other, "c", "d")

    merge(keep, other)

    photos = {photo.ref.photo_key: photo for photo in keep.catalog.photos(keep.slug)}
    assert sorted(photos) == ["a", "b", "c"]
    assert (photos["a"].verdict, photos["a"].cluster_id) == (Verdict.KEPT, "c")
    assert photos["b"].sha256 is not None
    assert (photos["c"].verdict, photos["c"].cluster_id) == (Verdict.PENDING, None)
    assert keep.catalog.slugs() == [keep.slug]
    assert keep.catalog.houses.aliases(keep.slug) == [other.slug]
    assert keep.catalog.houses.twins() == []


def test_of_a_day_on_which_both_had_facts_the_merged_house_has_its_own(
    twins: tuple[Scene, Scene], engine: sa.Engine
) -> None:
    keep, other = twins
    later = replace(STAMP, today=STAMP.today + timedelta(days=1))
    mine, theirs, last = (ListingFacts(list_price=it * 100_000) for it in (1, 2, 3))
    keep.say(replace(gallery("a"), facts=mine))
    other.say(replace(gallery("a"), facts=theirs))
    replace(other, stamp=later).say(replace(gallery("a"), facts=last))

    merge(keep, other)

    assert [it.facts for it in keep.catalog.facts.history(keep.slug)] == [mine, last]
    with reading(engine) as connection:
        prices = connection.execute(sa.select(tables.listing_fact.c.list_price))
        assert sorted(prices.scalars()) == [100_000, 300_000]


def test_what_an_older_version_did_not_tell_is_not_told_by_the_merged_house(
    twins: tuple[Scene, Scene], engine: sa.Engine
) -> None:
    keep, other = twins
    keep.list_photos("a")
    keep.download("a", "first")
    decide(keep, "a", "c")
    with writing(engine) as connection:
        connection.execute(sa.delete(tables.change))
    other.list_photos("a")

    merge(keep, other)

    assert changes_of(engine, keep.slug) == []


def test_the_changes_of_a_merged_house_tell_what_its_photos_are(
    twins: tuple[Scene, Scene], engine: sa.Engine
) -> None:
    keep, other = twins
    keep.list_photos("a", "b", "c")
    keep.download("a", "first")
    other.say(gallery("a", "b", "d"))
    other.say(gallery("b", "d"))
    keep.say(gallery("a", "b"))
    decide(keep, "a", "c")
    other.download("a", "of a")
    decide(other, "a", "d")
    blocked = ListingOutcome.BLOCKED
    keep.say(gallery(outcome=blocked, complete=False))
    other.say(gallery("d", source=Source.ZILLOW))

    merge(keep, other)

    told = {row[:3]: row[4] for row in changes_of(engine, keep.slug)}
    found = state_of(engine, keep.slug)
    assert {key: value for key, value in found.items() if key in told} == told
    assert {value for key, value in found.items() if key not in told} == {"true"}
    assert keep.catalog.door.miscounts(keep.slug) == []


def test_the_merged_key_and_spelling_mean_the_house(
    twins: tuple[Scene, Scene],
) -> None:
    keep, other = twins

    merge(keep, other)

    houses = keep.catalog.houses
    found = [houses.find(other.slug), houses.find_address(PHOENIX.address)]
    assert [it.house for it in found if it] == [LAVEEN, LAVEEN]
    assert houses.merged_folders(keep.slug) == [PHOENIX.folder]
    houses.forget_folder(PHOENIX.folder)
    assert houses.merged_folders(keep.slug) == []


def test_merging_a_second_time_changes_nothing(
    twins: tuple[Scene, Scene], engine: sa.Engine
) -> None:
    keep, other = twins
    merge(keep, other)
    before = rows_of(engine)

    with pytest.raises(InputError, match="no property"):
        merge(keep, other)

    assert rows_of(engine) == before


@pytest.mark.parametrize("slept", [0, 1])
def test_a_superseded_lease_merges_nothing(
    twins: tuple[Scene, Scene], engine: sa.Engine, slept: int
) -> None:
    keep, other = twins
    stale: Lease = (keep, other)[slept].lease
    expire(engine, stale)
    keep.catalog.leases.acquire(stale.name, owner="awake")
    before = rows_of(engine)

    with pytest.raises(StaleEpochError):
        merge(keep, other)

    assert rows_of(engine) == before


def test_one_house_of_another_number_is_no_twin(twins: tuple[Scene, Scene]) -> None:
    keep, _ = twins
    next_door = Property.at(replace(LAVEEN.address, street_number="7413"))

    keep.catalog.add_properties([next_door], at=STAMP.at)

    assert keep.catalog.houses.twins() == [(LAVEEN, PHOENIX)]


def test_keys_of_an_earlier_version_are_made_anew(
    databases: Databases, kind: str, opened: Callable[[str], sa.Engine]
) -> None:
    engine = migrated_to(databases.empty(kind), opened, "0016")
    with writing(engine) as connection:
        for day, (house, old_key) in enumerate(KEYS_BEFORE):
            added = {"added_at": STAMP.at + timedelta(days=day), "twin": 0}
            row = property_values(house) | added | {"match_key": old_key}
            table = sa.table("property", *map(sa.column, row))
            connection.execute(sa.insert(table).values(row))

    upgrade(engine)

    catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
    query = sa.select(
        tables.house.c.slug, tables.house.c.match_key, tables.house.c.twin
    )
    houses = [house for house, _ in KEYS_BEFORE]
    with reading(engine) as connection:
        rows = {
            row.slug: (row.match_key, row.twin) for row in connection.execute(query)
        }
    assert rows == {
        houses[0].slug: (houses[0].address.match_key, 0),
        houses[1].slug: (houses[0].address.match_key, 1),
    }
    assert catalog.add_properties(houses, at=LATER) == []
