"""Runs whose retry fails because no code server answers, as Dagster itself fails it."""

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import (
    consume_new_runs_for_automatic_reexecution as consume,
)

from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.run_queue import known_time
from phx_pipeline.defs.sensors.repeats import repeat_lost_runs
from phx_pipeline.defs.stores import Stores
from phx_pipeline.defs.tags import CLAIMED_TAG, JOB_TAG
from phx_pipeline.model.job import JobState
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import item_runs, run_of, sensor_context
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.jobs import ask_job

_HOUSE = "a-house"
_STARTED = dg.DagsterRunStatus.STARTED
_SETTINGS = {"run_retries": {"enabled": True, "max_retries": 2}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("repeats"), {}) as made:
        yield made


@pytest.fixture(autouse=True)
def _catalogue(made: Deployment, use_settings: UseSettings) -> None:
    """The sensor finds it by the environment."""
    use_settings(made.settings)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(settings=_SETTINGS) as made:
        made.add_dynamic_partitions(str(PROPERTIES.name), [_HOUSE])
        yield made


def crashed(instance: dg.DagsterInstance, **tags: str) -> str:
    """Store a run of a job whose worker was killed; return its id."""
    run = instance.add_run(run_of(_HOUSE, _STARTED, **{JOB_TAG: "j"} | tags))
    instance.report_run_failed(run)
    return run.run_id


def give_up(instance: dg.DagsterInstance, run_id: str) -> None:
    """Leave its tags as Dagster's daemon does when it cannot retry a run."""
    instance.add_run_tags(run_id, {"dagster/will_retry": "false"})


@pytest.fixture
def lost(instance: dg.DagsterInstance) -> str:
    """A run of a job whose repetition Dagster has given up."""
    run_id = crashed(instance)
    give_up(instance, run_id)
    return run_id


def tags_of(instance: dg.DagsterInstance, run_id: str) -> dict[str, str]:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return dict(found.tags)


