"""What Dagster does not promise to keep is used in one place, for one version."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._cli.api import grpc_command
from dagster._core.definitions.sensor_definition import SensorEvaluationContext
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorageWatchdog,
)
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._daemon.controller import create_daemon_of_type
from dagster._daemon.sensor import execute_sensor_iteration_loop
from dagster._grpc.impl import get_external_sensor_execution
from dagster._grpc.server import DagsterApiServer

_HOME = "defs/internals.py"
_WEB = "service/web.py"  # the web app's, which a test of its own lists
# These put a part of their own into Dagster.
_PARTS = {
    "defs/code_server.py": {
        "dagster._cli": {"ENV_PREFIX", "create_dagster_cli"},
        "dagster._grpc": {"impl", "server"},
        "dagster._grpc.server": {"DagsterApiServer"},
    },
    "defs/compute_logs.py": {
        "dagster._core.execution.compute_logs": {"redirect_to_file"},
        "dagster._core.storage.compute_log_manager": {"CapturedLogContext"},
        "dagster._core.storage.local_compute_log_manager": {"LocalComputeLogManager"},
    },
    "defs/daemon.py": {
        "dagster._daemon": {"cli", "controller"},
        "dagster._daemon.daemon": {"SensorDaemon"},
    },
    "defs/fair_queue.py": {
        "dagster._daemon.run_coordinator.queued_run_coordinator_daemon": {
            "QueuedRunCoordinatorDaemon"
        },
    },
    "defs/engines.py": {
        "dagster._core.storage": {"sql"},
        "dagster._core.storage.event_log.sqlite": {"sqlite_event_log"},
        "dagster._core.storage.runs.sqlite": {"sqlite_run_storage"},
        "dagster._core.storage.schedules.sqlite": {"sqlite_schedule_storage"},
    },
    "defs/new_events.py": {
        "dagster._core.storage": {"sql"},
        "dagster._core.storage.event_log.schema": {"SqlEventLogStorageMetadata"},
        "dagster._core.storage.event_log.sqlite": {"sqlite_event_log"},
    },
}
_USED = {
    "dagster._core.execution.backfill": {
        "BULK_ACTION_TERMINAL_STATUSES",
        "BulkActionStatus",
        "BulkActionsFilter",
        "PartitionBackfill",
    },
    "dagster._core.errors": {
        "DagsterLaunchFailedError",
        "DagsterUserCodeProcessError",
        "DagsterUserCodeUnreachableError",
    },
    "dagster._core.instance.ref": {"InstanceRef"},
    "dagster._core.launcher.base": {
        "CheckRunHealthResult",
        "LaunchRunContext",
        "WorkerStatus",
    },
    "dagster._core.storage.dagster_run": {"FINISHED_STATUSES", "NOT_FINISHED_STATUSES"},
    "dagster._core.storage.event_log": {"SqlEventLogStorage"},
    "dagster._core.storage.event_log.schema": {"AssetCheckExecutionsTable"},
    "dagster._core.storage.event_log.sqlite": {"SqliteEventLogStorage"},
    "dagster._core.storage.runs": {"SqlRunStorage"},
}
_PRIVATE = re.compile(r"\bdagster(?:_\w+)?\._\w")


def imports_of(text: str) -> Iterator[tuple[str, str]]:
    """(module, name) of each thing a module imports from Dagster's private parts."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and _PRIVATE.match(node.module or ""):
            yield from ((str(node.module), alias.name) for alias in node.names)


@pytest.mark.gate
def test_only_one_module_knows_the_private_parts_of_dagster(repo_dir: Path) -> None:
    package = repo_dir / "phx_pipeline"
    knowing = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if _PRIVATE.search(line)
    }

    assert knowing == {_HOME, _WEB, *_PARTS}


@pytest.mark.gate
def test_what_is_used_of_them_was_read_in_this_version(repo_dir: Path) -> None:
    for path, names in {_HOME: _USED, **_PARTS}.items():
        text = (repo_dir / "phx_pipeline" / path).read_text(encoding="utf-8")
        used: dict[str, set[str]] = {}
        for module, name in imports_of(text):
            used.setdefault(module, set()).add(name)

        assert used == names, path
    assert dg.__version__ == "1.13.27", "read anew what each of the names does"


@pytest.mark.gate
@pytest.mark.parametrize(
    ("where", "what"),
    [
        (grpc_command.callback, "from dagster._grpc.server import DagsterApiServer"),
        (DagsterApiServer.StartRun, "self._mp_ctx.Process("),
        (DagsterApiServer._cleanup_thread, "self._check_for_orphaned_runs()"),
        (
            dg.AssetCheckResult,
            "return self._get_partitioned_target_materialization_data(",
        ),
        (get_external_sensor_execution, "with SensorEvaluationContext("),
        (SensorEvaluationContext, "self.instance if self._instance"),
        (create_daemon_of_type, "return SensorDaemon("),
        (execute_sensor_iteration_loop, "shutdown_event.wait(sleep_time)"),
        (LocalComputeLogManager, "with mirror_stream_to_file(sys.stdout, outpath), "),
        (SqliteEventLogStorage, "engine = create_engine("),
        (SqliteEventLogStorage, "check_alembic_revision(alembic_config, connection)"),
        (SqliteEventLogStorage, "engine.dispose()"),
        (SqliteEventLogStorage, "if not (db_revision and head_revision):"),
        (SqliteEventLogStorageWatchdog, "def on_modified("),
        (SqliteRunStorage, "create_engine(self._conn_string, poolclass="),
        (SqliteScheduleStorage, "create_engine(self._conn_string, poolclass="),
    ],
)
def test_what_is_replaced_in_dagster_is_what_it_uses(
    where: Callable[..., Any], what: str
) -> None:
    assert what in inspect.getsource(where)
