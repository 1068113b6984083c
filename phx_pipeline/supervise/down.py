"""Stopping the supervisor of a data folder from another process."""

import os
import signal
import time
from collections.abc import Iterator

import psutil

from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings
from phx_pipeline.supervise.lock import Lock, Running, running
from phx_pipeline.supervise.strays import end, strays

_STOP_S = 60.0  # longer than an orderly stop takes at most
_TICK_S = 0.1


def stop(settings: Settings) -> Iterator[str]:
    """Stop what runs for the stores of *settings*; yield what was done, in words.

    Raises:
        ServiceError: it runs on another computer or as another user.
    """
    found = running(settings)
    if found is not None:
        _stop(found, settings)
        yield f"stopped {found.url} (pid {found.pid})"
    ended = _sweep(settings)
    if ended:
        yield f"ended what was left running: {', '.join(map(str, ended))}"
    if found is None and not ended:
        yield f"nothing runs on {settings.data_dir}"


def _stop(found: Running, settings: Settings) -> None:
    if not found.is_here:
        raise ServiceError(f"{found.url} runs on {found.host}: run `phx down` there")
    try:
        os.kill(found.pid, signal.SIGTERM)
        if not _ends(found, settings):
            os.kill(found.pid, signal.SIGKILL)
            _ends(found, settings)
    except ProcessLookupError:
        return
    except PermissionError as error:
        owner = psutil.Process(found.pid).username()
        told = f"pid {found.pid} belongs to {owner}: run `phx down` as {owner}"
        raise ServiceError(told) from error


def _ends(found: Running, settings: Settings) -> bool:
    """Whether the supervisor gives its lock back in time."""
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline:
        now = running(settings)
        if now is None or now.supervisor_id != found.supervisor_id:
            return True
        time.sleep(_TICK_S)
    return False


def _sweep(settings: Settings) -> list[int]:
    if not settings.data_dir.is_dir():
        return end(strays(settings))
    with Lock(settings):  # or those of a `phx up` that starts just now would be ended
        return end(strays(settings))
