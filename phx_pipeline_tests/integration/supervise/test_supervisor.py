"""Services are kept alive, told apart when they fail, and end with their supervisor."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from phx_pipeline.catalog.leases import is_dead, process_owner
from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings, environment, load_settings
from phx_pipeline.supervise import strays, supervisor, watchdog
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.down import stop
from phx_pipeline.supervise.lock import running
from phx_pipeline.supervise.services import Service
from phx_pipeline.supervise.supervisor import Held, Supervisor, holding

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
        webserver_port=free_port(),
    )


@pytest.fixture
def held(settings: Settings) -> Iterator[Held]:
    """The right to supervise in a folder of the test's own."""
    with holding(settings) as it:
        yield it


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    """The file services write to when they start."""
    file = tmp_path / "starts"
    file.touch()
    return file


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly a pause before a restart, and little patience when stopping."""
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.0, 0.001))
    monkeypatch.setattr(supervisor, "_FAULT_S", 0.0)
    monkeypatch.setattr(supervisor, "_STOP_S", 1.0)
    monkeypatch.setattr(strays, "GRACE_S", 1.0)


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
    held: Held, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ends = service(starts, "print('gone again'); raise SystemExit(3)")

    with (
        caplog.at_level(logging.WARNING),
        Supervisor(
            [ends], held=held, until=soon(lambda: len(owners(starts)) >= 3)
        ) as supervised,
    ):
        supervised.keep_alive()

    assert len(set(owners(starts))) >= 3
    assert "a service ended with code 3, starting again" in caplog.text
    told = (it.args for it in caplog.records if "starting again" in it.msg)
    pauses = [args[2] for args in told if isinstance(args, tuple)]
    assert pauses[:2] == [0.0, 0.001]
    log = held.settings.dagster_dir / "service_logs" / "a_service.log"
    assert log.read_text().count("gone again") >= 2


@pytest.mark.usefixtures("at_once")
def test_a_disk_that_takes_no_log_is_waited_for(
    held: Held, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = held.settings.dagster_dir / "service_logs" / "a_service.log"
    ends = service(starts, "raise SystemExit(3)")

    def mended() -> bool:
        if log.is_dir() and "trying again" in caplog.text:
            log.rmdir()
        return len(owners(starts)) == 2

    with Supervisor([ends], held=held, until=soon(mended)) as supervised:
        wait(lambda: bool(owners(starts)))
        log.unlink()
        log.mkdir()
        supervised.keep_alive()

    assert "a_service.log" in caplog.text
    assert len(owners(starts)) == 2


@pytest.mark.parametrize("folder", ["data", "dagster"])
def test_it_ends_when_its_lock_is_deleted(
    held: Held, starts: Path, folder: str
) -> None:
    stays = service(starts, "import time; time.sleep(600)")

    def deleted() -> bool:
        if owners(starts):
            (starts.parent / folder / "supervisor.lock").unlink(missing_ok=True)
        return False

    with (
        pytest.raises(ServiceError, match="was deleted"),
        Supervisor([stays], held=held, until=soon(deleted)) as supervised,
    ):
        supervised.keep_alive()

    assert all(map(is_dead, owners(starts)))


@pytest.mark.usefixtures("at_once")
def test_a_service_that_lives_is_left_alone(held: Held, starts: Path) -> None:
    stays = service(starts, "import time; time.sleep(600)")
    rounds = iter(range(6))

    def after_some_rounds() -> bool:
        return bool(owners(starts)) and next(rounds, None) is None

    with Supervisor([stays], held=held, until=after_some_rounds) as supervised:
        supervised.keep_alive()

        assert len(owners(starts)) == 1
        assert not is_dead(owners(starts)[0])

    assert is_dead(owners(starts)[0])


@pytest.mark.usefixtures("at_once")
def test_what_ignores_sigterm_is_killed_with_its_children(
    held: Held, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = service(
        starts,
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "os.fork(); " + _APPEND.format(file=str(starts)) + "time.sleep(600)",
    )

    with Supervisor([stubborn], held=held):
        wait(lambda: len(owners(starts)) == 3)

    wait(lambda: all(map(is_dead, owners(starts))))
    assert len(set(owners(starts))) == 2
    assert [owner for owner in owners(starts) if not is_dead(owner)] == []
    assert "a service did not stop in time, killing it" in caplog.text


@pytest.mark.usefixtures("at_once")
def test_one_that_never_answers_stops_those_before_it_and_names_its_log(
    held: Held, starts: Path
) -> None:
    stays = service(starts, "import time; time.sleep(600)")
    fails = replace(
        service(starts, "raise SystemExit(1)"), name="webserver", address=free_port()
    )

    with (
        pytest.raises(ServiceError, match=r"webserver did not start: .*webserver\.log"),
        Supervisor([stays, fails], held=held),
    ):
        pytest.fail("entered without its services")

    assert all(map(is_dead, owners(starts)))
    assert len(owners(starts)) == 1 + supervisor._MOST_STARTS


# Ends the service before it and itself, the first time; then it answers.
_KILLS_BOTH = """
import signal, socket, time
told = lambda: open({file!r}).read().split()
while len(told()) < 2:
    time.sleep(0.01)
