"""Properties renamed, removed, taken up again and purged, on both databases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease
from phx_pipeline.catalog.properties import PropertyBook
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, StaleEpochError
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Decision
from phx_pipeline.model.property import Property
from phx_pipeline.model.quarantine import Likeness, Lookalike, PhotoAt
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    all_rows,
    blob_of,
    expire,
    house_at,
)
from phx_pipeline_tests.jobs import ask_job, see_runs

LATER = STAMP.at + timedelta(days=1)
BETTER = Address.parse("4732 W Davis Rd, Phoenix, AZ 85306")

Rows = dict[str, list[dict[str, Any]]]


class PowerCutError(Exception):
    """The process is gone between two statements."""


def rows_of(engine: sa.Engine, *, but: tuple[str, ...] = ("view",)) -> Rows:
    """Everything the database holds but leases, as plain dictionaries."""
    return {
        name: sorted((dict(row._mapping) for row in rows), key=repr)
        for name, rows in all_rows(engine).items()
        if name not in but
    }


def lease_of(catalog: Catalog, slug: str) -> Lease:
    """The property's lease, taken from whoever has it."""
    name = property_lease(slug)
    with writing(catalog._engine) as connection:
        this = tables.lease.c.name == name
        connection.execute(sa.update(tables.lease).where(this).values(owner=""))
    return catalog.leases.acquire(name, owner="lifecycle")


def rename(catalog: Catalog, slug: str, address: Address) -> Property:
    return catalog.houses.rename(lease_of(catalog, slug), slug, address, at=LATER)


def remove(catalog: Catalog, slug: str) -> None:
    catalog.houses.remove(lease_of(catalog, slug), slug, at=LATER)


def purge(catalog: Catalog, slug: str) -> None:
    catalog.houses.purge(lease_of(catalog, slug), slug)


# --- one row in every table -----------------------------------------------------------

_BY_TYPE: tuple[tuple[type[sa.types.TypeEngine[Any]], object], ...] = (
    (sa.Boolean, True),
    (sa.Integer, 7),
    (sa.Float, 7.0),
    (sa.Date, date(2025, 3, 9)),
    (sa.JSON, []),
    (sa.LargeBinary, b"bytes"),
    (tables.UtcDateTime, STAMP.at),
    (sa.String, "redfin"),
    (tables.StorableText, "text"),
)


def _value(column: sa.Column[Any]) -> object:
    for kind, value in _BY_TYPE:
        if isinstance(column.type, kind):
            length = getattr(column.type, "length", None)
            return str(value)[:length] if length else value
    raise AssertionError(column)


def _fill(
    connection: sa.Connection, table: sa.Table, slug: str, **given: object
) -> None:
    """Write a made-up row of *slug*, and those it points to."""
    values = given | {
        column.name: slug if column.name == "slug" else _value(column)
        for column in table.c
        if not column.nullable and column is not table.autoincrement_column
    }
    for key in table.foreign_keys:
        target = key.column.table
        if target is tables.house or key.parent.name not in values:
            continue
        value = values[key.parent.name]
        known = sa.select(target).where(key.column == value)
        if connection.execute(known).first() is None:
            _fill(connection, target, slug, **{key.column.name: value})
    connection.execute(sa.insert(table).values(values))


def fill(engine: sa.Engine, slug: str) -> list[sa.Table]:
    """Let every table that can have a row of *slug* have one; return those tables."""
    own = [table for table in tables.metadata.sorted_tables if "slug" in table.c]
    with writing(engine) as connection:
        for table in own:
            found = connection.execute(sa.select(table).where(table.c.slug == slug))
            if found.first() is None:
                _fill(connection, table, slug)
    return own


@pytest.fixture
def full(scene: Scene, engine: sa.Engine) -> Scene:
    """A property with rows in every table, two photos and one decided."""
    scene.list_photos("a", "b")
    scene.download("a", "first")
    kept = Decision(verdict=Verdict.KEPT, cluster_id="c")
    scene.catalog.record_decisions(
        scene.lease, scene.slug, {(Source.REDFIN, "a"): kept}, stamp=STAMP
    )
    fill(engine, scene.slug)
    return scene


