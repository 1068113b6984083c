"""How much the whole catalogue holds.

Photos are not counted here: `catalog.door` has counted them as they changed. A
catalogue of 400,000 photos answers within a second.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.quarantine import Likeness
from phx_pipeline.model.run import RunOutcome
from phx_pipeline.model.source import Source, in_order
from phx_pipeline.model.totals import OpenJobs, PhotoTotals, Statistics

_COUNT = tables.photo_count.c
_HASHES = sa.select(
    sa.func.count().label("stored"),
    sa.func.count(tables.blob.c.phash.distinct()).label("different"),
)
_IS_VERDICT = _COUNT.kind.in_([verdict.value for verdict in Verdict])


class CatalogStatistics:
    """Reads totals over all properties."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def read(self) -> Statistics:
        """Count everything, as of one moment."""
        with reading(self._engine) as connection:
            photos = _photo_counts(connection)
            owners = _owner_counts(connection)
            others = connection.execute(_others_query()).all()
            hashes = connection.execute(_HASHES).one()
        found = {(row.name, row.kind): row.found for row in others}
        return Statistics(
            properties=found.get(("property", "followed"), 0),
            removed=found.get(("property", "removed"), 0),
            photos=_totals(photos, properties=owners[None]),
            by_source={
                source: _totals(_of(source, photos), properties=owners[source])
                for source in in_order(filter(None, owners))
                if owners[source]
            },
            hashes=hashes.stored,
            distinct_phashes=hashes.different,
            alike={kind: found.get(("alike", kind.value), 0) for kind in Likeness},
        )

    def stored_bytes(self) -> int:
        """Return what originals and files made of them take up, by their rows."""
        sizes = (tables.blob.c.size_bytes, tables.picture.c.size_bytes)
        sums = [sa.select(sa.func.sum(size)).scalar_subquery() for size in sizes]
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(*sums)).one()
        return sum(int(found or 0) for found in row)

    def open_jobs(self, *, besides: str | None = None) -> OpenJobs:
        """Count what is left to do of jobs, but for the one that is named.

        An item whose run tells its end is done, though it may not be booked yet.
        """
        item, run = tables.job_item.c, tables.run.c
        ends = [RunOutcome.COMPLETE, RunOutcome.PARTIAL]
        ends += [RunOutcome.NOTHING, RunOutcome.CANCELLED]
        of_item = sa.and_(run.job_id == item.run_job, run.slug == item.slug)
        has_ended = sa.exists().where(
            of_item,
            run.started_at >= item.requested_at,
            run.outcome.in_([outcome.value for outcome in ends]),
        )
        counts = (
            sa.func.count(item.job_id.distinct()).label("jobs"),
            sa.func.count().label("items"),
            sa.func.count(item.dispatched_at).label("under_way"),
        )
        with reading(self._engine) as connection:
            query = sa.select(*counts).where(item.state.is_(None), ~has_ended)
            if besides is not None:
                query = query.where(item.job_id != besides)
            row = connection.execute(query).one()
        return OpenJobs(
            jobs=row.jobs, waiting=row.items - row.under_way, under_way=row.under_way
        )


def _photo_counts(connection: sa.Connection) -> Counter[tuple[Source, Verdict]]:
    """Return how many photos of each source ended in each way."""
    total = sa.func.sum(_COUNT.photos).label("n")
    query = sa.select(_COUNT.source, _COUNT.kind, total).where(_IS_VERDICT)
    rows = connection.execute(query.group_by(_COUNT.source, _COUNT.kind))
    return Counter({(Source(row.source), Verdict(row.kind)): row.n for row in rows})


def _owner_counts(connection: sa.Connection) -> Counter[Source | None]:
    """Return how many properties have photos of each source; None is of any."""
    held = sa.select(_COUNT.slug, _COUNT.source).where(_IS_VERDICT, _COUNT.photos > 0)
    pairs = held.distinct().cte("held")
    each = sa.select(pairs.c.source, sa.func.count().label("n"))
    any_one = sa.select(sa.null(), sa.func.count(pairs.c.slug.distinct()))
    rows: Iterable[AnyRow] = connection.execute(
        sa.union_all(each.group_by(pairs.c.source), any_one)
    )
    return Counter({row.source and Source(row.source): row.n for row in rows})


def _others_query() -> sa.CompoundSelect[tuple[str, str, int]]:
    """Counts of small tables, as rows of table, kind and number."""
    house, alike = tables.house.c, tables.lookalike.c
    state = sa.case((house.removed_at.is_(None), "followed"), else_="removed")
    return sa.union_all(
        *(
            sa.select(
                sa.literal(name).label("name"),
                kind.label("kind"),
                sa.func.count().label("found"),
            ).group_by(kind)
            for name, kind in (("property", state), ("alike", alike.likeness))
        )
    )


def _of(
    source: Source, photos: Mapping[tuple[Source, Verdict], int]
) -> dict[tuple[Source, Verdict], int]:
    return {key: count for key, count in photos.items() if key[0] is source}


def _totals(
    photos: Mapping[tuple[Source, Verdict], int], *, properties: int
) -> PhotoTotals:
    counts = dict.fromkeys(VerdictKind, 0)
    for (_, verdict), count in photos.items():
        counts[verdict.kind] += count
    return PhotoTotals(properties=properties, counts=counts)
