"""What SQLite refuses is told with the file that is meant and a remedy that helps."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from phx_pipeline.catalog.complaints import explaining
from phx_pipeline.errors import CatalogUnusableError


def told_of(file: Path, place: Path) -> str:
    """The sentence for opening *file*, where *place* is what the user knows."""
    with pytest.raises(CatalogUnusableError) as refused:
        open_for_writing(file, place)
    return str(refused.value)


def open_for_writing(file: Path, place: Path) -> None:
    with explaining(place), closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE more (id INTEGER)")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "phx.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE house (id INTEGER)")
    return file


def test_a_damaged_file_of_many_is_not_told_as_one_to_recover(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    file.write_text("a shopping list\n" * 500, encoding="utf-8")

    assert "restore it from a backup" in told_of(file, file)
    folder = told_of(file, tmp_path)
    assert "move the folder away and run `phx init`" in folder
    assert "sqlite3 " not in folder


def test_a_folder_beside_the_database_is_told_by_its_own_name(database: Path) -> None:
    beside = database.with_name("phx.db-wal")
    beside.mkdir()

    told = told_of(database, database)

    assert told == f"{beside}: a folder is where a file should be; move it away"


def test_a_link_to_nowhere_beside_it_is_not_told_as_a_missing_right(
    database: Path,
) -> None:
    beside = database.with_name("phx.db-wal")
    beside.symlink_to("/nowhere/at/all")

    assert told_of(database, database).startswith(f"{beside}: not found;")
