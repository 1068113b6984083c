"""The stores are for their owner alone, also those an earlier version made."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring import build_catalog, initialise, opening_dagster


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"data_dir": tmp_path / "data", "dagster_dir": tmp_path / "dagster"}
    return replace(load_settings({}), **folders)  # type: ignore[arg-type]  # both are paths


def modes(settings: Settings) -> dict[str, int]:
    files = settings.data_dir.glob("phx.db*")
    kept = [settings.data_dir, settings.dagster_dir, *files]
    return {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in kept
        if path.suffix != ".migrating"
    }


ALONE = {
    "data": 0o700,
    "dagster": 0o700,
    "phx.db": 0o600,
    "phx.db-wal": 0o600,
    "phx.db-shm": 0o600,
}


def test_new_stores_are_for_their_owner_alone(settings: Settings) -> None:
    initialise(settings)
    with opening_dagster(settings):
        catalog = build_catalog(settings)

    found = modes(settings)
    catalog.close()

    assert found == {name: ALONE[name] for name in found}
    assert {"data", "phx.db", "phx.db-wal"} <= found.keys()


def test_stores_of_an_earlier_version_become_so(settings: Settings) -> None:
    initialise(settings)
    settings.dagster_dir.mkdir()
    catalog = build_catalog(settings)
    for path in (settings.data_dir, settings.dagster_dir):
        path.chmod(0o755)
    for path in settings.data_dir.glob("phx.db*"):
        path.chmod(0o644)

    initialise(settings)

    found = modes(settings)
    catalog.close()
    assert found == {name: ALONE[name] for name in found}


def test_a_folder_set_up_for_a_group_stays(settings: Settings) -> None:
    for folder in (settings.data_dir, settings.dagster_dir):
        folder.mkdir()
        folder.chmod(0o770)

    initialise(settings)

    assert modes(settings)["data"] == 0o770
