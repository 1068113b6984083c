"""Old runs are forgotten; what the UI says of assets, partitions and checks stays."""

import os
import random
import shutil
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecordStatus,
)
from dagster._core.storage.partition_status_cache import (
    get_and_update_asset_status_cache_value,
)

from phx_pipeline.catalog.retention import Forgotten
from phx_pipeline.defs import retention
from phx_pipeline.defs.retention import RunHistory, prune
from phx_pipeline.defs.tags import DRAWN_BY_TAG, JOB_TAG
from phx_pipeline.errors import ServiceError
from phx_pipeline_tests.integration.conftest import ENGINES, Databases
from phx_pipeline_tests.postgres import PostgresServer

HOUSES = ("ash", "birch", "cedar", "elm")
PARTITIONS = dg.DynamicPartitionsDefinition(name="property")
CHECK = dg.AssetCheckKey(dg.AssetKey("shown"), "whole")
FAILS = "test/fails"
UNTRUE = "test/untrue"
TEMPLATE = "two_runs"


with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.PreviewWarning)
    CHECKED = dg.AssetCheckSpec("whole", asset="shown", partitions_def=PARTITIONS)


@dg.asset(partitions_def=PARTITIONS)
def found(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    print("told by", context.run.run_id)  # noqa: T201 - makes a compute log
    return dg.MaterializeResult(data_version=dg.DataVersion(context.run.run_id))


@dg.asset(
    deps=[found],
    partitions_def=PARTITIONS,
    check_specs=[CHECKED],
)
def shown(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]  # beside check_specs Dagster knows only the bare class
    tags = context.run.tags
    if FAILS in tags:
        raise dg.Failure("on purpose", allow_retries=False)
    return dg.MaterializeResult(
        metadata={"run": context.run.run_id},
        check_results=[dg.AssetCheckResult(passed=UNTRUE not in tags)],
    )


DEFS = dg.Definitions(
    assets=[found, shown],
    jobs=[
        dg.define_asset_job("both", selection=["found", "shown"]),
        dg.define_asset_job("first", selection=["found"]),
    ],
    executor=dg.in_process_executor,
)


class NoRows:
    """A catalogue without history, so that only Dagster's part is looked at."""

    def __init__(self, *open_jobs: str) -> None:
        self._open_jobs = frozenset(open_jobs)

    def open_jobs(self) -> frozenset[str]:
        return self._open_jobs

    def forget(self, **_: object) -> Iterator[Forgotten]:
        return iter(())

    def old(self, **_: object) -> list[Forgotten]:
        return []


def with_slashes(tags: dict[str, str]) -> dict[str, str]:
    return {name.replace("__", "/"): value for name, value in tags.items()}


def run_on(
    instance: dg.DagsterInstance, house: str, *, job: str = "both", **tags: str
) -> str:
    """Run a job in this process; return the run's id."""
    done = DEFS.resolve_job_def(job).execute_in_process(
        partition_key=house,
        instance=instance,
        tags=with_slashes(tags),
        raise_on_error=False,
    )
    return done.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where a Dagster instance keeps its rows and its files."""

    config: Path  # the folder of dagster.yaml
    folder: Path
    url: str = ""  # of the database, if it is PostgreSQL

    @contextmanager
    def opened(self) -> Iterator[dg.DagsterInstance]:
        """The instance, in the configuration we ship."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PHX_DAGSTER_DIR", str(self.folder))
            environment.setenv("PHX_DAGSTER_PG_URL", self.url)
            with dg.DagsterInstance.from_config(str(self.config)) as instance:
                yield instance


