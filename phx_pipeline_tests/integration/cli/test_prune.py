"""`phx prune` and the sensor forget the same, in one installation."""

import shutil
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
from phx_pipeline.model.address import Address
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.dagster_runs import sensor_context
from phx_pipeline_tests.deployment import Deployment

HOUSE = "4732 W Davis Rd, Glendale, AZ 85306"
SLUG = Address.parse(HOUSE).slug
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


@pytest.fixture(scope="module")
def long_used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that has two runs and two attempts of long ago, and an attempt of now."""
    root = tmp_path_factory.mktemp("long_used")
    with Deployment(root, {}) as made, open_instance(made.settings) as instance:
        (slug,) = made.add([HOUSE])
        instance.add_dynamic_partitions("property", [slug])
        for _ in range(2):
            JOB.execute_in_process(partition_key=slug, instance=instance)
        end_all_runs_long_ago(instance)
        add_attempts_of_long_ago(made, slug)
    return root


@pytest.fixture
def made(
    tmp_path: Path, long_used: Path, use_settings: UseSettings
) -> Iterator[Deployment]:
    """That installation, in stores of its own."""
    for name in ("data", "dagster"):
        shutil.copytree(long_used / name, tmp_path / name)
    with Deployment(tmp_path, {}, keep_runs_days=60) as made:
        use_settings(made.settings)
        yield made


@pytest.fixture
def instance(made: Deployment) -> Iterator[dg.DagsterInstance]:
    with open_instance(made.settings) as instance:
        yield instance


def end_all_runs_long_ago(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_storage, SqlRunStorage)
    with instance.run_storage.connect() as connection:
        ended = RunsTable.update().values(
            end_time=LONG_AGO.timestamp(),
            update_timestamp=LONG_AGO.replace(tzinfo=None),
        )
        connection.execute(ended)


def add_attempts_of_long_ago(made: Deployment, slug: str) -> None:
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
        now = attempt | {"photo_key": "2", "at": datetime.now(UTC)}
        connection.execute(sa.insert(tables.attempt), [attempt, attempt, now])
    engine.dispose()


def attempts(made: Deployment) -> int:
    engine = open_engine(f"sqlite:///{made.settings.data_dir / 'phx.db'}")
    with reading(engine) as connection:
        count = sa.select(sa.func.count()).select_from(tables.attempt)
        found: int = connection.execute(count).scalar_one()
    engine.dispose()
    return found


def test_the_command_tells_first_and_then_removes(
    made: Deployment, instance: dg.DagsterInstance, phx: Phx
) -> None:
    told = phx("prune", "--dry-run")
    before = (instance.get_runs_count(), attempts(made))
    done = phx("prune")
    again = phx("prune")

    assert told.code == done.code == again.code == 0, done.err
    assert told.out.splitlines() == [
        "1 run would be removed",
        "1 row of attempt would be removed",
    ]
    assert before == (2, 3)
    assert done.out.splitlines() == [
        "1 run removed",
        "1 row of attempt removed",
    ]
    assert (instance.get_runs_count(), attempts(made)) == (1, 2)
    assert instance.get_materialized_partitions(manifest.key) == {SLUG}
    assert again.out.endswith("nothing that may go is older than 60 days\n")


@pytest.mark.usefixtures("made")
def test_other_days_than_those_of_the_settings(
    instance: dg.DagsterInstance, phx: Phx
) -> None:
    assert phx("prune", "--days", "100").code == 0

    assert instance.get_runs_count() == 2


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("days", ["0", "-1", "soon"])
def test_days_that_are_none_are_refused(phx: Phx, days: str) -> None:
    assert phx("prune", "--days", days).code == 2


def test_the_sensor_removes_the_same(
    made: Deployment, instance: dg.DagsterInstance
) -> None:
    said = []
    for _ in range(2):
        with sensor_context(instance) as context:
            said.append(prune_history(context))
            assert context.cursor == ""

    assert [one.skip_message for one in said if isinstance(one, dg.SkipReason)] == [
        "older than 60 days: 1 row of attempt, 1 run removed",
        "older than 60 days: nothing removed",
    ]
    assert (instance.get_runs_count(), attempts(made)) == (1, 2)
    assert instance.get_materialized_partitions(manifest.key) == {SLUG}