def test_no_table_names_a_property_in_a_column_the_book_does_not_know() -> None:
    named = {
        (table.name, column.name)
        for table in tables.metadata.sorted_tables
        for column in table.c
        if "slug" in column.name
        or any(key.column is tables.house.c.slug for key in column.foreign_keys)
    }

    assert {column for _, column in named} == {"slug", "other_slug"}
    assert {table for table, column in named if column == "other_slug"} == {"lookalike"}


# --- renaming -------------------------------------------------------------------------


def test_a_rename_moves_every_row_and_changes_nothing_else(
    full: Scene, engine: sa.Engine
) -> None:
    before = rows_of(engine)

    renamed = rename(full.catalog, full.slug, BETTER)

    after = rows_of(engine)
    (house,) = before["property"]
    house |= {"slug": BETTER.slug, "address": str(BETTER), "city": "Phoenix"}
    house["published_epoch"] = 0
    for name, rows in before.items():
        for row in rows:
            if row.get("slug") == full.slug:
                row["slug"] = BETTER.slug
        assert name == "alias" or after[name] == sorted(rows, key=repr)
    assert renamed == replace(full.house, slug=BETTER.slug, address=BETTER)
    assert renamed.folder == full.house.folder
    assert full.slug in full.catalog.houses.aliases(BETTER.slug)


def test_the_former_key_finds_the_house_and_adds_nothing(full: Scene) -> None:
    book = full.catalog.houses
    rename(full.catalog, full.slug, BETTER)

    added = book.add([full.house, Property.at(BETTER), house_at(7)], at=LATER)

    assert [house.slug for house in added.added] == [house_at(7).slug]
    assert added.revived == ()
    for key in (full.slug, BETTER.slug, full.house.folder):
        known = book.find(key)
        assert known is not None
        assert (known.house.slug, known.removed_at) == (BETTER.slug, None)
    assert full.catalog.property(full.slug) is None


def test_former_keys_follow_through_several_renames_and_back(scene: Scene) -> None:
    catalog = scene.catalog
    third = Address.parse("4732 W Davis Rd, Peoria, AZ 85306")

    rename(catalog, scene.slug, BETTER)
    rename(catalog, BETTER.slug, third)
    chain = catalog.houses.aliases(third.slug)
    back = rename(catalog, third.slug, scene.house.address)

    assert chain == sorted([scene.slug, BETTER.slug])
    assert back == scene.house
    assert catalog.houses.aliases(scene.slug) == sorted([BETTER.slug, third.slug])
    assert catalog.slugs() == [scene.slug]


def test_an_address_with_the_same_key_only_changes_the_spelling(full: Scene) -> None:
    spelled = Address.parse("4732 W DaVis Rd, Glendale, AZ 85306")

    renamed = rename(full.catalog, full.slug, spelled)

    assert renamed.slug == full.slug
    assert full.catalog.property(full.slug) == replace(full.house, address=spelled)
    assert full.slug not in full.catalog.houses.aliases(full.slug)


@pytest.mark.parametrize("taken", ["followed", "removed", "former"])
def test_a_rename_to_an_address_that_means_another_house_is_refused(
    full: Scene, engine: sa.Engine, taken: str
) -> None:
    other = Scene.of(full.catalog, number=7)
    third = Address.parse("9 W Davis Rd, Glendale, AZ 85306")
    told = {
        "followed": "property of its own",
        "removed": "is a removed property",
        "former": f"another address of {third.slug}: rename that one back",
    }
    if taken == "removed":
        remove(full.catalog, other.slug)
    if taken == "former":
        rename(full.catalog, other.slug, third)
    before = rows_of(engine, but=())

    with pytest.raises(InputError, match=told[taken]) as refused:
        rename(full.catalog, full.slug, other.house.address)

    assert "`phx properties " in str(refused.value) or taken == "former"
    assert rows_of(engine, but=()) == before


@pytest.mark.parametrize("number", [1, 9999], ids=["first", "last"])
def test_pairs_that_look_alike_stay_in_order(scene: Scene, number: int) -> None:
    other = Scene.of(scene.catalog, number=50)
    mine = PhotoAt(slug=scene.slug, source=Source.REDFIN, photo_key="z")
    theirs = PhotoAt(slug=other.slug, source=Source.ZILLOW, photo_key="a")
    one, two = sorted([mine, theirs])
    pair = Lookalike(one=one, other=two, likeness=Likeness.SAME_BYTES)
    book = scene.catalog.quarantine
    book.record_lookalikes(scene.lease, scene.slug, [pair], at=STAMP.at)
    address = house_at(number).address

    renamed = rename(scene.catalog, scene.slug, address)

    (seen,) = book.lookalikes(renamed.slug)
    sides = sorted([replace(mine, slug=renamed.slug), theirs])
    assert [seen.pair.one, seen.pair.other] == sides
    assert [seen] == book.lookalikes(other.slug)


