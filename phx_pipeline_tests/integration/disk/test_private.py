"""The stores are for their owner alone, also those an earlier version made."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.errors import DiskError
from phx_pipeline.settings import Settings, environment, load_settings
from phx_pipeline.supervise.lock import running
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.stores import initialise, opening_dagster


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    folders = {"data_dir": tmp_path / "data", "dagster_dir": tmp_path / "dagster"}
    return replace(load_settings({}), **folders)  # type: ignore[arg-type]  # both are paths


def modes(settings: Settings) -> dict[str, int]:
    files = settings.data_dir.glob("phx.db*")
    kept = [settings.data_dir, settings.dagster_dir, *files]
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept}


_WITHOUT_UMASK = """
import os
os.umask(0)
from phx_pipeline.cli.main import main
main()
"""

ALONE = {
    "data": 0o700,
    "dagster": 0o700,
    "phx.db": 0o600,
    "phx.db-wal": 0o600,
    "phx.db-shm": 0o600,
    "phx.db.migrating": 0o600,
}


def test_new_stores_are_for_their_owner_alone(settings: Settings) -> None:
    initialise(settings)
    with opening_dagster(settings):
        catalog = build_catalog(settings)

    found = modes(settings)
    catalog.close()

    assert found == {name: ALONE[name] for name in found}
    assert {"data", "phx.db", "phx.db-wal"} <= found.keys()


def test_whatever_the_umask_and_whatever_is_refused_nobody_else_may_look(
    tmp_path: Path,
) -> None:
    """One after the other, in processes of their own: a refused `phx up`, `init`."""
    made = tmp_path / "stores"
    env = environment(
        replace(load_settings({}), data_dir=made / "data", dagster_dir=made / "dagster")
    )

    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        refused = phx("up", "--port", taken, env=env)
        assert refused.returncode
        assert f"port {taken} belongs to" in refused.stderr
        assert not made.exists()
        phx("init", env=env).check_returncode()
        assert phx("up", "--port", taken, env=env).returncode

    others = stat.S_IRWXG | stat.S_IRWXO
    ours = [*made.rglob("*"), made]
    open_folders = [p for p in ours if p.is_dir() and p.stat().st_mode & others]
    data_files = [p for p in (made / "data").rglob("*") if p.is_file()]
    assert made / "data" in ours
    assert [p for p in open_folders if not in_dagsters_own(p, made)] == []
    assert [p for p in data_files if p.stat().st_mode & others] == []


def in_dagsters_own(path: Path, made: Path) -> bool:
    """Folders that Dagster itself makes, below one that nobody else may enter."""
    return (made / "dagster") in path.parents


def phx(*words: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", _WITHOUT_UMASK, *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603


@pytest.mark.parametrize(
    ("name", "opens"),
    [("supervisor.lock", running), ("phx.db.migrating", initialise)],
)
def test_a_pipe_in_place_of_a_lock_stops_with_one_line(
    settings: Settings, name: str, opens: Callable[[Settings], object]
) -> None:
    settings.data_dir.mkdir()
    os.mkfifo(settings.data_dir / name)

    with pytest.raises(DiskError, match=f"{name}: something else is there already"):
        opens(settings)


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
