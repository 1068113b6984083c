"""Services are kept alive, told apart when they fail, and stopped whatever they do."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.leases import is_dead, process_owner
from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.supervise import supervisor
from phx_pipeline.supervise.supervisor import Service, Supervisor, free_port, services

_PATIENCE_S = 60

# Each writes one line per start: its owner string, by which it can be seen to live.
_TELLS = "import pathlib, os; from phx_pipeline.catalog.leases import process_owner; "
_APPEND = "f = open({file!r}, 'a'); f.write(process_owner('it') + chr(10)); f.close(); "


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        load_settings({}),
        data_dir=tmp_path / "data",
        dagster_dir=tmp_path / "dagster",
        downloads=7,
    )


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    """The file services write to when they start."""
    file = tmp_path / "starts"
    file.touch()
    return file


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause before a restart, and little patience when stopping."""
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.0,))
    monkeypatch.setattr(supervisor, "_STOP_S", 1.0)


def service(starts: Path, then: str) -> Service:
    """A service that notes its start and then does what it is told."""
    code = _TELLS + _APPEND.format(file=str(starts)) + then
    return Service(name="a service", command=[sys.executable, "-c", code])


def owners(starts: Path) -> list[str]:
    return starts.read_text().split()


def soon(question: Callable[[], bool]) -> Callable[[], bool]:
    """The question, answered yes at the latest when patience ends."""
    deadline = time.monotonic() + _PATIENCE_S
    return lambda: question() or time.monotonic() > deadline


def wait(question: Callable[[], bool]) -> None:
    answered = soon(question)
    while not answered():
        time.sleep(0.05)


@pytest.mark.usefixtures("at_once")
def test_a_service_that_ends_is_started_again(
    settings: Settings, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ends = service(starts, "print('gone again'); raise SystemExit(3)")

    with (
        caplog.at_level(logging.WARNING),
        Supervisor([ends], settings=settings) as running,
    ):
        running.keep_alive(until=soon(lambda: len(owners(starts)) >= 3))

    assert len(set(owners(starts))) >= 3
    assert "a service ended with code 3, starting again" in caplog.text
    log = settings.dagster_dir / "service_logs" / "a_service.log"
    assert log.read_text().count("gone again") >= 2


@pytest.mark.usefixtures("at_once")
def test_a_service_that_lives_is_left_alone(settings: Settings, starts: Path) -> None:
    stays = service(starts, "import time; time.sleep(600)")
    rounds = iter(range(3))

    with Supervisor([stays], settings=settings) as running:
        wait(lambda: bool(owners(starts)))
        running.keep_alive(until=lambda: next(rounds, None) is None)

        assert len(owners(starts)) == 1
        assert not is_dead(owners(starts)[0])

    assert is_dead(owners(starts)[0])


@pytest.mark.usefixtures("at_once")
def test_what_ignores_sigterm_is_killed_with_its_children(
    settings: Settings, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = service(
        starts,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "os.fork(); " + _APPEND.format(file=str(starts)) + "time.sleep(600)",
    )

    with Supervisor([stubborn], settings=settings):
        wait(lambda: len(owners(starts)) == 3)

    wait(lambda: all(map(is_dead, owners(starts))))
    assert len(set(owners(starts))) == 2
    assert [owner for owner in owners(starts) if not is_dead(owner)] == []
    assert "a service did not stop in time, killing it" in caplog.text


@pytest.mark.usefixtures("at_once")
def test_one_that_never_answers_stops_those_before_it_and_names_its_log(
    settings: Settings, starts: Path
) -> None:
    stays = service(starts, "import time; time.sleep(600)")
    fails = Service(
        name="webserver",
        command=[sys.executable, "-c", "raise SystemExit(1)"],
        port=free_port(),
    )

    with (
        pytest.raises(ServiceError, match=r"webserver did not start: .*webserver\.log"),
        Supervisor([stays, fails], settings=settings),
    ):
        pytest.fail("entered without its services")

    assert all(map(is_dead, owners(starts)))


@pytest.mark.usefixtures("at_once")
def test_a_service_gets_the_settings_and_a_ctrl_c_of_its_own(
    settings: Settings, starts: Path
) -> None:
    tells = service(
        starts,
        "import signal; from phx_pipeline.settings import load_settings; "
        f"f = open({str(starts)!r}, 'a'); "
        "f.write(f'{load_settings().downloads} '); "
        "f.write(str(signal.getsignal(signal.SIGINT) is signal.default_int_handler));"
        " f.close(); import time; time.sleep(600)",
    )

    with Supervisor([tells], settings=settings):
        wait(lambda: len(owners(starts)) == 3)

    assert owners(starts)[1:] == ["7", "True"]


def test_code_server_daemon_and_webserver_share_one_workspace(
    settings: Settings,
) -> None:
    code_port = free_port()

    code_server, daemon, webserver = services(settings, code_port=code_port)

    workspace = settings.dagster_dir / "workspace.yaml"
    assert f"port: {code_port}\n" in workspace.read_text()
    assert str(workspace) in daemon.command
    assert str(workspace) in webserver.command
    assert (code_server.port, webserver.port) == (code_port, settings.webserver_port)


def test_a_living_process_is_not_dead() -> None:
    assert not is_dead(process_owner("this one"))