if len(told()) == 2:
    pids = [int(owner.split(":")[1]) for owner in told()]
    for pid in sorted(pids, key=os.getpid().__eq__):
        os.kill(pid, signal.SIGKILL)
server = socket.create_server(("127.0.0.1", {port}))
time.sleep(600)
"""


@pytest.mark.usefixtures("at_once")
def test_what_is_killed_while_the_services_start_is_started_again(
    held: Held, starts: Path
) -> None:
    first = service(starts, "import time; time.sleep(600)")
    port = free_port()
    kills = _KILLS_BOTH.format(file=str(starts), port=port)
    second = replace(service(starts, kills), name="webserver", address=port)

    with Supervisor([first, second], held=held):
        wait(lambda: len(owners(starts)) == 4)
        living = [owner for owner in owners(starts) if not is_dead(owner)]

    assert len(living) == 2
    assert set(living).isdisjoint(owners(starts)[:2])


@pytest.mark.usefixtures("at_once")
def test_a_service_gets_the_settings_and_a_ctrl_c_of_its_own(
    held: Held, starts: Path
) -> None:
    tells = service(
        starts,
        "import signal; from phx_pipeline.settings import load_settings; "
        f"f = open({str(starts)!r}, 'a'); "
        "f.write(f'{load_settings().downloads} '); "
        "f.write(str(signal.getsignal(signal.SIGINT) is signal.default_int_handler));"
        " f.close(); import time; time.sleep(600)",
    )

    with Supervisor([tells], held=held):
        wait(lambda: len(owners(starts)) == 3)

    assert owners(starts)[1:] == ["7", "True"]


# Starts what stands for a run: a process that lives on when its server crashes.
_STARTS_RUN = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', "
_THEN_STAYS = "]); time.sleep(600)"


def server_with_run(
    starts: Path, *, run: str = "import time; time.sleep(600)"
) -> Service:
    """A service that starts a run; each appends its owner string to *starts*."""
    note = _TELLS + _APPEND.format(file=str(starts))
    server = service(starts, _STARTS_RUN + repr(note + run) + _THEN_STAYS)
    return replace(server, starts_runs=True)


@pytest.mark.usefixtures("at_once")
def test_whoever_else_answers_at_its_address_does_not_make_it_ready(
    held: Held, starts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_READY_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as other:
        idle = replace(
            service(starts, "import time; time.sleep(600)"),
            address=other.getsockname()[1],
        )

        with (
            pytest.raises(ServiceError, match="did not start"),
            Supervisor([idle], held=held),
        ):
            pytest.fail("another program was taken for the service")


@pytest.mark.usefixtures("at_once")
def test_a_crash_of_what_starts_runs_ends_no_run(
    held: Held, settings: Settings, starts: Path
) -> None:
    def crashed_and_back() -> bool:
        return len(owners(starts)) >= 4

    with Supervisor(
        [server_with_run(starts)], held=held, until=soon(crashed_and_back)
    ) as supervised:
        wait(lambda: len(owners(starts)) == 2)
        server, run = owners(starts)
        os.kill(pid_of(server), signal.SIGKILL)
        supervised.keep_alive()

        assert is_dead(server)
        assert not is_dead(run)
        (part,) = running_parts(settings)
        assert part == pid_of(owners(starts)[2])

    assert all(map(is_dead, owners(starts)))


def pid_of(owner: str) -> int:
    return int(owner.split(":")[1])


def running_parts(settings: Settings) -> list[int]:
    found = running(settings)
    return [part.pid for part in found.parts] if found else []


def test_runs_end_before_what_starts_them_and_in_order(
    held: Held, starts: Path
) -> None:
    told = "signal.signal(signal.SIGTERM, lambda *_: (tell(), os._exit(0))); "
    tell = "tell = lambda: open({file!r}, 'a').write({word!r} + chr(10)); "
    run = "import signal, time; " + tell.format(file=str(starts), word="run") + told
    server = server_with_run(starts, run=run + "time.sleep(600)")
    first = "import signal; " + tell.format(file=str(starts), word="server") + told
    server = replace(server, command=[*server.command[:2], first_of(server, first)])

    with Supervisor([server], held=held):
        wait(lambda: len(owners(starts)) == 2)

    assert owners(starts)[2:] == ["run", "server"]


def first_of(service: Service, code: str) -> str:
    """The program of *service*, with *code* before what starts the run."""
    return service.command[2].replace(_STARTS_RUN, code + _STARTS_RUN)


_SUPERVISES = """
import sys
from phx_pipeline.settings import load_settings
from phx_pipeline.supervise.services import Service
from phx_pipeline.supervise.supervisor import Supervisor, holding

