"""A run whose worker cannot open its stores, or loses them, says so in one sentence."""

import errno
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from phx_pipeline.definitions import build_definitions
from phx_pipeline.defs import resources
from phx_pipeline.defs.jobs import extract_property
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.stores import Stores
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.layout import Layout
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import Deployment

_ADDRESS = "4732 W Davis Rd, Glendale, AZ 85306"


@pytest.fixture
def deployment(tmp_path: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    """Stores the resource finds by the environment, as in a run's worker."""
    with Deployment(tmp_path, {}) as made:
        use_settings(made.settings)
        yield made


def run(slug: str, **replaced: Stores) -> tuple[dg.ExecuteInProcessResult, str]:
    """Run the main job with its real resource; return all that Dagster recorded."""
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(PROPERTIES.name), [slug])
        defs = build_definitions(resources=replaced)
        job = defs.resolve_job_def(extract_property.name)
        done = job.execute_in_process(
            partition_key=slug, instance=instance, raise_on_error=False
        )
        return done, "\n".join(map(str, instance.all_logs(done.run_id)))


Fault = Callable[[Deployment, pytest.MonkeyPatch], str]


def missing(deployment: Deployment, environ: pytest.MonkeyPatch) -> str:
    environ.setenv("PHX_DATA_DIR", str(deployment.root / "elsewhere"))
    return r"not initialised.*`phx init`"


def newer(deployment: Deployment, _: pytest.MonkeyPatch) -> str:
    file = Layout(deployment.settings.data_dir).catalogue
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    return r"9999"


def damaged(deployment: Deployment, _: pytest.MonkeyPatch) -> str:
    file = Layout(deployment.settings.data_dir).catalogue
    for ending in ("-wal", "-shm"):
        file.with_name(file.name + ending).unlink(missing_ok=True)
    file.write_bytes(b"no database at all" * 1_000)
    return r"not a database"


def away(_: Deployment, environ: pytest.MonkeyPatch) -> str:
    environ.setenv("PHX_CATALOG_URL", "postgresql://nobody@127.0.0.1:1/none")
    return r"^the database none failed: [^?]+; see whether its server runs, and PHX_CAT"


def mistaken(_: Deployment, environ: pytest.MonkeyPatch) -> str:
    environ.setenv("PHX_DOWNLOADS", "many")
    return r"PHX_DOWNLOADS"


@pytest.mark.parametrize("fault", [missing, newer, damaged, away, mistaken])
def test_stores_that_cannot_be_opened_fail_the_first_step_with_a_sentence(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    (slug,) = deployment.add([_ADDRESS])
    told = fault(deployment, monkeypatch)

    done, recorded = run(slug)

    (failed,) = [event for event in done.all_events if event.is_step_failure]
    shown = failed.step_failure_data
    assert failed.step_key == "discovered_urls"
    assert shown.user_failure_data is not None
    assert re.search(told, shown.user_failure_data.description or "")
    assert shown.error is not None
    assert shown.error.to_string() == shown.user_failure_data.description
    assert "Stack Trace" not in recorded


def test_what_the_disk_refuses_at_the_end_of_a_run_is_one_line_of_its_log(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (slug,) = deployment.add([_ADDRESS])

    def full(_: StageContext, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left", "/data/x")

    monkeypatch.setattr(resources, "end_left_open", full)
    _, recorded = run(slug)

    assert "at the end of the run: /data/x: the disk is full" in caplog.text
    assert "Stack Trace" not in recorded


def test_a_run_keeps_the_clock_that_the_definitions_were_given(
    deployment: Deployment,
) -> None:
    (slug,) = deployment.add([_ADDRESS])
    early = Stores(clock=lambda: datetime(2020, 2, 1, tzinfo=UTC))

    done, _ = run(slug, stores=early)

    with deployment.context() as context:
        (record,) = context.catalog.runs.of_run(done.run_id)
    assert record.started_at == record.ended_at == early.clock()