class Daemon:
    """Evaluates the sensor and makes what it asks for, as Dagster's daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.at = utc_now()
        self.cursor: str | None = None

    def requests(self) -> Sequence[dg.RunRequest]:
        stores = Stores(clock=lambda: self.at)
        with sensor_context(
            self.instance, stores=stores, cursor=self.cursor
        ) as context:
            said = repeat_lost_runs(context)
            self.cursor = context.cursor
        return (said.run_requests or []) if isinstance(said, dg.SensorResult) else []

    def tick(
        self, status: dg.DagsterRunStatus = dg.DagsterRunStatus.QUEUED
    ) -> list[dg.DagsterRun]:
        made = []
        for request in self.requests():
            tags = {**request.tags, "dagster/run_key": str(request.run_key)}
            run = run_of(str(request.partition_key), status, **tags)
            made.append(self.instance.add_run(run))
        return made


@pytest.fixture
def daemon(instance: dg.DagsterInstance) -> Daemon:
    return Daemon(instance)


def state(instance: dg.DagsterInstance) -> JobState:
    """Where the house is for the one who follows the job."""
    return item_runs(instance, "j")[_HOUSE].state


def test_what_was_lost_of_a_cancelled_job_is_not_repeated(
    made: Deployment, instance: dg.DagsterInstance, daemon: Daemon
) -> None:
    (slug,) = made.add(["4732 W Davis Rd, Glendale, AZ 85306"])
    instance.add_dynamic_partitions(str(PROPERTIES.name), [slug])
    run = instance.add_run(run_of(slug, _STARTED, **{JOB_TAG: "off"}))
    with made.context() as context:
        ask_job(context.catalog, "off", [slug], at=utc_now())
        context.catalog.jobs.cancel("off", at=utc_now())
    instance.report_run_failed(run)
    give_up(instance, run.run_id)

    assert daemon.requests() == []
    assert item_runs(instance, "off")[slug].state is JobState.FAILED


@pytest.mark.usefixtures("lost")
@pytest.mark.parametrize("cursor", ["x", "2999-01-01T00:00:00+00:00", "0001-01-01"])
def test_the_next_look_goes_on_whatever_its_cursor_says(
    daemon: Daemon, cursor: str
) -> None:
    daemon.cursor = cursor

    assert len(daemon.tick()) == 1
    assert daemon.cursor != cursor


def test_a_run_that_ended_while_the_clock_was_ahead_is_repeated_now(
    instance: dg.DagsterInstance, daemon: Daemon, lost: str
) -> None:
    instance.add_run_tags(lost, {CLAIMED_TAG: "true"})
    daemon.at -= timedelta(days=30)

    assert len(daemon.tick()) == 1
    assert known_time(daemon.cursor or "", now=daemon.at)
    assert daemon.tick() == []


def test_a_run_that_dagster_failed_to_retry_is_repeated_once_and_only_once(
    instance: dg.DagsterInstance, daemon: Daemon, lost: str
) -> None:
    assert state(instance) is JobState.RETRYING

    (again,) = daemon.tick()

    assert again.tags["phx/repeats"] == lost
    assert state(instance) is JobState.QUEUED
    assert [daemon.requests() for _ in range(3)] == [[], [], []]


@pytest.mark.usefixtures("lost")
def test_it_is_asked_for_under_one_key_until_its_run_is_queued(daemon: Daemon) -> None:
    (first,) = daemon.requests()
    daemon.tick(dg.DagsterRunStatus.NOT_STARTED)
    (again,) = daemon.requests()

    assert again.run_key == first.run_key


def test_its_repetitions_are_bounded_however_often_they_are_lost(
    instance: dg.DagsterInstance, daemon: Daemon, lost: str
) -> None:
    del lost
    repeated = 0
    while made := daemon.tick(_STARTED):
        (run,) = made
        repeated += 1
        instance.report_run_failed(run)
        give_up(instance, run.run_id)

    assert repeated == 2
    assert state(instance) is JobState.FAILED


def test_what_dagster_repeats_itself_is_left_to_it(
    instance: dg.DagsterInstance, daemon: Daemon
) -> None:
    crashed(instance)

    assert daemon.requests() == []
    assert state(instance) is JobState.RETRYING


def test_what_dagster_says_it_repeats_and_forgets_is_repeated_after_a_while(
    instance: dg.DagsterInstance, daemon: Daemon
) -> None:
    forgotten = crashed(instance)
    announced = dict(tags_of(instance, forgotten))

    asked = []
    for _ in range(5):
        asked.append([request.run_key for request in daemon.requests()])
        daemon.at += timedelta(minutes=1)

    assert announced["dagster/will_retry"] == "true"
    assert asked[:2] == [[], []]
    assert asked[-1] == [f"again:{forgotten}"]


def test_what_dagster_has_repeated_is_not_taken_over(
    instance: dg.DagsterInstance, daemon: Daemon
) -> None:
    noted, unnoted = crashed(instance), crashed(instance)
    instance.add_run_tags(noted, {"dagster/auto_retry_run_id": "another"})
    parent = {"dagster/parent_run_id": unnoted, "dagster/retry_number": "1"}
    instance.add_run(run_of(_HOUSE, dg.DagsterRunStatus.QUEUED, **parent))
    daemon.at += timedelta(hours=1)

    assert daemon.requests() == []
    for run_id in (noted, unnoted):
        assert tags_of(instance, run_id)["dagster/will_retry"] == "true"


def test_one_that_somebody_had_repeated_is_asked_for_and_his_run_is_no_part_of_it(
    instance: dg.DagsterInstance, daemon: Daemon, lost: str
) -> None:
    copied = {"dagster/parent_run_id": lost, JOB_TAG: "j", "phx/attempt": "2"}
    theirs = instance.add_run(run_of(_HOUSE, _STARTED, **copied))
    instance.report_run_failed(theirs)
    give_up(instance, theirs.run_id)

    asked = {request.tags["phx/repeats"]: request for request in daemon.requests()}

    assert asked[lost].tags[JOB_TAG] == "j"
    assert asked[theirs.run_id].tags.keys() & {JOB_TAG, "phx/attempt"} == set()
    assert asked[theirs.run_id].tags[".dagster/phx_root"] == theirs.run_id


@pytest.mark.usefixtures("lost")
def test_a_house_that_was_removed_gets_no_run_and_nobody_waits_for_one(
    instance: dg.DagsterInstance, daemon: Daemon
) -> None:
    instance.delete_dynamic_partition(str(PROPERTIES.name), _HOUSE)

    assert daemon.requests() == []
    assert state(instance) is JobState.FAILED
    instance.add_dynamic_partitions(str(PROPERTIES.name), [_HOUSE])
    assert daemon.requests() == []


def test_dagster_gives_a_run_up_when_no_code_server_answers_and_it_is_repeated(
    tmp_path: Path,
) -> None:
    away = GrpcServerTarget(
        host="localhost",
        port=None,
        socket=str(tmp_path / "nobody.sock"),
        location_name="phx_pipeline",
    )
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=_SETTINGS) as instance:
        instance.add_dynamic_partitions(str(PROPERTIES.name), [_HOUSE])
        run_id = crashed(instance)
        before = tags_of(instance, run_id)
        with pytest.warns(UserWarning, match="loading repository location"):
            nobody_answers = WorkspaceProcessContext(instance, away)
        with nobody_answers as workspace:
            records = instance.get_run_records()
            list(consume(workspace, records, logging.getLogger("dagster")))

        after = tags_of(instance, run_id)
        (again,) = Daemon(instance).requests()

    assert before["dagster/will_retry"] == "true"
    assert after["dagster/will_retry"] == "false"
    assert again.run_key == f"again:{run_id}"
