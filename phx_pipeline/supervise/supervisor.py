"""Running Dagster's processes: started in order, restarted with back-off, stopped."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings, environment
from phx_pipeline.supervise.service_logs import rotate

logger = logging.getLogger(__name__)

_STOP_S = 20.0
_READY_S = 120.0
_BACKOFF_S = (1.0, 2.0, 5.0, 15.0, 30.0)
_STEADY_S = 60.0  # a process that lived this long starts its back-off anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process to keep alive; `port` is where it answers when it is ready."""

    name: str
    command: Sequence[str]
    port: int | None = None


def services(settings: Settings, *, code_port: int) -> list[Service]:
    """Code server, daemon and webserver, in the order they are started."""
    workspace = write_workspace(settings, code_port=code_port)
    python = sys.executable
    folder = Path(python).parent
    return [
        Service(
            name="code server",
            command=[
                *(python, "-m", "dagster", "api", "grpc"),
                *("--module-name", "phx_pipeline.definitions"),
                *("--host", "127.0.0.1", "--port", str(code_port)),
                *("--location-name", "phx_pipeline"),
            ],
            port=code_port,
        ),
        Service(
            name="daemon",
            command=[str(folder / "dagster-daemon"), "run", "-w", str(workspace)],
        ),
        Service(
            name="webserver",
            command=[
                *(str(folder / "dagster-webserver"), "-w", str(workspace)),
                *("-h", "127.0.0.1", "-p", str(settings.webserver_port)),
            ],
            port=settings.webserver_port,
        ),
    ]


def write_workspace(settings: Settings, *, code_port: int) -> Path:
    """Write the workspace that points at our code server; return its path."""
    path = settings.dagster_dir / "workspace.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "load_from:\n"
        "  - grpc_server:\n"
        "      host: 127.0.0.1\n"
        f"      port: {code_port}\n"
        "      location_name: phx_pipeline\n",
        encoding="utf-8",
    )
    return path


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Process:
    """One service's process, and when to start it again."""

    def __init__(self, service: Service, *, env: Mapping[str, str], log: Path) -> None:
        self.service = service
        self._env = env
        self._log = log
        self._restarts = 0
        self._due_at = 0.0
        self._started_at = 0.0
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        rotate(self._log)
        with self._log.open("ab") as log:  # appending: it may be emptied meanwhile
            self._popen = subprocess.Popen(  # noqa: S603 - our own fixed commands
                self.service.command,
                env=dict(self._env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_reset_sigint,  # noqa: PLW1509 - started from one thread
            )
        self._started_at = time.monotonic()

    def is_alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def keep_alive(self) -> None:
        rotate(self._log)
        if self.is_alive() or self._popen is None:
            return
        now = time.monotonic()
        if not self._due_at:
            if now - self._started_at > _STEADY_S:
                self._restarts = 0
            wait_s = _BACKOFF_S[min(self._restarts, len(_BACKOFF_S) - 1)]
            self._due_at = now + wait_s
            logger.warning(
                "%s ended with code %s, starting again in %.0f s (log: %s)",
                self.service.name,
                self._popen.returncode,
                wait_s,
                self._log,
            )
        if now >= self._due_at:
            self._due_at = 0.0
            self._restarts += 1
            self.start()

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
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def wait_ready(self) -> None:
        port = self.service.port
        deadline = time.monotonic() + _READY_S
        while port is not None and not _answers(port):
            if not self.is_alive() or time.monotonic() > deadline:
                raise ServiceError(
                    f"{self.service.name} did not start: see {self._log}"
                )
            time.sleep(0.2)


class Supervisor:
    """Keeps services alive between `__enter__` and `__exit__`."""

    def __init__(self, wanted: Sequence[Service], *, settings: Settings) -> None:
        logs = settings.dagster_dir / "service_logs"
        logs.mkdir(parents=True, exist_ok=True)
        env = environment(settings)
        self._processes = [
            _Process(
                service, env=env, log=logs / f"{service.name.replace(' ', '_')}.log"
            )
            for service in wanted
        ]

    def __enter__(self) -> Self:
        """Start all services in order, each when the one before it answers."""
        try:
            for process in self._processes:
                process.start()
                process.wait_ready()
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

    def keep_alive(self, *, until: Callable[[], bool]) -> None:
        """Restart what ends, until *until* says so."""
        while not until():
            for process in self._processes:
                process.keep_alive()
            time.sleep(0.5)

    def stop(self) -> None:
        """End everything: the daemon first, so that nothing new is launched."""
        for process in reversed(self._processes):
            process.terminate()
        deadline = time.monotonic() + _STOP_S
        for process in reversed(self._processes):
            process.reap(deadline=deadline)


def _reset_sigint() -> None:
    # Dagster maps SIGTERM to whatever SIGINT does; a shell's `&` sets it to ignore,
    # and then the processes could not be stopped.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False
