"""A few days by Dagster's schedules, sensors and jobs, by the clock of the town."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.jobs import look_at_houses
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.sensors.alerts import alerts
from phx_pipeline.defs.sensors.looks import go_on_looking
from phx_pipeline.defs.stores import Stores
from phx_pipeline.reads.history import find_events
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import sensor_context
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.days import Life
from phx_pipeline_tests.fortnight.expected import SOURCES, news, to_be_told, told
from phx_pipeline_tests.fortnight.table import FEW_DAYS, HOMES, Story, date_of
from phx_pipeline_tests.fortnight.told import Mailbox, changes
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.web_hook import hooked

pytestmark = pytest.mark.soak

STORY = Story.of(FEW_DAYS, HOMES[:2], days=4)
TICKS = (6, 22, 58, 83, 324)  # minutes after six
DIGEST = 60


@dataclass(slots=True, kw_only=True)
class Daemon:
    """Evaluates a schedule or a sensor, and carries out what it asks for."""

    life: Life
    instance: dg.DagsterInstance
    stores: Stores
    defs: dg.Definitions
    keys: list[str] = field(default_factory=list)
    cursors: dict[str, str] = field(default_factory=dict)

    def schedule(self, name: str) -> list[dg.RunRequest]:
        with dg.build_schedule_context(
            instance=self.instance,
            scheduled_execution_time=self.life.clock(),
            repository_def=self.defs.get_repository_def(),
            resources={"stores": self.stores},
        ) as context:
            tick = self.defs.resolve_schedule_def(name).evaluate_tick(context)
        return list(tick.run_requests or ())

    def sensor(self, sensor: dg.SensorDefinition) -> list[dg.RunRequest]:
        others, name = set(active_children()), sensor.name
        with sensor_context(
            self.instance, stores=self.stores, cursor=self.cursors.get(name)
        ) as context:
            said = sensor(context)
            self.cursors[name] = context.cursor or self.cursors.get(name, "")
        for sender in set(active_children()) - others:
            sender.join(60)
        return list(said.run_requests or ()) if type(said) is dg.SensorResult else []

    def carry_out(self, requests: list[dg.RunRequest]) -> None:
        job = self.defs.resolve_job_def(look_at_houses.name)
        for request in requests:
            assert request.run_key is not None
            self.keys.append(request.run_key)
            assert job.execute_in_process(instance=self.instance).success
        self.life.work()


@pytest.fixture
def daemon(
    tmp_path: Path, shared_dir: Path, use_settings: UseSettings
) -> Iterator[tuple[Daemon, Mailbox]]:
    town = Town(story=STORY, shared=shared_dir)
    with ExitStack() as stack:
        box = Mailbox(hook=stack.enter_context(hooked()))
        made = stack.enter_context(
            Deployment(
                tmp_path,
                town.sites(),
                sources=SOURCES,
                attempts=1,
                webhook_url=box.hook.url,
            )
        )
        use_settings(made.settings)
        life = Life(made=made, town=town)
        stores = Stores(settings=lambda: made.settings, clock=life.now)
        yield (
            Daemon(
                life=life,
                instance=stack.enter_context(dg.DagsterInstance.ephemeral()),
                stores=stores,
                defs=build_definitions(resources={"stores": stores}),
            ),
            box,
        )


@pytest.mark.usefixtures("quick_retries")
def test_each_change_is_told_once_by_what_dagster_evaluates(
    daemon: tuple[Daemon, Mailbox],
) -> None:
    dagster, box = daemon
    life = dagster.life
    life.follow()
    with life.made.context() as context:
        slugs = context.catalog.slugs()
    dagster.instance.add_dynamic_partitions(str(PROPERTIES.name), slugs)
    for day in range(STORY.days):
        life.wake_on(day)
        life.wait_until(0)
        dagster.carry_out(dagster.schedule("daily_look"))
        for minutes in TICKS:
            if life.minutes < DIGEST < minutes:
                life.wait_until(DIGEST)
                assert dagster.schedule("daily_digest") == []
                dagster.sensor(alerts)
            life.wait_until(minutes)
            dagster.carry_out(dagster.sensor(go_on_looking))
            dagster.sensor(alerts)
        with life.reads() as reads:
            events = list(find_events(reads))
        assert told(events) == to_be_told(STORY, until=day)
        digest = box.new()[f"digest:{date_of(day)}:{day + 1}"]
        assert changes([digest]) == news(STORY, day=day)
    assert box.again == []
    assert len(dagster.keys) == len(set(dagster.keys))
    firsts = {f"look:{date_of(day)}:1" for day in range(STORY.days)}
    assert firsts < set(dagster.keys)
