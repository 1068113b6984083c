"""What the database finds wrong with itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.integrity import Integrity
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Databases,
    Scene,
    house_at,
    url_of,
)
from phx_pipeline_tests.jobs import ask_job

Opened = Callable[[str], sa.Engine]


@pytest.mark.parametrize("deep", [False, True], ids=["quick", "deep"])
def test_a_sound_database_has_no_fault(scene: Scene, *, deep: bool) -> None:
    scene.list_photos("a", "b")
    scene.download("a", "picture")

    assert scene.catalog.integrity.faults(deep=deep) == []


@pytest.fixture
def unguarded(databases: Databases, kind: str, opened: Opened) -> sa.Engine:
    """A migrated database whose connections check no reference."""
    engine = opened(url_of(databases.opened(kind)))
    off = {
        "sqlite": "PRAGMA foreign_keys=OFF",
        "postgresql": "SET session_replication_role = replica",
    }[engine.dialect.name]

    def unguard(connection: Any, _record: object) -> None:
        connection.cursor().execute(off)

    sa.event.listen(engine, "connect", unguard)
    return engine


def test_a_row_whose_reference_leads_nowhere_is_told(unguarded: sa.Engine) -> None:
    house = house_at(1)
    catalog = Catalog(unguarded, leases=Leases(unguarded, ttl_s=60))
    catalog.add_properties([house], at=STAMP.at)
    ask_job(catalog, "job", [house.slug], sources=[], at=STAMP.at)

    with writing(unguarded) as connection:
        connection.execute(sa.delete(tables.job))

    assert catalog.integrity.faults() == ["1 row of job_item without its job"]


@pytest.mark.parametrize("deep", [False, True], ids=["quick", "deep"])
def test_nonsense_in_a_file_is_told_and_never_raised(
    tmp_path: Path, sqlite_template: Path, opened: Opened, *, deep: bool
) -> None:
    file = tmp_path / "phx.db"
    body = bytearray(sqlite_template.read_bytes())
    body[-4096:] = b"nonsense" * 512
    file.write_bytes(body)

    faults = Integrity(opened(f"sqlite:///{file}")).faults(deep=deep)

    assert faults
    assert all("\n" not in fault for fault in faults)
