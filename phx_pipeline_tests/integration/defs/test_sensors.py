"""The sensors on a throw-away instance and a real catalogue."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from phx_pipeline.catalog.jobs import FOLLOW_UP
from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.sensors.dispatcher import dispatch_jobs
from phx_pipeline.defs.sensors.properties import reconcile_properties
from phx_pipeline.defs.sensors.views import refresh_views
from phx_pipeline.defs.tags import JOB_TAG, MODE_TAG, SOURCES_TAG
from phx_pipeline.model.address import Address
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Mode
from phx_pipeline.model.source import Source
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring import build_catalog, utc_now
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.jobs import ask_job

AT = datetime(2025, 3, 10, 5, 30, tzinfo=UTC)
HOUSES = [f"{number} W Davis Rd, Glendale, AZ 85306" for number in range(100, 130)]


@pytest.fixture
def slugs(tmp_path: Path, use_settings: UseSettings) -> Iterator[list[str]]:
    """Thirty houses in the catalogue the sensors find by the environment."""
    with Deployment(tmp_path, {}) as made:
        use_settings(made.settings)
        yield made.add(HOUSES)


@pytest.fixture
def catalog(slugs: list[str]) -> Iterator[Catalog]:
    """The same catalogue, opened beside the sensors."""
    del slugs
    made = build_catalog(load_settings())
    yield made
    made.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def tick(
    sensor: dg.SensorDefinition, instance: dg.DagsterInstance
) -> dg.SensorResult | dg.SkipReason:
    """One evaluation, as the daemon would do it."""
    with dg.build_sensor_context(instance=instance) as context:
        said = sensor(context)
    assert isinstance(said, dg.SensorResult | dg.SkipReason)
    return said


def wait_until(holds: Callable[[], bool]) -> None:
    """Ask until it holds; a hang ends the test, slowness does not."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def requests(said: dg.SensorResult | dg.SkipReason) -> Sequence[dg.RunRequest]:
    assert isinstance(said, dg.SensorResult)
    return said.run_requests or []


def added(said: dg.SensorResult | dg.SkipReason) -> list[str]:
    """The partitions a sensor asks for."""
    assert isinstance(said, dg.SensorResult)
    return [
        key
        for request in said.dynamic_partitions_requests or []
        for key in request.partition_keys
    ]


def apply(said: dg.SensorResult | dg.SkipReason, instance: dg.DagsterInstance) -> None:
    """Change the partitions as a sensor asks, as the daemon would."""
    assert isinstance(said, dg.SensorResult)
    for request in said.dynamic_partitions_requests or []:
        name = request.partitions_def_name
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(name, request.partition_keys)
        else:
            for key in request.partition_keys:
                instance.delete_dynamic_partition(name, key)


def launch(
    instance: dg.DagsterInstance,
    request: dg.RunRequest,
    status: dg.DagsterRunStatus = dg.DagsterRunStatus.QUEUED,
) -> None:
    """Let the run of a request exist."""
    tags = {**request.tags, "dagster/run_key": str(request.run_key)}
    instance.add_run(run_of(str(request.partition_key), status, **tags))


# --- dispatch_jobs --------------------------------------------------------------------


def test_a_house_another_one_calls_on_gets_a_run_that_resumes(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    for job in ("1", "2"):
        catalog.jobs.call_on(f"{FOLLOW_UP}{job}", slugs[:1], at=AT)

    (request,) = requests(tick(dispatch_jobs, instance))

    assert request.partition_key == slugs[0]
    assert request.tags[MODE_TAG] == "resume"
    assert SOURCES_TAG not in request.tags


def test_each_waiting_item_is_requested_with_its_tags(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    both = (Source.ZILLOW, Source.REDFIN)
    ask_job(catalog, "j1", slugs[:2], sources=both, at=AT)

    first, second = requests(tick(dispatch_jobs, instance))

    assert (first.run_key, first.partition_key) == (f"j1:1:{slugs[0]}", slugs[0])
    assert (second.run_key, second.partition_key) == (f"j1:1:{slugs[1]}", slugs[1])
    ours = {name: tag for name, tag in first.tags.items() if name.startswith("phx/")}
    assert ours == {JOB_TAG: "j1", SOURCES_TAG: "zillow,redfin"}


def test_a_job_for_all_sources_names_none(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:1], sources=(), at=AT)

    (request,) = requests(tick(dispatch_jobs, instance))

    assert SOURCES_TAG not in request.tags


def test_partitions_that_are_missing_are_added_with_the_requests(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    instance.add_dynamic_partitions(str(PROPERTIES.name), slugs[:1])
    ask_job(catalog, "j1", slugs[:3], sources=(), at=AT)

    assert added(tick(dispatch_jobs, instance)) == slugs[1:3]


def test_known_partitions_are_not_added_again(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    instance.add_dynamic_partitions(str(PROPERTIES.name), slugs)
    ask_job(catalog, "j1", slugs[:3], sources=(), at=AT)

    assert added(tick(dispatch_jobs, instance)) == []


def test_a_request_that_was_lost_is_made_again_under_the_same_key(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:1], sources=(), at=AT)

    first = requests(tick(dispatch_jobs, instance))
    again = requests(tick(dispatch_jobs, instance))

    assert [request.run_key for request in again] == [
        request.run_key for request in first
    ]
    assert [item.dispatched_at for item in catalog.jobs.items("j1")] == [None]


def test_a_run_that_was_created_and_never_queued_is_requested_again(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:1], sources=(), at=AT)
    (first,) = requests(tick(dispatch_jobs, instance))
    launch(instance, first, dg.DagsterRunStatus.NOT_STARTED)

    (again,) = requests(tick(dispatch_jobs, instance))

    assert again.run_key == first.run_key


def test_an_item_whose_run_exists_is_noted_and_not_requested_again(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:2], sources=(), at=AT)
    first, second = requests(tick(dispatch_jobs, instance))
    launch(instance, first)

    (request,) = requests(tick(dispatch_jobs, instance))
    launch(instance, second)
    last = tick(dispatch_jobs, instance)

    assert request.run_key == second.run_key
    assert isinstance(last, dg.SkipReason)
    assert None not in [item.dispatched_at for item in catalog.jobs.items("j1")]
    assert catalog.jobs.waiting(limit=10) == []


