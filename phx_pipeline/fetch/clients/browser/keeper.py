"""Processes that end with this one, however it ends.

Which programs these are, and what they leave behind, belongs to those who start them.
"""

import os
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from threading import Thread
from typing import BinaryIO

import psutil

from phx_pipeline.errors import BrowserError

_TICK_S = 0.01
_LINES = 20  # kept of what a process says
_LONGEST_LINE = 500
# The parent may have ended before the kernel was told to send a signal at its end.
_IF_PARENT_LIVES = '[ "$PPID" = "$0" ] && exec "$@"'


class Kept:
    """A running process, the leader of a session and process group of its own.

    It is not reaped before `end`, so that its number stays the group's alone.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self._process = process
        self._said: deque[str] = deque(maxlen=_LINES)
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.returncode is None and not self._has_ended()

    @property
    def said(self) -> list[str]:
        """The last lines of its standard error, short ones."""
        if not self.is_running:
            self._listener.join(timeout=0.5)
        return list(self._said)

    def end(self, *, patience_s: float) -> None:
        """Ask the process to end, kill its group after the patience, and reap it.

        Blocks until nothing of the group lives, up to twice the patience.
        """
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        _until(self._has_ended, patience_s=patience_s)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        _until(lambda: not _is_alive(self.pid), patience_s=patience_s)
        with suppress(subprocess.TimeoutExpired):  # it hangs in the kernel
            self._process.wait(patience_s)
        self._listener.join(timeout=patience_s)

    def _has_ended(self) -> bool:
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        try:
            return os.waitid(os.P_PID, self.pid, look) is not None
        except ChildProcessError:  # another thread has reaped it
            return True

    def _listen(self) -> None:
        """Take all it says: a full pipe would make it stand still."""
        stream: BinaryIO | None = self._process.stderr  # type: ignore[assignment]
        if stream is None:
            return
        with stream:
            while line := stream.readline(_LONGEST_LINE):
                self._said.append(line.decode(errors="replace").strip())


def start(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    at_end: signal.Signals = signal.SIGKILL,
    pass_fds: Sequence[int] = (),
) -> Kept:
    """Start *command*, which is sent *at_end* when this process ends.

    Args:
        command: The program and its arguments.
        environ: All its variables; nothing is inherited.
        at_end: What it gets when this process has ended in whatever way.
        pass_fds: Descriptors it inherits.

    Raises:
        BrowserError: it cannot be started.
    """
    tied = [_setpriv(), "--pdeathsig", at_end.name.removeprefix("SIG")]
    checked = ["sh", "-c", _IF_PARENT_LIVES, str(os.getpid())]
    try:
        # The kernel watches the thread that starts a process, not our whole process.
        process = (
            _keeper(os.getpid())
            .submit(
                subprocess.Popen,
                [*tied, *checked, *command],
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=tuple(pass_fds),
            )
            .result()
        )
    except OSError as error:
        raise BrowserError(
            f"{command[0]} could not be started: {error.strerror}"
        ) from error
    return Kept(process)


def inherited(*names: str) -> dict[str, str]:
    """Those variables of this process that are set; they are no settings of ours."""
    return {
        name: os.environ[name]  # noqa: TID251 - the system's, not settings
        for name in names
        if name in os.environ  # noqa: TID251
    }


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise BrowserError(
            "no browser can be started: `setpriv`, which makes it end with this "
            "program, is not there; install it (package util-linux)"
        )
    return found


@lru_cache(1)
def _keeper(pid: int) -> ThreadPoolExecutor:
    """The thread that starts all: it lives as long as the process *pid*, not a fork."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"keeper-{pid}")


def _until(done: Callable[[], bool], *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while not done() and time.monotonic() < deadline:
        time.sleep(_TICK_S)


def _is_alive(group: int) -> bool:
    return any(_lives_in(group, pid) for pid in psutil.pids())


def _lives_in(group: int, pid: int) -> bool:
    try:
        return (
            os.getpgid(pid) == group
            and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        )
    except (ProcessLookupError, psutil.Error):
        return False
