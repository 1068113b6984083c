"""Rows of bytes of which nothing but the hashes is known, for lookups among many."""

from collections.abc import Iterable

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import writing
from phx_pipeline.catalog.rows import signed

_UNKNOWN = {
    "size_bytes": 0,
    "media_type": "",
    "width": 0,
    "height": 0,
    "trimmed_phash": 0,
    "trimmed_dhash": 0,
}


def add_hashes(engine: sa.Engine, blobs: Iterable[tuple[str, int, int]]) -> None:
    """Write the SHA-256, pHash and dHash of each."""
    rows = [
        {"sha256": sha256, "phash": signed(phash), "dhash": signed(dhash), **_UNKNOWN}
        for sha256, phash, dhash in blobs
    ]
    with writing(engine) as connection:
        connection.execute(sa.insert(tables.blob), rows)
