"""Run monitoring sees a killed worker through the real catalogue."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus

from phx_pipeline.defs.launcher import LeaseAwareRunLauncher
from phx_pipeline.model.identity import run_lease
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import Deployment

_LONG_AGO = 1_700_000_000.0

_WORKER = """
import sys, time
from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import build_catalog

leases = build_catalog(load_settings()).leases
with leases.hold(sys.argv[1], owner=process_owner("worker")):
    print("holding", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def deployment(tmp_path: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    """Stores the launcher finds by the environment, as in the daemon."""
    with Deployment(tmp_path, {}) as made:
        use_settings(made.settings)
        yield made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def launcher(instance: dg.DagsterInstance) -> LeaseAwareRunLauncher:
    made = LeaseAwareRunLauncher()
    made.register_instance(instance)
    return made


def started(instance: dg.DagsterInstance, *, at: float | None = None) -> dg.DagsterRun:
    """A run that Dagster believes to run, since *at* or since now."""
    run = instance.add_run(dg.DagsterRun(job_name="extract_property"))
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.RUN_START.value, job_name=run.job_name
    )
    instance.report_dagster_event(event, run_id=run.run_id, timestamp=at)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.STARTED
    return found


@contextmanager
def worker(
    deployment: Deployment, run: dg.DagsterRun
) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps the run's lease alive, ready when the body begins."""
    with subprocess.Popen(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", _WORKER, run_lease(run.run_id)],
        env=deployment.env,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            yield process
        finally:
            process.kill()


def test_a_worker_is_healthy_until_it_is_killed(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    launcher: LeaseAwareRunLauncher,
) -> None:
    run = started(instance, at=_LONG_AGO)

    with worker(deployment, run) as process:
        alive = launcher.check_run_worker_health(run)
        process.send_signal(signal.SIGKILL)
        process.wait()
        dead = launcher.check_run_worker_health(run)

    assert alive.status is WorkerStatus.RUNNING
    assert dead.status is WorkerStatus.FAILED
    assert f":{process.pid}:" in (dead.msg or "")


@pytest.mark.usefixtures("deployment")
def test_a_run_that_started_just_now_is_given_time(
    instance: dg.DagsterInstance, launcher: LeaseAwareRunLauncher
) -> None:
    run = started(instance)

    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


@pytest.mark.usefixtures("deployment")
def test_a_run_whose_worker_never_came_is_not_found(
    instance: dg.DagsterInstance, launcher: LeaseAwareRunLauncher
) -> None:
    run = started(instance, at=_LONG_AGO)

    assert launcher.check_run_worker_health(run).status is WorkerStatus.NOT_FOUND


@pytest.mark.usefixtures("deployment")
def test_without_a_catalogue_nothing_is_said_against_a_worker(
    instance: dg.DagsterInstance,
    launcher: LeaseAwareRunLauncher,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    run = started(instance, at=_LONG_AGO)
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path / "elsewhere"))

    health = launcher.check_run_worker_health(run)

    assert health.status is WorkerStatus.RUNNING
    assert "not initialised" in (health.msg or "")


def test_monitoring_may_ask_for_health() -> None:
    assert LeaseAwareRunLauncher().supports_check_run_worker_health