def test_after_a_rename_every_source_is_due_until_it_is_asked_again(
    full: Scene,
) -> None:
    catalog = full.catalog
    rename(catalog, full.slug, BETTER)

    (before,) = catalog.tallies((Source.REDFIN,))
    stamp = replace(STAMP, at=LATER + timedelta(seconds=1))
    lease = lease_of(catalog, BETTER.slug)
    moved = replace(full, house=Property.at(BETTER), lease=lease, stamp=stamp)
    moved.list_photos("a", "b")
    (after,) = catalog.tallies((Source.REDFIN,))

    assert not before.is_published
    redfin = next(t for t in before.sources if t.source is Source.REDFIN)
    assert (redfin.checked_at, redfin.discovered) == (None, 2)
    redfin = next(t for t in after.sources if t.source is Source.REDFIN)
    assert redfin.checked_at == stamp.at


def test_a_run_that_goes_on_under_the_former_key_writes_nothing(
    full: Scene, engine: sa.Engine
) -> None:
    rename(full.catalog, full.slug, BETTER)
    before = rows_of(engine, but=())

    with pytest.raises(StaleEpochError):
        full.list_photos("a", "b", "c")
    with pytest.raises(StaleEpochError):
        full.catalog.record_published(full.lease, full.slug)

    assert rows_of(engine, but=()) == before


# --- removing -------------------------------------------------------------------------


def test_a_removed_property_is_in_no_list_and_keeps_its_rows(
    full: Scene, engine: sa.Engine
) -> None:
    catalog = full.catalog
    other = Scene.of(catalog, number=7)
    before = rows_of(engine)

    remove(catalog, full.slug)

    after = rows_of(engine)
    assert catalog.slugs() == [other.slug]
    assert catalog.properties() == [other.house]
    assert [tally.slug for tally in catalog.tallies(())] == [other.slug]
    assert list(catalog.published_images()) == []
    assert {row[1][0] for row in catalog.content_rows()} == {other.slug}
    assert catalog.property(full.slug) is None
    (gone,) = catalog.houses.removed()
    assert (gone.house, gone.removed_at) == (full.house, LATER)
    assert catalog.houses.find(full.house.folder) == gone
    assert {n: len(rows) for n, rows in before.items() if n != "job_item"} == {
        n: len(rows) for n, rows in after.items() if n != "job_item"
    }


def test_what_waited_for_a_run_is_closed_and_what_had_one_stays(scene: Scene) -> None:
    jobs = scene.catalog.jobs
    other = Scene.of(scene.catalog, number=7)
    ask_job(scene.catalog, "old", [scene.slug], sources=(), at=STAMP.at)
    see_runs(scene.catalog, jobs.items("old"), at=STAMP.at)
    ask_job(scene.catalog, "new", [scene.slug, other.slug], sources=(), at=STAMP.at)

    remove(scene.catalog, scene.slug)

    assert [item.slug for item in jobs.waiting(limit=9)] == [other.slug]
    assert [item.slug for item in jobs.items("old")] == [scene.slug]


def test_removing_twice_is_refused_and_keeps_the_first_time(scene: Scene) -> None:
    remove(scene.catalog, scene.slug)

    with pytest.raises(InputError, match=scene.slug):
        remove(scene.catalog, scene.slug)

    (known,) = scene.catalog.houses.removed()
    assert known.removed_at == LATER


def test_adding_again_takes_up_everything(full: Scene, engine: sa.Engine) -> None:
    waited = ("view", "job_item")
    before = rows_of(engine, but=waited)
    remove(full.catalog, full.slug)

    again = full.catalog.houses.add([full.house, full.house], at=LATER)

    assert (again.added, again.revived) == ((), (full.house,))
    assert rows_of(engine, but=waited) == before


