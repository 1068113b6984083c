"""The runs of the catalogue: one row for each property a run worked on.

The row of a run under way holds the photos as they were at its start, so that the end
can tell what changed, whatever was killed in between.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.facts import SAID
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.views import want, want_history
from phx_pipeline.model.batches import batches
from phx_pipeline.model.facts import FACT_NAMES, ListingFacts, SeenFacts
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.run import (
    Answer,
    Change,
    PhotoState,
    Run,
    RunOutcome,
    RunRecord,
    RunResult,
    SourceResult,
    runs_of,
)
from phx_pipeline.model.source import Source

if TYPE_CHECKING:
    from phx_pipeline.model.stamp import Stamp

_RUN = tables.run
_BEFORE: Final = "before"  # the photos at the start, in `result`

# A run may be a command over all properties, a job may have all: no view of 1,000 of
# them is to take more memory than this many rows.
_MOST_ROWS: Final = 20_000

_MOST_KEYS: Final = 5_000  # in one query
_RUNS_AT_ONCE: Final = 50  # of those that are read in turn


class RunBook:
    """Reads and writes of `run`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def record_started(
        self,
        lease: Lease,
        slug: str,
        *,
        mode: Mode,
        job_id: str | None,
        photos: Iterable[PhotoState],
        interrupted: Mapping[str, RunResult],
        stamp: "Stamp",
    ) -> None:
        """Record that a run begins with *slug*, whose photos are *photos*.

        A run that is taken up again, after a failure, keeps its own start. The runs of
        *interrupted* have no end; what they had done until now is written to them.
        """
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            for run_id, result in interrupted.items():
                _update(connection, run_id, slug, {"result": _result_values(result)})
            values: dict[str, Any] = {"outcome": RunOutcome.RUNNING.value, "error": ""}
            row = connection.execute(_this(stamp.run_id, slug)).one_or_none()
            if row is None or _BEFORE not in row.result:
                values |= {
                    "mode": mode.value,
                    "job_id": job_id,
                    "started_at": stamp.at,
                    "result": {_BEFORE: [_photo_values(photo) for photo in photos]},
                }
            values["ended_at"] = None
            if row is None:
                key = {"run_id": stamp.run_id, "slug": slug}
                connection.execute(sa.insert(_RUN).values(key | values))
            else:
                _update(connection, stamp.run_id, slug, values)
            want_history(connection)

    def record_ended(
        self,
        lease: Lease,
        slug: str,
        *,
        outcome: RunOutcome,
        result: RunResult | None,
        error: str = "",
        stamp: "Stamp",
    ) -> None:
        """Record how the run of *stamp* ended; without *result* its own one stays.

        A run that failed may be taken up again, and keeps how it began.
        """
        may_go_on = outcome in {RunOutcome.FAILED, RunOutcome.CANCELLED}
        with writing(self._engine) as connection:
            Leases.fence(connection, lease)
            values: dict[str, Any] = {
                "outcome": outcome.value,
                "error": error,
                "ended_at": stamp.at,
            }
            row = connection.execute(_this(stamp.run_id, slug)).one()
            if result is not None:
                values["result"] = _result_values(result)
                if may_go_on and _BEFORE in row.result:
                    values["result"][_BEFORE] = row.result[_BEFORE]
            _update(connection, stamp.run_id, slug, values)
            want(connection)

    def photo_states(self, slug: str) -> list[PhotoState]:
        """The photos of a property as a run compares them, in gallery order."""
        photo = tables.photo.c
        query: sa.Select[Any] = sa.select(
            *(photo.source, photo.photo_key, photo.verdict, photo.present),
            *(photo.sha256, photo.detail, photo.cluster_id, photo.run_id),
            sa.func.coalesce(photo.fetched_url, photo.url).label("url"),
            photo.position,
        ).where(photo.slug == slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        ordered = sorted(
            rows, key=lambda row: (row.source, row.position, row.photo_key)
        )
        return [_state_of(row) for row in ordered]

    def answers(self, slug: str) -> list[Answer]:
        """What each source last said of a property."""
        query = sa.select(tables.listing).where(tables.listing.c.slug == slug)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Answer(
                source=Source(row.source),
                outcome=ListingOutcome(row.outcome),
                detail=row.detail,
                checked_at=row.checked_at,
                run_id=row.run_id,
            )
            for row in sorted(rows, key=lambda row: row.source)
        ]

    def started_with(self, run_id: str, slug: str) -> list[PhotoState] | None:
        """The photos when a run began; None if that is not known any more."""
        with reading(self._engine) as connection:
            row = connection.execute(_this(run_id, slug)).one_or_none()
        return _before_of(row)

    def without_end(self, slug: str) -> dict[str, list[PhotoState]]:
        """How the runs of a property began that have no end, by their id.

        Left out are those of which is recorded what they had done.
        """
        query = sa.select(_RUN).where(_RUN.c.slug == slug, _RUN.c.ended_at.is_(None))
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        began = {row.run_id: _before_of(row) for row in rows}
        return {
            run_id: states for run_id, states in began.items() if states is not None
        }

    def record(self, run_id: str, slug: str) -> RunRecord | None:
        """What is recorded of one run and property."""
        query = records_query().where(_RUN.c.run_id == run_id, _RUN.c.slug == slug)
        return next(iter(self._records(query)), None)

    def of_run(self, run_id: str) -> list[RunRecord]:
        """The properties of one run, in the order they were begun."""
        return self._records(records_query().where(_RUN.c.run_id == run_id))

    def newest(self, *, limit: int) -> list[Run]:
        """The newest *limit* runs with all their properties, the newest first.

        Fewer, if their properties are very many.
        """
        ids = self._newest_ids(limit)
        return runs_of(self._records(records_query().where(_RUN.c.run_id.in_(ids))))[
            ::-1
        ]

    def in_turn(self, *, limit: int) -> Iterator[list[Run]]:
        """The same as `newest`, but the oldest first; few are held at a time."""
        ids = self._by_start(self._newest_ids(limit))
        for some in batches(ids, _RUNS_AT_ONCE):
            query = records_query().where(_RUN.c.run_id.in_(some))
            yield runs_of(self._records(query))

    def _by_start(self, ids: Collection[str]) -> list[str]:
        """As `runs_of` sorts them."""
        start = sa.func.min(_RUN.c.started_at)
        query = sa.select(_RUN.c.run_id).group_by(_RUN.c.run_id)
        with reading(self._engine) as connection:
            rows = connection.execute(
                query.add_columns(start.label("at")).where(_RUN.c.run_id.in_(ids))
            )
            ordered = sorted((row.at, row.run_id) for row in rows)
        return [run_id for _, run_id in ordered]

    def last_ends(self) -> list[RunRecord]:
        """The newest run of each followed property that came to an end by itself.

        What was found is left out: there may be very many.
        """
        ends = [RunOutcome.COMPLETE, RunOutcome.PARTIAL]
        ends += [RunOutcome.NOTHING, RunOutcome.FAILED]
        later = _RUN.alias("later")
        of_property = later.c.slug == tables.house.c.slug
        ended = later.c.outcome.in_([outcome.value for outcome in ends])
        newest = (
            sa.select(later.c.run_id)
            .where(of_property, ended)
            .order_by(sa.desc(later.c.started_at), sa.desc(later.c.run_id))
            .limit(1)
            .scalar_subquery()
        )
        followed = tables.house.c.removed_at.is_(None)
        ended_last = records_query(results=False).where(_RUN.c.run_id == newest)
        return self._records(ended_last.where(followed))

    def failed(self, *, since: datetime, until: datetime) -> list[RunRecord]:
        """The runs of followed houses that failed since, and before *until*."""
        ended = sa.and_(_RUN.c.ended_at >= since, _RUN.c.ended_at < until)
        is_failed = _RUN.c.outcome == RunOutcome.FAILED.value
        followed = tables.house.c.removed_at.is_(None)
        return self._records(records_query().where(is_failed, ended, followed))

    def last_checks(self) -> dict[str, Any]:
        """When a source was last asked for each followed property, by address."""
        house, listing = tables.house.c, tables.listing.c
        query = (
            sa.select(house.address, sa.func.max(listing.checked_at).label("at"))
            .join(tables.listing, listing.slug == house.slug)
            .where(house.removed_at.is_(None))
            .group_by(house.address)
        )
        with reading(self._engine) as connection:
            return {row.address: row.at for row in connection.execute(query)}

    def facts(
        self, slugs: Collection[str], *, first: date, last: date
    ) -> dict[tuple[str, date], list[SeenFacts]]:
        """What was said of properties from one day to another, by key and day."""
        fact = SAID.c
        days = fact.seen_on.between(first, last)
        keys = sorted(set(slugs))
        found: dict[tuple[str, date], list[SeenFacts]] = {}
        with reading(self._engine) as connection:
            for some in batches(keys, _MOST_KEYS):
                query = sa.select(SAID).where(fact.slug.in_(some), days)
                for row in connection.execute(query):
                    found.setdefault((row.slug, row.seen_on), []).append(_facts_of(row))
        return found

    def _newest_ids(self, limit: int) -> list[str]:
        query = sa.select(_RUN.c.run_id).order_by(sa.desc(_RUN.c.started_at))
        ids: dict[str, None] = {}
        with reading(self._engine) as connection:
            rows = connection.execution_options(yield_per=1_000).execute(query)
            for number, (run_id,) in enumerate(rows):
                if run_id not in ids and (len(ids) == limit or number >= _MOST_ROWS):
                    break
                ids[run_id] = None
            rows.close()
        return list(ids)

    def _records(self, query: sa.Select[Any]) -> list[RunRecord]:
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return sorted(map(record_of, rows), key=lambda record: record.order)


