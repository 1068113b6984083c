"""How far the JSON views follow the rows: a row for each part counts on both sides.

What is published changes all of them. A run that begins and a job that moves on change
only those of runs and jobs, the history: to render the others takes long where there
are many properties.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow

_VIEW = tables.view
ALL: Final = "metadata"
HISTORY: Final = "history"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewState:
    """What is wanted and what the files show; `took_s` is what rendering took lately.

    `rendered_at` is in seconds since 1970; 0 when nothing was rendered yet.
    """

    wanted: int = 0
    rendered: int = -1
    took_s: float = 0.0
    rendered_at: float = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether rows changed since the files were rendered."""
        return self.wanted != self.rendered


class ViewBook:
    """Reads and writes of `view`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def states(self) -> tuple[ViewState, ViewState]:
        """How far the files follow the rows: all files, and those of the history.

        The second tells of the history alone: if all are stale, so is it.
        """
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_VIEW)).all()
        found = {row.name: _state_of(row) for row in rows}
        no_history = ViewState(rendered=0)  # nothing was wanted of it alone yet
        return found.get(ALL, ViewState()), found.get(HISTORY, no_history)

    def is_stale(self) -> bool:
        """Whether rows changed since any file was rendered."""
        return any(state.is_stale for state in self.states())

    def want(self) -> None:
        """Note that rows changed which the views show."""
        with writing(self._engine) as connection:
            want(connection)

    def record_rendered(
        self, lease: Lease, wanted: Mapping[str, int], *, took_s: float, at_s: float
    ) -> None:
        """Note that the files show the rows as of *wanted*, or of later.

        *wanted* is by part. What was spent is noted for the first of them: a part that
        was rendered on the way does not take as long.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            spent = {"took_s": took_s, "rendered_at": at_s}
            for name, count in wanted.items():
                values = {"rendered": count, **spent}
                if not _update(connection, name, values):
                    _want(connection, name)  # makes the row: nothing was ever wanted
                    _update(connection, name, {**values, "wanted": count})
                spent = {"rendered_at": at_s}


def want(connection: sa.Connection) -> None:
    """Note within a transaction that rows change which the views show."""
    _want(connection, ALL)


def want_history(connection: sa.Connection) -> None:
    """Note within a transaction that runs or jobs change, and nothing else."""
    _want(connection, HISTORY)


def want_of_jobs(connection: sa.Connection) -> None:
    """Note that jobs change, and let nothing be renamed and no run begin meanwhile.

    Both raise a counter: the one is only held here, so that no more is rendered.
    """
    if not connection.execute(_HOLD).rowcount:
        _want(connection, ALL)  # makes the row
    _want(connection, HISTORY)


_HOLD = sa.update(_VIEW).where(_VIEW.c.name == ALL).values(wanted=_VIEW.c.wanted)
_ONE = _VIEW.c.name == sa.bindparam("part")
_WANT = sa.update(_VIEW).where(_ONE).values(wanted=_VIEW.c.wanted + 1)


def _want(connection: sa.Connection, name: str) -> None:
    if connection.execute(_WANT, {"part": name}).rowcount:
        return
    try:
        with connection.begin_nested():
            row = {"name": name, "wanted": 1, "rendered": -1}
            connection.execute(sa.insert(_VIEW).values(**row, took_s=0, rendered_at=0))
    except sa.exc.IntegrityError:  # another made the row a moment ago
        connection.execute(_WANT, {"part": name})


def _update(connection: sa.Connection, name: str, values: dict[str, Any]) -> bool:
    statement = sa.update(_VIEW).where(_VIEW.c.name == name).values(values)
    return bool(connection.execute(statement).rowcount)


def _state_of(row: AnyRow) -> ViewState:
    return ViewState(
        wanted=row.wanted,
        rendered=row.rendered,
        took_s=row.took_s,
        rendered_at=row.rendered_at,
    )
