"""Where services answer: an address found, refused when taken, proved to be ours."""

import hashlib
import os
import re
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import create_folder

Address = int | Path  # a port on loopback, or a unix socket

_LOOPBACK = "127.0.0.1"
# gRPC reads the path as part of a URI, and the kernel takes some hundred bytes.
_USABLE = re.compile(r"[A-Za-z0-9/._-]{1,100}")


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def require_free(port: int) -> None:
    """Raise `ServiceError` unless a server of ours could listen on *port* now."""
    choose = "choose another with --port or PHX_WEBSERVER_PORT"
    if _answers(port):
        raise ServiceError(f"port {port} belongs to {_owner(port)}: {choose}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            told = f"port {port} cannot be used ({error.strerror}): {choose}"
            raise ServiceError(told) from error


def code_socket(settings: Settings) -> Path:
    """Where the code server listens: a socket that only this user can reach.

    A port would be open to everybody on this machine, and gRPC lets two servers bind
    one. The folder of Dagster's stores may be too long a path, or on a disk that has
    no sockets; then it is a private folder among the temporary files.
    """
    path = settings.dagster_dir / "code.sock"
    create_folder(path.parent)
    return path if _USABLE.fullmatch(str(path)) and _can_bind(path) else _aside(path)


def listens(address: Address, *, pid: int) -> bool:
    """Whether *address* answers, and it is the process *pid* that does."""
    if not _answers(address):
        return False
    kind = "tcp" if isinstance(address, int) else "unix"
    try:
        connections = psutil.Process(pid).net_connections(kind)
    except psutil.AccessDenied:
        return True  # another user's; only a supervisor must be certain, of its own
    except psutil.Error:
        return False
    return any(_is_at(connection, address) for connection in connections)


def _is_at(connection: Any, address: Address) -> bool:
    if isinstance(address, Path):
        return bool(connection.laddr == str(address))
    listening = connection.status == psutil.CONN_LISTEN
    return listening and bool(connection.laddr.port == address)


def _answers(address: Address) -> bool:
    try:
        if isinstance(address, int):
            socket.create_connection((_LOOPBACK, address), timeout=0.5).close()
        else:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(0.5)
                probe.connect(str(address))
    except OSError:
        return False
    return True


def _owner(port: int) -> str:
    """The program on *port*, as far as this user may know."""
    with suppress(psutil.Error):
        for found in psutil.net_connections("tcp"):
            if found.pid and _is_at(found, port):
                name = psutil.Process(found.pid).name()
                return f"another program ({name}, pid {found.pid})"
    return "another program"


def _can_bind(path: Path) -> bool:
    probed = path.with_suffix(".probe")
    probed.unlink(missing_ok=True)
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(probed))
    except OSError:
        return False
    probed.unlink(missing_ok=True)
    return True


def _aside(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"phx-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.getuid() or status.st_mode & 0o077 or folder.is_symlink():
        raise ServiceError(f"{folder} is not this user's own: remove it")
    return folder / path.name