def test_a_long_job_is_requested_in_batches_the_oldest_first(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "old", slugs, mode=Mode.RESUME, at=AT)
    ask_job(catalog, "young", slugs[:3], at=AT.replace(hour=6))

    first = requests(tick(dispatch_jobs, instance))
    for request in first:
        launch(instance, request)
    tick(dispatch_jobs, instance)
    second = requests(tick(dispatch_jobs, instance))

    keys = [str(request.run_key) for request in [*first, *second]]
    assert len(first) == 25
    assert keys == [f"old:1:{slug}" for slug in slugs] + [
        f"young:1:{slug}" for slug in slugs[:3]
    ]


@pytest.mark.usefixtures("slugs")
def test_without_jobs_a_tick_is_skipped(instance: dg.DagsterInstance) -> None:
    said = tick(dispatch_jobs, instance)

    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == "no job item waits for a run"


# --- reconcile_properties -------------------------------------------------------------


def test_every_property_gets_its_partition_once(
    instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    wanted = added(tick(reconcile_properties, instance))
    instance.add_dynamic_partitions(str(PROPERTIES.name), wanted)

    said = tick(reconcile_properties, instance)

    assert wanted == slugs
    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == "no partition is missing: 30 properties"


def test_only_missing_partitions_are_added(
    instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    instance.add_dynamic_partitions(str(PROPERTIES.name), slugs[2:])

    assert added(tick(reconcile_properties, instance)) == slugs[:2]


def test_partitions_of_removed_and_renamed_properties_are_deleted(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    name, book = str(PROPERTIES.name), catalog.houses
    better = Address.parse("100 W Davis Rd, Phoenix, AZ 85306")
    instance.add_dynamic_partitions(name, [*slugs, "1-not-ours-st-mesa-az-85204"])
    with catalog.leases.hold(property_lease(slugs[0]), owner="test") as lease:
        book.rename(lease, slugs[0], better, at=AT)
    with catalog.leases.hold(property_lease(slugs[1]), owner="test") as lease:
        book.remove(lease, slugs[1], at=AT)

    apply(tick(reconcile_properties, instance), instance)

    wanted = {better.slug, *slugs[2:]}
    assert set(instance.get_dynamic_partitions(name)) == wanted == set(catalog.slugs())
    assert isinstance(tick(reconcile_properties, instance), dg.SkipReason)


# --- refresh_views --------------------------------------------------------------------


def reason(said: dg.SensorResult | dg.SkipReason) -> str:
    assert isinstance(said, dg.SkipReason)
    return str(said.skip_message)


def test_stale_views_are_rendered_by_a_process_of_its_own(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    catalog.views.want()

    said = reason(tick(refresh_views, instance))

    assert "process of its own" in said
    wait_until(lambda: not catalog.views.state().is_stale)
    manifest = load_settings().data_dir / "property_images/metadata/image_manifest.json"
    assert '"version"' in manifest.read_text(encoding="utf-8")
    assert "all that was published" in reason(tick(refresh_views, instance))


def test_views_that_take_long_are_not_rendered_all_the_time(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    now_s = utc_now().timestamp()
    catalog.views.want()
    with catalog.leases.hold("views", owner="me") as lease:
        catalog.views.record_rendered(lease, 0, took_s=1000.0, at_s=now_s)

    assert "1000 s" in reason(tick(refresh_views, instance))


def test_views_another_process_renders_are_left_to_it(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    catalog.views.want()

    with catalog.leases.hold("views", owner=process_owner("other")):
        said = reason(tick(refresh_views, instance))

    assert "another process" in said
