"""Photos that somebody should look at: held, or alike across properties.

What a person decides about them is not told here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.quarantine import (
    Held,
    Likeness,
    Lookalike,
    PhotoAt,
    SeenLookalike,
)
from phx_pipeline.model.ruling import PhotoRuling

_ID_LENGTH: Final = 10


class CaseKind(StrEnum):
    """How a case affects its photo."""

    HELD = "held"
    ALIKE = "alike"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One photo somebody should look at.

    A held photo is not published; a photo that only looks alike is. `others` are the
    photos of other properties it agrees with.
    """

    id: str
    kind: CaseKind
    photo: PhotoAt
    why: str
    others: tuple[PhotoAt, ...]
    ruling: PhotoRuling
    first_seen_at: datetime


def case_id(photo: PhotoAt) -> str:
    """Return a photo's id in the quarantine: the same on every machine."""
    text = f"{photo.slug}\n{photo.source.value}\n{photo.photo_key}"
    return sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def cases(
    catalog: Catalog, slug: str | None = None, *, settled: bool = False
) -> list[Case]:
    """Return the cases of one property or of all, held photos first.

    Args:
        catalog: nothing of it is changed.
        slug: one property, or None for all.
        settled: also those a person has decided.
    """
    book = catalog.quarantine
    held, seen = book.held(), book.lookalikes(slug)
    rulings = {row.photo: row.ruling for row in held}
    found = [
        *(
            _held_case(row, seen)
            for row in held
            if settled or row.ruling is PhotoRuling.OPEN
        ),
        *_alike_cases(seen, rulings),
    ]
    of_slug = [case for case in found if slug in {None, case.photo.slug}]
    return sorted(of_slug, key=lambda case: (case.kind is CaseKind.ALIKE, case.photo))


def _held_case(row: Held, seen: Iterable[SeenLookalike]) -> Case:
    others = [
        other for it in seen for mine, other in _both_ways(it.pair) if mine == row.photo
    ]
    return Case(
        id=case_id(row.photo),
        kind=CaseKind.HELD,
        photo=row.photo,
        why=row.suspicion.detail or row.suspicion.reason.value,
        others=tuple(others),
        ruling=row.ruling,
        first_seen_at=row.first_seen_at,
    )


def _alike_cases(
    seen: Iterable[SeenLookalike], rulings: Mapping[PhotoAt, PhotoRuling]
) -> list[Case]:
    """Cases of photos that are published on both sides, with no ruling on their own.

    Photos with the same key are held: their cases are those of held photos.
    """
    found: dict[PhotoAt, Case] = {}
    for it in seen:
        if it.pair.likeness is Likeness.PHOTO_KEY or _is_settled(it.pair, rulings):
            continue
        for mine, other in _both_ways(it.pair):
            if mine in rulings:
                continue
            case = found.setdefault(mine, _alike_case(mine, it))
            found[mine] = replace(case, others=(*case.others, other))
    return list(found.values())


def _alike_case(mine: PhotoAt, seen: SeenLookalike) -> Case:
    pair = seen.pair
    told = pair.likeness.value.replace("_", " ")
    return Case(
        id=case_id(mine),
        kind=CaseKind.ALIKE,
        photo=mine,
        why=f"{told} (pHash {pair.phash_distance}, dHash {pair.dhash_distance})",
        others=(),
        ruling=PhotoRuling.OPEN,
        first_seen_at=seen.first_seen_at,
    )


def _is_settled(pair: Lookalike, rulings: Mapping[PhotoAt, PhotoRuling]) -> bool:
    given = [rulings.get(pair.one), rulings.get(pair.other)]
    return PhotoRuling.DROPPED in given or set(given) == {PhotoRuling.RELEASED}


def _both_ways(pair: Lookalike) -> tuple[tuple[PhotoAt, PhotoAt], ...]:
    return ((pair.one, pair.other), (pair.other, pair.one))
