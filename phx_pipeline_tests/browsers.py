"""What runs of a deployment's browsers: their processes, profiles and memory."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.served import wait_for

_NAMES = ("chrom", "Xvfb", "cat_crash", "nacl")
_LOOK_S = 0.25  # a browser lives for seconds, and a look costs time
GONE_S = 5.0
"""How long after the end of a run a process of its browser may live."""
MOST_PSS_MB = 500.0
"""The memory of one browser, in 10^6 bytes."""

_PATIENCE_S = 6 * GONE_S  # on a busy machine


def processes(made: Deployment) -> list[psutil.Process]:
    """The living processes of browsers and of their screens, of this deployment."""
    mark = str(made.root).encode()
    return [
        process
        for process in psutil.process_iter(["name"])
        if (process.info["name"] or "").startswith(_NAMES) and _has(process, mark)
    ]


def _has(process: psutil.Process, mark: bytes) -> bool:
    with suppress(OSError, psutil.Error):
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        folder = Path("/proc") / str(process.pid)
        told = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        return mark in told
    return False


def browsers(made: Deployment) -> list[psutil.Process]:
    """The first process of each browser."""
    return [process for process in processes(made) if _is_first(process)]


def _is_first(process: psutil.Process) -> bool:
    with suppress(OSError, psutil.Error):
        line, parent = process.cmdline(), process.parent()
        if parent and parent.cmdline() == line:  # a fork, about to be something else
            return False
        is_chromium = any(part.startswith("--user-data-dir=") for part in line)
        return is_chromium and not any(part.startswith("--type=") for part in line)
    return False


def profiles(made: Deployment) -> list[Path]:
    """The folders of browsers, of those that run and of those that left one."""
    folder = made.settings.data_dir / "browser"
    return sorted(path for path in folder.glob("*") if path.is_dir())


def started_by(pid: int) -> list[psutil.Process]:
    """All processes below one, which outlive it if something is wrong."""
    with suppress(psutil.NoSuchProcess):
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        return found
    return []


def wait_until_gone(made: Deployment, started: Sequence[psutil.Process] = ()) -> float:
    """Wait until nothing of a browser runs; return how many seconds that took.

    Raises:
        TimeoutError: something does not end.
    """
    began = time.monotonic()
    wait_for(
        lambda: (
            not (processes(made) or [one for one in started if _lives(one)]) or None
        ),
        patience_s=_PATIENCE_S,
    )
    return time.monotonic() - began


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def pss_mb(made: Deployment) -> float:
    """The memory of all browsers, shared pages divided, in units of 10^6 bytes.

    The screens are not counted; one has some 70.
    """
    total = 0
    for process in processes(made):
        with suppress(psutil.Error):
            if process.name() != "Xvfb":
                total += process.memory_full_info().pss
    return total / 1e6


@dataclass(slots=True, kw_only=True)
class Seen:
    """What was seen of browsers at any moment of a watch."""

    most_at_once: int = 0
    started: int = 0


@contextmanager
def watched(made: Deployment) -> Iterator[Seen]:
    """Look at the browsers again and again."""
    seen, over = Seen(), threading.Event()
    known: set[int] = set()

    def look() -> None:
        while not over.wait(_LOOK_S):
            now = {process.pid for process in browsers(made)}
            known.update(now)
            seen.started = len(known)
            seen.most_at_once = max(seen.most_at_once, len(now))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        over.set()
        watch.join()
