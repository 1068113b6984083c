"""Photos whose licence was withdrawn: the row stays and says why, the bytes go.

First the row gets its verdict, by which the photo is shown and asked for no more; then
the files are removed, which is done elsewhere; last, the row and the facts of the bytes
are cleared. So whenever a process is killed, a withdrawn photo that still names bytes
tells which files have to go. What people said that its picture shows goes on: see
`catalog.kept_reviews`.
"""

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import Passage, passing, photo_rows
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.files import forget_blob
from phx_pipeline.catalog.kept_reviews import keep_reviews
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.stamp import Stamp

_PHOTO = tables.photo
_WITHDRAWN = Verdict.WITHDRAWN.value
_NO_BYTES: Mapping[str, object] = {
    "sha256": None,
    "fetched_url": None,
    "downloaded_at": None,
}


def withdrawn_values(why: str) -> dict[str, object]:
    """Columns of a photo whose licence was withdrawn; it still names its bytes."""
    return {
        "verdict": _WITHDRAWN,
        "detail": why,
        "present": False,
        "cluster_id": None,
        "fault_days": 0,
        "faulted_on": None,
    }


def withdraw(
    door: Passage, listing: Listing, *, known: Mapping[PhotoKey, AnyRow]
) -> set[PhotoKey]:
    """Give the photos that *listing* tells are withdrawn their verdict; return them.

    Those that it shows are not, nor can those be that were never recorded.
    """
    shown = {(photo.source, photo.photo_key) for photo in listing.photos}
    gone = _gone(listing, known=known, shown=shown)
    keep_reviews(door.connection, door.slug, known=known, gone=gone.keys())
    for key, why in gone.items():
        row = known[key]
        if (row.verdict, row.detail, row.present) != (_WITHDRAWN, why, False):
            touched = {"run_id": door.stamp.run_id}
            door.change(row, withdrawn_values(why) | touched)
    return {*gone}


def _gone(
    listing: Listing, *, known: Iterable[PhotoKey], shown: Collection[PhotoKey]
) -> dict[PhotoKey, str]:
    """Return why the known photos that are withdrawn are so."""
    for_all = listing.withdrawn.get(EVERY_PHOTO)
    told = {key: listing.withdrawn.get(key[1], for_all) for key in known}
    return {
        key: why for key, why in told.items() if why is not None and key not in shown
    }


class WithdrawnBook:
    """Which bytes have to be removed, and that they are."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def to_remove(self, slug: str) -> list[str]:
        """The SHA-256s that withdrawn photos of a property still name, in order."""
        query = sa.select(_PHOTO.c.sha256).where(
            _PHOTO.c.slug == slug,
            _PHOTO.c.verdict == _WITHDRAWN,
            _PHOTO.c.sha256.is_not(None),
        )
        with reading(self._engine) as connection:
            return sorted(set(connection.execute(query).scalars()))

    def is_needed(self, sha256: str) -> bool:
        """Whether a photo of any property has these bytes with a licence."""
        query = sa.select(_PHOTO.c.slug).where(
            _PHOTO.c.sha256 == sha256, _PHOTO.c.verdict != _WITHDRAWN
        )
        with reading(self._engine) as connection:
            return connection.execute(query.limit(1)).first() is not None

    def recipes(self, sha256: str) -> list[str]:
        """The recipes by which PNGs were made of these bytes."""
        picture = tables.picture.c
        query = sa.select(picture.recipe).where(picture.sha256 == sha256)
        with reading(self._engine) as connection:
            return sorted(connection.execute(query).scalars())

    def record_removed(
        self, lease: Lease, slug: str, sha256s: Collection[str], *, stamp: Stamp
    ) -> None:
        """Note that withdrawn photos have these bytes no more.

        What is known of bytes that nobody has goes as well: hashes and thumbnails.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            known = photo_rows(connection, slug)
            with passing(connection, slug, stamp=stamp) as door:
                for row in known.values():
                    if row.verdict == _WITHDRAWN and row.sha256 in sha256s:
                        door.change(row, _NO_BYTES)
            for sha256 in sorted(sha256s):
                forget_blob(connection, sha256)
