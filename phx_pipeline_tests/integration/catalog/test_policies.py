"""The rows behind pace and circuit: atomic, shared, and still there after a restart."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.policies import CatalogPolicies, StandinPolicies
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

FULL = SourceState(
    name="redfin",
    disabled=True,
    next_slot=1_796_000_000.25,
    period_s=1.5,
    not_before=1_796_000_001.5,
    failures=2,
    successes=1,
    opened_at=1_796_000_002.75,
    open_until=1_796_000_003.125,
    probe="somebody",
    probe_until=1_796_000_004.0,
    blocked_at=1_796_000_005.0,
    block="403\0 \N{SNOWMAN}",
)


@pytest.fixture
def policies(engine: sa.Engine) -> CatalogPolicies:
    return CatalogPolicies(engine)


def put(policies: CatalogPolicies, state: SourceState) -> None:
    policies.change(state.name, lambda _old, _now_s: (state, None))


def seen(policies: CatalogPolicies, name: str = "redfin") -> SourceState:
    return policies.change(name, lambda state, _now_s: (state, state))


def one_more(state: SourceState, _now_s: float) -> tuple[SourceState, int]:
    return replace(state, failures=state.failures + 1), state.failures + 1


def count_up(url: str, times: int) -> list[int]:
    """Count from another process; returns every number this one reached."""
    engine = open_engine(url)
    policies = CatalogPolicies(engine)
    reached = [policies.change("redfin", one_more) for _ in range(times)]
    engine.dispose()
    return reached


def test_a_row_appears_on_first_use(policies: CatalogPolicies) -> None:
    assert seen(policies) == SourceState(name="redfin")
    assert policies.source_states()[1] == [SourceState(name="redfin")]


def test_every_field_is_kept_for_the_next_process(
    policies: CatalogPolicies, url: str, opened: Callable[[str], sa.Engine]
) -> None:
    put(policies, FULL)

    again = CatalogPolicies(opened(url))

    assert seen(again) == replace(FULL, block="403 \N{SNOWMAN}")


def test_rows_are_independent_and_shown_by_name(policies: CatalogPolicies) -> None:
    for name in ("zillow", "redfin/photos", "redfin"):
        policies.change(name, one_more)
    policies.change("zillow", one_more)

    _, states = policies.source_states()

    assert [(state.name, state.failures) for state in states] == [
        ("redfin", 1),
        ("redfin/photos", 1),
        ("zillow", 2),
    ]


def test_a_decision_that_fails_writes_nothing(policies: CatalogPolicies) -> None:
    put(policies, FULL)
    before = seen(policies)

    def fails(state: SourceState, _now_s: float) -> tuple[SourceState, None]:
        raise ValueError(state.name)

    with pytest.raises(ValueError, match="redfin"):
        policies.change("redfin", fails)

    assert seen(policies) == before


def test_no_change_of_four_processes_is_lost(
    policies: CatalogPolicies, url: str, processes: ProcessPoolExecutor
) -> None:
    ends = [processes.submit(count_up, url, 50) for _ in range(4)]

    reached = [number for end in ends for number in end.result(60)]

    assert sorted(reached) == list(range(1, 201))
    assert seen(policies).failures == 200


def test_the_clock_is_the_databases_own_where_it_has_one(
    engine: sa.Engine, kind: str
) -> None:
    policies = CatalogPolicies(engine, now=lambda: 42.0)

    now_s = policies.change("redfin", lambda state, now_s: (state, now_s))
    shown_s, _ = policies.source_states()

    if kind == "sqlite":
        assert (now_s, shown_s) == (42.0, 42.0)
    else:
        assert time.time() - 600 < now_s <= shown_s < time.time() + 600


def test_postgres_does_not_wait_for_its_disk_here_and_only_here(
    databases: Any, opened: Callable[[str], sa.Engine]
) -> None:
    engine = opened(databases.migrated("postgres"))
    with engine.begin() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f"alter database {name} set synchronous_commit = on")
    engine.dispose()  # the next connections start with it
    found: list[str] = []

    @sa.event.listens_for(engine, "commit")
    def note(connection: sa.Connection) -> None:
        found.append(connection.exec_driver_sql("show synchronous_commit").scalar_one())

    CatalogPolicies(engine).change("redfin", one_more)
    with engine.begin() as connection:
        connection.execute(sa.text("select 1"))

    assert found == ["off", "on"]


def test_a_reset_forgets_all_but_the_switch(policies: CatalogPolicies) -> None:
    put(policies, FULL)
    put(policies, replace(FULL, name="zillow"))

    policies.reset(["redfin"])

    assert seen(policies) == SourceState(name="redfin", disabled=True)
    assert seen(policies, "zillow").failures == FULL.failures


def test_a_source_is_switched_off_and_on_again(policies: CatalogPolicies) -> None:
    put(policies, replace(FULL, disabled=False))
    before = seen(policies)

    policies.disable(["redfin", "redfin/photos"])
    off = [state.disabled for state in policies.source_states()[1]]
    policies.enable(["redfin"])

    assert off == [True, True]
    assert seen(policies) == before
    assert seen(policies, "redfin/photos").disabled


def test_for_who_asks_standins_all_is_on_and_what_is_off_stays_off_for_others(
    engine: sa.Engine, policies: CatalogPolicies
) -> None:
    policies.disable(["redfin"])
    standins = StandinPolicies(engine)

    told = standins.change("redfin", lambda state, _now_s: (state, state.disabled))
    failures = standins.change("redfin", one_more)

    assert (told, failures) == (False, 1)
    assert [it.disabled for it in standins.source_states()[1]] == [False]
    assert not standins.switched_off()
    assert seen(policies) == SourceState(name="redfin", failures=1, disabled=True)
    assert policies.switched_off() == {Source.REDFIN}
