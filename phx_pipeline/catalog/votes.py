"""What backends said of pictures: one row for each evidence, replaced by a newer one.

What the votes amount to is a category, which `store` and `queries` keep.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.locking import insert_or_replace
from phx_pipeline.catalog.rows import AnyRow, category_of
from phx_pipeline.model.batches import batches
from phx_pipeline.model.counted import counted
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.model.vote import Abstention, Named, Vote

_LOG = logging.getLogger(__name__)

EvidenceKey = tuple[str, str]  # SHA-256 of the picture, digest of what else was read

_TABLE = tables.vote
_MANY = 400  # values in one statement; SQLite allows 32,766
_T = TypeVar("_T")


class VoteBook:
    """Reads and writes of `vote`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def given(
        self, shas: Collection[str], backend: str, version: str
    ) -> dict[EvidenceKey, Vote | Abstention]:
        """Return what a backend in this version said of these pictures.

        A row that cannot be read is as one that is not there.
        """
        return self._given(
            shas, _TABLE.c.backend == backend, _TABLE.c.version == version
        )

    def last_given(
        self, shas: Collection[str], backend: str
    ) -> dict[EvidenceKey, Vote | Abstention]:
        """Return what a backend said last of these pictures, in whatever version."""
        return self._given(shas, _TABLE.c.backend == backend)

    def _given(
        self, shas: Collection[str], *where: sa.ColumnElement[bool]
    ) -> dict[EvidenceKey, Vote | Abstention]:
        query = sa.select(_TABLE).where(*where)
        found: dict[EvidenceKey, Vote | Abstention] = {}
        with reading(self._engine) as connection:
            for some in batches(sorted(set(shas)), _MANY):
                rows = connection.execute(query.where(_TABLE.c.sha256.in_(some)))
                found |= dict(_readable(rows, _keyed_answer))
        return found

    def named(self, slug: str) -> dict[PhotoKey, Named]:
        """Return the categories of a property's kept photos, with their votes.

        A row whose votes cannot be read is as one that is not there.
        """
        table = tables.category
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(table).where(table.c.slug == slug))
            return dict(_readable(rows, _keyed_name))

    def record(
        self, lease: Lease, answers: Mapping[EvidenceKey, Vote | Abstention]
    ) -> None:
        """Store answers, in place of those of other versions to the same evidence."""
        rows = [_values(key, answers[key]) for key in sorted(answers)]
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            for some in batches(rows, _MANY):
                insert_or_replace(connection, _TABLE, some)


def _readable(rows: sa.CursorResult[Any], read: Callable[[AnyRow], _T]) -> Iterator[_T]:
    """Yield what *read* makes of the rows, but of damaged ones.

    SQLite keeps JSON as text: that it is none is told as its row is fetched.
    """
    damaged = 0
    while True:
        try:
            if (row := rows.fetchone()) is None:
                break
            value = read(row)
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged += 1
        else:
            yield value
    if damaged:
        told = counted(damaged, "damaged row")
        _LOG.warning("%s of votes passed over: backends are asked anew", told)


def vote_values(vote: Vote) -> dict[str, Any]:
    """Return a vote as JSON holds it."""
    return {
        "backend": vote.backend,
        "version": vote.version,
        "probabilities": {it.value: float(p) for it, p in vote.probabilities.items()},
        "places": {it.value: place.value for it, place in vote.places.items()},
        "outside": None if vote.outside is None else float(vote.outside),
    }


def vote_of(values: Mapping[str, Any]) -> Vote:
    """Read what `vote_values` made."""
    return Vote(
        backend=values["backend"],
        version=values["version"],
        probabilities={Subject(it): p for it, p in values["probabilities"].items()},
        places={Subject(it): Location(at) for it, at in values["places"].items()},
        outside=values["outside"],
    )


def named_of(row: AnyRow) -> Named:
    """Read a row of `category`."""
    return Named(
        category=category_of(row),
        probability=row.probability,
        votes=tuple(map(vote_of, row.votes)),
    )


def _keyed_name(row: AnyRow) -> tuple[PhotoKey, Named]:
    return (Source(row.source), row.photo_key), named_of(row)


def _keyed_answer(row: AnyRow) -> tuple[EvidenceKey, Vote | Abstention]:
    return (row.sha256, row.evidence), _answer_of(row)


def _values(key: EvidenceKey, answer: Vote | Abstention) -> dict[str, Any]:
    own = {"sha256": key[0], "evidence": key[1], "abstention": None}
    if isinstance(answer, Vote):
        return own | vote_values(answer)
    nothing: dict[str, Any] = {"probabilities": {}, "places": {}, "outside": None}
    told = {"backend": answer.backend, "version": answer.version}
    return own | nothing | told | {"abstention": answer.reason}


def _answer_of(row: AnyRow) -> Vote | Abstention:
    if row.abstention is None:
        return vote_of(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name
    return Abstention(backend=row.backend, version=row.version, reason=row.abstention)
