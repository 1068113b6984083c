"""Dagster's instance, and where a run of it is; the CLI reaches this lazily."""

import time
from collections.abc import Mapping

import dagster as dg

from phx_pipeline.defs.repeats import may_come_again
from phx_pipeline.defs.set_back import FAR_S
from phx_pipeline.model.job import JobState
from phx_pipeline.settings import Settings, export
from phx_pipeline.wiring.stores import opening_dagster

_HEARTBEAT_LIMIT_S = 90.0
_NEEDED_DAEMONS = {"SENSOR", "QUEUED_RUN_COORDINATOR"}


_STATES: Mapping[dg.DagsterRunStatus, JobState] = {
    dg.DagsterRunStatus.QUEUED: JobState.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED: JobState.PENDING,
    dg.DagsterRunStatus.STARTING: JobState.IN_PROGRESS,
    dg.DagsterRunStatus.STARTED: JobState.IN_PROGRESS,
    dg.DagsterRunStatus.CANCELING: JobState.IN_PROGRESS,
    dg.DagsterRunStatus.SUCCESS: JobState.COMPLETED,
    dg.DagsterRunStatus.FAILURE: JobState.FAILED,
    dg.DagsterRunStatus.CANCELED: JobState.CANCELLED,
}


def has_store(settings: Settings) -> bool:
    """Whether Dagster was ever used with these settings."""
    return settings.dagster_dir.is_dir()


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Open Dagster's instance, made on first use by one process at a time.

    Two processes that open a fresh SQLite store at once corrupt its schema version.

    Raises:
        CatalogDownError: Dagster's store is on PostgreSQL, which does not answer.
    """
    export(settings)
    with opening_dagster(settings):
        instance = dg.DagsterInstance.get()
        instance.get_runs(limit=1)
        instance.get_dynamic_partitions("property")
        return instance


def daemon_is_running(instance: dg.DagsterInstance, *, since_s: float = 0.0) -> bool:
    """Whether the daemons that launch runs gave a sign of life lately.

    Args:
        instance: where they do so.
        since_s: seconds since 1970; earlier signs are those of daemons that ended.
            Signs that lie ahead are those of a clock that has been set back.
    """
    heartbeats = instance.get_daemon_heartbeats()
    now_s = time.time()
    oldest_s = max(now_s - _HEARTBEAT_LIMIT_S, min(since_s, now_s))
    fresh = {
        name
        for name, beat in heartbeats.items()
        if oldest_s < beat.timestamp <= now_s + FAR_S
    }
    return fresh >= _NEEDED_DAEMONS


def state_of(run: dg.DagsterRun, *, retries: int) -> JobState:
    """Tell where a run is; after a failure, whether it will be repeated.

    Args:
        run: the newest of its item.
        retries: as of `retries_of`; without any, a failure is final at once.
    """
    if may_come_again(run, retries=retries):
        return JobState.RETRYING
    return _STATES[run.status]
