"""Stores made, and kept for their owner; what is opened daily is not opened here."""

import fcntl
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from phx_pipeline.catalog.complaints import explaining
from phx_pipeline.catalog.engine import answering, file_of, open_engine
from phx_pipeline.catalog.migrate import lock_beside, one_at_a_time, upgrade
from phx_pipeline.categorize.network.kept import sweep_drafts
from phx_pipeline.model.refusal import on_disk
from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import create_folder, sweep_temporaries
from phx_pipeline.storage.layout import Layout
from phx_pipeline.storage.private import private_file, tighten
from phx_pipeline.wiring.catalog import url_of
from phx_pipeline.wiring.clock import utc_now

logger = logging.getLogger(__name__)

_ENDINGS = ("", "-wal", "-shm")  # of the files of an SQLite database
_LEFTOVER_S = 86_400.0  # older than the longest run


def initialise(settings: Settings) -> str:
    """Bring the catalogue to this version; return the revision it had.

    Folders and catalogue are for their owner alone. Temporary files that killed
    processes left behind are removed on the way.

    Raises:
        CatalogError: the database cannot be made or used.
        DiskError: a folder cannot be made or cleaned.
    """
    layout, now = Layout(settings.data_dir), utc_now().timestamp()
    images = layout.images
    engine = open_engine(url_of(settings))
    _keep_private(settings, catalogue=file_of(engine))
    with on_disk(images):
        sweep_temporaries(images, older_than_s=_LEFTOVER_S, now=now)
    sweep_drafts(layout.networks, before=now - _LEFTOVER_S)
    try:
        return upgrade(engine)
    finally:
        engine.dispose()


@on_disk()
def _keep_private(settings: Settings, *, catalogue: Path | None) -> None:
    create_folder(settings.data_dir)
    kept = [settings.data_dir, settings.dagster_dir]
    if catalogue is not None:
        create_folder(catalogue.parent)
        private_file(catalogue)
        private_file(lock := lock_beside(catalogue))
        kept += [lock]
        kept += [catalogue.with_name(catalogue.name + end) for end in _ENDINGS]
    for path in tighten(kept):
        logger.info("%s is for its owner alone from now on", path)


@contextmanager
def opening_dagster(settings: Settings) -> Iterator[None]:
    """Be the only process that opens Dagster's store, which makes it on first use.

    On PostgreSQL the lock is in that database: it counts for all hosts.

    Raises:
        CatalogDownError: the database does not answer.
        CatalogUnusableError: its file is damaged, read-only, or the disk full.
        DiskError: the folder cannot be used.
    """
    folder = settings.dagster_dir
    with on_disk(folder):
        create_folder(folder)
    if settings.dagster_pg_url is None:
        with explaining(folder), on_disk(folder), ExitStack() as stack:
            private_file(file := folder / "opening.lock")
            lock = stack.enter_context(file.open("w", encoding="ascii"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    engine = open_engine(settings.dagster_pg_url)
    try:
        with answering(engine), one_at_a_time(engine):
            yield
    finally:
        engine.dispose()