@dataclass(slots=True, kw_only=True)
class Bench:
    """A Dagster instance with two runs of `ash` behind it, and a way to make more."""

    instance: dg.DagsterInstance
    folder: Path
    old: str
    new: str
    open_jobs: tuple[str, ...] = ()

    def run(self, house: str, **given: str) -> str:
        return run_on(self.instance, house, **given)

    def tag(self, run_id: str, **tags: str) -> None:
        self.instance.add_run_tags(run_id, with_slashes(tags))

    def runs(self) -> set[str]:
        return set(self.instance.run_storage.get_run_ids())

    @property
    def history(self) -> RunHistory:
        return RunHistory(self.instance, folder=self.folder)

    def steps(
        self, *, before: datetime | None = None, dry_run: bool = False
    ) -> Iterator[retention.Removed]:
        """Forget what is older than *before*: by default everything is."""
        return prune(
            self.history,
            NoRows(*self.open_jobs),  # type: ignore[arg-type]  # only what is called
            before=before or datetime.now(UTC) + timedelta(days=1),
            dry_run=dry_run,
        )

    def prune(self, **given: Any) -> Counter[str]:
        removed: Counter[str] = Counter()
        for step in self.steps(**given):
            removed[step.what] += step.count
        return +removed

    def kept_after_pruning(self) -> set[str]:
        self.prune()
        return self.runs()

    def state(self) -> dict[str, object]:
        """All that a user sees of assets, partitions and checks."""
        told: dict[str, object] = {"check": self._check()}
        for key in (dg.AssetKey("found"), dg.AssetKey("shown")):
            (record,) = self.instance.get_asset_records([key])
            last = record.asset_entry.last_materialization
            told |= {
                f"{key} last": (record.asset_entry.last_run_id, last),
                f"{key} done": self.instance.get_materialized_partitions(key),
                f"{key} shown": self._statuses(key),
                **{f"{key} {house}": self._newest(key, house) for house in HOUSES},
            }
        return told

    def _statuses(self, key: dg.AssetKey) -> Any:
        """The partitions by their colour in the UI, reckoned anew."""
        self.instance.wipe_asset_cached_status([key])
        return get_and_update_asset_status_cache_value(self.instance, key, PARTITIONS)

    def _newest(self, key: dg.AssetKey, house: str) -> Any:
        this = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[house])
        return self.instance.fetch_materializations(this, limit=1).records

    def _check(self) -> Any:
        storage = self.instance.event_log_storage
        (summary,) = storage.get_asset_check_summary_records([CHECK]).values()
        last = storage.get_latest_asset_check_execution_by_key([CHECK])
        infos = storage.get_asset_check_partition_info([CHECK])
        return (
            summary.last_check_execution_record,
            summary.last_completed_check_execution_record,
            last,
            sorted(infos, key=lambda info: str(info.partition_key)),
            [self._newest_evaluations(house) for house in HOUSES],
        )

    def _newest_evaluations(self, house: str) -> Any:
        """The newest record of the check of one house, and the newest that ended."""
        storage, this = self.instance.event_log_storage, PartitionKeyFilter(key=house)
        ended = {
            one for one in AssetCheckExecutionRecordStatus if one.value != "PLANNED"
        }
        history = storage.get_asset_check_execution_history
        return (
            history(CHECK, limit=1, partition_filter=this),
            history(CHECK, limit=1, partition_filter=this, status=ended),
        )

    def traces(self, run_id: str) -> list[str]:
        """Where anything of a run is still to be found."""
        files = [
            str(path.relative_to(self.folder))
            for path in self.folder.rglob(f"*{run_id}*")
        ]
        with self.instance.event_log_storage.index_connection() as connection:  # type: ignore[attr-defined]  # every SQL storage has it
            rows = [
                table
                for table in ("event_logs", "asset_check_executions")
                if connection.exec_driver_sql(
                    f"SELECT 1 FROM {table} WHERE run_id = '{run_id}'"  # noqa: S608
                ).first()
            ]
        return [*files, *rows, *(["run"] if self.instance.has_run(run_id) else [])]


ON_BOTH = pytest.mark.parametrize("kind", ENGINES)


@pytest.fixture
def kind() -> str:
    """One kind of store where both behave alike: the runs of these tests take long."""
    return "sqlite"


