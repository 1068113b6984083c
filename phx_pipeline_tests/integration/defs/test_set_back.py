"""What Dagster's stores hold of a clock that was ahead, and what becomes of it."""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.sensor import is_under_min_interval
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from phx_pipeline.defs.set_back import ahead, pull_back
from phx_pipeline.service.readiness import DISPATCHER, why_it_rests, why_no_dispatcher
from phx_pipeline_tests.integration.conftest import Databases

_HOUR_S = 3600.0
_MONTH_S = 30 * 86_400.0
_SCHEDULE = "daily_digest"


class Stored:
    """A sensor and a schedule in the stores of a daemon."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.now_s = float(int(time.time()))

    def add(self, name: str, kind: InstigatorType, data: Any) -> None:
        location = ManagedGrpcPythonEnvCodeLocationOrigin(
            LoadableTargetOrigin(module_name="phx"), location_name="phx"
        )
        origin = RemoteRepositoryOrigin(location, "repository").get_instigator_origin(
            name
        )
        assert isinstance(origin, RemoteInstigatorOrigin)
        state = InstigatorState(origin, kind, InstigatorStatus.RUNNING, data)
        self.instance.add_instigator_state(state)

    def tick(self, name: str, status: TickStatus, *, at_s: float) -> None:
        state = self.state(name)
        self.instance.create_tick(
            TickData(
                instigator_origin_id=state.instigator_origin_id,
                instigator_name=name,
                instigator_type=state.instigator_type,
                status=status,
                timestamp=at_s,
                selector_id=state.selector_id,
            )
        )

    def state(self, name: str) -> Any:
        (found,) = (
            it for it in self.instance.all_instigator_state() if it.name == name
        )
        return found

    def ticks(self, name: str) -> list[tuple[str, float]]:
        """The newest first, in seconds from now."""
        state = self.state(name)
        found = self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
        return [(it.status.value, it.timestamp - self.now_s) for it in found]

    def is_resting(self, name: str) -> bool:
        """Whether Dagster leaves the sensor out."""
        sensor = cast("Any", SimpleNamespace(min_interval_seconds=5))
        return is_under_min_interval(self.state(name), sensor)


@pytest.fixture
def stored(kind: str, tmp_path: Path, databases: Databases) -> Stored:
    open_store: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: SqliteScheduleStorage.from_local(str(tmp_path)),
        "postgres": lambda: PostgresScheduleStorage.create_clean_storage(
            databases.empty("postgres"), should_autocreate_tables=True
        ),
    }
    return Stored(cast("dg.DagsterInstance", open_store[kind]()))


def test_what_lies_ahead_rules_nothing_once_the_daemon_has_begun_anew(
    stored: Stored,
) -> None:
    now_s, then_s = stored.now_s, stored.now_s + _MONTH_S
    sensor = SensorInstigatorData(
        last_tick_timestamp=then_s, cursor="7", last_tick_start_timestamp=then_s
    )
    stored.add(DISPATCHER, InstigatorType.SENSOR, sensor)
    for status, at_s in ((TickStatus.STARTED, 0.0), (TickStatus.STARTED, 5.0)):
        stored.tick(DISPATCHER, status, at_s=then_s + at_s)
    schedule = ScheduleInstigatorData("0 6 * * *", now_s - _MONTH_S, then_s)
    stored.add(_SCHEDULE, InstigatorType.SCHEDULE, schedule)
    stored.tick(_SCHEDULE, TickStatus.SKIPPED, at_s=now_s - _HOUR_S)
    stored.tick(_SCHEDULE, TickStatus.STARTED, at_s=then_s)
    assert set(ahead(stored.instance, now_s=now_s)) == {DISPATCHER, _SCHEDULE}
    rests = str(why_it_rests(stored.instance, now_s=now_s))
    assert f"{_SCHEDULE}, {DISPATCHER}" in rests
    told = str(why_no_dispatcher(stored.instance, now_s=now_s))
    assert "it rests until" in told
    assert stored.is_resting(DISPATCHER)

    names = pull_back(stored.instance, now_s=now_s - 60)
    again = pull_back(stored.instance, now_s=now_s - 60)

    assert (sorted(names), again) == ([_SCHEDULE, DISPATCHER], [])
    assert why_it_rests(stored.instance, now_s=now_s) is None
    assert why_no_dispatcher(stored.instance, now_s=now_s - 50) is None
    assert not stored.is_resting(DISPATCHER)
    assert stored.state(DISPATCHER).instigator_data.cursor == "7"
    assert stored.ticks(DISPATCHER) == [
        ("STARTED", -60.0),
        ("STARTED", pytest.approx(-60.001)),
    ]
    # What came due since its last real tick is not left out, and that is not repeated.
    assert stored.ticks(_SCHEDULE) == [
        ("STARTED", -_HOUR_S + 0.5),
        ("SKIPPED", -_HOUR_S),
    ]
    after = stored.state(_SCHEDULE).instigator_data
    assert (after.start_timestamp, after.last_iteration_timestamp) == (
        now_s - _MONTH_S,
        None,
    )


def test_what_was_noted_by_the_right_clock_stays(stored: Stored) -> None:
    at_s = stored.now_s - 1
    stored.add(
        DISPATCHER,
        InstigatorType.SENSOR,
        SensorInstigatorData(last_tick_timestamp=at_s, last_tick_start_timestamp=at_s),
    )
    schedule = ScheduleInstigatorData("0 6 * * *", at_s, at_s)
    stored.add(_SCHEDULE, InstigatorType.SCHEDULE, schedule)
    stored.tick(_SCHEDULE, TickStatus.SKIPPED, at_s=at_s)
    before = [stored.state(name) for name in (DISPATCHER, _SCHEDULE)]

    assert pull_back(stored.instance, now_s=stored.now_s) == []

    assert [stored.state(name) for name in (DISPATCHER, _SCHEDULE)] == before
    assert stored.ticks(_SCHEDULE) == [("SKIPPED", -1.0)]
