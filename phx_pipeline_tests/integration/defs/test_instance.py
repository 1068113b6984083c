"""`dagster.yaml` is a configuration Dagster takes, with the limits we promise."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.run_coordinator import QueuedRunCoordinator

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
    # Nothing lands in the working directory, whatever it is.
    assert [path.name for path in tmp_path.iterdir()] == ["dagster"]
