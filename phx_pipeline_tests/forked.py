"""Commands as forks of a process that has imported all they need.

Each is a process of its own, as killable as any, without the second of processor time
that starting one costs. That the script `phx` itself starts is proven where services
are started, and by the commands that tests run beside others.
"""

import importlib
import io
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from phx_pipeline.cli.main import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        *("pytest", __name__, "phx_pipeline.cli.extract"),
        *("phx_pipeline.stages.extract", "phx_pipeline.defs.submit"),
    ]
)
_COMMANDS = "phx_pipeline.cli"

# What a shell finds as `phx`: it has the command run by whoever listens at a socket.
_ASKS = """#!{python} -IS
import json, os, socket, sys
if sys.argv[1:2] == ["up"]:
    os.execv({phx!r}, ["phx", *sys.argv[1:]])
asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
with socket.socket(socket.AF_UNIX) as line:
    line.connect({place!r})
    socket.send_fds(line, [b"."], [0, 1, 2])
    line.sendall(asked)
    line.shutdown(socket.SHUT_WR)
    sys.exit(int(line.recv(16)))
"""


def start_phx(*arguments: str, env: Mapping[str, str]) -> BaseProcess:
    """Start `phx` with *arguments*, silent; return once it is about to work."""
    here, there = _FORKS.Pipe()
    process = _FORKS.Process(target=_phx, args=(arguments, dict(env), there))
    process.start()
    there.close()
    here.recv()
    here.close()
    return process


def ended(process: BaseProcess, *, patience_s: float) -> int | None:
    """Wait for a command; return its exit code, None if it hangs."""
    process.join(patience_s)
    return process.exitcode


def run_phx(
    *arguments: str, env: Mapping[str, str], cwd: Path, patience_s: float
) -> subprocess.CompletedProcess[str]:
    """Run `phx` with *arguments* to its end, and return what it printed.

    Raises:
        subprocess.TimeoutExpired: it took longer than *patience_s*.
    """
    with TemporaryFile() as out, TemporaryFile() as err, Path(os.devnull).open() as no:
        streams = [no.fileno(), out.fileno(), err.fileno()]
        process = _started(arguments, env=env, cwd=cwd, streams=streams)
        code = ended(process, patience_s=patience_s)
        if code is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["phx", *arguments], patience_s)
        told = [_all_of(file) for file in (out, err)]
    return subprocess.CompletedProcess(["phx", *arguments], code, *told)


@contextmanager
def phx_of_shells(real: Path) -> Iterator[Path]:
    """A folder whose `phx` is a fork that has the caller's streams and environment.

    A service that stays is started as *real*.
    """
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        place = f"{folder}/door"
        door.bind(place)
        door.listen()
        script = Path(folder, "phx")
        script.write_text(
            _ASKS.format(python=sys.executable, phx=str(real), place=place),
            encoding="utf-8",
        )
        script.chmod(0o755)
        server = threading.Thread(target=_serve, args=(door,), daemon=True)
        server.start()
        yield Path(folder)
        door.shutdown(socket.SHUT_RDWR)
        server.join()


def _serve(door: socket.socket) -> None:
    """Run what is asked for at the door, one after the other, until it is shut."""
    with suppress(OSError):
        while True:
            line, _ = door.accept()
            with line:
                line.sendall(str(_run_for(line)).encode())


def _run_for(line: socket.socket) -> int:
    """Run the command that somebody asks for; return its exit code."""
    streams = socket.recv_fds(line, 1, 3)[1]
    try:
        arguments, env, cwd = json.loads(line.makefile("rb").read())
        process = _started(arguments, env=env, cwd=Path(cwd), streams=streams)
    finally:
        for stream in streams:
            os.close(stream)
    process.join()
    return process.exitcode or 0


def _started(
    arguments: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    streams: Sequence[int],
) -> BaseProcess:
    given = (tuple(arguments), dict(env), str(cwd))
    process = _FORKS.Process(target=_Phx(*given, streams=streams))
    process.start()
    return process


class _Phx:
    """A command line, where it is typed, and the three streams it has."""

    def __init__(
        self,
        arguments: tuple[str, ...],
        env: dict[str, str],
        cwd: str,
        *,
        streams: Sequence[int],
    ) -> None:
        self._given = arguments, env, cwd
        self._streams = streams

    def __getstate__(self) -> dict[str, Any]:
        """Hand the streams to another process."""
        return {"_given": self._given, "_streams": [DupFd(it) for it in self._streams]}

    def __call__(self) -> None:
        """Run it in this process; how wide lines are is found out anew."""
        arguments, env, cwd = self._given
        for number, stream in enumerate(self._streams):
            os.dup2(stream.detach(), number)  # type: ignore[attr-defined]  # as DupFd made it
        sys.stdout = _line_by_line(1, errors="strict")
        sys.stderr = _line_by_line(2, errors="backslashreplace")
        os.chdir(cwd)
        _become(arguments, env)
        for name in [it for it in sys.modules if it.startswith(_COMMANDS)]:
            del sys.modules[name]
        importlib.import_module(f"{_COMMANDS}.main").main()


def _line_by_line(number: int, *, errors: str) -> io.TextIOWrapper:
    stream = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(stream), encoding="utf-8", errors=errors, line_buffering=True
    )


def _all_of(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def _become(arguments: Sequence[str], env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["phx", *arguments]


def _phx(arguments: tuple[str, ...], env: dict[str, str], started: Connection) -> None:
    _become(arguments, env)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    started.send(None)
    started.close()
    main()
