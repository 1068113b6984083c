"""What is kept of Dagster's SQLite stores, and what those who watch a run hear."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.sql import check_alembic_revision, get_alembic_config

from phx_pipeline.defs.engines import known_revision
from phx_pipeline.defs.new_events import begin_events
from phx_pipeline.defs.submit import open_instance
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.deployment import Deployment


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with Deployment(tmp_path, {}) as made, open_instance(made.settings) as opened:
        yield opened


@pytest.fixture
def events(instance: dg.DagsterInstance) -> SqliteEventLogStorage:
    assert isinstance(instance.event_log_storage, SqliteEventLogStorage)
    return instance.event_log_storage


def test_a_process_keeps_connections_to_the_events_of_a_run_and_closes_them(
    instance: dg.DagsterInstance, events: SqliteEventLogStorage
) -> None:
    run = instance.add_run(run_of("a-house", dg.DagsterRunStatus.STARTED))
    shard = Path(events.path_for_shard(run.run_id))
    heard, tell = get_context("fork").Pipe(duplex=False)

    def work() -> None:
        said = []
        for _ in range(2):
            instance.report_engine_event("at work", run)
            said.append((_beside(shard), _changed_at(lambda: None, shard)))
        tell.send(said)

    worker = get_context("fork").Process(target=work)
    worker.start()
    (first, first_at), (second, second_at) = heard.recv()
    worker.join()

    assert first == second == {"-shm", "-wal"}
    assert first_at < second_at  # or nobody who watches the run would hear of it
    assert _beside(shard) == set()
    assert len(instance.all_logs(run.run_id)) == 2


def test_reading_a_run_tells_nobody_that_it_changed(
    instance: dg.DagsterInstance, events: SqliteEventLogStorage
) -> None:
    first, *others = [
        instance.add_run(run_of(f"house-{number}", dg.DagsterRunStatus.STARTED))
        for number in range(5)
    ]
    instance.report_engine_event("at work", first)
    shard = Path(events.path_for_shard(first.run_id))
    before = shard.stat().st_mtime_ns

    assert _changed_at(lambda: instance.all_logs(first.run_id), shard) == before
    for run in others:
        instance.report_engine_event("at work", run)
    assert _beside(shard) == set()  # only those of the last runs are kept


def test_revisions_are_those_that_dagster_reads(
    events: SqliteEventLogStorage,
) -> None:
    config = get_alembic_config(str(sqlite_event_log.__file__))

    with events.index_connection() as connection:
        told = known_revision(config, connection)
        assert told == check_alembic_revision(config, connection)
    assert told[0] == told[1] is not None


def _beside(shard: Path) -> set[str]:
    """What SQLite holds beside the file while somebody has it open."""
    return {
        path.name.removeprefix(shard.name)
        for path in shard.parent.glob(f"{shard.name}-*")
    }


def _changed_at(act: Callable[[], object], file: Path) -> int:
    act()
    return file.stat().st_mtime_ns


def test_events_of_a_run_begin_in_tables_as_dagster_makes_them(
    instance: dg.DagsterInstance, events: SqliteEventLogStorage, tmp_path: Path
) -> None:
    run = instance.add_run(run_of("a-house", dg.DagsterRunStatus.STARTED))
    begun = Path(events.path_for_shard(run.run_id))
    begin_events(begun)
    tables = _made_of(begun)
    instance.report_engine_event("at work", run)
    begin_events(begun)  # as another process that came later
    dagsters = tmp_path / "dagsters.db"
    events._initdb(sa.create_engine(f"sqlite:///{dagsters}", poolclass=sa.NullPool))

    assert tables == _made_of(dagsters)
    assert len(instance.all_logs(run.run_id)) == 1
    assert list(begun.parent.glob(".*")) == []


def _made_of(database: Path) -> list[tuple[str, ...]]:
    """The journal, the revision, and all tables and indices."""
    with closing(sqlite3.connect(database)) as opened:
        return [
            *opened.execute("PRAGMA journal_mode"),
            *opened.execute("SELECT version_num FROM alembic_version"),
            *opened.execute("SELECT name, sql FROM sqlite_master ORDER BY name"),
        ]
