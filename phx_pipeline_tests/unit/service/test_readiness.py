"""Which part of Dagster is off, as its stores and its servers tell."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from phx_pipeline.defs import run_queue
from phx_pipeline.service import readiness
from phx_pipeline.service.readiness import (
    DISPATCHER,
    why_no_code,
    why_no_dispatcher,
)

NOW_S = 1_000.0


@dataclass
class Told:
    """An instance as far as it tells of sensors."""

    states: list[Any]
    ticks: str = ""

    def all_instigator_state(self) -> list[Any]:
        return self.states

    def get_ticks(self, origin_id: str, selector_id: str, *, limit: int) -> list[Any]:
        assert (origin_id, selector_id) == ("o", "s")
        names = {"F": "FAILURE", "S": "STARTED", "-": "SKIPPED"}
        return [
            SimpleNamespace(status=SimpleNamespace(value=names[each]))
            for each in self.ticks[:limit]
        ]


def sensor(name: str, *, looked_at_s: float | None, status: str = "RUNNING") -> Any:
    return SimpleNamespace(
        instigator_name=name,
        status=SimpleNamespace(value=status),
        instigator_origin_id="o",
        selector_id="s",
        instigator_data=SimpleNamespace(last_tick_timestamp=looked_at_s),
    )


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ([], "never looked"),
        ([sensor("other", looked_at_s=NOW_S)], "never looked"),
        ([sensor(DISPATCHER, looked_at_s=NOW_S - 100)], "for 100 seconds"),
        ([sensor(DISPATCHER, looked_at_s=None)], "has not looked"),
        (
            [sensor(DISPATCHER, looked_at_s=NOW_S, status="STOPPED")],
            "start it in the UI",
        ),
        ([sensor(DISPATCHER, looked_at_s=NOW_S - 30)], None),
        (
            [
                sensor(DISPATCHER, looked_at_s=1.0, status="STOPPED"),
                sensor(DISPATCHER, looked_at_s=NOW_S),
            ],
            None,
        ),
    ],
)
def test_the_dispatcher_is_off_when_it_does_not_look(
    states: list[Any], told: str | None
) -> None:
    why = why_no_dispatcher(cast("dg.DagsterInstance", Told(states)), now_s=NOW_S)

    assert (why is None) if told is None else (told in str(why))


@pytest.mark.parametrize(
    ("ticks", "is_off"),
    [("FFF", True), ("SFFF-", True), ("FF-F", False), ("FF", False), ("SFF", False)],
)
def test_the_dispatcher_is_off_when_none_of_its_last_looks_came_to_an_end(
    ticks: str, *, is_off: bool
) -> None:
    told = Told([sensor(DISPATCHER, looked_at_s=NOW_S)], ticks)

    why = why_no_dispatcher(cast("dg.DagsterInstance", told), now_s=NOW_S)

    assert ("its last 3 looks for jobs failed" in str(why)) is is_off


def test_the_dispatcher_has_this_name() -> None:
    from phx_pipeline.defs.sensors.dispatcher import dispatch_jobs  # noqa: PLC0415

    assert dispatch_jobs.name == DISPATCHER == run_queue.DISPATCHER


def test_code_that_cannot_be_loaded_or_asked_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = SimpleNamespace(socket=str(tmp_path / "code.sock"), host=None, port=None)
    silent = SimpleNamespace(load_error="of before it ended", origin=nobody)

    told = str(why_no_code([silent], remedy="it is started again"))
    monkeypatch.setattr(readiness, "_answers", bool)
    broken = why_no_code([silent])

    assert why_no_code([]) == "the workspace names none"
    assert told == "it does not answer: it is started again"
    assert "cannot be loaded" in str(broken)
