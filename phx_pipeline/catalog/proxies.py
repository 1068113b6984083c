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
from phx_pipeline.catalog.locking import change_row, clock_s, locked_row
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
            values = _values(fresh)
            before = _health_of(locked_row(connection, _ROW, values))
            after = decide(before, clock_s(connection, now=self._now))
            if after != before:
                change_row(connection, _ROW, _values(after))
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


def _values(health: ProxyHealth) -> dict[str, Any]:
    return asdict(health) | {"source": health.source.value}


def _health_of(row: sa.Row[Any]) -> ProxyHealth:
    values = row._asdict()
    return ProxyHealth(**(values | {"source": Source(values["source"])}))
