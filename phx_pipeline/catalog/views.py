"""How far the JSON views follow the rows: one row counts publications on both sides."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases

_VIEW = tables.view
_NAME: Final = "metadata"


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

    def state(self) -> ViewState:
        """How far the files follow the rows."""
        with reading(self._engine) as connection:
            query = sa.select(_VIEW).where(_VIEW.c.name == _NAME)
            row = connection.execute(query).one_or_none()
        if row is None:
            return ViewState()
        return ViewState(
            wanted=row.wanted,
            rendered=row.rendered,
            took_s=row.took_s,
            rendered_at=row.rendered_at,
        )

    def want(self) -> None:
        """Note that rows changed which the views show."""
        with writing(self._engine) as connection:
            want(connection)

    def record_rendered(
        self, lease: Lease, wanted: int, *, took_s: float, at_s: float
    ) -> None:
        """Note that the files show the rows as of *wanted*, or of later."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            values = {"rendered": wanted, "took_s": took_s, "rendered_at": at_s}
            if not _update(connection, values):
                want(connection)  # makes the row: nothing was ever published
                _update(connection, {**values, "wanted": wanted})


_WANT = sa.update(_VIEW).where(_VIEW.c.name == _NAME).values(wanted=_VIEW.c.wanted + 1)


def want(connection: sa.Connection) -> None:
    """Note within a transaction that rows change which the views show."""
    if connection.execute(_WANT).rowcount:
        return
    try:
        with connection.begin_nested():
            row = {"name": _NAME, "wanted": 1, "rendered": -1}
            connection.execute(sa.insert(_VIEW).values(**row, took_s=0, rendered_at=0))
    except sa.exc.IntegrityError:  # another made the row a moment ago
        connection.execute(_WANT)


def _update(connection: sa.Connection, values: dict[str, Any]) -> bool:
    statement = sa.update(_VIEW).where(_VIEW.c.name == _NAME).values(values)
    return bool(connection.execute(statement).rowcount)
