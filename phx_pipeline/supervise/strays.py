"""Processes a supervisor started, directly or not: found, and ended in order.

Each carries the supervisor's id in its environment; so do runs, which must outlive a
crash of the code server that started them.
"""

import os
import time
from collections.abc import Collection, Sequence
from contextlib import suppress

import psutil

from phx_pipeline.settings import SUPERVISOR_ID, Settings, exported

GRACE_S = 10.0  # a run that is told to end closes its browser, its step, its rows
_TICK_S = 0.05
_STORES = ("PHX_DATA_DIR", "PHX_DAGSTER_DIR")


def strays(
    settings: Settings, *, but: Collection[int] = (), of: str | None = None
) -> list[psutil.Process]:
    """Living processes that any supervisor of these stores started.

    Args:
        settings: They name the stores.
        but: Processes, by their ids, that are none.
        of: Only those of the supervisor with this id.
    """
    spared = {os.getpid(), *but, *(p.pid for p in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid not in spared and _is_stray(process, settings, of=of):
                found.append(process)
    return found


def end(processes: Sequence[psutil.Process]) -> list[int]:
    """Ask *processes* to end, kill what has not after `GRACE_S`; return their ids."""
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    left = _wait(processes, timeout_s=GRACE_S)
    for process in left:
        with suppress(psutil.Error):
            process.kill()
    _wait(left, timeout_s=GRACE_S)
    return sorted(process.pid for process in processes)


def _is_stray(process: psutil.Process, settings: Settings, *, of: str | None) -> bool:
    environ = process.environ()
    carried = environ.get(SUPERVISOR_ID)
    if not carried or (of is not None and carried != of):
        return False
    stores = exported(settings)
    if all(environ.get(name) != stores[name] for name in _STORES):
        return False
    # Python's own helper ignores SIGTERM and ends after the processes it helps.
    return not any("resource_tracker" in part for part in process.cmdline())


def _wait(
    processes: Sequence[psutil.Process], *, timeout_s: float
) -> list[psutil.Process]:
    """Wait for the end of *processes*; return those that have not ended."""
    deadline = time.monotonic() + timeout_s
    left = [process for process in processes if _lives(process)]
    while left and time.monotonic() < deadline:
        time.sleep(_TICK_S)
        left = [process for process in left if _lives(process)]
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
