"""Running services: started in order, restarted with back-off, stopped with all."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from types import TracebackType
from typing import BinaryIO, Self
from uuid import uuid4

from phx_pipeline.errors import DiskError, ServiceError
from phx_pipeline.settings import Settings, environment
from phx_pipeline.storage.atomic import create_folder
from phx_pipeline.storage.private import private_file
from phx_pipeline.supervise import launch, watchdog
from phx_pipeline.supervise.addresses import listens, require_free
from phx_pipeline.supervise.lock import Lock, Part, Running
from phx_pipeline.supervise.service_logs import rotate
from phx_pipeline.supervise.services import Service
from phx_pipeline.supervise.strays import end, strays

logger = logging.getLogger(__name__)

_STOP_S = 10.0  # for the services, and once more for the one that starts runs
_READY_S = 120.0
_MOST_STARTS = 4  # of a service that ends before it first answers
_BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 30.0)
_STEADY_S = 60.0  # a process that lived this long starts its back-off anew
_FAULT_S = 5.0
_TICK_S = 0.2
_LAUNCH = (sys.executable, "-I", "-S", str(Path(launch.__file__)))
_WATCHDOG = Service(
    name="watchdog", command=(sys.executable, "-P", "-m", watchdog.__name__)
)
_FOREIGN = {"DAGSTER_GRPC_PORT", "DAGSTER_GRPC_HOST", "DAGSTER_GRPC_SOCKET"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Stores nobody else supervises; `settings` mark what is started for them."""

    settings: Settings
    running: Running
    lock: Lock

    def tell(self, parts: Sequence[Part]) -> None:
        """Say in the lock's file which processes there are."""
        self.lock.tell(replace(self.running, parts=tuple(parts)))


@contextmanager
def holding(settings: Settings) -> Iterator[Held]:
    """Be the only supervisor of the stores of *settings*.

    What an earlier one left behind is ended on the way.

    Raises:
        ServiceError: there is another one, or the webserver's port is not free;
            nothing was started.
    """
    marked = replace(settings, supervisor_id=uuid4().hex)
    if not Lock.has_been(settings) and not strays(settings):
        require_free(settings.webserver_port)  # refused before anything is made
    with Lock(settings) as lock:
        held = Held(settings=marked, running=_running(marked), lock=lock)
        held.tell([])
        if ended := end(strays(settings)):
            logger.warning("ended what an earlier phx up left running: %s", ended)
        require_free(settings.webserver_port)
        yield held


def _running(settings: Settings) -> Running:
    return Running(
        supervisor_id=settings.supervisor_id or "",
        pid=os.getpid(),
        host=gethostname(),
        started_at=datetime.fromtimestamp(time.time(), UTC).isoformat(
            timespec="seconds"
        ),
        url=_url(settings),
    )


def _url(settings: Settings) -> str:
    """Where people open the UI."""
    if settings.public_url:
        return settings.public_url
    scheme = "https" if settings.tls_cert else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{settings.webserver_port}"


class _Process:
    """One service's process, and when to start it again."""

    def __init__(self, service: Service, *, env: Mapping[str, str], log: Path) -> None:
        self.service = service
        self.log = log
        self._env = env
        self._restarts = 0
        self._due_at = 0.0
        self._started_at = 0.0
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the newest process; 0 before the first."""
        return self._popen.pid if self._popen else 0

    @property
    def part(self) -> Part:
        """What the lock's file tells of it."""
        at = self.service.address
        address = str(at) if isinstance(at, Path) else at
        return Part(name=self.service.name, pid=self.pid, address=address)

    def start(self) -> None:
        rotate(self.log)
        private_file(self.log)
        with self.log.open("ab") as log:  # appending: it may be emptied meanwhile
            self._popen = self._spawned(log)
        self._started_at = time.monotonic()

    def _spawned(self, log: BinaryIO) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own fixed commands
            [*_LAUNCH, str(os.getpid()), *self.service.command],
            env=dict(self._env),
            cwd=self.log.parent,  # Dagster obeys a `.env` of its working directory
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def is_ready(self) -> bool:
        """Whether it answers: this process itself, not whoever has its address."""
        at = self.service.address
        return at is None or listens(at, pid=self.pid)

    def keep_alive(self) -> bool:
        """Start it again when that is due; return whether it was started."""
        rotate(self.log)
        if self.is_alive() or self._popen is None:
            return False
        now = time.monotonic()
        if not self._due_at:
            self._due_at = now + self._pause_s(now)
        if now < self._due_at:
            return False
        self._due_at = 0.0
        self._restarts += 1
        self.start()
        return True

    def _pause_s(self, now: float) -> float:
        if now - self._started_at > _STEADY_S:
            self._restarts = 0
        wait_s = _BACKOFF_S[min(self._restarts, len(_BACKOFF_S) - 1)]
        logger.warning(
            "%s ended with code %s, starting again in %.0f s (log: %s)",
            self.service.name,
            self._popen and self._popen.returncode,
            wait_s,
            self.log,
        )
        return wait_s

    def terminate(self) -> None:
        if self.is_alive() and self._popen is not None:
            self._popen.terminate()

    def reap(self, *, deadline: float) -> None:
        """Wait for the end until *deadline*, then kill the whole session."""
        if self._popen is None:
            return
        try:
            self._popen.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in time, killing it", self.service.name)
            with suppress(ProcessLookupError):  # not yet the leader of a session
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.kill()
            self._popen.wait()

    def is_hopeless(self, *, starts: int) -> bool:
        """Whether it never will answer: it hangs, or has ended *starts* times."""
        if not self.is_alive():
            return starts >= _MOST_STARTS
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        return time.monotonic() - self._started_at > _READY_S * max(1.0, load)


