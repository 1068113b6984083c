"""The file of a run's events, begun as a copy of an empty one.

Dagster makes its tables one after the other and stamps their revision, which takes
thirty times the processor time of a copy. What the tables are belongs to Dagster.
"""

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import get_ident

import sqlalchemy as sa
from dagster._core.storage import sql
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sqlite import sqlite_event_log


def begin_events(file: Path) -> None:
    """Make *file* with Dagster's empty tables, unless it is there.

    It is there whole or not at all: other processes may begin it, too.
    """
    if file.exists():
        return
    mine = file.with_name(f".{file.name}-{os.getpid()}-{get_ident()}")
    try:
        with mine.open("xb") as written:
            written.write(empty_events())
            written.flush()
            os.fsync(written.fileno())  # the log beside it counts on these pages
        with suppress(FileExistsError):
            os.link(mine, file)
    finally:
        mine.unlink(missing_ok=True)


@lru_cache(maxsize=1)
def empty_events() -> bytes:
    """The file of a run without events, as Dagster makes it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "empty.db"
        engine = sql.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
        SqlEventLogStorageMetadata.create_all(engine)
        with engine.connect() as connection:
            connection.execute(sa.text("PRAGMA journal_mode=WAL"))
            config = sql.get_alembic_config(str(sqlite_event_log.__file__))
            sql.stamp_alembic_rev(config, connection, rev="head")
            sql.safe_commit(connection)
        return file.read_bytes()
