"""What was judged of pairs of pictures: one row a pair, replaced by a newer one."""

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.locking import insert_or_replace
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.batches import batches
from phx_pipeline.model.judgement import Alike, Judgement, Method, Pair, Why

_TABLE = tables.pair_judgement
_MANY = 400  # rows in one statement; SQLite allows 32,766 values


class JudgementBook:
    """Reads and writes of `pair_judgement`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_house(self, slug: str) -> dict[Pair, Judgement]:
        """Return what is known of pairs of pictures that a property's photos have."""
        used = sa.select(tables.photo.c.sha256).where(tables.photo.c.slug == slug)
        query = sa.select(_TABLE).where(
            _TABLE.c.first.in_(used), _TABLE.c.second.in_(used)
        )
        with reading(self._engine) as connection:
            found = map(_judgement_of, connection.execute(query).all())
            return {it.pair: it for it in found}

    def record(self, lease: Lease, judgements: Sequence[Judgement]) -> None:
        """Store judgements, in place of older ones of the same pairs."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            for some in batches(sorted(judgements, key=lambda it: it.pair), _MANY):
                insert_or_replace(connection, _TABLE, [_values(it) for it in some])


def forget_judgements(connection: sa.Connection, sha256: str) -> None:
    """Delete what was judged of a picture that goes."""
    this = sa.or_(_TABLE.c.first == sha256, _TABLE.c.second == sha256)
    connection.execute(sa.delete(_TABLE).where(this))


def _values(judgement: Judgement) -> dict[str, object]:
    values = asdict(judgement)
    return values | {
        "method": judgement.method.value,
        "verdict": judgement.verdict.value,
        "why": None if judgement.why is None else judgement.why.value,
    }


def _judgement_of(row: AnyRow) -> Judgement:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    return Judgement(
        **values
        | {
            "method": Method(row.method),
            "verdict": Alike(row.verdict),
            "why": None if row.why is None else Why(row.why),
        }
    )
