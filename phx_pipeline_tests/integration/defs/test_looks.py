"""The daily look by Dagster itself: schedule, asset, sensor, check, on real stores."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.jobs import look_at_houses
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.sensors.looks import go_on_looking
from phx_pipeline.defs.stores import Stores
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.look import LOOK_LEASE
from phx_pipeline.model.source import Source
from phx_pipeline.settings import OFF
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import sensor_context
from phx_pipeline_tests.deployment import SMALLEST, Deployment

SIX = datetime(2025, 3, 10, 13, tzinfo=UTC)  # 6:00 in Phoenix
DAY = date(2025, 3, 10)
NOBODY = "999 W Nowhere Rd, Glendale, AZ 85306"


@dataclass(slots=True)
class Clock:
    """A clock that is set by hand."""

    now: datetime = SIX

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """Two houses, of which one source knows one, on stores and a clock of their own."""

    made: Deployment
    clock: Clock
    stores: Stores
    defs: dg.Definitions
    instance: dg.DagsterInstance
    slugs: list[str]

    def schedule(self) -> dg.RunRequest | dg.SkipReason:
        """Evaluate the schedule at the time of the clock, as the daemon does."""
        context = dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=self.clock(),
            repository_def=self.defs.get_repository_def(),
            resources={"stores": self.stores},
        )
        schedule = self.defs.resolve_schedule_def("daily_look")
        said = schedule.evaluate_tick(context)
        return (
            said.run_requests[0]
            if said.run_requests
            else dg.SkipReason(said.skip_message)
        )

    def run(self) -> dg.ExecuteInProcessResult:
        """Run the job of the look."""
        job = self.defs.resolve_job_def(look_at_houses.name)
        return job.execute_in_process(instance=self.instance)

    def sense(self, cursor: str = "") -> dg.SensorResult | dg.SkipReason:
        """Evaluate the sensor, as the daemon does."""
        stores = self.stores
        with sensor_context(self.instance, stores=stores, cursor=cursor) as context:
            said = go_on_looking(context)
        assert isinstance(said, dg.SensorResult | dg.SkipReason)
        return said


@pytest.fixture
def morning(tmp_path: Path, use_settings: UseSettings) -> Iterator[Morning]:
    with (
        Deployment(tmp_path, redfin_sites([SMALLEST])) as made,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        use_settings(made.settings)
        slugs = made.add([SMALLEST.address, NOBODY])
        instance.add_dynamic_partitions(str(PROPERTIES.name), slugs)
        clock = Clock()
        stores = Stores(settings=lambda: made.settings, clock=clock)
        yield Morning(
            made=made,
            clock=clock,
            stores=stores,
            defs=build_definitions(resources={"stores": stores}),
            instance=instance,
            slugs=slugs,
        )


def observed(result: dg.ExecuteInProcessResult) -> dict[str | None, str]:
    """What was observed of each partition, by the events of a run."""
    found = {}
    for event in result.all_events:
        if event.event_type is dg.DagsterEventType.ASSET_OBSERVATION:
            seen = event.asset_observation_data.asset_observation
            found[seen.partition] = str(seen.metadata["look"].value)
    return found


def checked(result: dg.ExecuteInProcessResult) -> dict[str | None, bool]:
    """What the check `fresh` was told of each partition."""
    return {
        it.partition: it.passed
        for it in result.get_asset_check_evaluations()
        if it.check_name == "fresh"
    }


def test_a_morning_from_the_schedule_to_the_last_house(morning: Morning) -> None:
    assert isinstance(morning.sense(), dg.SkipReason)  # the schedule begins the day
    asked = morning.schedule()
    assert isinstance(asked, dg.RunRequest)
    assert asked.run_key == "look:2025-03-10:1"

    first = morning.run()

    # Both are new: each gets a run of its own, and no photo was asked for.
    assert observed(first) == dict.fromkeys(morning.slugs, "changed")
    assert checked(first) == dict.fromkeys(morning.slugs, True)
    assert morning.made.photos_asked() == []
    with morning.stores.catalog() as catalog:
        day = catalog.looks.day(DAY)
        pages = catalog.looks.pages(DAY)
        waiting = catalog.statistics.open_jobs().waiting
    assert day is not None
    assert (day.runs, day.looked, day.changed, day.next_at) == (1, 2, 2, None)
    assert pages == {Source.REDFIN: len(morning.made.standin.asked)}
    assert waiting == 2

    assert observed(morning.run()) == {}
    assert pages == {Source.REDFIN: len(morning.made.standin.asked)}
    assert isinstance(morning.sense(), dg.SkipReason)


def test_the_sensor_asks_for_one_look_at_a_time_and_gives_each_a_name(
    morning: Morning,
) -> None:
    with morning.stores.catalog() as catalog:
        catalog.looks.begin_run(DAY, at=SIX, next_at=SIX)
        with catalog.leases.hold(LOOK_LEASE, owner=process_owner("a look")):
            assert isinstance(morning.sense(), dg.SkipReason)
    said = morning.sense()

    assert isinstance(said, dg.SensorResult)
    assert [it.run_key for it in said.run_requests or ()] == ["look:2025-03-10:2"]
    # Where that run was lost in the queue, another name makes Dagster start one.
    again = morning.sense("2025-03-10 2")
    assert isinstance(again, dg.SensorResult)
    assert [it.run_key for it in again.run_requests or ()] == ["look:2025-03-10:3"]
    morning.instance.add_run(
        dg.DagsterRun(job_name=look_at_houses.name, status=dg.DagsterRunStatus.STARTED)
    )
    assert isinstance(morning.sense(), dg.SkipReason)


def test_what_is_switched_off_neither_begins_nor_goes_on(
    morning: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    with morning.stores.catalog() as catalog:
        catalog.looks.begin_run(DAY, at=SIX, next_at=SIX)
    off = replace(morning.made.settings, look_cron=OFF)
    stores = Stores(settings=lambda: off, clock=morning.clock)

    assert isinstance(replace(morning, stores=stores).sense(), dg.SkipReason)
    monkeypatch.setenv("PHX_LOOK_CRON", OFF)
    schedules = build_definitions().get_repository_def().schedule_defs
    assert "daily_look" not in {it.name for it in schedules}
