import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import phx_pipeline.catalog.migrations
from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, writing
from phx_pipeline.catalog.migrate import (
    HEAD,
    current_revision,
    require_current,
    upgrade,
)
from phx_pipeline.catalog.partial_indexes import add_partial_indexes
from phx_pipeline.errors import DiskError, RevisionError
from phx_pipeline_tests.integration.conftest import Databases

Open = Callable[[str], sa.Engine]


@pytest.fixture
def empty(databases: Databases, kind: str) -> str:
    return databases.empty(kind)


@pytest.fixture
def empty_engine(empty: str, opened: Open) -> sa.Engine:
    return opened(empty)


def _upgrade_elsewhere(url: str) -> str:
    engine = open_engine(url)
    try:
        before = upgrade(engine)
        require_current(engine)
    finally:
        engine.dispose()
    return before


def _die_in_the_middle(url: str) -> None:
    engine = open_engine(url)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def die(*call: Any) -> None:
        if "CREATE TABLE publication" in call[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    upgrade(engine)


def _put_at(engine: sa.Engine, revision: str) -> None:
    with writing(engine) as connection:
        statement = sa.text("update alembic_version set version_num = :revision")
        connection.execute(statement, {"revision": revision})


def test_the_head_in_code_is_the_newest_script() -> None:
    folder = Path(phx_pipeline.catalog.migrations.__file__).parent

    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


def test_an_empty_database_becomes_current(empty_engine: sa.Engine) -> None:
    before = upgrade(empty_engine)

    assert before == "none"
    require_current(empty_engine)


def test_a_second_upgrade_changes_nothing(empty_engine: sa.Engine) -> None:
    upgrade(empty_engine)

    before = upgrade(empty_engine)

    assert before == HEAD == current_revision(empty_engine)


def test_processes_that_upgrade_at_once_migrate_once(
    databases: Databases, kind: str, processes: ProcessPoolExecutor
) -> None:
    for _ in range(3):
        url = databases.empty(kind)

        befores = list(processes.map(_upgrade_elsewhere, [url] * 4))

        assert sorted(befores) == [HEAD, HEAD, HEAD, "none"]


def test_a_killed_upgrade_leaves_nothing_behind(
    empty: str, opened: Open, clean_processes: ForkServerContext
) -> None:
    victim = clean_processes.Process(target=_die_in_the_middle, args=(empty,))
    victim.start()
    victim.join()

    engine = opened(empty)

    assert victim.exitcode == -signal.SIGKILL
    assert current_revision(engine) is None
    assert upgrade(engine) == "none"
    require_current(engine)


def test_a_database_without_schema_is_refused_with_the_remedy(
    empty_engine: sa.Engine,
) -> None:
    with pytest.raises(RevisionError, match=r"^[^\n]*not initialised: run `phx init` "):
        require_current(empty_engine)


@pytest.mark.parametrize(
    ("revision", "remedy"),
    [("0001", "run `phx init` "), ("9999", "not know: use the matching version ")],
)
def test_another_revision_is_refused_with_the_remedy(
    empty_engine: sa.Engine, revision: str, remedy: str
) -> None:
    upgrade(empty_engine)
    _put_at(empty_engine, revision)

    with pytest.raises(RevisionError, match=rf"^[^\n]*{revision}[^\n]*{remedy}[^\n]*$"):
        require_current(empty_engine)


def test_an_unknown_revision_is_not_upgraded(empty_engine: sa.Engine) -> None:
    upgrade(empty_engine)
    _put_at(empty_engine, "9999")

    with pytest.raises(
        RevisionError, match=r"^[^\n]*9999[^\n]*matching version[^\n]*$"
    ):
        upgrade(empty_engine)

    assert current_revision(empty_engine) == "9999"


@pytest.mark.parametrize(
    ("revisions", "told"), [([], "tables, but no revision"), (["1", "2"], "several")]
)
def test_tables_without_one_revision_are_left_alone(
    tmp_path: Path, opened: Open, revisions: list[str], told: str
) -> None:
    engine = opened(f"sqlite:///{tmp_path}/phx.db")
    with writing(engine) as connection:
        connection.exec_driver_sql("create table alembic_version (version_num text)")
        connection.exec_driver_sql("create table blob (sha256 text)")
        for it in revisions:
            insert = sa.text("insert into alembic_version values (:it)")
            connection.execute(insert, {"it": it})

    for use in (require_current, upgrade):
        with pytest.raises(RevisionError, match=f"phx.db has {told}.* from a backup"):
            use(engine)


def test_a_folder_in_the_place_of_the_database_is_told(
    tmp_path: Path, opened: Open
) -> None:
    with pytest.raises(DiskError, match="a folder is where a file should be; move it"):
        require_current(opened(f"sqlite:///{tmp_path}"))


# SQLite's inspector passes over such indexes; PostgreSQL's compares them.
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified")
def test_the_migrated_schema_is_that_of_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        add_partial_indexes()
        differences = compare_metadata(context, tables.metadata)

    assert differences == []


def test_the_migrated_keys_are_those_of_the_tables(engine: sa.Engine) -> None:
    inspector = sa.inspect(engine)

    migrated = {
        table.name: inspector.get_pk_constraint(table.name)["constrained_columns"]
        for table in tables.metadata.sorted_tables
    }

    assert migrated == {
        table.name: [column.name for column in table.primary_key]
        for table in tables.metadata.sorted_tables
    }
