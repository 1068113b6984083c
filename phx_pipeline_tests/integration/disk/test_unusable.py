"""A catalogue that is locked, damaged, foreign or forbidden is told in one line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog import engine
from phx_pipeline.settings import load_settings
from phx_pipeline_tests.commands import Ended, Phx, UseSettings
from phx_pipeline_tests.deployment import BIN, SMALLEST, collected_whole

COMMANDS = ["status", "stats", "verify", "extract --all --sync", "init"]
NOBODY = 65534


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return collected_whole(tmp_path_factory.mktemp("whole") / "made", SMALLEST)


@pytest.fixture
def stores(collected: Path, tmp_path: Path, use_settings: UseSettings) -> Path:
    """The data folder of a complete house, and the settings for it."""
    data = tmp_path / "data"
    shutil.copytree(collected / "data", data, symlinks=True)
    own = load_settings({"PHX_CATEGORIZERS": "listing_text"})
    own = replace(own, attempts=1, pace_percent=0)  # no site can be reached
    settings = replace(own, data_dir=data, dagster_dir=data / "dagster")
    use_settings(replace(settings, final_after_days=1))  # as when it was collected
    return data


def assert_one_line(ended: Ended, *told: str) -> None:
    assert ended.code == 1, ended
    line = ended.err.removesuffix("\n")
    assert line.startswith("phx: /")
    assert "\n" not in line
    assert all(words in line for words in told), line


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process writes, and does not come to an end."""
    code = (
        "import sqlite3, sys; it = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "it.execute('begin immediate'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - the test's own command
        [sys.executable, "-c", code, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def test_a_lock_of_another_process_is_told_and_readers_go_on(
    stores: Path, phx: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PATIENCE_S", 0.1)
    file = stores / "phx.db"
    with locked(file):
        assert phx("status").code == 0
        for line in ("sources disable redfin", "extract --all --sync --fresh", "init"):
            assert_one_line(phx(*line.split()), f"{file} is locked", f"`fuser {file}`")

    assert phx("sources", "disable", "redfin").code == 0


def overwrite_all_but_the_start(file: Path) -> None:
    body = bytearray(file.read_bytes())
    body[4096:] = b"nonsense" * ((len(body) - 4096) // 8)
    file.write_bytes(body)


def replace_by_a_text(file: Path) -> None:
    file.write_text("a shopping list\n" * 500, encoding="utf-8")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (overwrite_all_but_the_start, "restore it from a backup"),
        (replace_by_a_text, "file is not a database"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_the_remedy(
    stores: Path, phx: Phx, harm: Callable[[Path], None], told: str
) -> None:
    file = stores / "phx.db"
    harm(file)
    before = file.read_bytes()

    for line in COMMANDS:
        assert_one_line(phx(*line.split()), str(file), told)
    assert file.read_bytes() == before


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_page_in_the_middle_that_was_overwritten_never_shows_a_traceback(
    stores: Path, phx: Phx, share: float
) -> None:
    file = stores / "phx.db"
    body = bytearray(file.read_bytes())
    start = int(len(body) * share) // 4096 * 4096
    body[start : start + 32768] = b"\xff" * 32768
    file.write_bytes(body)

    for line in [*COMMANDS, "quarantine list", "rulings list", "rebuild"]:
        ended = phx(*line.split())

        assert ended.code in {0, 1, 3, 4}
        assert "Traceback" not in ended.err
        assert "unexpected" not in ended.err, ended.err


def test_a_folder_that_is_not_there_is_not_made_by_looking(
    tmp_path: Path, phx: Phx, use_settings: UseSettings
) -> None:
    data = tmp_path / "not mounted" / "data"
    use_settings(replace(load_settings({}), data_dir=data))

    ended = phx("status")

    assert ended.code == 1
    assert "run `phx init`" in ended.err
    assert str(data / "phx.db") in ended.err
    assert not data.parent.exists()


@contextmanager
def without_rights() -> Iterator[None]:
    """This process without the rights of root, who may do anything."""
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_of_another_user_is_told(stores: Path, phx: Phx) -> None:
    assert stores.is_dir()
    for line in COMMANDS:
        phx(*line.split())  # all is imported, from where others may not read
        with without_rights():
            ended = phx(*line.split())

        assert_one_line(ended, "permission denied; run it as the user who owns it")


def test_too_many_open_files_is_told(stores: Path) -> None:
    # A process of its own: nobody knows how many files this one has open. Of five it
    # has three, and the database wants three.
    command = f"ulimit -n 5; exec '{BIN / 'phx'}' verify"
    done = subprocess.run(  # noqa: S603 - the test's own command
        ["/bin/bash", "-c", command],
        env=os.environ | {"PHX_DATA_DIR": str(stores)},
        capture_output=True,
        text=True,
        check=False,
    )

    ended = Ended(code=done.returncode, out=done.stdout, err=done.stderr)
    assert_one_line(ended, "too many files are open; raise the limit")
