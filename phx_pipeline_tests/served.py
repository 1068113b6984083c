"""A deployment with its code server, daemon and webserver, as `phx up` starts them."""

import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import dagster as dg

from phx_pipeline.defs.submit import daemon_is_running, open_instance
from phx_pipeline.demo.houses import House
from phx_pipeline.demo.loopback import Handler
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline.supervise.lock import running
from phx_pipeline.supervise.services import services
from phx_pipeline.supervise.strays import strays
from phx_pipeline.supervise.supervisor import Supervisor, holding
from phx_pipeline_tests.deployment import Deployment

PATIENCE_S = 300.0

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What runs, and Dagster's instance of it in this process."""

    deployment: Deployment
    instance: dg.DagsterInstance

    @property
    def url(self) -> str:
        """Where the UI is."""
        return f"http://127.0.0.1:{self.deployment.settings.webserver_port}"


@contextmanager
def served(
    root: Path, sites: Mapping[str, Handler], *, houses: Sequence[House]
) -> Iterator[Served]:
    """Serve a deployment below *root* that knows *houses*, also as partitions."""
    with Deployment(root, sites, webserver_port=free_port()) as deployment:
        deployment.add_houses(houses)
        with serving(deployment) as running:
            yield running


@contextmanager
def serving(deployment: Deployment) -> Iterator[Served]:
    """Serve *deployment*; its daemon is at work and knows all its properties."""
    with deployment.context() as context:
        slugs = set(context.catalog.slugs())
    instance = open_instance(deployment.settings)
    try:
        with (
            holding(deployment.settings) as held,
            Supervisor(services(held.settings), held=held),
        ):
            wait_for(lambda: daemon_is_running(instance) or None)
            wait_for(
                lambda: (
                    slugs <= set(instance.get_dynamic_partitions("property")) or None
                )
            )
            yield Served(deployment=deployment, instance=instance)
    finally:
        instance.dispose()


@contextmanager
def up(deployment: Deployment) -> Iterator[None]:
    """`phx up` as a process, ready; `phx down` ends it clean, and all it has started.

    It is started in a folder full of modules whose names other modules need.
    """
    log = deployment.root / "up.log"
    traps = _traps(deployment.root / "traps")
    mark = {"STARTED_BY": str(log)}  # inherited by all that is started
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the tests' own command
            deployment.command("up"),
            env=deployment.env | mark,
            cwd=traps,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: _is_up(process, log))
        yield
    finally:
        down = deployment.phx("down")
        code = process.wait(timeout=PATIENCE_S)
    assert (code, down.returncode) == (0, 0), down.stderr
    assert f"(pid {process.pid})" in down.stdout
    assert not (traps / "sprung").exists(), (traps / "sprung").read_text()
    # Only Python's own helper may outlive it, and not for long.
    left = _started_by(log)
    assert [line for line in left if "resource_tracker" not in line] == []
    wait_for(lambda: not _started_by(log) or None)


@contextmanager
def up_in_terminal(deployment: Deployment) -> Iterator[None]:
    """`phx up` in a terminal, ready; the terminal closes, and takes all with it.

    What it showed stands in `up.log`.
    """
    log = deployment.root / "up.log"
    log.touch()
    screen, keyboard = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - the tests' own command
        ["/usr/bin/setsid", "--ctty", *deployment.command("up")],
        env=deployment.env,
        stdin=keyboard,
        stdout=keyboard,
        stderr=keyboard,
        preexec_fn=_obey_hangup,  # noqa: PLW1509 - no thread that holds a lock runs here
    )
    os.close(keyboard)
    try:
        with _written_down(screen, log):
            wait_for(lambda: _is_up(process, log))
            yield
    finally:
        os.close(screen)
        process.wait(timeout=60)
    assert running(deployment.settings) is None
    assert strays(deployment.settings) == []


@contextmanager
def _written_down(screen: int, log: Path) -> Iterator[None]:
    """Meanwhile write what a terminal shows into a file."""
    done = threading.Event()

    def read() -> None:
        with log.open("wb", buffering=0) as file:
            while not done.is_set():
                if select.select([screen], [], [], 0.2)[0]:
                    file.write(os.read(screen, 4096))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()


def _obey_hangup() -> None:
    # Tests that were started with `nohup` would hand on that it is ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _traps(folder: Path) -> Path:
    """Make modules that tell, in the file `sprung`, that they were imported."""
    folder.mkdir()
    tell = f"open({str(folder / 'sprung')!r}, 'a').write(__name__ + chr(10))\n"
    for name in (*sys.stdlib_module_names, "dagster", "grpc", "phx_pipeline"):
        (folder / f"{name}.py").write_text(tell, encoding="utf-8")
    return folder


def _is_up(process: "subprocess.Popen[bytes]", log: Path) -> bool | None:
    assert process.poll() is None, log.read_text()
    return "Dagster is up" in log.read_text() or None


def _started_by(log: Path) -> list[str]:
    """Command lines of the living processes that carry the mark of `up`."""
    mark = f"STARTED_BY={log}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            ours = mark in (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found += [line] if ours and line else []
    return found


def wait_for(
    question: Callable[[], Found | None], *, patience_s: float = PATIENCE_S
) -> Found:
    """Ask until there is an answer; a hang ends it, slowness does not."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if (answer := question()) is not None:
            return answer
        time.sleep(0.2)
    raise TimeoutError(f"no answer in {patience_s:.0f} s")
