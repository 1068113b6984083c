"""A deployment that lives through a story, a day at a time, by a clock of its own."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final

from phx_pipeline.model.job import Mode
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.model.tally import SourceTally
from phx_pipeline.reads.base import Reads
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.plan import has_work
from phx_pipeline.wiring import build_context, build_reads
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.expected import slug_of
from phx_pipeline_tests.fortnight.table import date_of
from phx_pipeline_tests.fortnight.town import Town

_MORNING: Final = time(6, tzinfo=PHOENIX)
_DAY_S: Final = 86_400.0
_PATIENCE_S: Final = 300.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """A clock that stands still some minutes after six in Phoenix, in any process."""

    day: int
    minutes: int = 0

    def __call__(self) -> datetime:
        """The moment, in UTC."""
        six = datetime.combine(date_of(self.day), _MORNING)
        return (six + timedelta(minutes=self.minutes)).astimezone(UTC)


@contextmanager
def context_at(settings: Settings, clock: Morning) -> Iterator[StageContext]:
    """A context as each process of that moment makes its own."""
    run_id = f"day-{clock.day}-{clock.minutes}"
    context = build_context(settings, run_id=run_id, clock=clock)
    try:
        yield context
    finally:
        context.catalog.close()


@dataclass(slots=True, kw_only=True)
class Life:
    """A deployment and the town it looks at, whose day is today; `minutes` after six.

    Circuits and pauses of the catalogue keep to the clock of its database: whatever
    time passes here, they are made older by it.
    """

    made: Deployment
    town: Town
    minutes: int = 0

    @property
    def clock(self) -> Morning:
        """The injected clock."""
        return Morning(day=self.town.day, minutes=self.minutes)

    def wake_on(self, day: int) -> None:
        """Let it be the morning of *day*; follow the houses that are new on it."""
        self._pass((day - self.town.day) * _DAY_S - self.minutes * 60.0)
        self.town.day, self.minutes = day, 0
        self.made.add([it.address for it in self.town.story.homes if it.since == day])

    def wait(self, minutes: int) -> None:
        """Let it be later on the same day."""
        self._pass(minutes * 60.0)
        self.minutes += minutes

    def _pass(self, seconds: float) -> None:
        with context_at(self.made.settings, self.clock) as context:
            policies = context.catalog.policies
            for state in policies.source_states()[1]:
                policies.change(state.name, partial(_older, seconds=seconds))

    @contextmanager
    def reads(self) -> Iterator[Reads]:
        """What people are told from."""
        reads = build_reads(self.made.settings, clock=self.clock)
        try:
            yield reads
        finally:
            reads.catalog.close()

    def look(self) -> None:
        """Look at all houses, here."""
        look_at(self.made.settings, self.clock)

    def look_until_killed(self, requests: int) -> None:
        """Let a process of its own look; kill it at its request of this number."""
        given = (self.made.settings, self.clock)
        process = _FORKS.Process(target=look_at, args=given)
        process.start()
        with _at_request(self.town, requests, lambda: _kill(process.pid)):
            process.join(_PATIENCE_S)
        assert process.exitcode == -signal.SIGKILL

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


def look_at(settings: Settings, clock: Morning) -> None:
    """Ask each source of each house that has not settled today; run what is open."""
    with context_at(settings, clock) as context:
        for slug in context.catalog.slugs():
            asyncio.run(_look_at(context, slug))


async def _look_at(context: StageContext, slug: str) -> None:
    today = context.stamp().today
    sources = context.tally(slug).sources
    due = [it.source for it in sources if not _has_settled(it, today)]
    await discover(context, slug, sources=due)
    if has_work(context.tally(slug), due=(), off=()):
        await extract(context, slug, sources=[], mode=Mode.RESUME)


def _has_settled(tally: SourceTally, today: date) -> bool:
    if tally.checked_at is None or tally.outcome is None:
        return False
    asked_on = tally.checked_at.astimezone(PHOENIX).date()
    return asked_on == today and tally.outcome.is_settled


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


def _kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def _older(
    state: SourceState, _now_s: float, *, seconds: float
) -> tuple[SourceState, None]:
    times = {name: getattr(state, name) for name in _TIMES}
    older = {name: at - seconds for name, at in times.items() if at is not None}
    return replace(state, **older), None
