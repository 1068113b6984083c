"""Pictures of many houses are chosen by the database, on both of them."""

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import images, tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.images import EVERYTHING, ImageSearch
from phx_pipeline.model.image_search import FoundImage, Wanted
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline_tests.bench.growth import fill_rows

HOUSES = 3
SEEN = date(2026, 1, 15)  # of all of them, but for what a test changes
LATER = date(2026, 2, 1)


@pytest.fixture
def slugs(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three houses of 40 pictures, read two houses at a time."""
    monkeypatch.setattr(images, "_HOUSES", 2)
    return fill_rows(engine, HOUSES, recipe="made-for-tests")


def change(engine: sa.Engine, table: sa.Table, key: str, **values: object) -> None:
    """Change the rows of one photo, or of one house."""
    mine = table.c.photo_key == key if "photo_key" in table.c else table.c.slug == key
    with writing(engine) as connection:
        assert connection.execute(sa.update(table).where(mine).values(values)).rowcount


def found(engine: sa.Engine, wanted: Wanted) -> list[FoundImage]:
    return list(ImageSearch(engine).find(wanted))


def test_each_filter_and_all_of_them_choose(
    engine: sa.Engine, slugs: list[str]
) -> None:
    key = f"57-{_folder(engine, slugs[1])}_0"
    change(engine, tables.category, key, confidence=97, probability=0.975)
    change(engine, tables.photo, key, first_seen_on=LATER)
    whole = Wanted(
        location=Location.INTERIOR,
        subject=Subject.KITCHEN,
        min_confidence=97,
        source=Source.REDFIN,
        since=LATER,
    )

    everything = found(engine, EVERYTHING)
    (one,) = found(engine, whole)

    assert len(everything) == 40 * HOUSES
    assert everything == sorted(everything, key=_order)
    assert len(found(engine, Wanted(subject=Subject.KITCHEN))) == 10 * HOUSES
    assert len(found(engine, Wanted(location=Location.INTERIOR))) == 40 * HOUSES
    assert (one.slug, one.first_seen_on, one.probability) == (slugs[1], LATER, 0.975)
    for changed in (
        {"location": Location.EXTERIOR},
        {"subject": Subject.POOL},
        {"min_confidence": 98},
        {"source": Source.ZILLOW},
        {"since": date(2026, 2, 2)},
    ):
        assert found(engine, replace(whole, **changed)) == []


def test_a_better_copy_does_not_make_a_picture_new(
    engine: sa.Engine, slugs: list[str]
) -> None:
    folder = _folder(engine, slugs[0])
    better, first = (f"57-{folder}_{number}" for number in (0, 1))
    change(engine, tables.photo, better, first_seen_on=LATER, cluster_id="both")
    change(engine, tables.photo, first, verdict="duplicate", cluster_id="both")
    change(engine, tables.publication, first, active=False)

    assert found(engine, Wanted(since=LATER)) == []
    change(engine, tables.photo, first, first_seen_on=LATER)
    assert len(found(engine, Wanted(since=LATER))) == 1


def test_of_removed_houses_nothing_is_found_and_of_one_only_its_own(
    engine: sa.Engine, slugs: list[str]
) -> None:
    change(engine, tables.house, slugs[2], removed_at=sa.func.now())

    of_one = list(ImageSearch(engine).find(slug=slugs[1]))

    assert {it.slug for it in found(engine, EVERYTHING)} == set(slugs[:2])
    assert {it.slug for it in of_one} == {slugs[1]}
    assert {it.first_seen_on for it in of_one} == {SEEN}
    assert ImageSearch(engine).sources() == [Source.REDFIN]


def _folder(engine: sa.Engine, slug: str) -> str:
    house = tables.house.c
    with writing(engine) as connection:
        query = sa.select(house.folder).where(house.slug == slug)
        return str(connection.execute(query).scalar_one())


def _order(it: FoundImage) -> tuple[str, str]:
    return it.image.property_address, it.image.local_path
