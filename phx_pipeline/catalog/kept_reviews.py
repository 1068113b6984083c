"""What people said that a picture shows, kept when the photo they said it of goes.

A ruling names one photo. When the licence of that one is withdrawn while copies of it
stay, one of those gets a ruling of its own, which says the same. Why somebody said so
may quote what is withdrawn, and is not written anew.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from uuid import uuid4

import sqlalchemy as sa

from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.rulings import newest_of, record_ruling
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.ruling import About, Ruling, category_in


def keep_reviews(
    connection: sa.Connection,
    slug: str,
    *,
    known: Mapping[PhotoKey, AnyRow],
    gone: Collection[PhotoKey],
) -> None:
    """Give what counts of a picture to a copy that stays, where its photo is of *gone*.

    Args:
        connection: of the transaction in which the photos go.
        slug: their house.
        known: the photos of the house as they are before.
        gone: those whose licence is withdrawn.
    """
    touched = {known[key].cluster_id for key in gone} - {None}
    said = _reviews(connection, slug) if touched else {}
    for cluster in sorted(touched):
        members = {key: row for key, row in known.items() if row.cluster_id == cluster}
        stay = {
            key: row
            for key, row in members.items()
            if key not in gone and row.verdict != Verdict.WITHDRAWN.value
        }
        counts = _last(said[key] for key in members if key in said)
        left = _last(said[key] for key in stay if key in said)
        if stay and counts and (left is None or left.value != counts.value):
            # Where another photo was ruled to show something else, that one keeps it.
            heir = min(stay, key=lambda it: (it in said, not _is_kept(known[it]), it))
            _give(connection, counts, to=heir)


def _reviews(connection: sa.Connection, slug: str) -> dict[PhotoKey, Ruling]:
    """Return what people said of each photo and did not take back."""
    newest = newest_of(connection, About.CATEGORY, [slug])
    return {
        (source, key): ruling
        for (_, source, key), ruling in newest.items()
        if source is not None and category_in(ruling.value) is not None
    }


def _last(rulings: Iterable[Ruling]) -> Ruling | None:
    return max(rulings, key=lambda it: it.order, default=None)


def _is_kept(row: AnyRow) -> bool:
    return bool(row.verdict == Verdict.KEPT.value)


def _give(connection: sa.Connection, said: Ruling, *, to: PhotoKey) -> None:
    source, key = to
    own = replace(said, id=str(uuid4()), source=source, key=key, why="")
    record_ruling(connection, own)