with holding(load_settings()) as held:
    service = Service(name="server", command=[sys.executable, "-c", sys.argv[1]])
    with Supervisor([service], held=held) as supervised:
        supervised.keep_alive()
"""


_IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def supervising(
    settings: Settings, starts: Path, *, run: str = "import time; time.sleep(600)"
) -> "subprocess.Popen[bytes]":
    """A supervisor as a process, whose server has started a run."""
    program = server_with_run(starts, run=run).command[2]
    started = subprocess.Popen(  # noqa: S603 - the tests' own program
        [sys.executable, "-c", _SUPERVISES, program], env=environment(settings)
    )
    wait(lambda: len(owners(starts)) == 2)
    return started


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "run", ["import time; time.sleep(600)", "{ignores}; time.sleep(600)"]
)
def test_nothing_outlives_a_killed_supervisor(
    settings: Settings, starts: Path, run: str
) -> None:
    killed = supervising(settings, starts, run=run.format(ignores=_IGNORES_SIGTERM))

    killed.kill()
    killed.wait()
    wait(lambda: all(map(is_dead, owners(starts))) and not strays.strays(settings))

    assert [owner for owner in owners(starts) if not is_dead(owner)] == []
    assert strays.strays(settings) == []
    assert running(settings) is None
    log = settings.dagster_dir / "service_logs" / "watchdog.log"
    # Linux closes the watchdog's pipe before it kills the server: that may be seen yet.
    (told,) = re.findall(r"ended what it left: \[(.*)\]", log.read_text())
    server_pid, run_pid = map(pid_of, owners(starts))
    assert set(map(int, told.split(", "))) in ({run_pid}, {run_pid, server_pid})


def watchdogs(settings: Settings) -> list[psutil.Process]:
    return [one for one in strays.strays(settings) if _is_watchdog(one)]


def _is_watchdog(one: psutil.Process) -> bool:
    try:
        return watchdog.__name__ in one.cmdline()
    except psutil.NoSuchProcess:  # a zombie too: it was killed a moment ago
        return False


@pytest.mark.usefixtures("at_once")
def test_a_watchdog_that_is_killed_is_replaced(
    held: Held, settings: Settings, starts: Path
) -> None:
    killed: list[psutil.Process] = []

    def replaced() -> bool:
        if not killed and (found := watchdogs(settings)):
            killed.extend(found)
            killed[0].kill()
        return bool(killed and set(watchdogs(settings)) - set(killed))

    stays = service(starts, "import time; time.sleep(600)")
    with Supervisor([stays], held=held, until=soon(replaced)) as supervised:
        wait(lambda: bool(owners(starts)))
        supervised.keep_alive()

        assert len(set(watchdogs(settings)) - set(killed)) == 1
        assert not is_dead(owners(starts)[0])

    assert watchdogs(settings) == []
    log = held.settings.dagster_dir / "service_logs" / "watchdog.log"
    assert log.read_text() == ""


@pytest.mark.usefixtures("at_once")
def test_of_a_supervisor_killed_with_its_watchdog_the_next_one_ends_what_lives_on(
    settings: Settings, starts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = supervising(settings, starts)
    server, run = owners(starts)

    for one in watchdogs(settings):
        one.kill()
    killed.kill()
    killed.wait()
    wait(lambda: is_dead(server))

    assert is_dead(server)
    assert not is_dead(run)
    assert running(settings) is None
    with caplog.at_level(logging.WARNING), holding(settings):
        assert is_dead(run)
    assert f"left running: [{pid_of(run)}]" in caplog.text


@pytest.mark.usefixtures("at_once")
def test_what_prepares_the_end_of_runs_sees_them_and_cannot_prevent_it(
    held: Held, starts: Path
) -> None:
    seen: list[bool] = []

    def fails() -> None:
        seen.extend(map(is_dead, owners(starts)))
        raise ServiceError("the store is away")

    supervised = Supervisor([server_with_run(starts)], held=held, before_runs_end=fails)
    with pytest.raises(ServiceError, match="the store is away"), supervised:
        wait(lambda: len(owners(starts)) == 2)

    assert seen == [False, False]
    assert all(map(is_dead, owners(starts)))


@pytest.mark.usefixtures("at_once")
def test_down_stops_a_supervisor_and_is_repeated_without_harm(
    settings: Settings, starts: Path
) -> None:
    stopped = supervising(settings, starts)

    told = list(stop(settings))

    assert stopped.wait() == -signal.SIGTERM
    assert all(map(is_dead, owners(starts)))
    assert strays.strays(settings) == []
    # This supervisor heeds no signal: whether its watchdog or `stop` is first is open.
    url = f"http://127.0.0.1:{settings.webserver_port}"
    assert told[0] == f"stopped {url} (pid {stopped.pid})"
    assert list(stop(settings)) == [f"nothing runs on {settings.data_dir}"]


def test_the_processes_of_other_stores_are_left_alone(
    held: Held, settings: Settings, starts: Path
) -> None:
    elsewhere = replace(
        settings,
        data_dir=settings.data_dir.with_name("elsewhere"),
        dagster_dir=settings.dagster_dir.with_name("elsewhere-dagster"),
    )
    with Supervisor([service(starts, "import time; time.sleep(600)")], held=held):
        wait(lambda: bool(owners(starts)))

        assert list(stop(elsewhere)) == [f"nothing runs on {elsewhere.data_dir}"]
        assert not is_dead(owners(starts)[0])
    assert not elsewhere.data_dir.exists()


def test_a_living_process_is_not_dead() -> None:
    assert not is_dead(process_owner("this one"))
