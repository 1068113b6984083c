"""The one door to photo rows: what changes there is noted and counted with it.

Nothing else writes rows of `photo`. In the transaction of a change, each verdict, each
presence and each outcome of a source that changes gets a row of `change`, and the rows
of `photo_count` are kept right. What else an answer changes is found in `catalog.news`,
and noted here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.locking import change_row
from phx_pipeline.catalog.rows import AnyRow, photo_of
from phx_pipeline.errors import CatalogError
from phx_pipeline.model.change import What, bounded
from phx_pipeline.model.due import is_due_anyway, open_fault_days
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp

WANTED: Final = "wanted"
_FAULT: Final = "fault:"

_PHOTO = tables.photo
_COUNT = tables.photo_count
_BLANK: dict[str, Any] = dict.fromkeys(_PHOTO.c.keys()) | {"fault_days": 0}
_ONE = sa.select(_PHOTO).where(
    *(_PHOTO.c[name] == sa.bindparam(name) for name in ("slug", "source", "photo_key"))
)
_COUNT_MORE = (
    sa.update(_COUNT)
    .where(
        *(_COUNT.c[name] == sa.bindparam(f"of_{name}") for name in ("slug", "source")),
        _COUNT.c.kind == sa.bindparam("of_kind"),
    )
    .values(photos=_COUNT.c.photos + sa.bindparam("more"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miscount:
    """A counter of a property that is not what its photo rows give."""

    source: Source
    kind: str
    counted: int
    there: int


@dataclass(slots=True, kw_only=True)
class Passage:
    """The changes of one property within one transaction; a photo changes once."""

    connection: sa.Connection
    slug: str
    stamp: Stamp
    _changes: list[dict[str, object]] = field(default_factory=list)
    _more: Counter[tuple[str, str]] = field(default_factory=Counter)

    def row(self, source: Source, photo_key: str) -> AnyRow:
        """The photo as it is now.

        Raises:
            CatalogError: the property has no such photo, or must not have its bytes.
        """
        key = {"slug": self.slug, "source": source.value, "photo_key": photo_key}
        row: AnyRow | None = self.connection.execute(_ONE, key).one_or_none()
        if row is None:
            told = f"{self.slug} has no photo {photo_key} of {source.value}"
            raise CatalogError(f"{told}: nothing was written")
        if row.verdict == Verdict.WITHDRAWN.value:
            told = f"the licence of photo {photo_key} of {self.slug} was withdrawn"
            raise CatalogError(f"{told}: nothing was written")
        return row

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add photos never seen before."""
        if not rows:
            return
        self.connection.execute(sa.insert(_PHOTO), list(rows))
        for values in rows:
            row = SimpleNamespace(**(_BLANK | dict(values)))
            self._count(row, by=1)
            self._note(row, What.VERDICT, before="", after=row.verdict)

    def change(self, row: AnyRow, values: Mapping[str, Any]) -> None:
        """Give a photo new values; *row* is as it was before."""
        key = {name: getattr(row, name) for name in ("slug", "source", "photo_key")}
        change_row(self.connection, _PHOTO, {**key, **values})
        now = SimpleNamespace(**(row._asdict() | dict(values)))
        self._count(row, by=-1)
        self._count(now, by=1)
        if now.verdict != row.verdict:
            self._note(row, What.VERDICT, before=row.verdict, after=now.verdict)
        if now.present != row.present:
            told = ("false", "true")
            before, after = told[row.present], told[now.present]
            self._note(row, What.PRESENT, before=before, after=after)

    def note_outcome(self, source: Source, *, before: str, after: str) -> None:
        """Note that a source ended otherwise than the last time, if it did."""
        if before != after:
            row = SimpleNamespace(source=source.value, photo_key="")
            self._note(row, What.OUTCOME, before=before, after=after)

    def note(
        self, source: Source, what: What, *, before: str, after: str, key: str = ""
    ) -> None:
        """Note what changed beside the rows of photos; *key* is a photo's or a fact's.

        Long texts are cut to the part that differs.
        """
        before, after = bounded(before, after)
        row = SimpleNamespace(source=source.value, photo_key=key)
        self._note(row, what, before=before, after=after)

    def close(self) -> None:
        """Write what was noted and counted."""
        if self._changes:
            self.connection.execute(sa.insert(tables.change), self._changes)
        for (source, kind), more in self._more.items():
            if more:
                self._count_more(source, kind, more)

    def _count_more(self, source: str, kind: str, more: int) -> None:
        key = {"slug": self.slug, "source": source, "kind": kind}
        own = {f"of_{name}": value for name, value in key.items()} | {"more": more}
        if not self.connection.execute(_COUNT_MORE, own).rowcount:
            self.connection.execute(sa.insert(_COUNT).values(key | {"photos": more}))

    def _count(self, row: Any, *, by: int) -> None:
        for kind in kinds_of(photo_of(row)):
            self._more[row.source, kind] += by

    def _note(self, row: Any, what: What, *, before: str, after: str) -> None:
        self._changes.append(
            {
                "slug": self.slug,
                "source": row.source,
                "photo_key": row.photo_key,
                "what": what.value,
                "before": before,
                "after": after,
                "at": self.stamp.at,
                "run_id": self.stamp.run_id,
            }
        )