def _this(run_id: str, slug: str) -> sa.Select[Any]:
    return sa.select(_RUN).where(_RUN.c.run_id == run_id, _RUN.c.slug == slug)


def _update(
    connection: sa.Connection, run_id: str, slug: str, values: Mapping[str, Any]
) -> None:
    this = sa.and_(_RUN.c.run_id == run_id, _RUN.c.slug == slug)
    connection.execute(sa.update(_RUN).where(this).values(values))


def records_query(*, results: bool = True) -> sa.Select[Any]:
    """Runs as `record_of` reads them; without *results* as if nothing was found."""
    newer = _RUN.alias("newer")
    came_after = sa.exists().where(
        newer.c.slug == _RUN.c.slug, newer.c.started_at > _RUN.c.started_at
    )
    nothing = sa.null().label("result")
    return sa.select(
        *(c for c in _RUN.c if c is not _RUN.c.result),
        _RUN.c.result if results else nothing,
        tables.house.c.address,
        tables.house.c.folder,
        sa.and_(_RUN.c.ended_at.is_(None), came_after).label("is_interrupted"),
    ).join(tables.house, tables.house.c.slug == _RUN.c.slug)


def record_of(row: AnyRow) -> RunRecord:
    """Make the record of a row of `records_query`."""
    outcome = RunOutcome.INTERRUPTED if row.is_interrupted else RunOutcome(row.outcome)
    return RunRecord(
        run_id=row.run_id,
        slug=row.slug,
        address=row.address,
        folder=row.folder,
        job_id=row.job_id,
        mode=Mode(row.mode),
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=outcome,
        error=row.error,
        result=_result_of(row.result or {}),
    )


