"""Pictures by their pHash, over all properties.

Only those are read that agree with a wanted pair in a band of bits of each hash: exact
up to `BAND_DISTANCE`, and hardly slower in a catalogue that grows. Nothing here
decides: what two properties share is for people to look at.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.rows import AnyRow, signed, unsigned
from phx_pipeline.model.batches import batches
from phx_pipeline.model.outcome import Verdict

# Hashes that differ in fewer bits than there are bands agree in one of them.
BAND_DISTANCE: Final = tables.BANDS - 1

_MANY = 500  # pairs in one statement: six values each, and SQLite allows 32,766

_DECIDABLE = tuple(
    verdict.value
    for verdict in (
        Verdict.PENDING,
        Verdict.KEPT,
        Verdict.DUPLICATE,
        Verdict.PLACEHOLDER,
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashedBlob:
    """Bytes known by their full-frame hashes."""

    sha256: str
    phash: int
    dhash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A photo that has some bytes, as far as dedupe may decide about it."""

    sha256: str
    slug: str
    verdict: Verdict


class HashLookup:
    """Reads the hashes of all blobs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def sharing_bands(self, hashes: Collection[tuple[int, int]]) -> list[HashedBlob]:
        """All blobs that agree in a band with a pHash and with a dHash, by sha256.

        *hashes* are pairs of both. Among the found is every blob at most
        `BAND_DISTANCE` bits from both hashes of one pair.
        """
        blob = tables.blob.c
        query: sa.Select[Any] = sa.select(blob.sha256, blob.phash, blob.dhash)
        wanted = sorted(hashes)
        found = {}
        with reading(self._engine) as connection:
            for some in batches(wanted, _MANY):
                for agree in _agreeing(some):
                    for row in connection.execute(query.where(agree)):
                        found[row.sha256] = row
        return _hashed(found.values())

    def holders(self, sha256s: Collection[str]) -> list[Holder]:
        """All photos that have some of these bytes, but those that are held.

        Those of removed properties are among them: what a picture is does not change
        when somebody loses interest in a house.
        """
        photo = tables.photo.c
        query: sa.Select[Any] = sa.select(photo.sha256, photo.slug, photo.verdict)
        query = query.where(photo.verdict.in_(_DECIDABLE)).distinct()
        wanted = sorted(sha256s)
        found: list[AnyRow] = []
        with reading(self._engine) as connection:
            for some in batches(wanted, _MANY):
                these = photo.sha256.in_(some)
                found += connection.execute(query.where(these))
        return [
            Holder(sha256=row.sha256, slug=row.slug, verdict=Verdict(row.verdict))
            for row in found
        ]


def _agreeing(
    hashes: Sequence[tuple[int, int]],
) -> Iterator[sa.ColumnElement[bool]]:
    """For each band of the pHash the condition that it is shared, and one of dHash."""
    phashes, dhashes = zip(*hashes, strict=True)
    alike = sa.or_(*(_in_band(n, "dhash", dhashes) for n in range(tables.BANDS)))
    for band in range(tables.BANDS):
        yield sa.and_(_in_band(band, "phash", phashes), alike)


def _in_band(band: int, column: str, hashes: Iterable[int]) -> sa.ColumnElement[bool]:
    mask, shift = tables.band_place(band)
    wanted = sorted({(signed(int(it)) >> shift) & mask for it in hashes})
    return sa.literal_column(tables.hash_band(band, column)).in_(wanted)


def _hashed(rows: Iterable[AnyRow]) -> list[HashedBlob]:
    found = [
        HashedBlob(
            sha256=row.sha256, phash=unsigned(row.phash), dhash=unsigned(row.dhash)
        )
        for row in rows
    ]
    return sorted(found, key=lambda it: it.sha256)
