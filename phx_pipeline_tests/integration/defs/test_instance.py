"""`dagster.yaml` is a configuration Dagster takes, with the limits we promise."""

import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.scheduler.instigation import TickData, TickStatus

from phx_pipeline.defs.launcher import LeaseAwareRunLauncher


@pytest.fixture
def instance(
    tmp_path: Path, repo_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("PHX_DAGSTER_DIR", str(tmp_path / "dagster"))
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(repo_dir)) as made:
        yield made


def test_the_instance_is_the_one_we_promise(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    queue = instance.get_concurrency_config().run_queue_config

    assert isinstance(instance.run_launcher, LeaseAwareRunLauncher)
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    assert queue is not None
    assert queue.max_concurrent_runs == 3
    assert queue.tag_concurrency_limits == [
        {
            "key": "dagster/partition",
            "value": {"applyLimitPerUniqueValue": True},
            "limit": 1,
        }
    ]
    assert instance.run_monitoring_enabled
    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert not instance.telemetry_enabled
    assert instance.managed_python_loggers == ["phx_pipeline"]
    assert instance.python_log_level == "INFO"
    # Nothing lands in the working directory, whatever it is.
    assert [path.name for path in tmp_path.iterdir()] == ["dagster"]


@pytest.mark.parametrize("kind", [InstigatorType.SENSOR, InstigatorType.SCHEDULE])
def test_ticks_of_every_kind_are_purged_the_idle_ones_first(
    instance: dg.DagsterInstance, kind: InstigatorType
) -> None:
    days = instance.get_tick_retention_settings(kind)

    assert set(days) == set(TickStatus)
    assert all(0 < number <= 30 for number in days.values())
    assert days[TickStatus.SKIPPED] == min(days.values())


def test_old_ticks_are_purged_from_the_store(instance: dg.DagsterInstance) -> None:
    def tick(status: TickStatus, *, days_old: int) -> None:
        instance.create_tick(
            TickData(
                instigator_origin_id="a sensor",
                instigator_name="a sensor",
                instigator_type=InstigatorType.SENSOR,
                status=status,
                timestamp=time.time() - days_old * 86_400,
                selector_id="it",
            )
        )

    tick(TickStatus.SKIPPED, days_old=2)
    tick(TickStatus.SKIPPED, days_old=0)
    tick(TickStatus.STARTED, days_old=2)
    tick(TickStatus.STARTED, days_old=31)

    for status, days in instance.get_tick_retention_settings(
        InstigatorType.SENSOR
    ).items():
        instance.purge_ticks(
            "a sensor",
            selector_id="it",
            before=time.time() - days * 86_400,
            tick_statuses=[status],
        )

    kept = instance.get_ticks("a sensor", "it")
    assert [tick.status for tick in kept] == [TickStatus.SKIPPED, TickStatus.STARTED]
