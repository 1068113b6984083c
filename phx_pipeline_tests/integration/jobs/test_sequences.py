"""No item is lost and no run made twice, whatever happens in which order.

People ask, cancel and ask again; runs begin and end; the dispatcher is killed between
any two of its steps, or looks a second time with old eyes.
"""

import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from phx_pipeline.catalog.dispatch import CLAIM, DispatchBook
from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.jobs.tick import Launch, tick
from phx_pipeline.model.job import JobItem, JobRequest, JobState, Mode, Priority
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline_tests.integration.conftest import TTL_S, house_at
from phx_pipeline_tests.jobs import NOON, desk_of
from phx_pipeline_tests.queue_stand_in import QueueStandIn

HOUSES = [house_at(number) for number in range(1, 6)]
SLUGS = [house.slug for house in HOUSES]
_FINAL = [JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED]


class KilledError(Exception):
    """The dispatcher was killed."""


class Dying:
    """The dispatcher's rows, until it is killed before or after one of its steps."""

    def __init__(self, book: DispatchBook, *, half_steps: int) -> None:
        self._book = book
        self._left = half_steps

    def __getattr__(self, name: str) -> Any:
        step: Callable[..., Any] = getattr(self._book, name)

        def killed_around(*args: Any, **given: Any) -> Any:
            self._half_step()
            done = step(*args, **given)
            self._half_step()
            return done

        return killed_around

    def _half_step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise KilledError


@dataclass(slots=True)
class World:
    catalog: Catalog
    now: datetime = NOON
    cursor: str = ""
    queue: QueueStandIn = field(init=False)
    before: list[SeenRun] = field(default_factory=list)
    asked_at: dict[str, datetime] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)
    called_off: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.queue = QueueStandIn(clock=lambda: self.now, slots=2)

    @property
    def desk(self) -> Desk:
        return desk_of(self.catalog, self.queue, clock=lambda: self.now)

    # --- what may happen ---

    def ask(self, user: str, slugs: list[str], mode: Mode, priority: Priority) -> None:
        request = JobRequest(
            slugs=tuple(slugs), user=user, mode=mode, priority=priority
        )
        self.jobs.append(self.desk.submit(request).job_id)

    def look(self, *, half_steps: int = 0, lost: int = 0, stale: bool = False) -> None:
        """Have the dispatcher look; the last *lost* launches do not come."""
        with suppress(KilledError):
            told = tick(
                Dying(self.catalog.dispatch, half_steps=half_steps),  # type: ignore[arg-type]  # stands in
                _OldEyes(self.queue, self.before) if stale else self.queue,
                slots=2,
                cursor=self.cursor,
                at=self.now,
            )
            self.cursor = told.cursor
            self.before = list(self.queue.open_runs())
            for launch in told.launches:
                self.check(launch)
            for launch in told.launches[: len(told.launches) - lost]:
                self.queue.launch(launch)
            self.queue.cancel(told.cancel, wait_s=0)

    def check(self, launch: Launch) -> None:
        """No run is asked for that is there, or that another asks for just now."""
        there = {run.run_key for run in self.queue.runs.values()}
        assert launch.run_key not in there
        before = self.asked_at.get(launch.run_key)
        assert before is None or self.now - before >= CLAIM
        self.asked_at[launch.run_key] = self.now

    def begin(self) -> None:
        self.queue.begin()

    def end(self, which: int, state: JobState) -> None:
        going = [run for run in self.queue.runs.values() if not run.state.is_final]
        if going:
            self.queue.end(going[which % len(going)].run_id, state)

    def cancel(self, which: int) -> None:
        if self.jobs:
            job_id = self.jobs[which % len(self.jobs)]
            self.called_off.add(job_id)
            self.desk.cancel(job_id)

    def retry(self, which: int) -> None:
        if self.jobs:
            with suppress(InputError):
                self.desk.retry(self.jobs[which % len(self.jobs)])

    def wait(self) -> None:
        self.now += CLAIM

    # --- how it ends ---

    def items(self) -> list[JobItem]:
        return [it for job in self.jobs for it in self.catalog.jobs.items(job)]

    def drain(self) -> None:
        """Let all that waits be done; no more than each takes a turn."""
        for _ in range(2 * len(self.items()) + 3):
            self.wait()
            self.look()
            while self.queue.begin():
                pass
            for run in self.queue.open_runs():
                if run.state is JobState.IN_PROGRESS:
                    self.queue.end(run.run_id)
        self.look()


@dataclass(slots=True)
class _OldEyes:
    """What Dagster answered a moment ago, and what it answers now to new questions."""

    queue: QueueStandIn
    runs: list[SeenRun]

    def open_runs(self) -> list[SeenRun]:
        return self.runs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.queue, name)


_WHICH = st.integers(0, 9)
_EVENTS = st.one_of(
    st.tuples(
        st.just("ask"),
        st.sampled_from("ab"),
        st.lists(st.sampled_from(SLUGS), min_size=1, max_size=4, unique=True),
        st.sampled_from(Mode),
        st.sampled_from(Priority),
    ),
    st.tuples(st.just("look")),
    st.builds(
        lambda half, lost, stale: (
            "look",
            {"half_steps": half, "lost": lost, "stale": stale},
        ),
        st.integers(0, 16),
        st.integers(0, 2),
        st.booleans(),
    ),
    st.tuples(st.just("begin")),
    st.tuples(st.just("end"), _WHICH, st.sampled_from(_FINAL)),
    st.tuples(st.just("cancel"), _WHICH),
    st.tuples(st.just("retry"), _WHICH),
    st.tuples(st.just("wait")),
)


@pytest.fixture
def fresh(sqlite_template: Path) -> Callable[[], World]:
    """Make a world with houses and nothing asked for."""
    numbers = count()

    def make() -> World:
        file = sqlite_template.with_name(f"world-{next(numbers)}.db")
        shutil.copy(sqlite_template, file)
        engine = open_engine(f"sqlite:///{file}")
        catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
        catalog.add_properties(HOUSES, at=NOON)
        return World(catalog)

    return make


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.generate],  # a shorter case of such a run takes minutes to find
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(events=st.lists(_EVENTS, min_size=8, max_size=24))
def test_each_item_ends_as_its_one_run_does(
    fresh: Callable[[], World], events: list[tuple[Any, ...]]
) -> None:
    world = fresh()
    with closing(world.catalog):
        for name, *given in events:
            world.now += timedelta(seconds=1)
            named = given.pop() if given and isinstance(given[-1], dict) else {}
            getattr(world, name)(*given, **named)
        world.drain()

        runs = world.queue.runs
        keys = [run.run_key for run in runs.values()]
        assert len(keys) == len(set(keys))
        assert all(run.state.is_final for run in runs.values())
        for item in world.items():
            assert item.state is not None
            if item.state is not JobState.CANCELLED:
                assert item.state is runs[str(item.run_id)].state
            elif item.job_id not in world.called_off:
                assert runs[str(item.run_id)].state is JobState.CANCELLED
