"""What commands do in Dagster's real store, without any daemon: runs, partitions."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.catalog.leases import Leases, LeaseState, process_owner
from phx_pipeline.cli.partitions import reconcile_partitions
from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.cancel import end_runs, end_runs_of, stop_runs
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.repeats import may_come_again
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import run_lease
from phx_pipeline.workflows.lifecycle import remove, rename
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.deployment import Deployment

HOUSE = "4732 W Davis Rd, Glendale, AZ 85306"
SLUG = "4732-w-davis-rd-glendale-az-85306"
_NAME = str(PROPERTIES.name)
_STATUS = dg.DagsterRunStatus


@pytest.fixture(scope="module")
def without_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with one house, whose Dagster was opened once."""
    root = tmp_path_factory.mktemp("without_runs")
    with Deployment(root, {}) as made, open_instance(made.settings):
        made.add([HOUSE])
    return root


@pytest.fixture
def made(tmp_path: Path, without_runs: Path) -> Iterator[Deployment]:
    """That installation, in stores of its own."""
    for name in ("data", "dagster"):
        shutil.copytree(without_runs / name, tmp_path / name)
    with Deployment(tmp_path, {}) as made:
        yield made


@pytest.fixture
def instance(made: Deployment) -> Iterator[dg.DagsterInstance]:
    with open_instance(made.settings) as opened:
        yield opened


@pytest.fixture
def leases(made: Deployment) -> Iterator[Leases]:
    with made.context() as context:
        yield context.catalog.leases


def a_run(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus, *, slug: str = SLUG
) -> str:
    """A run of the property as Dagster stores it."""
    return instance.add_run(run_of(slug, status)).run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@cache
