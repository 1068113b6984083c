"""One supervisor per data folder: a locked file that says who it is."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from phx_pipeline.errors import ServiceError
from phx_pipeline.model.moments import moment
from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import create_folder
from phx_pipeline.storage.layout import Layout
from phx_pipeline.storage.private import is_there, private_file

# Who looks at the file locks it for an instant, and who takes it writes a moment later.
_PATIENCE_S = 2.0
_TICK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of a supervisor; `address` is a port or the path of a socket."""

    name: str
    pid: int
    address: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A supervisor at work, as its file tells; `started_at` is ISO 8601 in UTC."""

    supervisor_id: str
    pid: int
    host: str
    started_at: str
    url: str
    parts: tuple[Part, ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether it runs on this computer, so that its processes can be seen."""
        return self.host == socket.gethostname()


class Lock:
    """The right to supervise the stores of *settings*, from `__enter__` on.

    The kernel gives it back when the process ends, however it does: a file without a
    lock tells of nobody.
    """

    def __init__(self, settings: Settings) -> None:
        # Two data folders must not share a store of Dagster either.
        self._paths = dict.fromkeys(_paths(settings))
        self._files: list[BinaryIO] = []
        self._held = ExitStack()

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ServiceError: another supervisor has it; nothing was written.
        """
        with ExitStack() as stack:
            for path in self._paths:
                create_folder(path.parent)
                file = stack.enter_context(_opened(path))
                _take(file, path)
                file.truncate(0)  # what a dead one said
                self._files.append(file)
            self._held = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the lock back, and say nothing any more."""
        for file in self._files:
            file.truncate(0)
        self._held.close()

    @staticmethod
    def has_been(settings: Settings) -> bool:
        """Whether anybody ever took the lock there: its file stays."""
        return any(path.exists() for path in _paths(settings))

    @property
    def is_lost(self) -> bool:
        """Whether a file was deleted, so that somebody else may lock a new one."""
        return any(os.fstat(file.fileno()).st_nlink == 0 for file in self._files)

    def tell(self, running: Running) -> None:
        """Say who has the lock."""
        text = json.dumps(asdict(running), indent=2).encode() + b"\n"
        for file in self._files:
            os.pwrite(file.fileno(), text, 0)  # at once: somebody may be reading
            file.truncate(len(text))


def running(settings: Settings) -> Running | None:
    """The supervisor of the data folder; None if there is none."""
    path = next(_paths(settings))
    try:
        if not is_there(path):
            return None
        with path.open("rb") as file:
            return _holder(file, path)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise ServiceError(f"{path} belongs to another user") from error


def last_end_s(settings: Settings) -> float:
    """When the last supervisor of the data folder gave its lock back, since 1970.

    0 if none ever did, or the last one could not, because it was killed.
    """
    path = next(_paths(settings))
    try:
        found = path.stat()
    except OSError:
        return 0.0
    return 0.0 if found.st_size else found.st_mtime


def _paths(settings: Settings) -> Iterator[Path]:
    yield Layout(settings.data_dir).supervisor
    yield settings.dagster_dir / Layout(settings.data_dir).supervisor.name


def _opened(path: Path) -> BinaryIO:
    private_file(path)
    return path.open("r+b", buffering=0)


def _take(file: BinaryIO, path: Path) -> None:
    for _ in _tries():
        if _locked(file, fcntl.LOCK_EX):
            return
        if found := _read(path):
            since = f"since {_begun(found)}, pid {found.pid}"
            where = "" if found.is_here else f" on {found.host}"
            raise ServiceError(
                f"{path.parent} is served already by {found.url} "
                f"({since}{where}); `phx down` stops it"
            )
    raise ServiceError(f"{path} is locked by a process that does not say which")


def _begun(found: Running) -> str:
    return moment(datetime.fromisoformat(found.started_at).timestamp())


def _holder(file: BinaryIO, path: Path) -> Running | None:
    for _ in _tries():
        if _locked(file, fcntl.LOCK_SH):
            return None
        if found := _read(path):
            return found
    raise ServiceError(f"{path} is locked by a process that does not say which")


def _locked(file: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> Running | None:
    """What the file says of a process that lives; None while it says nothing."""
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return None
    parts = tuple(Part(**part) for part in told.pop("parts"))
    found = Running(**told, parts=parts)
    return found if not found.is_here or lives(found.pid) else None


def _tries() -> Iterator[None]:
    """Come again until patience ends."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        yield
        time.sleep(_TICK_S)


def lives(pid: int) -> bool:
    """Whether there is a process of this id on this computer."""
    import psutil  # noqa: PLC0415 - only where there is a process to look for

    return bool(psutil.pid_exists(pid))
