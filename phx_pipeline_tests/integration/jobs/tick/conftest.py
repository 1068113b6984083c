"""An office: a catalogue, a queue, and a clock that a test sets."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.jobs.desk import Desk
from phx_pipeline.jobs.tick import Launch, Ticked, tick
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Job, Mode
from phx_pipeline.model.run import RunOutcome
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline_tests.integration.conftest import STAMP, house_at
from phx_pipeline_tests.jobs import NOON, ask_job, desk_of
from phx_pipeline_tests.queue_stand_in import QueueStandIn

SLUGS = [house_at(number).slug for number in range(1, 21)]
A, B, C = SLUGS[:3]


@dataclass(slots=True)
class Office:
    """A catalogue with houses, a queue, and a clock that a test sets."""

    catalog: Catalog
    now: datetime = NOON
    cursor: str = ""
    coming: list[Launch] = field(default_factory=list)
    queue: QueueStandIn = field(init=False)

    def __post_init__(self) -> None:
        self.queue = QueueStandIn(clock=lambda: self.now)

    @property
    def desk(self) -> Desk:
        return desk_of(
            self.catalog, self.queue, clock=lambda: self.now, pause=self.make
        )

    def make(self, _: float) -> None:
        """Let the daemon make one of the runs that it was asked for."""
        if self.coming:
            self.queue.launch(self.coming.pop())

    def ask(self, job_id: str, *slugs: str, **more: object) -> None:
        ask_job(self.catalog, job_id, slugs, at=self.now, **more)  # type: ignore[arg-type]

    def look(self, *, slots: int = 3) -> Ticked:
        self.now += timedelta(seconds=5)
        told = tick(
            self.catalog.dispatch,
            self.queue,
            slots=slots,
            cursor=self.cursor,
            at=self.now,
        )
        self.cursor = told.cursor
        return told

    def turn(self, *, slots: int = 3) -> Ticked:
        """Look, and do what is to be done."""
        told = self.look(slots=slots)
        for launch in told.launches:
            self.queue.launch(launch)
        self.queue.cancel(told.cancel, wait_s=0)
        self.queue.put(told.put)
        for run_id, number in told.hasten.items():
            self.queue.hasten([run_id], priority=number)
        return told

    def run_recorded(self, job_id: str) -> SeenRun:
        """A run that was seen and noted its end, of which Dagster has not told yet."""
        self.turn()
        run = self.queue.begin()
        assert run is not None
        self.turn()
        self.record(run, job_id)
        self.record_end(run)
        return run

    def record(self, run: SeenRun, job_id: str) -> None:
        """Have a run note that it began."""
        with self.catalog.leases.hold(property_lease(run.slug), owner="run") as lease:
            self.catalog.runs.record_started(
                lease,
                run.slug,
                mode=Mode.FRESH,
                job_id=job_id,
                photos=(),
                interrupted={},
                stamp=replace(STAMP, at=self.now, run_id=run.run_id),
            )

    def record_end(
        self, run: SeenRun, outcome: RunOutcome = RunOutcome.PARTIAL
    ) -> None:
        """Have a run note that it ended; without *outcome* it left something open."""
        with self.catalog.leases.hold(property_lease(run.slug), owner="run") as lease:
            self.catalog.runs.record_ended(
                lease,
                run.slug,
                outcome=outcome,
                result=None,
                error="",
                stamp=replace(STAMP, at=self.now, run_id=run.run_id),
            )

    def job(self, job_id: str) -> Job:
        return self.desk.job(job_id)

    def states(self, job_id: str) -> list[str]:
        return [item.state.value for item in self.job(job_id).items]


@pytest.fixture
def office(catalog: Catalog) -> Office:
    houses = [house_at(number) for number in range(1, 21)]
    catalog.add_properties(houses, at=NOON)
    return Office(catalog)


def slugs_of(ticked: Ticked) -> list[str]:
    return [launch.slug for launch in ticked.launches]
