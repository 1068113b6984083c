"""The code location: it loads without any setting, and its shape is written down."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

SHAPE = Path(__file__).with_name("shape.txt")


def shape(defs: dg.Definitions) -> Iterator[str]:
    """One line per thing a user of Dagster sees."""
    for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key):
        deps = ", ".join(dep.asset_key.to_user_string() for dep in spec.deps)
        yield (
            f"asset {spec.key.to_user_string()}: after {deps or 'nothing'}; "
            f"group {spec.group_name}; {_partitions(spec.partitions_def)}"
        )
    graph = defs.resolve_asset_graph()
    for check in sorted(graph.asset_check_keys, key=lambda check: check.name):
        partitions = _partitions(graph.get(check).partitions_def)
        yield f"check {check.asset_key.to_user_string()}/{check.name}; {partitions}"
    repository = defs.get_repository_def()
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            assets = sorted(
                key.to_user_string() for key in job.asset_layer.executable_asset_keys
            )
            yield (
                f"job {job.name}: {', '.join(assets)}; "
                f"{_partitions(job.partitions_def)}; executor {job.executor_def.name}"
            )
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        jobs = ", ".join(target.job_name for target in sensor.targets) or "nothing"
        yield (
            f"sensor {sensor.name}: launches {jobs}; {sensor.default_status.value}; "
            f"every {sensor.minimum_interval_seconds} s"
        )
    for schedule in sorted(repository.schedule_defs, key=lambda one: one.name):
        yield (
            f"schedule {schedule.name}: {schedule.cron_schedule} "
            f"{schedule.execution_timezone}; {schedule.default_status.value}"
        )
    for resource in sorted(defs.resources or {}):
        yield f"resource {resource}"


def _partitions(partitions: dg.PartitionsDefinition[str] | None) -> str:
    if isinstance(partitions, dg.DynamicPartitionsDefinition):
        return f"partitions {partitions.name} (dynamic)"
    return f"partitions {partitions}"


def test_without_any_setting_the_shape_is_the_one_written_down(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - this very file
        [sys.executable, "-W", "error", __file__],
        env={},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == SHAPE.read_text(encoding="utf-8").splitlines()
    assert list(tmp_path.iterdir()) == []


if __name__ == "__main__":
    from phx_pipeline.definitions import defs as ours

    sys.stdout.writelines(f"{line}\n" for line in shape(ours))
