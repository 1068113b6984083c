"""All we use of Dagster that it does not promise to keep: each name, and what for.

No other module imports from `dagster._…`, but those that put a part of their own into
it: `service.web`, `code_server`, `daemon`, `engines` and `new_events`. Written for the
version the test of this module names; with another, read anew what each of these does.
"""

# An error that is shown as it was told, where of others Dagster shows the whole stack
# (`failures`).
# Starting a run, which the queue tries again for some errors only; the health of its
# worker, as run monitoring asks the launcher for it (`launcher`).
# The tables of Dagster's stores: what may be forgotten is found by SQL (`retention`).
from dagster._core.errors import (
    DagsterLaunchFailedError,
    DagsterUserCodeProcessError,
    DagsterUserCodeUnreachableError,
)
from dagster._core.execution.backfill import (
    BULK_ACTION_TERMINAL_STATUSES,
    BulkActionsFilter,
    BulkActionStatus,
    PartitionBackfill,
)

# What an instance is made of where its configuration does not say (`instance`).
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    WorkerStatus,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES, NOT_FINISHED_STATUSES
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.runs import SqlRunStorage

__all__ = [
    "BULK_ACTION_TERMINAL_STATUSES",
    "FINISHED_STATUSES",
    "NOT_FINISHED_STATUSES",
    "AssetCheckExecutionsTable",
    "BulkActionStatus",
    "BulkActionsFilter",
    "CheckRunHealthResult",
    "DagsterLaunchFailedError",
    "DagsterUserCodeProcessError",
    "DagsterUserCodeUnreachableError",
    "InstanceRef",
    "LaunchRunContext",
    "PartitionBackfill",
    "SqlEventLogStorage",
    "SqlRunStorage",
    "SqliteEventLogStorage",
    "WorkerStatus",
]
