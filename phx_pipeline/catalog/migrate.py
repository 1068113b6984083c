"""Bringing the catalogue's schema to this version, under a lock; and checking it."""

import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from phx_pipeline.catalog.engine import answering, file_of, reading, writing
from phx_pipeline.catalog.tables import metadata
from phx_pipeline.errors import NoCatalogError, RevisionError
from phx_pipeline.model.refusal import on_disk

HEAD = "0031"
_ADVISORY_LOCK = 0x7068785F  # "phx_"


def current_revision(engine: sa.Engine) -> str | None:
    """The revision the database is at; None when it was never initialised.

    A file that is missing is not made.

    Raises:
        DiskError: a folder is where the file should be.
        RevisionError: tables of these names are there, but nothing tells the revision.
    """
    file = file_of(engine)
    if file is not None and not _is_there(file):
        return None
    with reading(engine) as connection:
        found = _revisions(connection)
        if len(found) == 1:
            return found[0]
        known = metadata.tables.keys() & sa.inspect(connection).get_table_names()
    if found or known:
        told = "several revisions" if found else "tables, but no revision"
        raise RevisionError(
            f"{file or engine.url.database} has {told}: it is damaged, or another "
            "program's: restore it from a backup, or name another database by "
            "PHX_DATA_DIR or PHX_CATALOG_URL"
        )
    return None


def _revisions(connection: sa.Connection) -> Sequence[str]:
    if not sa.inspect(connection).has_table("alembic_version"):
        return ()
    query = sa.text("select version_num from alembic_version")
    return connection.execute(query).scalars().all()


def require_current(engine: sa.Engine) -> None:
    """Raise `RevisionError` with the remedy unless the schema is this version's."""
    found = current_revision(engine)
    if found is None:
        where = file_of(engine) or engine.url.database
        raise NoCatalogError(
            f"the catalogue is not initialised: run `phx init` (none in {where}), "
            "or go to the folder where you began, or set PHX_DATA_DIR"
        )
    if found > HEAD:
        raise _unknown(found)
    if found != HEAD:
        raise RevisionError(
            f"the catalogue is at revision {found}, this version needs {HEAD}: "
            "run `phx init` (or use the matching version of phx_pipeline)"
        )


def _unknown(found: str | None) -> RevisionError:
    return RevisionError(
        f"the catalogue is at revision {found}, which this version ({HEAD}) does not "
        "know: use the matching version of phx_pipeline"
    )


def upgrade(engine: sa.Engine) -> str:
    """Migrate to `HEAD`, one process at a time; return the revision before.

    All steps are one transaction: a kill half-way leaves the revision before.

    Raises:
        RevisionError: the schema is of a version this one does not know.
    """
    from alembic import command  # noqa: PLC0415 - 0.2 s that only this command pays
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", "phx_pipeline.catalog:migrations")
    with one_at_a_time(engine):
        before = current_revision(engine)
        try:
            with writing(engine) as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise _unknown(before) from error
    return before or "none"


@contextmanager
def one_at_a_time(engine: sa.Engine) -> Iterator[None]:
    """Be the only process that makes or migrates tables in this database.

    The lease table does not exist before the first migration, so this one lock is
    the database's own: an advisory lock, or a file lock beside the SQLite file.
    """
    if engine.dialect.name == "postgresql":
        # Outside any transaction: the wait may be longer than one may idle.
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with answering(engine), alone.connect() as connection:
            lock = sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK))
            connection.execute(lock)
            try:
                yield
            finally:
                unlock = sa.select(sa.func.pg_advisory_unlock(_ADVISORY_LOCK))
                connection.execute(unlock)
        return
    with _locked(lock_beside(Path(str(engine.url.database)))):
        yield


def lock_beside(database: Path) -> Path:
    """The file whose lock keeps two migrations of an SQLite *database* apart."""
    return database.with_name(f"{database.name}.migrating")


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with ExitStack() as stack:
        with on_disk(file):
            handle = stack.enter_context(file.open("w", encoding="ascii"))
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@on_disk()
def _is_there(file: Path) -> bool:
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    return file.exists()
