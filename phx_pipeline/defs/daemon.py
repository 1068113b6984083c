"""The daemon: Dagster's own, but its sensors look soon after a job was asked for.

Its queue is that of `fair_queue`.

Dagster's sensors look every five seconds, which was most of the time from asking for a
job to the start of its run. Where nothing changes they look less often: each look at
each sensor is written down by Dagster, and costs processor time in two processes. What
they do when they look belongs to `sensors`.

It ends where the clock is set back, and `phx up` starts it again: Dagster's loops
remember moments, and would rest for one that now lies ahead.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any, Final, cast

import dagster as dg
from dagster._daemon import cli, controller
from dagster._daemon.daemon import SensorDaemon

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.fair_queue import FairQueue
from phx_pipeline.defs.set_back import FAR_S, Watch, ahead, pull_back
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.catalog import build_catalog

logger = logging.getLogger(__name__)

# Not less than the interval of `dispatch_jobs`: its look would be left out, and that
# after it would come five seconds later.
_LOOK_S: Final = 1.0


# Where nothing was published, begun, ended or asked for as long as that, rests take so
# much longer. A look at nothing costs 10 ms.
_CALM_S: Final = 60.0
_LONGER_S: Final = 10.0

_WATCH_S: Final = 1.0  # between two looks at the clock
_WATCHES: Final = 60  # before one at what was noted by it


@dataclass(frozen=True, slots=True)
class News:
    """The id of the job asked for last, by whom ever, and how often rows changed.

    Both are empty if that cannot be told.
    """

    job: str = ""
    changes: tuple[int, ...] = ()


class Newest:
    """Asks the catalogue for news; it may be away for a while."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None

    def __call__(self) -> News:
        """The news as of now."""
        try:
            if self._catalog is None:
                self._catalog = build_catalog(load_settings())
            job = self._catalog.dispatch.newest_job() or ""
            states = self._catalog.views.states()
            return News(job, tuple(state.wanted for state in states))
        except Exception as error:  # noqa: BLE001 - whatever a database raises
            logger.debug("the newest job is not known: %s", error)
            return News()


class Rest:
    """Stands for the event of the shutdown, in whose `wait` the sensors' loop rests."""

    def __init__(self, shutdown: Event, newest: Callable[[], News]) -> None:
        self._shutdown = shutdown
        self._newest = newest
        self._seen = newest()
        self._changed_at = time.monotonic()

    def is_set(self) -> bool:
        """Whether the daemon ends."""
        return self._shutdown.is_set()

    def wait(self, timeout: float) -> bool:
        """Rest for *timeout* seconds, less if a job is asked for or the daemon ends.

        Longer, where nothing has changed for a minute.
        """
        began = time.monotonic()
        while (left := began + timeout + self._longer_s() - time.monotonic()) > 0:
            if self._shutdown.wait(min(left, _LOOK_S)) or self._is_asked():
                break
        return self.is_set()

    def _longer_s(self) -> float:
        is_calm = time.monotonic() - self._changed_at >= _CALM_S
        return _LONGER_S if is_calm else 0.0

    def _is_asked(self) -> bool:
        seen, self._seen = self._seen, self._newest()
        if self._seen != seen:
            self._changed_at = time.monotonic()
        return self._seen.job not in ("", seen.job)


class PromptSensors(SensorDaemon):
    """Dagster's loop over the sensors, which rests less while jobs are asked for."""

    def core_loop(
        self, workspace_process_context: Any, shutdown_event: Event
    ) -> Generator[Any, None, None]:
        """Look at all sensors, rest, look again."""
        rest = cast("Event", Rest(shutdown_event, Newest()))
        yield from super().core_loop(workspace_process_context, rest)


def main() -> None:
    """Be `dagster-daemon`, whose arguments it reads itself."""
    vars(controller)["QueuedRunCoordinatorDaemon"] = FairQueue
    vars(controller)["SensorDaemon"] = PromptSensors
    watch = Watch()
    _go_on_from_now()
    Thread(target=_end_when_set_back, args=(watch,), daemon=True).start()
    cli.main()


def _go_on_from_now() -> None:
    """Before any loop begins: each remembers what it has read."""
    with dg.DagsterInstance.get() as instance:
        if names := pull_back(instance, now_s=time.time()):
            logger.warning(
                "the clock was ahead when these looked last, they look again from now "
                "on: %s",
                ", ".join(sorted(names)),
            )


def _end_when_set_back(watch: Watch) -> None:
    with dg.DagsterInstance.get() as instance:
        while not (why := _why_anew(watch, instance)):
            pass  # it takes its time
    logger.warning("%s: the daemon begins anew", why)
    os.kill(os.getpid(), signal.SIGTERM)


def _why_anew(watch: Watch, instance: dg.DagsterInstance) -> str:
    """Why the loops are to begin anew; empty if they are not."""
    for _ in range(_WATCHES):
        if (back_s := watch.back_s()) > FAR_S:
            return f"the clock was set back by {back_s:.0f} s"
        time.sleep(_WATCH_S)
    try:  # it may have been ahead for less than the time between two looks at it
        names = ", ".join(ahead(instance, now_s=time.time()))
    except Exception as error:  # noqa: BLE001 - whatever a database raises
        logger.debug("what rests is not known: %s", error)
        return ""
    return f"the clock was ahead when these looked last ({names})" if names else ""
