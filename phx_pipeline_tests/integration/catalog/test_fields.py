"""Fields of pages are counted with the listing, on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.retention import History
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.drift import FieldCount, drifts
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, Scene, expire

HAD = Listing(
    source=Source.REDFIN,
    outcome=ListingOutcome.LISTED,
    facts=ListingFacts(sewer="city"),
    page_kind="page",
)
LACKED = replace(HAD, facts=ListingFacts())
FIRST = STAMP.today - timedelta(days=60)

Count = Callable[..., list[tuple[int, int, int]]]


def on(scene: Scene, *, day: int) -> Scene:
    today = STAMP.today + timedelta(days=day)
    return replace(scene, stamp=replace(STAMP, today=today))


@pytest.fixture
def counted(engine: sa.Engine) -> Count:
    """Read what was counted of a field, by day: pages, had, lacking."""
    table = tables.field_count.c

    def read(field: str = "sewer") -> list[tuple[int, int, int]]:
        query = sa.select(table.pages, table.had, table.lacking)
        this = query.where(table.field == field).order_by(table.seen_on)
        with reading(engine) as connection:
            return [
                (row.pages, row.had, row.lacking) for row in connection.execute(this)
            ]

    return read


def test_each_page_is_counted_on_its_day(scene: Scene, counted: Count) -> None:
    for listing in (LACKED, HAD, LACKED, LACKED):
        scene.say(listing)
    on(scene, day=1).say(LACKED)
    on(scene, day=2).say(HAD)

    assert counted() == [(4, 1, 2), (1, 0, 1), (1, 1, 0)]
    assert counted("photos") == [(4, 0, 4), (1, 0, 1), (1, 0, 1)]


def test_what_the_last_page_lacked_and_another_had_is_read(scene: Scene) -> None:
    scene.say(HAD)
    on(scene, day=1).say(LACKED)
    on(scene, day=1).say(replace(HAD, source=Source.ZILLOW))

    book = scene.catalog.fields
    sewer = {"source": Source.REDFIN, "page_kind": "page", "field": "sewer"}
    before = FieldCount(**sewer, seen_on=STAMP.today, pages=1, had=1, lacking=0)  # type: ignore[arg-type]  # of both kinds
    day = STAMP.today + timedelta(days=1)
    assert sorted(book.lacking(first=FIRST), key=lambda it: it.seen_on) == [
        before,
        replace(before, seen_on=day, had=0, lacking=1),
    ]
    assert book.lacking(first=FIRST, sources=[Source.ZILLOW]) == []
    assert book.lacking(first=day) == []


def test_a_field_that_went_is_found_and_comes_back(scene: Scene) -> None:
    for _ in range(5):
        scene.say(HAD)
    for day in (1, 2, 3):
        assert drifts(scene.catalog.fields.lacking(first=FIRST)) == ()
        on(scene, day=day).say(LACKED)

    (drift,) = drifts(scene.catalog.fields.lacking(first=FIRST))
    on(scene, day=4).say(HAD)

    assert (drift.field, drift.since) == ("sewer", STAMP.today + timedelta(days=1))
    assert drifts(scene.catalog.fields.lacking(first=FIRST)) == ()


def test_pages_that_come_at_once_are_all_counted(
    catalog: Catalog, counted: Count
) -> None:
    scenes = [Scene.of(catalog, number=number) for number in (1, 2, 3, 4)]

    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            list(pool.map(lambda scene: scene.say(HAD), scenes))

    assert counted() == [(20, 20, 0)]


def test_a_page_at_hand_is_not_counted(scene: Scene, counted: Count) -> None:
    scene.catalog.record_listing(
        scene.lease, scene.slug, HAD, stamp=STAMP, shown_at=STAMP.at
    )

    assert counted() == []


def test_a_superseded_lease_counts_nothing(
    scene: Scene, engine: sa.Engine, counted: Count
) -> None:
    expire(engine, scene.lease)
    scene.catalog.leases.acquire(scene.lease.name, owner="the next one")

    with pytest.raises(StaleEpochError):
        scene.say(HAD)

    assert counted() == []


def test_counts_of_long_ago_are_forgotten(
    scene: Scene, engine: sa.Engine, counted: Count
) -> None:
    on(scene, day=-31).say(HAD)
    scene.say(HAD)

    before = STAMP.at - timedelta(days=30)
    gone = list(History(engine).forget(before=before, open_jobs=()))

    assert "field_count" in {it.table for it in gone}
    assert counted() == [(1, 1, 0)]