class _Watchdog(_Process):
    """The process that ends everything if this one is killed.

    It must outlive this one, so no signal tells it, but the end of a pipe that no
    other process inherits.
    """

    def _spawned(self, log: BinaryIO) -> "subprocess.Popen[bytes]":
        self._hang_up()
        return subprocess.Popen(  # noqa: S603 - our own fixed command
            list(self.service.command),
            env=dict(self._env),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """Tell it that nothing is left to end, and wait for its end."""
        if self._popen and self._popen.stdin:
            with suppress(OSError):  # it is gone already
                self._popen.stdin.write(watchdog.GOODBYE)
        self._hang_up()
        self.reap(deadline=time.monotonic() + _STOP_S)

    def _hang_up(self) -> None:
        if self._popen and self._popen.stdin:
            self._popen.stdin.close()


class Supervisor:
    """Keeps services alive between `__enter__` and `__exit__`.

    On Linux they are killed when the thread that started them ends, however it does:
    enter, keep alive and leave in one thread that lives as long.
    """

    def __init__(
        self,
        wanted: Sequence[Service],
        *,
        held: Held,
        until: Callable[[], bool] = lambda: False,
        before_runs_end: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to run services.

        Args:
            wanted: In this order.
            held: The stores.
            until: Ends start and watch.
            before_runs_end: Called once no more runs are begun; those under way are
                ended next, whatever it raises.
        """
        logs = held.settings.dagster_dir / "service_logs"
        create_folder(logs)
        env = environment(held.settings)
        for name in _FOREIGN:  # Dagster reads them in place of the command's options
            env.pop(name, None)
        self._held = held
        self._until = until
        self._before_runs_end = before_runs_end
        self._watchdog = _Watchdog(_WATCHDOG, env=env, log=logs / "watchdog.log")
        self._processes = [
            _Process(
                service, env=env, log=logs / f"{service.name.replace(' ', '_')}.log"
            )
            for service in wanted
        ]

    def __enter__(self) -> Self:
        """Start all services in order, each when the one before it answers."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all services."""
        self.stop()

    def keep_alive(self) -> None:
        """Restart what ends, until the supervisor is to stop.

        A full disk, or no process to be had, is told and waited for.

        Raises:
            ServiceError: the lock's file was deleted, maybe with the whole folder.
        """
        while not self._until():
            self._restart_what_ended()
            self._wait(_TICK_S)

    def stop(self) -> None:
        """End everything: what launches runs, the runs, what tells how they ended."""
        last = [one for one in self._processes if one.service.starts_runs]
        try:
            _end([one for one in reversed(self._processes) if one not in last])
            if not self._held.lock.is_lost:  # or it would make the stores anew
                self._before_runs_end()
        finally:
            self._end_others(but=last)
            _end(last)
            self._end_others(but=())
            self._watchdog.dismiss()

    def _start(self) -> None:
        self._watchdog.start()
        for process in self._processes:
            if self._until():
                return
            process.start()
            self._tell()
            self._wait_ready(process)

    def _wait_ready(self, process: _Process) -> None:
        """Wait until it answers; whatever ends meanwhile is started again."""
        started: set[int] = set()
        while not (self._until() or process.is_ready()):
            started.add(process.pid)
            if process.is_hopeless(starts=len(started)):
                name = process.service.name
                raise ServiceError(f"{name} did not start: see {process.log}")
            self._restart_what_ended()
            self._wait(_TICK_S)

    def _restart_what_ended(self) -> None:
        try:
            self._restart()
        except (OSError, DiskError) as error:
            logger.warning("%s: trying again in %.0f s", error, _FAULT_S)
            self._wait(_FAULT_S)

    def _restart(self) -> None:
        if self._held.lock.is_lost:
            raise ServiceError(
                f"the lock of {self._held.settings.data_dir} was deleted: stopped"
            )
        self._watchdog.keep_alive()
        if [process for process in self._processes if process.keep_alive()]:
            self._tell()

    def _wait(self, wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline and not self._until():
            time.sleep(_TICK_S)

    def _tell(self) -> None:
        self._held.tell([one.part for one in self._processes if one.pid])

    def _end_others(self, *, but: Sequence[_Process]) -> None:
        """End the runs, and whatever else was started by what we started."""
        settings = self._held.settings
        pids = [process.pid for process in (self._watchdog, *but)]
        end(strays(settings, but=pids, of=settings.supervisor_id))


def _end(processes: Sequence[_Process]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in processes:
        process.reap(deadline=deadline)
