"""`PolicyStore` on the catalogue: one row per group of hosts, for all processes.

Every change locks its row first, then reads the clock, decides and writes; so what is
decided holds for the moment of the transaction. PostgreSQL does not wait for its disk
here, which makes a change far faster: a crash of the server may cost the last second of
these rows, a crash of our processes nothing.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import change_row, clock_s, locked_row
from phx_pipeline.catalog.rows import flat_values
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

T = TypeVar("T")

_ROW = tables.source_state


class CatalogPolicies:
    """The states of all sources; rows appear on first use.

    Args:
        engine: the catalogue's database.
        now: the clock on SQLite; PostgreSQL has its own.
    """

    def __init__(
        self, engine: sa.Engine, *, now: Callable[[], float] = time.time
    ) -> None:
        self._engine = engine
        self._now = now

    def change(
        self, name: str, decide: Callable[[SourceState, float], tuple[SourceState, T]]
    ) -> T:
        """Replace the state of *name* by what *decide* makes of it, in one transaction.

        See `fetch.base.PolicyStore`.
        """
        with writing(self._engine) as connection:
            _do_not_wait_for_the_disk(connection)
            fresh = SourceState(name=name)
            before = _state_of(locked_row(connection, _ROW, flat_values(fresh)))
            after, decision = decide(before, clock_s(connection, now=self._now))
            if after != before:
                change_row(connection, _ROW, flat_values(after))
        return decision

    def source_states(self) -> tuple[float, list[SourceState]]:
        """Return the catalogue's clock and all rows, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_ROW).order_by(_ROW.c.name)).all()
            now_s = clock_s(connection, now=self._now)
            return now_s, [_state_of(row) for row in rows]

    def switched_off(self) -> frozenset[Source]:
        """The sources the user has switched off, by their page hosts."""
        _, states = self.source_states()
        groups = {state.name for state in states if state.disabled}
        return frozenset(Source(name) for name in groups if "/" not in name)

    def reset(self, names: Iterable[str]) -> None:
        """Forget pace, Retry-After, circuit and last block; a switch-off stays."""
        self._change_each(
            names, lambda state: SourceState(name=state.name, disabled=state.disabled)
        )

    def disable(self, names: Iterable[str]) -> None:
        """Let nothing be sent until `enable`."""
        self._change_each(names, lambda state: replace(state, disabled=True))

    def enable(self, names: Iterable[str]) -> None:
        """Undo `disable`; circuit and Retry-After stay."""
        self._change_each(names, lambda state: replace(state, disabled=False))

    def _change_each(
        self, names: Iterable[str], into: Callable[[SourceState], SourceState]
    ) -> None:
        for name in names:
            step = partial(_changed, into=into)
            CatalogPolicies.change(self, name, step)


class StandinPolicies(CatalogPolicies):
    """The states for who asks stand-ins: a source that is switched off is on for it.

    So the store of made-up houses says for good that no real site is to be asked, and
    whatever is killed, nothing has to be put back.
    """

    def change(
        self, name: str, decide: Callable[[SourceState, float], tuple[SourceState, T]]
    ) -> T:
        """Do as all others do, and leave the switch as it is."""

        def decide_on(state: SourceState, now_s: float) -> tuple[SourceState, T]:
            after, decision = decide(_on(state), now_s)
            return replace(after, disabled=state.disabled), decision

        return super().change(name, decide_on)

    def source_states(self) -> tuple[float, list[SourceState]]:
        """Return the catalogue's clock and all rows, as they are to the stand-ins."""
        now_s, states = super().source_states()
        return now_s, [_on(state) for state in states]


def _changed(
    state: SourceState, _now_s: float, *, into: Callable[[SourceState], SourceState]
) -> tuple[SourceState, None]:
    return into(state), None


def _on(state: SourceState) -> SourceState:
    return replace(state, disabled=False)


def _do_not_wait_for_the_disk(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("set local synchronous_commit = off"))


def _state_of(row: sa.Row[Any]) -> SourceState:
    return SourceState(**row._asdict())
