"""`ProxyStore` on the catalogue: a row per proxy and source, for all processes.

No password and no user name enters it: a proxy is its id and its host:port.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.policies import clock_s
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source

_ROW = tables.proxy_health


class CatalogProxies:
    """The health of all proxies; rows appear when something is noted.

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
        self,
        fresh: ProxyHealth,
        decide: Callable[[ProxyHealth, float], ProxyHealth],
    ) -> ProxyHealth:
        """Replace a row by what *decide* makes of it, in one transaction; return it.

        See `fetch.base.ProxyStore`.
        """
        with writing(self._engine) as connection:
            before = _locked(connection, fresh)
            after = decide(before, clock_s(connection, now=self._now))
            if after != before:
                connection.execute(
                    sa.update(_ROW).where(_is(fresh)).values(_values(after))
                )
        return after

    def healths(self, source: Source | None = None) -> tuple[float, list[ProxyHealth]]:
        """Return the catalogue's clock and the rows of *source*, or all, in order."""
        query = sa.select(_ROW).order_by(_ROW.c.proxy_id, _ROW.c.source)
        if source is not None:
            query = query.where(_ROW.c.source == source.value)
        with reading(self._engine) as connection:
            found = [_health_of(row) for row in connection.execute(query)]
            return clock_s(connection, now=self._now), found

    def reset(self, proxy_id: str) -> None:
        """Forget all that is known of a proxy, for every source."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(_ROW).where(_ROW.c.proxy_id == proxy_id))


def _is(health: ProxyHealth) -> sa.ColumnElement[bool]:
    return sa.and_(
        _ROW.c.proxy_id == health.proxy_id, _ROW.c.source == health.source.value
    )


def _locked(connection: sa.Connection, fresh: ProxyHealth) -> ProxyHealth:
    query = sa.select(_ROW).where(_is(fresh)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        _insert(connection, fresh)
        row = connection.execute(query).one()
    return _health_of(row)


def _insert(connection: sa.Connection, fresh: ProxyHealth) -> None:
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(_ROW).values(_values(fresh)))
    except sa.exc.IntegrityError:
        pass  # another process was first: its row is the one to lock


def _values(health: ProxyHealth) -> dict[str, Any]:
    return asdict(health) | {"source": health.source.value}


def _health_of(row: sa.Row[Any]) -> ProxyHealth:
    values = row._asdict()
    return ProxyHealth(**(values | {"source": Source(values["source"])}))
