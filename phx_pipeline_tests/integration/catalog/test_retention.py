"""History is forgotten, the present is not; on both engines."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import retention, tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.retention import History
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.retention import oldest_kept
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    all_rows,
    house_at,
)
from phx_pipeline_tests.jobs import ask_job, end_items, see_runs

NOW = STAMP.at
LIMIT = NOW - timedelta(days=30)
HOUSES = [house_at(number) for number in (1, 2, 3)]
A, B, C = (house.slug for house in HOUSES)


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture
def history(engine: sa.Engine, catalog: Catalog) -> History:
    catalog.add_properties(HOUSES, at=NOW)
    return History(engine)


def insert(engine: sa.Engine, table: sa.Table, *rows: dict[str, Any]) -> None:
    with writing(engine) as connection:
        connection.execute(sa.insert(table), list(rows))


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("ahead", [0, 60])
def test_a_clock_far_ahead_of_all_work_forgets_no_more(
    history: History, engine: sa.Engine, ahead: int
) -> None:
    insert(engine, tables.attempt, tried("1", 3), tried("1", 1.5))
    insert(engine, tables.run, worked("late", -100))

    now = NOW + timedelta(days=ahead)
    expected = min(now, days_ago(1.5) + timedelta(days=2)) - timedelta(days=30)
    assert oldest_kept(history, now=now, days=30) == expected


def column(engine: sa.Engine, wanted: sa.Column[Any]) -> list[Any]:
    """All values of a column, sorted."""
    with reading(engine) as connection:
        return sorted(connection.execute(sa.select(wanted)).scalars())


def tried(photo: str, days: float, *, slug: str = A) -> dict[str, Any]:
    """An attempt at a photo; its url tells which."""
    return {
        "slug": slug,
        "source": "redfin",
        "photo_key": photo,
        "at": days_ago(days),
        "run_id": "r",
        "url": f"{slug[0]}-{photo}-{days:g}",
        "result": "ok",
        "detail": "",
    }


def worked(run_id: str, days: float, *, slug: str = A, job: str | None = None) -> Any:
    return {
        "run_id": run_id,
        "slug": slug,
        "job_id": job,
        "mode": "fresh",
        "started_at": days_ago(days),
        "ended_at": None,
        "outcome": "done",
        "error": "",
        "result": {},
    }


def forget(history: History, *, kept: tuple[str, ...] = ()) -> dict[str, int]:
    """Forget everything there is to; tell how many rows of each table went."""
    gone: Counter[str] = Counter()
    for step in history.forget(before=LIMIT, open_jobs=kept):
        gone[step.table] += step.rows
    return dict(gone)


def test_of_a_photo_the_last_attempt_stays_however_old(
    history: History, engine: sa.Engine
) -> None:
    insert(
        engine,
        tables.attempt,
        tried("one", 90),
        tried("one", 80),
        tried("two", 70),
        tried("one", 60),
        tried("one", 50, slug=B),
    )

    gone = forget(history)

    assert gone == {"attempt": 2}
    assert column(engine, tables.attempt.c.url) == [
        f"{A[0]}-one-60",
        f"{A[0]}-two-70",
        f"{B[0]}-one-50",
    ]


def test_young_attempts_stay_all(history: History, engine: sa.Engine) -> None:
    insert(engine, tables.attempt, tried("one", 40), tried("one", 2), tried("one", 1))

    forget(history)

    assert column(engine, tables.attempt.c.url) == [
        f"{A[0]}-one-1",
        f"{A[0]}-one-2",
    ]


def test_of_a_property_the_last_run_stays_and_all_young_ones(
    history: History, engine: sa.Engine
) -> None:
    insert(
        engine,
        tables.run,
        worked("a1", 90),
        worked("a2", 80),
        worked("b1", 90, slug=B),
        worked("b2", 5, slug=B),
        worked("b3", 4, slug=B),
        worked("c1", 60, slug=C),
    )

    gone = forget(history)

    assert gone == {"run": 2}
    assert column(engine, tables.run.c.run_id) == ["a2", "b2", "b3", "c1"]


def test_a_run_that_covered_two_properties_stays_where_it_was_the_last(
    history: History, engine: sa.Engine
) -> None:
    insert(
        engine,
        tables.run,
        worked("both", 90),
        worked("both", 90, slug=B),
        worked("later", 60),
    )

    forget(history)

    with reading(engine) as connection:
        rows = connection.execute(sa.select(tables.run.c.run_id, tables.run.c.slug))
        assert sorted(map(tuple, rows)) == [("both", B), ("later", A)]


def test_an_old_job_goes_with_its_items_and_runs(
    history: History, catalog: Catalog, engine: sa.Engine
) -> None:
    ask_job(catalog, "old", [A, B], sources=(), at=days_ago(90))
    ask_job(catalog, "young", [A], sources=(), at=days_ago(3))
    end_items(catalog, catalog.jobs.items("old"), at=days_ago(89))
    end_items(catalog, catalog.jobs.items("young"), at=days_ago(2))
    insert(
        engine,
        tables.run,
        worked("r1", 89, job="old"),
        worked("r2", 88, job="young"),
        worked("r3", 2),
    )

    gone = forget(history)

    assert gone == {"run": 1, "job_item": 2, "job": 1}
    assert column(engine, tables.job.c.id) == ["young"]
    assert column(engine, tables.run.c.run_id) == ["r2", "r3"]


def test_a_job_with_a_waiting_item_stays_whole(
    history: History, catalog: Catalog, engine: sa.Engine
) -> None:
    ask_job(catalog, "old", [A, B], sources=(), at=days_ago(90))
    end_items(catalog, catalog.jobs.items("old")[:1], at=days_ago(89))

    assert history.open_jobs() == {"old"}
    assert forget(history) == {}
    assert len(column(engine, tables.job_item.c.slug)) == 2


def test_a_job_whose_runs_are_still_to_come_stays(
    history: History, catalog: Catalog
) -> None:
    ask_job(catalog, "queued", [A], sources=(), at=days_ago(90))
    see_runs(catalog, catalog.jobs.items("queued"), at=days_ago(89))

    assert history.open_jobs() == {"queued"}
    assert forget(history) == {}
    end_items(catalog, catalog.jobs.items("queued"), at=days_ago(88))
    assert forget(history, kept=("queued",)) == {}
    assert forget(history) == {"job_item": 1, "job": 1}


def test_a_job_that_ended_lately_stays(history: History, catalog: Catalog) -> None:
    ask_job(catalog, "slow", [A], sources=(), at=days_ago(90))
    end_items(catalog, catalog.jobs.items("slow"), at=days_ago(3))

    assert forget(history) == {}


def test_only_the_leases_of_old_runs_go(
    history: History, engine: sa.Engine, leases: Leases
) -> None:
    old, young = LIMIT.timestamp() - 1, LIMIT.timestamp() + 1
    names = {"run:old": old, "run:young": young, f"property:{A}": old, "views": old}
    insert(
        engine,
        tables.lease,
        *(
            {
                "name": name,
                "owner": "",
                "epoch": 7,
                "heartbeat_at": at,
                "expires_at": 0.0,
            }
            for name, at in names.items()
        ),
    )

    assert forget(history) == {"lease": 1}
    assert leases.state("run:old") is None
    kept = leases.state(f"property:{A}")
    assert kept is not None
    assert kept.epoch == 7


def test_what_is_counted_is_what_goes(
    history: History, catalog: Catalog, engine: sa.Engine
) -> None:
    ask_job(catalog, "old", [A], sources=(), at=days_ago(90))
    end_items(catalog, catalog.jobs.items("old"), at=days_ago(89))
    insert(engine, tables.attempt, *(tried("one", 90 - n) for n in range(9)))
    insert(engine, tables.run, worked("r1", 89, job="old"), worked("r2", 80))
    before = all_rows(engine)

    counted = history.old(before=LIMIT, open_jobs=())

    assert all_rows(engine) == before
    told = {one.table: one.rows for one in counted if one.rows}
    assert told == {"attempt": 8, "run": 1, "job_item": 1, "job": 1}
    assert forget(history) == told
    assert forget(history) == {}


def test_rows_go_in_small_transactions_and_a_stop_between_is_made_good(
    history: History, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    insert(engine, tables.attempt, *(tried("one", 60 - n) for n in range(8)))
    insert(engine, tables.run, *(worked(f"r{n}", 60 - n) for n in range(5)))

    first = next(history.forget(before=LIMIT, open_jobs=()))
    rest = [one.rows for one in history.forget(before=LIMIT, open_jobs=())]

    assert first.rows == 3
    assert rest == [3, 1, 3, 1]
    assert column(engine, tables.attempt.c.url) == [f"{A[0]}-one-53"]
    assert column(engine, tables.run.c.run_id) == ["r4"]


def test_content_is_not_history(
    history: History, scene: Scene, engine: sa.Engine
) -> None:
    scene.list_photos("p1", "p2")
    scene.download("p1", "bytes")
    before = all_rows(engine)

    for step in history.forget(before=NOW + timedelta(days=1), open_jobs=()):
        assert step.rows == 0

    assert all_rows(engine) == before