@contextmanager
def passing(connection: sa.Connection, slug: str, *, stamp: Stamp) -> Iterator[Passage]:
    """Lend the door to the photos of *slug* within a write transaction."""
    passage = Passage(connection=connection, slug=slug, stamp=stamp)
    yield passage
    passage.close()


def photo_rows(
    connection: sa.Connection, slug: str, *, source: Source | None = None
) -> dict[PhotoKey, AnyRow]:
    """The photo rows of a property, of one source or of all."""
    query = sa.select(_PHOTO).where(_PHOTO.c.slug == slug)
    if source is not None:
        query = query.where(_PHOTO.c.source == source.value)
    rows = connection.execute(query)
    return {(Source(row.source), row.photo_key): row for row in rows}


def kinds_of(photo: Photo) -> list[str]:
    """The counters a photo counts in: its verdict, and what it waits for."""
    kinds = [photo.verdict.value]
    if is_due_anyway(photo):
        kinds.append(WANTED)
    elif days := open_fault_days(photo):
        kinds.append(f"{_FAULT}{days}")
    return kinds


def fault_days_of(kind: str) -> int | None:
    """The days of a counter of photos that gave no picture; None for others."""
    days = kind.removeprefix(_FAULT)
    return int(days) if days != kind else None


class Door:
    """Counting anew: what the counters should be, and making them so."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def miscounts(self, slug: str) -> list[Miscount]:
        """The counters of a property that are wrong; none, if all is well."""
        with reading(self._engine) as connection:
            counted = _counters(connection, sa.select(_COUNT).where(_of(_COUNT, slug)))
            there = _counters(connection, _full_count(slug))
        return [
            Miscount(
                source=Source(source),
                kind=kind,
                counted=counted[source, kind],
                there=there[source, kind],
            )
            for source, kind in sorted({*counted, *there})
            if counted[source, kind] != there[source, kind]
        ]

    def recount(self, lease: Lease, slug: str) -> None:
        """Make the counters of a property what its photo rows give."""
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            recount(connection, slug)


def recount(connection: sa.Connection, slug: str) -> None:
    """Count the photos of a property anew, after its rows came from elsewhere."""
    connection.execute(sa.delete(_COUNT).where(_of(_COUNT, slug)))
    columns = ("slug", "source", "kind", "photos")
    connection.execute(sa.insert(_COUNT).from_select(columns, _full_count(slug)))


def _of(table: sa.Table, slug: str) -> sa.ColumnElement[bool]:
    this: sa.ColumnElement[bool] = table.c.slug == slug
    return this


def _counters(
    connection: sa.Connection, query: sa.Executable
) -> Counter[tuple[str, str]]:
    rows = connection.execute(query).all()
    return Counter({(row.source, row.kind): row.photos for row in rows if row.photos})


def _full_count(slug: str) -> sa.CompoundSelect[Any]:
    """Rows of `photo_count` as the rows of `photo` give them."""
    wanted: sa.ColumnElement[bool] = sa.literal_column(tables.PHOTO_WANTED)
    faulted: sa.ColumnElement[bool] = sa.literal_column(tables.PHOTO_FAULTED)
    days = sa.literal(_FAULT) + sa.cast(_PHOTO.c.fault_days, sa.String)
    kinds = (
        (_PHOTO.c.verdict, sa.true()),
        (sa.literal(WANTED), wanted),
        (days, sa.and_(faulted, sa.not_(wanted))),
    )
    return sa.union_all(
        *(
            sa.select(
                *(_PHOTO.c.slug, _PHOTO.c.source, kind.label("kind")),
                sa.func.count().label("photos"),
            )
            .where(_of(_PHOTO, slug), which)
            .group_by(sa.text("1, 2, 3"))
            for kind, which in kinds
        )
    )
