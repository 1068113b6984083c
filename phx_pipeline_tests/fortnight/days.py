"""A deployment that lives through a story, a day at a time, by a clock of its own."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Final

from phx_pipeline.jobs.tick import Launch, tick
from phx_pipeline.model.job import JobState
from phx_pipeline.model.search import Criteria, SavedSearch
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.reads.base import Reads
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.expected import slug_of
from phx_pipeline_tests.fortnight.routine import (
    Morning,
    book_at,
    context_at,
    look_at,
    reads_at,
    run_at,
    search_at,
    tell_at,
)
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.queue_stand_in import QueueStandIn
from phx_pipeline_tests.web_hook import Hooked

_DAY_S: Final = 86_400.0
_EARLY: Final = -30  # minutes after six: when searches are run
_PATIENCE_S: Final = 300.0
_SLOTS: Final = 3
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["pytest", __name__])
_TIMES = (
    "next_slot",
    "not_before",
    "opened_at",
    "open_until",
    "probe_until",
    "blocked_at",
)


@dataclass(slots=True, kw_only=True)
class Life:
    """A deployment and the town it looks at, whose day is today; `minutes` after six.

    Dagster's queue is a stand-in: what is to be launched is decided by the real tick.
    On a server, circuits and pauses of the catalogue keep to its own clock: whatever
    time passes here, they are made older by it.
    """

    made: Deployment
    town: Town
    minutes: int = 0
    queue: QueueStandIn = field(init=False)
    cursor: str = ""

    def __post_init__(self) -> None:
        """Give the queue the clock of this life."""
        self.queue = QueueStandIn(clock=self.now, slots=_SLOTS)

    def now(self) -> datetime:
        """The moment that it is."""
        return self.clock()

    @property
    def clock(self) -> Morning:
        """The injected clock."""
        return Morning(day=self.town.day, minutes=self.minutes)

    def follow(self, *zip_codes: str) -> None:
        """Follow the houses of day 0; search these ZIPs, and accept what is found."""
        self.made.add([it.address for it in self.town.story.homes if it.since == 0])
        with context_at(self.made.settings, self.clock) as context:
            for zip_code in zip_codes:
                search = SavedSearch(
                    name=f"zip-{zip_code}",
                    criteria=Criteria(zip_codes=(zip_code,)),
                    created_at=self.clock(),
                    accept_per_day=5,
                )
                context.catalog.searches.add(search)

    def wake_on(self, day: int) -> None:
        """Let it be half past five on *day*."""
        passed = (day - self.town.day) * _DAY_S + (_EARLY - self.minutes) * 60.0
        self._pass(passed)
        self.town.day, self.minutes = day, _EARLY

    def wait_until(self, minutes: int) -> None:
        """Let it be so many minutes after six on the same day."""
        self._pass((minutes - self.minutes) * 60.0)
        self.minutes = minutes

    def _pass(self, seconds: float) -> None:
        if self.made.settings.catalog_url is None:
            return
        with context_at(self.made.settings, self.clock) as context:
            policies = context.catalog.policies
            for state in policies.source_states()[1]:
                policies.change(state.name, partial(_older, seconds=seconds))

    def reads(self) -> AbstractContextManager[Reads]:
        """What people are told from."""
        return reads_at(self.made.settings, self.clock)

    # --- what the daemons do ---

    def search(self) -> None:
        """Run the searches; houses that they accept get their runs."""
        search_at(self.made.settings, self.clock)
        self.work()

    def search_until_killed(self, requests: int) -> None:
        """Let a process of its own search; kill it at its request of this number."""
        self._until_killed(search_at, at=requests)

    def look(self, *, run_killed_at: int = 0) -> None:
        """Look at all houses that are due; those that changed get their runs."""
        look_at(self.made.settings, self.clock)
        self.work(killed_at=run_killed_at)

    def look_until_killed(self, requests: int) -> None:
        """Let a process of its own look; kill it at its request of this number."""
        self._until_killed(look_at, at=requests)

    def work(self, *, killed_at: int = 0) -> None:
        """Give all that waits its run; the first is killed at a request, if told so.

        One that is killed is executed again, as Dagster does it.
        """
        while launches := self._tick():
            for launch in launches:
                self._run(launch, killed_at=killed_at)
                killed_at = 0

    def book_digest(self) -> None:
        """Have the digest be due."""
        book_at(self.made.settings, self.clock)

    def tell(self) -> None:
        """Send what is due."""
        tell_at(self.made.settings, self.clock)

    def tell_until_killed(self, hook: Hooked) -> None:
        """Let a process of its own send; kill it when *hook* has what it posts."""
        process = self._process(tell_at)
        hook.on_post = lambda: _kill(process.pid)
        _die(process)
        hook.on_post = lambda: None

    def _tick(self) -> tuple[Launch, ...]:
        with context_at(self.made.settings, self.clock) as context:
            told = tick(
                context.catalog.dispatch,
                self.queue,
                slots=_SLOTS,
                cursor=self.cursor,
                at=self.clock(),
            )
        self.cursor = told.cursor
        return told.launches

    def _run(self, launch: Launch, *, killed_at: int) -> None:
        run_id = self.queue.launch(launch)
        self.queue.begin()
        if killed_at:
            self._until_killed(run_at, launch, run_id, at=killed_at)
            self.queue.end(run_id, JobState.FAILED)
            again = {"job_id": launch.job_id, "attempt": launch.attempt}
            run_id = self.queue.add(launch.slug, root_run_id=run_id, **again)
            self.queue.begin()
        run_at(self.made.settings, self.clock, launch, run_id)
        self.queue.end(run_id)

    def _until_killed(self, do: Callable[..., None], *more: object, at: int) -> None:
        process = self._process(do, *more)
        with _at_request(self.town, at, lambda: _kill(process.pid)):
            _die(process)

    def _process(self, do: Callable[..., None], *more: object) -> BaseProcess:
        return _FORKS.Process(target=do, args=(self.made.settings, self.clock, *more))

    # --- what became of it ---

    def filed(self) -> set[str]:
        """The houses of which pictures are published."""
        with context_at(self.made.settings, self.clock) as context:
            found = context.catalog.published_images
            return {slug for slug in context.catalog.slugs() if any(found(slug))}

    def shown_by(self, source: Source) -> dict[str, set[str]]:
        """By house the photos that were in the gallery when it was last seen."""
        with context_at(self.made.settings, self.clock) as context:
            return {
                slug: {
                    it.ref.photo_key
                    for it in context.catalog.photos(slug)
                    if it.present and it.ref.source is source
                }
                for slug in map(slug_of, self.town.story.homes)
                if slug in context.catalog.slugs()
            }


@contextmanager
def _at_request(town: Town, number: int, do: Callable[[], None]) -> Iterator[None]:
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            do()

    town.on_request = count
    yield
    town.on_request = lambda: None


def _die(process: BaseProcess) -> None:
    process.start()
    process.join(_PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def _older(
    state: SourceState, _now_s: float, *, seconds: float
) -> tuple[SourceState, None]:
    times = {name: getattr(state, name) for name in _TIMES}
    older = {name: at - seconds for name, at in times.items() if at is not None}
    return replace(state, **older), None