def test_a_former_address_takes_up_a_removed_property(scene: Scene) -> None:
    renamed = rename(scene.catalog, scene.slug, BETTER)
    remove(scene.catalog, BETTER.slug)

    again = scene.catalog.houses.add([scene.house], at=LATER)

    assert again.revived == (renamed,)
    assert scene.catalog.slugs() == [BETTER.slug]


def test_a_photo_is_not_shared_with_a_removed_property(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=7)
    scene.list_photos("a")
    other.list_photos("a")
    book = scene.catalog.quarantine
    assert [at.slug for _, at in book.shared_keys(scene.slug)] == [other.slug]

    remove(scene.catalog, other.slug)

    assert book.shared_keys(scene.slug) == []
    assert book.partners(scene.slug) == []
    assert book.partners(other.slug) == [scene.slug]


# --- purging --------------------------------------------------------------------------


def test_a_purge_leaves_no_row_and_none_of_another_property_changes(
    scene: Scene, engine: sa.Engine
) -> None:
    catalog = scene.catalog
    scene.list_photos("a", "b")
    scene.download("a", "shared")
    before = rows_of(engine)
    other = Scene.of(catalog, number=7)
    other.list_photos("x", "y")
    other.download("x", "shared")
    other.download("y", "own")
    fill(engine, other.slug)  # and a job of this house alone
    remove(catalog, other.slug)

    assert [b.sha256 for b in catalog.houses.own_blobs(other.slug)] == [
        blob_of("own").sha256
    ]
    purge(catalog, other.slug)

    assert rows_of(engine) == before
    assert catalog.houses.find(other.slug) is None


def test_what_is_not_removed_cannot_be_purged(full: Scene, engine: sa.Engine) -> None:
    before = rows_of(engine, but=())

    with pytest.raises(InputError, match="not removed"):
        purge(full.catalog, full.slug)

    assert rows_of(engine, but=()) == before


def test_a_purged_property_can_be_added_as_a_new_one(full: Scene) -> None:
    remove(full.catalog, full.slug)
    purge(full.catalog, full.slug)

    again = full.catalog.houses.add([full.house], at=LATER)

    assert again.added == (full.house,)
    assert full.catalog.photos(full.slug) == []
    with pytest.raises(StaleEpochError):
        full.list_photos("a")


# --- all or nothing -------------------------------------------------------------------

Step = Callable[[PropertyBook, Lease, str], object]

STEPS: dict[str, Step] = {
    "rename": lambda book, lease, slug: book.rename(lease, slug, BETTER, at=LATER),
    "remove": lambda book, lease, slug: book.remove(lease, slug, at=LATER),
    "purge": lambda book, lease, slug: book.purge(lease, slug),
}
steps = pytest.mark.parametrize("name", STEPS)


@pytest.fixture
def ready(full: Scene, name: str) -> Scene:
    """A property the step can be done to."""
    if name == "purge":
        remove(full.catalog, full.slug)
    return full


@steps
def test_a_superseded_lease_changes_nothing(
    ready: Scene, engine: sa.Engine, name: str
) -> None:
    lease = lease_of(ready.catalog, ready.slug)
    expire(engine, lease)
    ready.catalog.leases.acquire(lease.name, owner="successor")
    before = rows_of(engine, but=())

    with pytest.raises(StaleEpochError, match=lease.name):
        STEPS[name](ready.catalog.houses, lease, ready.slug)

    assert rows_of(engine, but=()) == before


@contextmanager
def cut_after(engine: sa.Engine, *, writes: int) -> Iterator[list[str]]:
    """Let the power go before the next write; yields the writes so far."""
    seen: list[str] = []

    def before(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0].lower() in {"insert", "update", "delete"}:
            if len(seen) == writes:
                raise PowerCutError(statement)
            seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", before)


@steps
def test_a_cut_between_any_two_writes_leaves_all_as_it_was(
    ready: Scene, engine: sa.Engine, name: str
) -> None:
    lease = lease_of(ready.catalog, ready.slug)
    before = rows_of(engine, but=())

    for writes in range(1000):
        try:
            with cut_after(engine, writes=writes):
                STEPS[name](ready.catalog.houses, lease, ready.slug)
        except PowerCutError:
            assert rows_of(engine, but=()) == before
        else:
            break

    assert writes > 2
    assert rows_of(engine, but=()) != before
    with reading(engine) as connection:
        held = connection.execute(
            sa.select(tables.house).where(tables.house.c.folder == "renaming")
        )
        assert held.first() is None
