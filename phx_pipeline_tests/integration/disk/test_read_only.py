"""What only reads works where nothing can be written; what writes says so."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import SMALLEST, collected_whole, slug_of
from phx_pipeline_tests.integration.disk.conftest import SmallDisk

KEY = slug_of(SMALLEST)
READ_ONLY = re.compile(r"phx: /\S+: the file system is read-only; mount it .*\n")

READING = [
    "status",
    "status --json",
    f"images {KEY}",
    "changes",
    "digest --format text",
    "search list",
    "search proposed",
    "audit",
    "jobs",
    "keys list",
    "properties list",
    f"properties show {KEY}",
    "stats",
    "verify",
    "verify --digest",
    "sources",
    "proxies",
    "categorize backends",
    "quarantine list",
    f"duplicates list {KEY} --all",
    "review list --all",
    "rulings list",
    "rulings export",
    f"export {KEY} --to {{elsewhere}}",
    "env",
    "extract --all --sync",  # with nothing to do
    "categorize run --all",  # the same
]
# One for each way in which commands open the stores.
READING_FULL = ["status", "changes", "search list", "verify", "jobs"]
WRITING = [
    "init",
    "sources disable redfin",
    "extract --all --sync --fresh",
    "extract --all --fresh",
    f"properties remove {KEY} --yes",
    "prune",
    "rebuild",
]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with one complete house."""
    return collected_whole(tmp_path_factory.mktemp("whole") / "made", SMALLEST)


def settings_of(data: Path) -> Settings:
    settings = replace(load_settings({}), data_dir=data, dagster_dir=data / "dagster")
    # As when it was collected.
    return replace(
        settings,
        sources=(Source.REDFIN,),
        categorizers=("listing_text",),
        final_after_days=1,
    )


@pytest.fixture
def stores(small_disk: SmallDisk, collected: Path) -> Path:
    """The same, on a disk of its own."""
    data = small_disk.folder / "data"
    shutil.copytree(collected / "data", data, symlinks=True)
    return data


@pytest.fixture
def sealed(small_disk: SmallDisk, stores: Path, use_settings: UseSettings) -> Path:
    """Its data folder where nothing can be written, and the settings for it."""
    data = small_disk.read_only() / stores.name
    use_settings(settings_of(data))
    return data


def test_reading_commands_work(sealed: Path, phx: Phx, tmp_path: Path) -> None:
    assert sealed.is_dir()
    for line in READING:
        ended = phx(*line.format(elsewhere=tmp_path / "bundle.zip").split())

        assert (ended.code, line) == (0, line), ended.err
    assert (tmp_path / "bundle.zip").stat().st_size


def test_reading_commands_work_on_a_full_disk(
    stores: Path,
    small_disk: SmallDisk,
    phx: Phx,
    use_settings: UseSettings,
) -> None:
    use_settings(settings_of(stores))
    small_disk.fill()
    for line in READING_FULL:
        ended = phx(*line.split())

        assert (ended.code, line) == (0, line), ended.err


def test_writing_commands_say_why_not_in_one_line(sealed: Path, phx: Phx) -> None:
    for line in WRITING:
        ended = phx(*line.split())

        assert (ended.code, line) == (1, line)
        assert READ_ONLY.fullmatch(ended.err), (line, ended.err)
        assert str(sealed) in ended.err


def test_a_zip_that_cannot_be_written_is_to_go_elsewhere(
    sealed: Path, phx: Phx
) -> None:
    ended = phx("export", KEY, "--to", str(sealed / "bundle.zip"))

    assert ended.code == 2
    assert ended.err == (
        f"phx: nothing can be written in {sealed}: choose another place\n"
    )


def test_rows_that_a_killed_process_left_beside_the_file_are_never_missed(
    stores: Path, small_disk: SmallDisk, phx: Phx, use_settings: UseSettings
) -> None:
    file = stores / "phx.db"
    wal = file.with_name("phx.db-wal")
    wal.write_bytes(b"rows of a process that was killed")
    use_settings(settings_of(small_disk.read_only() / stores.name))

    ended = phx("status")

    assert ended.code == 1
    assert "newest rows are in phx.db-wal; copy both" in ended.err
    assert ended.err.count("\n") == 1
