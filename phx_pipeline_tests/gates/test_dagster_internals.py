"""What Dagster does not promise to keep is used in one place, for one version."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

_HOME = "defs/internals.py"
_WEB = "service/web.py"  # the web app's, which a test of its own lists
_STARTS = "supervise/services.py"  # the daemon: its script cannot be given `-P`
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

    assert knowing == {_HOME, _WEB, _STARTS}


@pytest.mark.gate
def test_what_is_used_of_them_was_read_in_this_version(repo_dir: Path) -> None:
    text = (repo_dir / "phx_pipeline" / _HOME).read_text(encoding="utf-8")
    used: dict[str, set[str]] = {}
    for module, name in imports_of(text):
        used.setdefault(module, set()).add(name)

    assert used == _USED
    assert dg.__version__ == "1.13.27", "read anew what each of the names does"
