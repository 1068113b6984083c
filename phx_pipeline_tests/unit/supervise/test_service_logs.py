"""Logs of services stay bounded, while their writers go on."""

from pathlib import Path

import pytest

from phx_pipeline.supervise import service_logs
from phx_pipeline.supervise.service_logs import rotate


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_logs, "MAX_BYTES", 10)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "daemon.log"


def texts(log: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in log.parent.iterdir()}


def test_a_log_that_is_not_there_is_not_made(log: Path) -> None:
    assert not rotate(log)
    assert texts(log) == {}


def test_a_short_log_is_left_alone(log: Path) -> None:
    log.write_text("0123456789")

    assert not rotate(log)
    assert texts(log) == {"daemon.log": "0123456789"}


def test_three_old_ones_are_kept(log: Path) -> None:
    for number in range(5):
        log.write_text(f"{number} is longer")
        assert rotate(log)

    assert texts(log) == {
        "daemon.log": "",
        "daemon.log.1": "4 is longer",
        "daemon.log.2": "3 is longer",
        "daemon.log.3": "2 is longer",
    }


def test_its_writer_goes_on_in_the_emptied_log(log: Path) -> None:
    with log.open("ab") as writer:
        writer.write(b"before, and long")
        writer.flush()

        rotate(log)
        writer.write(b"after")

    assert texts(log) == {"daemon.log": "after", "daemon.log.1": "before, and long"}
