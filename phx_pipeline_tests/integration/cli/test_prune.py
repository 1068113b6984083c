"""`phx prune` and the sensor forget the same, in one installation."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.runs import SqlRunStorage
from dagster._core.storage.runs.schema import RunsTable

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, reading, writing
from phx_pipeline.defs.sensors.history import prune_history
from phx_pipeline.defs.submit import open_instance
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import Deployment

LONG_AGO = datetime.now(UTC) - timedelta(days=90)
PROPERTIES = dg.DynamicPartitionsDefinition(name="property")


@dg.asset(partitions_def=PROPERTIES)
def manifest() -> None:
    """An asset whose runs are forgotten."""


JOB = dg.Definitions(
    assets=[manifest],
    jobs=[dg.define_asset_job("extract_property", selection=["manifest"])],
    executor=dg.in_process_executor,
).resolve_job_def("extract_property")


@pytest.fixture
def made(tmp_path: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    with Deployment(tmp_path, {}, keep_runs_days=60) as made:
        use_settings(made.settings)
        yield made


@pytest.fixture
def instance(made: Deployment) -> Iterator[dg.DagsterInstance]:
    with open_instance(made.settings) as instance:
        yield instance


@pytest.fixture
def slug(made: Deployment, instance: dg.DagsterInstance) -> str:
    """A house with two runs and two attempts of long ago."""
    (slug,) = made.add(["4732 W Davis Rd, Glendale, AZ 85306"])
    instance.add_dynamic_partitions("property", [slug])
    for _ in range(2):
        JOB.execute_in_process(partition_key=slug, instance=instance)
    assert isinstance(instance.run_storage, SqlRunStorage)
    with instance.run_storage.connect() as connection:
        ended = RunsTable.update().values(
            end_time=LONG_AGO.timestamp(),
            update_timestamp=LONG_AGO.replace(tzinfo=None),
        )
        connection.execute(ended)
    attempt = {
        "slug": slug,
        "source": "redfin",
        "photo_key": "1",
        "at": LONG_AGO,
        "run_id": "r",
        "url": "u",
        "result": "ok",
    }
    engine = open_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.attempt), [attempt, attempt])
    engine.dispose()
    return slug


def attempts(made: Deployment) -> int:
    engine = open_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    with reading(engine) as connection:
        count = sa.select(sa.func.count()).select_from(tables.attempt)
        found: int = connection.execute(count).scalar_one()
    engine.dispose()
    return found


def test_the_command_tells_first_and_then_removes(
    made: Deployment, instance: dg.DagsterInstance, slug: str
) -> None:
    told = made.phx("prune", "--dry-run")
    before = (instance.get_runs_count(), attempts(made))
    done = made.phx("prune")
    again = made.phx("prune")

    assert told.returncode == done.returncode == again.returncode == 0, done.stderr
    assert told.stdout.splitlines() == [
        "1 runs would be removed",
        "1 rows of attempt would be removed",
    ]
    assert before == (2, 2)
    assert done.stdout.splitlines() == [
        "1 runs removed",
        "1 rows of attempt removed",
    ]
    assert (instance.get_runs_count(), attempts(made)) == (1, 1)
    assert instance.get_materialized_partitions(manifest.key) == {slug}
    assert again.stdout == "nothing older than 60 days that is not the newest\n"


@pytest.mark.usefixtures("slug")
def test_other_days_than_those_of_the_settings(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    assert made.phx("prune", "--days", "100").returncode == 0

    assert instance.get_runs_count() == 2


@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_that_are_none_are_refused(made: Deployment, days: str) -> None:
    assert made.phx("prune", "--days", days).returncode == 2


def test_the_sensor_removes_the_same(
    made: Deployment, instance: dg.DagsterInstance, slug: str
) -> None:
    said = []
    for _ in range(2):
        with dg.build_sensor_context(instance=instance) as context:
            said.append(prune_history(context))
            assert context.cursor == ""

    assert [one.skip_message for one in said if isinstance(one, dg.SkipReason)] == [
        "older than 60 days: 1 rows of attempt, 1 runs removed",
        "older than 60 days: nothing removed",
    ]
    assert (instance.get_runs_count(), attempts(made)) == (1, 1)
    assert instance.get_materialized_partitions(manifest.key) == {slug}