def _facts_of(row: AnyRow) -> SeenFacts:
    facts = ListingFacts(**{name: getattr(row, name) for name in FACT_NAMES})
    return SeenFacts(source=Source(row.source), seen_on=row.seen_on, facts=facts)


# --- values of `result` ---------------------------------------------------------------


def _photo_values(photo: PhotoState) -> list[Any]:
    state = [photo.verdict.value, photo.present, photo.sha256]
    return [photo.source.value, photo.photo_key, *state]


def _before_of(row: AnyRow | None) -> list[PhotoState] | None:
    if row is None or _BEFORE not in row.result:
        return None
    return [
        PhotoState(
            source=Source(source),
            photo_key=photo_key,
            verdict=Verdict(verdict),
            present=present,
            sha256=sha256,
        )
        for source, photo_key, verdict, present, sha256 in row.result[_BEFORE]
    ]


def _state_of(row: AnyRow) -> PhotoState:
    return PhotoState(
        source=Source(row.source),
        photo_key=row.photo_key,
        verdict=Verdict(row.verdict),
        present=row.present,
        sha256=row.sha256,
        url=row.url,
        image_id=row.cluster_id,
        detail=row.detail,
        run_id=row.run_id,
    )


def _result_values(result: RunResult) -> dict[str, Any]:
    return {
        "sources": {
            source.source.value: {
                "outcome": source.outcome.value if source.outcome else None,
                "detail": source.detail,
                "seconds": source.seconds,
                "counts": {change.value: n for change, n in source.counts.items()},
                "removed": source.removed,
            }
            for source in result.sources
        },
        "new_image_ids": list(result.new_image_ids),
        "removed_urls": list(result.removed_urls),
        "error_messages": list(result.error_messages),
    }


def _result_of(values: Mapping[str, Any]) -> RunResult:
    return RunResult(
        sources=tuple(
            SourceResult(
                source=Source(name),
                outcome=ListingOutcome(it["outcome"]) if it["outcome"] else None,
                detail=it["detail"],
                seconds=it["seconds"],
                counts={Change(change): n for change, n in it["counts"].items()},
                removed=it["removed"],
            )
            for name, it in values.get("sources", {}).items()
        ),
        new_image_ids=tuple(values.get("new_image_ids", ())),
        removed_urls=tuple(values.get("removed_urls", ())),
        error_messages=tuple(values.get("error_messages", ())),
    )
