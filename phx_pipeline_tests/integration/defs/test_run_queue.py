"""What jobs are told of runs, by a real store of Dagster."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import (
    QueuedRunCoordinatorDaemon,
)
from dagster._daemon.types import DaemonHeartbeat

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.defs import run_queue
from phx_pipeline.defs.again import request_again
from phx_pipeline.defs.lineage import Lineage
from phx_pipeline.defs.run_queue import DagsterRuns, opened_runs
from phx_pipeline.defs.submit import open_instance
from phx_pipeline.errors import CatalogFullError
from phx_pipeline.model.job import JobState, Mode, Origin
from phx_pipeline.model.run_queue import SeenRun
from phx_pipeline.model.source import Source
from phx_pipeline_tests.dagster_runs import run_of
from phx_pipeline_tests.deployment import Deployment

_STATUS = dg.DagsterRunStatus
_FAILED = {"dagster/failure_reason": "UNEXPECTED_TERMINATION"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(tmp_path_factory.mktemp("queue"), {}) as made:
        yield made


@pytest.fixture(scope="module")
def catalog(made: Deployment) -> Iterator[Catalog]:
    with made.context() as context:
        yield context.catalog


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(
        settings={"run_retries": {"enabled": True, "max_retries": 2}}
    ) as made:
        yield made


@pytest.fixture
def runs(instance: dg.DagsterInstance, catalog: Catalog) -> DagsterRuns:
    return DagsterRuns(instance, catalog.leases)


def a_run(
    instance: dg.DagsterInstance,
    slug: str,
    status: dg.DagsterRunStatus = _STATUS.QUEUED,
    **tags: str,
) -> dg.DagsterRun:
    """A run as Dagster stores it; `phx__job="j"` stands for the tag `phx/job`."""
    named = {name.replace("__", "/"): text for name, text in tags.items()}
    return instance.add_run(run_of(slug, status, **named))


def a_backfill(instance: dg.DagsterInstance) -> str:
    backfill = PartitionBackfill(
        backfill_id="abcdefgh",
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
        partition_names=["a"],
    )
    instance.add_backfill(backfill)
    return backfill.backfill_id


def test_open_runs_are_told_with_all_that_their_tags_say(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    mine = a_run(
        instance,
        "a",
        phx__job="j1",
        phx__attempt="2",
        phx__user="ann",
        phx__sources="zillow,redfin",
        phx__mode="resume",
        dagster__priority="-7",
    )
    plain = a_run(instance, "b", _STATUS.STARTED, dagster__priority="high")
    a_run(instance, "c", _STATUS.SUCCESS)
    created = a_run(instance, "d", _STATUS.NOT_STARTED)
    instance.add_run(dg.DagsterRun(job_name="of no property", status=_STATUS.STARTED))

    newest, middle, oldest = runs.open_runs()

    assert oldest == SeenRun(
        run_id=mine.run_id,
        slug="a",
        job_id="j1",
        attempt=2,
        state=JobState.QUEUED,
        priority=-7,
        created_at=oldest.created_at,
        ended_at=None,
        root_run_id=mine.run_id,
        user="ann",
        sources=(Source.ZILLOW, Source.REDFIN),
        mode=Mode.RESUME,
    )
    assert (middle.run_id, middle.slug) == (plain.run_id, "b")
    assert (middle.state, middle.priority) == (JobState.IN_PROGRESS, 0)
    assert (newest.run_id, newest.state) == (created.run_id, JobState.PENDING)


@pytest.mark.parametrize(
    ("tags", "origin"),
    [
        ({"dagster/backfill": "abcdefgh", "phx/user": "ann"}, Origin.BACKFILL),
        ({"dagster/sensor_name": "somebody_s"}, Origin.SENSOR),
        ({"phx/user": "ann"}, Origin.UI),
        ({}, Origin.LAUNCH),
    ],
)
def test_how_a_run_began_is_told_by_its_tags(
    instance: dg.DagsterInstance,
    runs: DagsterRuns,
    tags: dict[str, str],
    origin: Origin,
) -> None:
    a_run(instance, "a", _STATUS.QUEUED, **tags)

    (run,) = runs.open_runs()

    assert run.origin is origin
    assert run.user == tags.get("phx/user")


def test_tags_that_nobody_can_read_hinder_no_look_at_the_queue(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    a_run(instance, "a", phx__sources="nobody", phx__mode="soon", phx__attempt="x")

    (run,) = runs.open_runs()

    assert (run.sources, run.mode, run.attempt) == ((), Mode.FRESH, 1)


def test_a_tag_with_thousands_of_digits_keeps_no_run_back(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    digits = "9" * 5_000
    numbers = {"dagster/max_retries": digits, "dagster/priority": digits}
    numbers |= {"phx/job": "j"}
    lost = {**_FAILED, "dagster/will_retry": "false"}
    a_run(instance, "a", _STATUS.QUEUED, phx__attempt=digits, **numbers)
    a_run(instance, "b", _STATUS.FAILURE, **numbers, **lost)
    a_run(instance, "c", phx__job="j")

    found = [(it.slug, it.attempt, it.priority, it.state) for it in runs.of_jobs(["j"])]

    assert found == [
        ("c", 1, 0, JobState.QUEUED),
        ("b", 1, 0, JobState.FAILED),
        ("a", 1, 0, JobState.QUEUED),
    ]


def test_a_run_that_cannot_be_read_is_told_once_and_passed_over(
    instance: dg.DagsterInstance,
    runs: DagsterRuns,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    odd = a_run(instance, "a")
    a_run(instance, "b")
    as_it_was = run_queue.origin_of

    def origin_of(run: dg.DagsterRun, lineage: Lineage) -> Origin:
        if run.run_id == odd.run_id:
            raise OverflowError("nobody thought of this one")
        return as_it_was(run, lineage)

    monkeypatch.setattr(run_queue, "origin_of", origin_of)

    told = [run.slug for _ in range(2) for run in runs.open_runs()]

    assert told == ["b", "b"]
    assert caplog.text.count(f"run {odd.run_id} cannot be read") == 1


def test_a_run_key_is_taken_by_a_run_that_is_none_of_its_item(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    of_sensor = {"dagster/sensor_name": "dispatch_jobs"}
    for key, tags in {
        "j:1:a": {"phx/job": "j", **of_sensor},
        "j:1:b": of_sensor,
        "j:1:c": {"dagster/sensor_name": "another"},
        "j:1:d": {"phx/job": "other", **of_sensor},
    }.items():
        a_run(instance, key[-1], _STATUS.QUEUED, dagster__run_key=key, **tags)

    taken = runs.taken([f"j:1:{slug}" for slug in "abcde"])

    assert taken == {"j:1:b", "j:1:d"}


def test_of_jobs_tells_ended_runs_too_and_those_of_no_other_job(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    a_run(instance, "a", _STATUS.SUCCESS, phx__job="j1")
    a_run(instance, "b", _STATUS.CANCELED, phx__job="j2")
    a_run(instance, "c", phx__job="j3")
    a_run(instance, "d")

    told = [(run.job_id, run.slug, run.state) for run in runs.of_jobs(["j1", "j2"])]

    assert told == [
        ("j2", "b", JobState.CANCELLED),
        ("j1", "a", JobState.COMPLETED),
    ]
    assert [run.slug for run in runs.of_jobs(["j1", "j2"], slugs=["a"])] == ["a"]
    assert runs.of_jobs([]) == []


def test_a_crashed_run_is_retrying_until_its_repetition_is_gone(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    first = a_run(instance, "a", _STATUS.FAILURE, phx__job="j1", **_FAILED)
    undecided = runs.of_jobs(["j1"])
    again = a_run(instance, "a", phx__job="j1")
    instance.add_run_tags(
        first.run_id,
        {"dagster/will_retry": "true", "dagster/auto_retry_run_id": again.run_id},
    )
    repeated = runs.of_jobs(["j1"])
    instance.delete_run(again.run_id)
    deleted = runs.of_jobs(["j1"])

    assert [run.state for run in undecided] == [JobState.RETRYING]
    assert [run.state for run in repeated] == [JobState.QUEUED, JobState.RETRYING]
    assert [run.state for run in deleted] == [JobState.FAILED]
    assert deleted[0].error == "its process was ended from outside"


def test_runs_are_told_once_each_from_the_first_look_on(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    a_run(instance, "before")
    nothing, cursor = runs.since("")
    first = a_run(instance, "a")
    named = a_run(instance, "b", phx__job="j1")  # of a job that may be forgotten
    told, cursor = runs.since(cursor)
    unchanged = runs.since(cursor)
    second = a_run(instance, "c")
    more, _ = runs.since(cursor)

    assert nothing == []
    assert [run.run_id for run in told] == [first.run_id, named.run_id]
    assert unchanged == ([], cursor)
    assert [run.run_id for run in more] == [second.run_id]
    assert runs.by_id([first.run_id, "of no run"]) == told[:1]


def test_foreign_runs_are_told_though_the_last_one_was_deleted(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    _, cursor = runs.since("")
    first = a_run(instance, "a")
    _, cursor = runs.since(cursor)
    instance.delete_run(first.run_id)
    second = a_run(instance, "b")

    told, _ = runs.since(cursor)

    assert [run.run_id for run in told] == [second.run_id]
    for unusable in ("x", f"{first.run_id} 2999-01-01T00:00:00+00:00"):
        assert runs.since(unusable)[0] == told


def test_what_repeats_a_run_of_a_backfill_is_known_as_its(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    first = a_run(instance, "a", _STATUS.FAILURE, dagster__backfill="abcdefgh")
    request = request_again(first, retries=2, lineage=Lineage({}))
    second = a_run(instance, "a", _STATUS.FAILURE, **request.tags)
    request = request_again(second, retries=2, lineage=Lineage({}))
    a_run(instance, "a", _STATUS.QUEUED, **request.tags, dagster__sensor_name="x")

    (run,) = runs.open_runs()

    assert (run.root_run_id, run.backfill_id) == (first.run_id, "abcdefgh")
    assert run.origin is Origin.BACKFILL


def again(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    status: dg.DagsterRunStatus = _STATUS.QUEUED,
    **more: str,
) -> dg.DagsterRun:
    """A run that repeats another, with all its tags, as Dagster makes them."""
    parent = {"dagster/parent_run_id": run.run_id}
    parent["dagster/root_run_id"] = run.root_run_id or run.run_id
    kept = {k: v for k, v in run.tags.items() if k != "dagster/retry_number"}
    named = {name.replace("__", "/"): text for name, text in more.items()}
    return instance.add_run(run_of("a", status, **(kept | named | parent)))


_OF_ANN = {"phx__job": "j1", "phx__attempt": "2", "phx__user": "ann"}
_BY_BOB = {"phx__user": "bob", ".dagster__phx_launch": "2"}


@pytest.mark.parametrize("by", [_BY_BOB, {}], ids=["our web server", "another"])
def test_a_run_that_somebody_had_executed_again_is_of_no_job_and_his_own(
    instance: dg.DagsterInstance, runs: DagsterRuns, by: dict[str, str]
) -> None:
    first = a_run(instance, "a", _STATUS.FAILURE, **_OF_ANN, **_FAILED)
    retried = again(
        instance, first, _STATUS.FAILURE, dagster__retry_number="1", **_FAILED
    )
    by_hand = again(instance, retried, _STATUS.FAILURE, **by, **_FAILED)
    repeated = again(instance, by_hand, dagster__retry_number="3")

    told = {run.run_id: run for run in runs.of_jobs(["j1"])}
    (newest,) = runs.open_runs()  # those before it are read for that

    assert newest == told[repeated.run_id]
    for run_id in (first.run_id, retried.run_id):
        mine = told[run_id]
        assert (mine.run_key, mine.root_run_id) == ("j1:2:a", first.run_id)
        assert mine.user == "ann"
    for run_id in (by_hand.run_id, repeated.run_id):
        his = told[run_id]
        assert (his.job_id, his.root_run_id) == (None, by_hand.run_id)
        assert (his.user, his.origin) == ("bob" if by else None, Origin.UI)
    assert not told[by_hand.run_id].is_repetition
    assert told[repeated.run_id].is_repetition
    users = runs.users_of([first.run_id, by_hand.run_id, "of no run"])
    assert users == {"ann", "bob" if by else "unknown"}


def test_a_backfill_from_failure_has_its_runs_and_those_of_people_are_their_own(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    first = a_run(instance, "a", _STATUS.FAILURE, **_OF_ANN, dagster__backfill="old")
    again(instance, first, dagster__backfill="new")
    again(instance, first)

    by_hand, of_backfill = runs.open_runs()

    assert (of_backfill.backfill_id, of_backfill.job_id) == ("new", None)
    assert of_backfill.origin is Origin.BACKFILL
    assert (by_hand.backfill_id, by_hand.origin) == (None, Origin.UI)


def test_what_repeats_a_run_and_was_only_created_is_told_so_and_put_into_the_queue(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    first = a_run(instance, "a", _STATUS.FAILURE, phx__job="j1")
    left = again(instance, first, _STATUS.NOT_STARTED, dagster__retry_number="1")
    ended = a_run(instance, "b", _STATUS.SUCCESS)
    (created,) = runs.open_runs()

    at_work = a_run(instance, "c", _STATUS.STARTED)
    runs.put([left.run_id, ended.run_id, at_work.run_id, "of no run"])
    runs.hasten([left.run_id], priority=400)

    working, queued = runs.open_runs()
    assert working.state is JobState.IN_PROGRESS
    assert (created.state, created.is_repetition) == (JobState.PENDING, True)
    assert (queued.state, queued.priority) == (JobState.QUEUED, 400)


def test_a_backfill_under_way_is_told_with_all_its_properties(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    backfill_id = a_backfill(instance)
    runs.cancel_backfill(backfill_id)

    (told,) = runs.backfills()

    backfill = instance.get_backfill(backfill_id)
    assert backfill is not None
    ended = backfill.with_status(BulkActionStatus.CANCELED)  # type: ignore[no-untyped-call]
    instance.update_backfill(ended)
    assert (told.backfill_id, told.slugs) == (backfill_id, ("a",))
    assert told.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert runs.backfills() == []


def test_a_backfill_that_is_called_off_makes_no_more_runs(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    backfill_id = a_backfill(instance)

    runs.cancel_backfill(backfill_id)
    runs.cancel_backfill("of no backfill")

    backfill = instance.get_backfill(backfill_id)
    assert backfill is not None
    assert backfill.status is BulkActionStatus.CANCELING


def test_a_sign_of_life_of_before_the_end_of_the_daemon_does_not_count(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    now_s = datetime.now(UTC).timestamp()
    for name in ("SENSOR", "QUEUED_RUN_COORDINATOR"):
        beat = DaemonHeartbeat(timestamp=now_s, daemon_type=name, daemon_id="d")
        instance.add_daemon_heartbeat(beat)

    assert runs.is_served()
    assert runs.is_served(since_s=now_s - 1)
    assert not runs.is_served(since_s=now_s + 1)


def test_where_dagster_was_never_used_there_is_nothing(
    made: Deployment, catalog: Catalog, tmp_path: Path
) -> None:
    settings = replace(made.settings, dagster_dir=tmp_path / "never")
    with opened_runs(settings, catalog.leases) as runs:
        assert (runs.open_runs(), runs.of_jobs(["j1"]), runs.slots) == ([], [], 0)
        assert runs.since("") == ([], "")
        assert runs.cancel(["a"], wait_s=0).ended == ("a",)
        assert not runs.is_served()
    assert not settings.dagster_dir.exists()


def test_the_queue_takes_the_most_urgent_run_however_many_wait(
    made: Deployment, catalog: Catalog
) -> None:
    with open_instance(made.settings) as instance:
        for number in range(7):
            a_run(instance, f"waiting-{number}")
        a_run(instance, "urgent", dagster__priority="100")
        daemon = QueuedRunCoordinatorDaemon(1, page_size=2)
        limits = instance.get_concurrency_config()

        found = daemon._get_runs_to_dequeue(instance, limits, None)

        slugs = [run.tags["dagster/partition"] for run in found]
        assert slugs == ["urgent", "waiting-0", "waiting-1"]
        assert DagsterRuns(instance, catalog.leases).slots == len(slugs)


def test_what_the_store_refuses_is_told_like_a_refusal_of_the_catalogue(
    instance: dg.DagsterInstance, runs: DagsterRuns
) -> None:
    run_id = a_run(instance, "a-house").run_id
    with instance.run_storage.connect() as store:  # type: ignore[attr-defined]  # of SQL
        store.execute(sa.text("PRAGMA max_page_count=1"))

    with pytest.raises(CatalogFullError, match="the disk is full; make room"):
        runs.hasten([run_id], priority=10**4000)  # longer than what is left of a page
