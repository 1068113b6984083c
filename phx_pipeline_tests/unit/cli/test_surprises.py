"""Whatever ends a command early is one line; a fault of ours leaves its traceback."""

import errno
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from phx_pipeline.cli import extract as command
from phx_pipeline.cli import setup
from phx_pipeline.errors import CatalogDownError, DiskError, InputError, PhxError
from phx_pipeline.model.job import Mode
from phx_pipeline.stages.surprise import known
from phx_pipeline_tests.commands import Phx

FULL = OSError(errno.ENOSPC, "No space left", "/data/x")


@pytest.fixture
def fails_with(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make `phx env` fail so."""

    def fail(error: Exception) -> None:
        def load() -> NoReturn:
            raise error

        monkeypatch.setattr(setup, "load_settings", load)

    return fail


def test_a_fault_of_ours_is_one_line_that_says_where_its_traceback_is(
    phx: Phx, fails_with: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fails_with(KeyError("no\nsuch"))

    ended = phx("env")

    (file,) = tmp_path.iterdir()
    assert ended.code == 1
    assert ended.err == (
        "phx: unexpected KeyError: 'no\\nsuch'; this is a fault of phx_pipeline, "
        f"{file} tells where\n"
    )
    assert "in load" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0


def test_a_traceback_that_cannot_be_written_is_shown(
    phx: Phx, fails_with: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    fails_with(KeyError("no"))

    ended = phx("env")

    assert "in load" in ended.err
    assert ended.err.splitlines()[-1] == "phx: unexpected KeyError: 'no'"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FULL, r"phx: /data/x: the disk is full; make room .*\n"),
        (ExceptionGroup("two", [KeyError(), FULL]), r"phx: /data/x: the disk .*\n"),
        (CatalogDownError("it is\naway"), r"phx: it is away\n"),
    ],
)
def test_what_is_known_is_told_without_a_traceback(
    phx: Phx, fails_with: Any, error: Exception, told: str
) -> None:
    fails_with(error)

    ended = phx("env")

    assert ended.code == 1
    assert re.fullmatch(told, ended.err)


@pytest.mark.parametrize(
    ("redirected", "code", "told"),
    [
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 1, "phx: standard output: the disk is full; make room"),
    ],
)
def test_an_output_that_takes_nothing_is_no_fault_of_ours(
    redirected: str, code: int, told: str
) -> None:
    command = f'"$0" -m phx_pipeline.cli.main env {redirected}'
    ended = subprocess.run(  # noqa: S603 - the tests' own command
        ["/bin/sh", "-c", command, sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == code
    assert ended.stderr.startswith(told)
    assert ended.stderr.count("\n") == code


def test_what_the_user_gave_ends_with_another_code(phx: Phx, fails_with: Any) -> None:
    fails_with(InputError("give a number"))

    assert phx("env").code == 2


def test_a_faulty_statement_is_no_fault_of_the_database() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as error:
        connection.exec_driver_sql("no statement")
    engine.dispose()

    assert known(error.value) is None


class _Houses:
    """Fails for the first house as told."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.taken: list[str] = []

    async def extract(self, _: object, slug: str, **__: object) -> None:
        self.taken.append(slug)
        if slug == "one":
            raise self.error


def run_here(houses: _Houses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phx_pipeline.stages.extract.extract", houses.extract)
    monkeypatch.setattr(command, "settle_partners", lambda *_: None)
    monkeypatch.setattr(command, "summarize", lambda *_, **__: None)
    context: Any = None
    command._run_here(context, ["one", "two"], sources=(), mode=Mode.FRESH)


@pytest.mark.parametrize(
    "error", [FULL, ExceptionGroup("one", [FULL]), CatalogDownError("away")]
)
def test_what_every_house_would_meet_stops_all_of_them(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    houses = _Houses(error)

    with pytest.raises(PhxError):
        run_here(houses, monkeypatch)

    assert houses.taken == ["one"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EIO, "bad sector", "/data/y"),
        DiskError("one folder", stops_all=False),
        InputError("gone"),
        KeyError("a bug"),
    ],
)
def test_what_one_house_meets_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    houses = _Houses(error)

    with caplog.at_level(logging.INFO):
        run_here(houses, monkeypatch)

    assert houses.taken == ["one", "two"]
