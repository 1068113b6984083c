"""The sensors on a throw-away instance and a real catalogue."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest

from phx_pipeline.catalog.jobs import FOLLOW_UP
from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.catalog.views import ALL
from phx_pipeline.defs.daemon import Newest, Rest
from phx_pipeline.defs.partitions import PROPERTIES
from phx_pipeline.defs.sensors.dispatcher import dispatch_jobs
from phx_pipeline.defs.sensors.instance import LookContext
from phx_pipeline.defs.sensors.properties import reconcile_properties
from phx_pipeline.defs.sensors.views import refresh_views
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.defs.tags import (
    ATTEMPT_TAG,
    ISOLATION_TAG,
    JOB_TAG,
    MODE_TAG,
    PRIORITY_TAG,
    SOURCES_TAG,
)
from phx_pipeline.model.address import Address
from phx_pipeline.model.dispatch import Ended
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import USER_TAG, JobState, Mode, Origin
from phx_pipeline.model.source import Source
from phx_pipeline.settings import load_settings
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.dagster_runs import run_of, sensor_context
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.jobs import ask_job

_FOR_EVER_S = 600.0  # a test that rests as long has failed
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
    with sensor_context(instance) as context:
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


def ours(request: dg.RunRequest) -> dict[str, str]:
    """The tags of a request that are not Dagster's alone."""
    wanted = ("phx/", "dagster/priority")
    return {
        name: text for name, text in request.tags.items() if name.startswith(wanted)
    }


def test_a_house_another_one_calls_on_gets_a_run_that_resumes(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    for job in ("1", "2"):
        catalog.jobs.call_on(f"{FOLLOW_UP}{job}", slugs[:1], at=AT)

    (request,) = requests(tick(dispatch_jobs, instance))

    assert request.partition_key == slugs[0]
    assert request.tags[MODE_TAG] == "resume"
    assert SOURCES_TAG not in request.tags


def test_each_item_is_requested_with_all_that_its_run_needs_to_know(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    both = (Source.ZILLOW, Source.REDFIN)
    ask_job(
        catalog,
        "j1",
        slugs[:2],
        at=AT,
        sources=both,
        mode=Mode.RESUME,
        isolation=IsolationMode.OFF_SCREEN,
    )

    first, second = requests(tick(dispatch_jobs, instance))

    assert (first.run_key, first.partition_key) == (f"j1:1:{slugs[0]}", slugs[0])
    assert (second.run_key, second.partition_key) == (f"j1:1:{slugs[1]}", slugs[1])
    assert ours(first) == {
        JOB_TAG: "j1",
        USER_TAG: "ann",
        SOURCES_TAG: "zillow,redfin",
        MODE_TAG: "resume",
        ISOLATION_TAG: "off_screen",
        PRIORITY_TAG: "100",
    }


def test_a_second_attempt_says_so_and_what_is_as_usual_is_not_said(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:1], at=AT)
    (item,) = catalog.jobs.items("j1")
    ended = Ended(item=item, state=JobState.FAILED, ended_at=AT, run_id="r1")
    catalog.dispatch.book([ended], at=AT)
    catalog.jobs.retry("j1", at=AT)

    (request,) = requests(tick(dispatch_jobs, instance))

    assert request.run_key == f"j1:2:{slugs[0]}"
    told = {JOB_TAG, USER_TAG, ATTEMPT_TAG, MODE_TAG, PRIORITY_TAG}
    assert ours(request).keys() == told
    assert request.tags[ATTEMPT_TAG] == "2"


def test_partitions_are_added_with_the_requests_where_they_are_missing(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    instance.add_dynamic_partitions(str(PROPERTIES.name), slugs[:1])
    ask_job(catalog, "j1", slugs[:3], at=AT)

    assert added(tick(dispatch_jobs, instance)) == slugs[1:3]


def test_known_partitions_are_not_added_again(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    instance.add_dynamic_partitions(str(PROPERTIES.name), slugs)
    ask_job(catalog, "j1", slugs[:3], at=AT)

    assert added(tick(dispatch_jobs, instance)) == []


def test_runs_that_are_there_are_noted_and_not_asked_for_again(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    ask_job(catalog, "j1", slugs[:3], at=AT)
    for request in requests(tick(dispatch_jobs, instance)):
        launch(instance, request)

    again = tick(dispatch_jobs, instance)

    assert isinstance(again, dg.SkipReason)
    assert None not in [item.dispatched_at for item in catalog.jobs.items("j1")]


def test_runs_that_began_elsewhere_become_jobs(
    catalog: Catalog, instance: dg.DagsterInstance, slugs: list[str]
) -> None:
    with sensor_context(instance) as context:
        dispatch_jobs(context)
        run = run_of(slugs[0], dg.DagsterRunStatus.SUCCESS, **{USER_TAG: "bob"})
        instance.add_run(run)
        dispatch_jobs(context)

    job = catalog.jobs.job(f"run-{run.run_id[:8]}")
    assert job is not None
    assert (job.user, job.origin) == ("bob", Origin.UI)
    assert [item.state for item in job.items] == [JobState.COMPLETED]


@pytest.mark.usefixtures("slugs")
def test_without_jobs_a_tick_is_skipped(instance: dg.DagsterInstance) -> None:
    said = tick(dispatch_jobs, instance)

    assert isinstance(said, dg.SkipReason)
    assert "no job item waits" in str(said.skip_message)


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
    wait_until(lambda: not catalog.views.is_stale())
    manifest = load_settings().data_dir / "property_images/metadata/image_manifest.json"
    assert '"version"' in manifest.read_text(encoding="utf-8")
    assert "all that was published" in reason(tick(refresh_views, instance))


def test_views_that_take_long_are_not_rendered_all_the_time(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    now_s = utc_now().timestamp()
    catalog.views.want()
    with catalog.leases.hold("views", owner="me") as lease:
        catalog.views.record_rendered(lease, {ALL: 0}, took_s=1000.0, at_s=now_s)

    assert "1000 s" in reason(tick(refresh_views, instance))


def test_views_another_process_renders_are_left_to_it(
    catalog: Catalog, instance: dg.DagsterInstance
) -> None:
    catalog.views.want()

    with catalog.leases.hold("views", owner=process_owner("other")):
        said = reason(tick(refresh_views, instance))

    assert "another process" in said


def test_a_new_job_or_the_end_of_the_daemon_ends_the_rest_of_the_sensors(
    catalog: Catalog, slugs: list[str]
) -> None:
    ended = Event()
    rest = Rest(ended, Newest())
    ask_job(catalog, "one", slugs[:1], at=AT)

    assert not rest.wait(_FOR_EVER_S)
    resting = Thread(target=rest.wait, args=(_FOR_EVER_S,))
    resting.start()
    ended.set()
    resting.join()
    assert rest.is_set()


def test_without_a_catalogue_the_sensors_rest_their_time(
    slugs: list[str], use_settings: UseSettings, tmp_path: Path
) -> None:
    del slugs
    use_settings(replace(load_settings(), data_dir=tmp_path / "none"))

    assert not Rest(Event(), Newest()).wait(0.6)


def test_the_stores_of_dagster_are_opened_once_for_all_looks(tmp_path: Path) -> None:
    with Deployment(tmp_path, {}) as made, open_instance(made.settings) as stored:
        opened = []
        for _ in range(2):
            with LookContext(stored.get_ref()) as look:
                opened.append(look.instance)

        first, second = opened
        assert first is second
        assert first.get_ref() == stored.get_ref()
        assert first.get_runs() == []  # the end of a look does not close it
