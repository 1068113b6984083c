"""What networks made of pictures: a cache by the original's bytes, without a meaning.

No lease guards it: rows belong to bytes, and are the same whoever writes them.
"""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import insert_or_replace
from phx_pipeline.model.batches import batches

_TABLE = tables.feature
_MANY = 400  # values in one statement; SQLite allows 32,766


class FeatureBook:
    """Reads and writes of `feature`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def get(self, shas: Collection[str], network: str) -> dict[str, bytes]:
        """Return the vectors (float16) that are there, by the original's SHA-256."""
        query = sa.select(_TABLE).where(_TABLE.c.network == network)
        found: dict[str, bytes] = {}
        with reading(self._engine) as connection:
            for some in batches(sorted(set(shas)), _MANY):
                rows = connection.execute(query.where(_TABLE.c.sha256.in_(some)))
                found |= {it.sha256: bytes(it.vector) for it in rows}
        return found

    def put(self, network: str, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors (float16) of *network*; those of bytes nobody has go unkept.

        They take the place of rows that are there: who has read a good one puts none.
        """
        blob = tables.blob.c.sha256
        with writing(self._engine) as connection:
            for some in batches(sorted(vectors), _MANY):
                query = sa.select(blob).where(blob.in_(some))
                there = sorted(connection.execute(query).scalars())
                own = [
                    {"sha256": sha, "network": network, "vector": vectors[sha]}
                    for sha in there
                ]
                if own:
                    insert_or_replace(connection, _TABLE, own)
