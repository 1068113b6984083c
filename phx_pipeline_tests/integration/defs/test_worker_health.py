"""Run monitoring sees a killed worker through the real catalogue."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs.internals import WorkerStatus
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.launcher import LeaseAwareRunLauncher
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.model.identity import run_lease
from phx_pipeline.storage.layout import Layout
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import Deployment

_LONG_AGO = 1_700_000_000.0

_WORKER = """
import sys, time
from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.catalog import build_catalog

leases = build_catalog(load_settings()).leases
with leases.hold(sys.argv[1], owner=process_owner("worker")):
    print("holding", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def deployment(tmp_path: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    """Stores the launcher finds by the environment, as in the daemon."""
    with Deployment(tmp_path, {}, lease_ttl_s=1) as made:
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
    tell_start(instance, run, at=at)
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


def test_a_paused_worker_that_is_given_up_does_not_go_on_later(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    launcher: LeaseAwareRunLauncher,
) -> None:
    run = started(instance, at=_LONG_AGO)

    with worker(deployment, run) as process:
        process.send_signal(signal.SIGSTOP)
        told = list(takewhile(lambda status: status != "FAILED", looks(launcher, run)))
        process.send_signal(signal.SIGCONT)
        ended = process.wait(timeout=60)

    assert set(told) == {"RUNNING"}
    assert ended == -signal.SIGKILL


@pytest.mark.usefixtures("deployment")
def test_a_run_that_started_just_now_is_given_time(
    instance: dg.DagsterInstance, launcher: LeaseAwareRunLauncher
) -> None:
    run = started(instance)

    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING


def looks(launcher: LeaseAwareRunLauncher, run: dg.DagsterRun) -> Iterator[str]:
    """What run monitoring is told, time after time."""
    while True:
        yield launcher.check_run_worker_health(run).status.value
        time.sleep(0.1)


@pytest.mark.usefixtures("deployment")
def test_a_run_whose_worker_never_came_is_not_found_once_it_was_watched(
    instance: dg.DagsterInstance, launcher: LeaseAwareRunLauncher
) -> None:
    run = started(instance, at=_LONG_AGO)

    told = list(takewhile(lambda status: status != "NOT_FOUND", looks(launcher, run)))

    assert len(told) > 1
    assert set(told) == {"RUNNING"}


def without_a_catalogue(deployment: Deployment, environ: pytest.MonkeyPatch) -> str:
    elsewhere = deployment.root / "elsewhere"
    environ.setenv("PHX_DATA_DIR", str(elsewhere))
    return "not initialised"


def with_a_damaged_catalogue(deployment: Deployment, _: pytest.MonkeyPatch) -> str:
    file = Layout(deployment.settings.data_dir).catalogue
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 1_000)
    return "not a database"


def without_a_server(_: Deployment, environ: pytest.MonkeyPatch) -> str:
    url = "postgresql://nobody@127.0.0.1:1/none"
    environ.setenv("PHX_CATALOG_URL", url)
    return "failed"


@pytest.mark.parametrize(
    "fault", [without_a_catalogue, with_a_damaged_catalogue, without_a_server]
)
def test_while_the_catalogue_does_not_answer_nothing_is_said_against_a_worker(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    launcher: LeaseAwareRunLauncher,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Deployment, pytest.MonkeyPatch], str],
) -> None:
    run = started(instance, at=_LONG_AGO)
    told = fault(deployment, monkeypatch)

    health = launcher.check_run_worker_health(run)

    assert health.status is WorkerStatus.RUNNING
    assert told in (health.msg or "")


def test_a_run_longer_than_the_grace_is_at_work_until_dagster_wrote_its_end(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    launcher: LeaseAwareRunLauncher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (slug,) = deployment.add(["4732 W Davis Rd, Glendale, AZ 85306"])
    instance.add_dynamic_partitions(str(PROPERTIES.name), [slug])
    release, told = Leases.release, []

    def watched(leases: Leases, lease: Lease) -> None:
        release(leases, lease)
        if lease.name.startswith("run:"):
            run = instance.get_run_by_id(lease.name.removeprefix("run:"))
            assert run is not None
            tell_start(instance, run, at=_LONG_AGO)
            told.append((run.status, launcher.check_run_worker_health(run)))

    monkeypatch.setattr(Leases, "release", watched)
    job = build_definitions().resolve_job_def(extract_property.name)
    done = job.execute_in_process(
        partition_key=slug, instance=instance, raise_on_error=False
    )

    ((status, health),) = told
    assert status is dg.DagsterRunStatus.STARTED
    assert (health.status, health.msg) == (WorkerStatus.RUNNING, "its worker has ended")
    assert instance.get_run_by_id(done.run_id).is_finished  # type: ignore[union-attr]  # it ran just now


def tell_start(
    instance: dg.DagsterInstance, run: dg.DagsterRun, *, at: float | None
) -> None:
    """Let Dagster believe that *run* began at a moment, or now."""
    event = dg.DagsterEvent(
        event_type_value=dg.DagsterEventType.RUN_START.value, job_name=run.job_name
    )
    instance.report_dagster_event(event, run_id=run.run_id, timestamp=at)


def test_monitoring_may_ask_for_health() -> None:
    assert LeaseAwareRunLauncher().supports_check_run_worker_health