def owner_that_died() -> str:
    """The owner name of a process that is gone."""
    told = "from phx_pipeline.catalog.leases import process_owner as p; print(p('run'))"
    done = subprocess.run(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", told], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_queued_run_is_cancelled_and_those_of_others_are_not(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    mine = a_run(instance, _STATUS.QUEUED)
    other = a_run(instance, _STATUS.QUEUED, slug="7-w-davis-rd-glendale-az-85306")
    before = a_run(instance, _STATUS.SUCCESS)

    done = end_runs_of(instance, SLUG, leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == ((mine,), ())
    assert status_of(instance, mine) is _STATUS.CANCELED
    assert status_of(instance, other) is _STATUS.QUEUED
    assert status_of(instance, before) is _STATUS.SUCCESS


def test_a_run_that_leaves_the_queue_while_it_is_cancelled_is_waited_for(
    instance: dg.DagsterInstance, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator sees it begun, and no worker is there that could be asked."""
    run_id = a_run(instance, _STATUS.QUEUED)
    cancel = instance.run_coordinator.cancel_run

    def begun_before(asked: str) -> bool:
        instance.report_dagster_event(begins(), run_id=run_id)
        return cancel(asked)

    monkeypatch.setattr(instance.run_coordinator, "cancel_run", begun_before)

    done = end_runs(instance, [run_id], leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == ((), (run_id,))


def begins() -> dg.DagsterEvent:
    """What the daemon tells of a run that it takes out of the queue."""
    return dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.PIPELINE_STARTING.value,
        job_name=extract_property.name,
    )


@pytest.mark.parametrize("status", [_STATUS.STARTED, _STATUS.CANCELING])
def test_a_run_whose_worker_died_is_written_off(
    instance: dg.DagsterInstance, leases: Leases, status: dg.DagsterRunStatus
) -> None:
    run_id = a_run(instance, status)
    leases.acquire(run_lease(run_id), owner=owner_that_died())

    done = end_runs_of(instance, SLUG, leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == ((run_id,), ())
    assert status_of(instance, run_id) is _STATUS.CANCELED


def test_a_run_that_works_is_asked_to_end_and_waited_for(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    run_id = a_run(instance, _STATUS.STARTED)
    lease = leases.acquire(run_lease(run_id), owner=process_owner("worker"))

    first = end_runs_of(instance, SLUG, leases=leases, wait_s=0.5)
    asked = status_of(instance, run_id)
    leases.release(lease)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_canceled(run)
    second = end_runs_of(instance, SLUG, leases=leases, wait_s=0)

    assert first.going_on == (run_id,)
    assert asked is _STATUS.CANCELING
    assert second.going_on == ()


def test_a_run_that_somebody_works_on_in_place_is_not_told_as_cancelled(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    run_id = a_run(instance, _STATUS.NOT_STARTED)
    leases.acquire(run_lease(run_id), owner=process_owner("here"))

    done = end_runs_of(instance, SLUG, leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == ((), (run_id,))
    assert status_of(instance, run_id) is not _STATUS.CANCELED


def test_many_runs_are_ended_together_and_none_of_them_comes_again(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    waiting = [
        a_run(instance, status, slug=f"{status.value}-st")
        for status in (_STATUS.QUEUED, _STATUS.QUEUED, _STATUS.NOT_STARTED)
    ]
    dead = [a_run(instance, _STATUS.STARTED, slug="1-b-st")]
    for run_id in dead:
        leases.acquire(run_lease(run_id), owner=owner_that_died())
    failed = a_run(instance, _STATUS.FAILURE, slug="1-c-st")
    over = a_run(instance, _STATUS.SUCCESS, slug="1-d-st")
    other = a_run(instance, _STATUS.QUEUED, slug="1-e-st")
    asked = [*waiting, *dead, failed, over, "of-no-run"]

    done = end_runs(instance, asked, leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == (tuple(asked), ())
    ended = {status_of(instance, run_id) for run_id in (*waiting, *dead)}
    assert ended == {_STATUS.CANCELED}
    run = instance.get_run_by_id(failed)
    assert run is not None
    assert not may_come_again(run, retries=2)
    assert status_of(instance, over) is _STATUS.SUCCESS
    assert status_of(instance, other) is _STATUS.QUEUED


def test_a_worker_that_does_not_end_is_killed_in_time(
    instance: dg.DagsterInstance, leases: Leases
) -> None:
    run_id = a_run(instance, _STATUS.STARTED)
    told = (
        "import time; from phx_pipeline.catalog.leases import process_owner as p; "
        "print(p('run'), flush=True); time.sleep(600)"
    )
    with subprocess.Popen(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", told], stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        leases.acquire(run_lease(run_id), owner=worker.stdout.readline().strip())

        done = end_runs(instance, [run_id], leases=leases, wait_s=1)
        worker.kill()

    assert (done.ended, done.going_on) == ((run_id,), ())
    assert status_of(instance, run_id) is _STATUS.CANCELED


def test_a_run_that_ends_well_while_it_is_looked_at_is_not_written_off(
    instance: dg.DagsterInstance, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(instance, _STATUS.STARTED)
    leases.acquire(run_lease(run_id), owner=owner_that_died())
    look = leases.state

    def end_then_look(name: str) -> LeaseState | None:
        event = dg.DagsterEvent(
            event_type_value=dg.DagsterEventType.RUN_SUCCESS.value,
            job_name="extract_property",
        )
        instance.report_dagster_event(event, run_id=run_id)
        return look(name)

    monkeypatch.setattr(leases, "state", end_then_look)

    done = end_runs_of(instance, SLUG, leases=leases, wait_s=0)

    assert (done.ended, done.going_on) == ((run_id,), ())
    assert status_of(instance, run_id) is _STATUS.SUCCESS


def test_partitions_follow_the_houses_before_a_command_ends(
    made: Deployment, instance: dg.DagsterInstance, phx_on: Phx
) -> None:
    def keys() -> list[str]:
        return sorted(instance.get_dynamic_partitions(_NAME))

    instance.add_dynamic_partitions(_NAME, ["added-by-hand"])
    other = "4733 W Davis Rd, Glendale, AZ 85306"

    phx_on(made, "properties", "add", other)
    after_adding = keys()
    phx_on(made, "properties", "rename", other, other.replace("Glendale", "Phoenix"))
    after_renaming = keys()
    phx_on(made, "properties", "remove", SLUG)

    renamed = "4733-w-davis-rd-phoenix-az-85306"
    assert after_adding == [SLUG, "4733-w-davis-rd-glendale-az-85306"]
    assert after_renaming == [SLUG, renamed]
    assert keys() == [renamed]


def test_a_store_that_cannot_be_opened_spoils_no_command(
    made: Deployment, phx_on: Phx
) -> None:
    for file in (made.settings.dagster_dir / "schedules").iterdir():
        file.write_bytes(b"no database" * 1_000)
    for file in (made.settings.dagster_dir / "history" / "runs").iterdir():
        file.write_bytes(b"no database" * 1_000)

    ended = phx_on(made, "properties", "add", "4733 W Davis Rd, Glendale, AZ 85306")

    assert ended.code == 0
    assert "1 added" in ended.out
    assert ended.err.startswith("Dagster's partitions follow while `phx up` runs: ")
    assert len(ended.err.splitlines()) == 1


def test_where_dagster_was_never_used_nothing_is_made(made: Deployment) -> None:
    settings = replace(made.settings, dagster_dir=made.root / "none")
    with made.context() as context:
        leases = context.catalog.leases
        done = stop_runs(settings, SLUG, leases=leases, wait_s=0)
        reconcile_partitions(context, settings)

    assert (done.ended, done.going_on) == ((), ())
    assert not settings.dagster_dir.exists()


@pytest.mark.parametrize("fate", ["removed", "renamed"])
def test_a_run_of_a_key_that_is_gone_fails_at_its_first_step_with_the_remedy(
    made: Deployment, fate: str
) -> None:
    with (
        made.context() as context,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        if fate == "removed":
            remove(context, SLUG)
            told = f'`phx properties add "{HOUSE}"` takes it up again'
        else:
            better = "4732 W Davis Rd, Phoenix, AZ 85306"
            after = rename(context, SLUG, Address.parse(better))
            told = f"its key is {after.slug} now"
        instance.add_dynamic_partitions(_NAME, [SLUG])
        job = build_definitions(resources={"pipeline": context}).resolve_job_def(
            extract_property.name
        )

        result = job.execute_in_process(
            partition_key=SLUG, instance=instance, raise_on_error=False
        )

        failures = [e for e in result.all_node_events if e.is_step_failure]
    assert [event.step_key for event in failures] == ["discovered_urls"]
    assert told in str(failures[0].step_failure_data.error)
    assert not any(event.is_step_up_for_retry for event in result.all_node_events)