@pytest.fixture(scope="module")
def sqlite_home(repo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two runs of `ash`, to copy: making them takes long."""
    home = Home(config=repo_dir, folder=tmp_path_factory.mktemp("sqlite") / "dagster")
    run_twice(home)
    return home


@pytest.fixture(scope="module")
def postgres_home(
    repo_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_server: PostgresServer,
) -> Home:
    """The same on PostgreSQL."""
    config = tmp_path_factory.mktemp("postgres")
    shipped = repo_dir / "deploy" / "dagster.postgres.yaml"
    shutil.copy(shipped, config / "dagster.yaml")
    url = postgres_server.create(TEMPLATE)
    home = Home(config=config, folder=config / "dagster", url=url)
    run_twice(home)
    return home


def run_twice(home: Home) -> None:
    with home.opened() as instance:
        instance.add_dynamic_partitions("property", list(HOUSES))
        for _ in range(2):
            run_on(instance, "ash")


@pytest.fixture
def bench(
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    databases: Databases,
) -> Iterator[Bench]:
    """The configuration we ship, on SQLite and on PostgreSQL."""
    home: Home = request.getfixturevalue(f"{kind}_home")
    folder = tmp_path / "dagster"
    shutil.copytree(home.folder, folder)
    url = databases.copy_of(TEMPLATE) if home.url else ""
    with replace(home, folder=folder, url=url).opened() as instance:
        # As the web server keeps them: a connection for each query burns much time.
        instance.optimize_for_webserver(
            statement_timeout=600_000, pool_recycle=3600, max_overflow=20
        )
        new, old = instance.run_storage.get_run_ids()
        yield Bench(instance=instance, folder=folder, old=old, new=new)


@ON_BOTH
def test_without_retention_deleting_the_last_run_unmaterializes(bench: Bench) -> None:
    """What this is all about, and what Dagster itself does."""
    key = dg.AssetKey("shown")

    bench.instance.delete_run(bench.old)
    after_first = bench.instance.get_materialized_partitions(key)
    bench.instance.delete_run(bench.new)

    assert after_first == {"ash"}
    assert bench.instance.get_materialized_partitions(key) == set()


@ON_BOTH
def test_nothing_the_ui_says_changes_and_a_second_time_removes_nothing(
    bench: Bench,
) -> None:
    dice = random.Random(31)  # noqa: S311 - no secret
    for _ in range(12):
        tags = dice.choice([{}, {}, {"test__fails": "1"}, {"test__untrue": "1"}])
        bench.run(dice.choice(HOUSES), job=dice.choice(["both", "first"]), **tags)
    before = bench.state()
    runs = bench.runs()

    removed = bench.prune()

    assert bench.state() == before
    assert 0 < removed["run"] == len(runs) - len(bench.runs())
    assert bench.prune() == Counter()
    assert bench.state() == before


@ON_BOTH
def test_of_a_forgotten_run_nothing_is_left(bench: Bench) -> None:
    assert bench.traces(bench.old)

    bench.prune()

    assert bench.traces(bench.old) == []
    assert bench.traces(bench.new)


def test_a_dry_run_tells_and_removes_nothing(bench: Bench) -> None:
    bench.run("ash")
    runs = bench.runs()

    told = bench.prune(dry_run=True)

    assert bench.runs() == runs
    assert told == bench.prune() == Counter({"run": 2})


def test_young_runs_stay(bench: Bench) -> None:
    limit = datetime.now(UTC)
    young = {bench.run("ash"), bench.run("ash")}

    bench.prune(before=limit)

    assert bench.runs() == young
    assert bench.traces(bench.old) == []


def test_left_off_after_each_step_nothing_is_lost_and_all_gets_done(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 1)
    monkeypatch.setattr(retention, "_PAGE", 2)
    for _ in range(2):
        bench.run("ash")
    before = bench.state()

    left = []
    while next(bench.steps()).count:
        left.append(len(bench.runs()))
        assert bench.state() == before

    assert left == [3, 2, 1]


def test_a_cursor_goes_on_behind_what_was_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGE", 1)
    first, old = bench.old, [bench.new, bench.run("ash")]
    last = bench.run("ash", phx__sheet_run=first)

    steps = [step for step in bench.steps() if step.what == "run"]
    seen = [(step.count, step.after) for step in steps]

    assert seen == [(0, first), *[(1, first), (0, first)] * 2, (0, last)]
    assert bench.runs() == {first, last}
    assert set(old).isdisjoint(bench.runs())


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@ON_BOTH
@pytest.mark.parametrize("moment", ["files", "run"])
def test_a_kill_between_events_and_run_is_made_good(
    bench: Bench, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bench.state()
    with monkeypatch.context() as patched:
        if moment == "files":
            patched.setattr(RunHistory, "_delete_files", _killed)
        else:
            patched.setattr(type(bench.instance.run_storage), "delete_run", _killed)
        with pytest.raises(KeyboardInterrupt):
            bench.prune()
    assert bench.instance.has_run(bench.old)
    assert bench.state() == before

    bench.prune()

    assert bench.traces(bench.old) == []
    assert bench.runs() == {bench.new}
    assert bench.state() == before


# --- what stays though it is old ------------------------------------------------------


def test_a_failure_stays_with_the_success_before_it(bench: Bench) -> None:
    bench.run("ash", test__fails="1")
    bad = bench.run("ash", test__fails="1")

    # `found` succeeded in the last run too: of the new one it is `shown` that counts.
    assert bench.kept_after_pruning() == {bench.new, bad}


def test_each_partition_and_each_asset_keeps_its_own(bench: Bench) -> None:
    other = bench.run("birch")
    bench.run("ash", job="first")
    part = bench.run("ash", job="first")

    assert bench.kept_after_pruning() == {bench.new, other, part}


@ON_BOTH
def test_the_run_that_drew_the_sheet_stays(bench: Bench) -> None:
    bench.tag(bench.new, phx__sheet_run=bench.old)
    last = bench.run("ash")
    bench.instance.add_run_tags(last, {DRAWN_BY_TAG: bench.old})

    assert bench.kept_after_pruning() == {bench.old, last}


@ON_BOTH
def test_the_run_another_was_started_from_stays_as_long(bench: Bench) -> None:
    root = bench.run("ash", test__fails="1")
    retry = bench.run("ash", dagster__root_run_id=root, dagster__parent_run_id=root)

    assert bench.kept_after_pruning() == {root, retry}

    last = bench.run("ash")
    assert bench.kept_after_pruning() == {last}


def test_the_runs_of_an_unfinished_job_stay(bench: Bench) -> None:
    bench.tag(bench.old, phx__job="waiting")
    bench.tag(bench.new, phx__job="done")
    of_job = {bench.old, bench.run("ash", phx__job="waiting")}
    last = bench.run("ash")
    bench.open_jobs = ("waiting",)

    assert bench.kept_after_pruning() == {*of_job, last}


@ON_BOTH
def test_a_job_is_unfinished_while_a_run_of_it_is_not_over(bench: Bench) -> None:
    bench.tag(bench.old, phx__job="open")
    going_on = dg.DagsterRun(
        job_name="both", tags={JOB_TAG: "open"}, status=dg.DagsterRunStatus.STARTED
    )
    bench.instance.add_run(going_on)

    assert bench.history.jobs_to_come() == {"open"}
    assert bench.kept_after_pruning() == {bench.old, bench.new, going_on.run_id}


@pytest.mark.parametrize(
    ("status", "stay"),
    [
        (BulkActionStatus.REQUESTED, True),
        (BulkActionStatus.CANCELING, True),
        (BulkActionStatus.COMPLETED_SUCCESS, False),
        (BulkActionStatus.CANCELED, False),
    ],
)
def test_the_runs_of_a_backfill_stay_until_it_ends(
    bench: Bench, status: BulkActionStatus, *, stay: bool
) -> None:
    bench.tag(bench.old, dagster__backfill="bf")
    bench.instance.add_backfill(
        PartitionBackfill(
            backfill_id="bf",
            status=status,
            from_failure=False,
            tags={},
            backfill_timestamp=1.0,
            asset_selection=[dg.AssetKey("found")],
            partition_names=["ash"],
            reexecution_steps=None,
        )
    )

    assert (bench.old in bench.kept_after_pruning()) is stay
    assert bench.new in bench.runs()


# --- leftovers ------------------------------------------------------------------------


def aged(path: Path) -> Path:
    os.utime(path, (1.0, 1.0))
    return path


def test_what_a_deleted_run_left_is_swept_up_once_it_is_old(bench: Bench) -> None:
    gone = bench.old
    bench.instance.delete_run(gone)  # as the UI does
    assert bench.traces(gone)
    limit = datetime.now(UTC) - timedelta(days=1)

    assert bench.prune(before=limit) == Counter()
    for path in bench.folder.rglob(f"{gone}*"):
        aged(path)
    removed = bench.prune(before=limit)

    assert removed == Counter(leftover=1)
    assert bench.traces(gone) == []
    assert bench.traces(bench.new)


def test_what_is_not_of_a_run_is_left_alone(bench: Bench) -> None:
    others = [bench.folder / "service_logs", bench.folder / "a-b-c-d-e"]
    for other in others:
        other.mkdir()
        aged(other)
    before = {path for path in bench.folder.rglob("*") if bench.old not in str(path)}

    bench.prune()

    assert before <= set(bench.folder.rglob("*"))


def test_stores_that_are_not_sql_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SqlRunStorage", Callable)
    monkeypatch.setattr(retention, "SqlEventLogStorage", AbstractContextManager)

    with pytest.raises(ServiceError, match="SQL stores"):
        _ = bench.history
