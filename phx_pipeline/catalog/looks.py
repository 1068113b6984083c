"""Rows of the daily look: tries of houses, the day as a whole, pages asked of sources.

What they decide is told in `model.look`. No lease is asked for: a try is counted by
whoever begins it, and pages by whoever asks for them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import change_row, insert_or_replace, locked_row
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.catalog.views import want
from phx_pipeline.errors import InputError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.look import Found, LookDay, Said, SeenHouse, Tries, summed
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally

_LOOK: Final = tables.look
_DAY: Final = tables.look_day
_PAGES: Final = tables.asked_pages
_HOUSE: Final = tables.house
_OUTCOME: Final = {outcome.value: outcome for outcome in ListingOutcome}

# Built once: each look at a house asks them.
_THIS: sa.BindParameter[str] = sa.bindparam("of_slug")
_LISTING, _PHOTO = tables.listing.c, tables.photo.c
_PLACES: Final = sa.select(
    *(_LISTING.outcome, _LISTING.source, _LISTING.listed_on, _LISTING.listing_id),
    *(_LISTING.mls_id, _LISTING.url),
).where(_LISTING.slug == _THIS)
_SHOWN: Final = sa.select(
    *(_PHOTO.source, _PHOTO.photo_key, _PHOTO.url, _PHOTO.position, _PHOTO.caption),
    *(_PHOTO.present, _PHOTO.listed_on),
).where(_PHOTO.slug == _THIS)


class LookBook:
    """The looks of the catalogue."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    # --- houses ---

    def seen(self, slugs: Collection[str] | None = None) -> list[SeenHouse]:
        """What decides when each house is due, by key; of all followed by default."""
        answer, house = tables.listing.c, _HOUSE.c
        told = (answer.slug, answer.source, answer.outcome, answer.checked_at)
        with reading(self._engine) as connection:
            followed = sa.select(house.slug).where(house.removed_at.is_(None))
            keys = connection.execute(_of(followed, house.slug, slugs)).scalars()
            there = sorted(keys)
            answers = connection.execute(_of(sa.select(*told), answer.slug, slugs))
            known = _by_house(answers)
            looks = connection.execute(_of(sa.select(_LOOK), _LOOK.c.slug, slugs))
            last = {row.slug: _tries(row) for row in looks}
        return [
            SeenHouse(slug=slug, answers=known.get(slug, {}), last=last.get(slug))
            for slug in there
        ]

    def begin(
        self,
        slug: str,
        *,
        day: date,
        at: datetime,
        last: Tries | None,
        pages: Mapping[Source, int],
        most: int,
    ) -> tuple[Source, ...]:
        """Count a look at a house, and set pages of its sources aside.

        Args:
            slug: the house.
            day: of the look.
            at: now.
            last: what was known of it.
            pages: the most that each source will be asked for.
            most: what a source may be asked for on that day.

        Returns:
            The sources of which so many may still be asked for.

        Raises:
            InputError: there is no such house any more.
        """
        again = last is not None and last.day == day
        tries = Tries(
            day=day,
            tries=(last.tries if last and again else 0) + 1,
            began_at=at,
            found=Found.UNDER_WAY,
            called_on=last.called_on if last else None,
            fresh=last.fresh if last else None,
        )
        with writing(self._engine) as connection:
            if not _is_there(connection, slug):
                raise InputError(f"{slug} was renamed or removed a moment ago")
            granted = tuple(
                source
                for source, count in pages.items()
                if _take(connection, source, day=day, count=count, most=most)
            )
            if granted or not pages:
                _put(connection, slug, tries)
        return granted

    def end(
        self,
        slug: str,
        tries: Tries | None,
        *,
        day: date,
        unused: Mapping[Source, int],
    ) -> None:
        """Write how a look at a house ended, and give back what was not asked for.

        Without *tries* it is as if nobody had ever looked at it.
        """
        with writing(self._engine) as connection:
            for source, count in unused.items():
                _give_back(connection, source, day=day, count=count)
            if tries is None:
                connection.execute(sa.delete(_LOOK).where(_LOOK.c.slug == slug))
            elif _is_there(connection, slug):
                _put(connection, slug, tries)

    def note_fresh(self, slugs: Iterable[str], *, fresh: bool) -> None:
        """Write what the check `fresh` was told of houses looked at before."""
        with writing(self._engine) as connection:
            change = sa.update(_LOOK).values(fresh=fresh)
            for slug in slugs:
                connection.execute(change.where(_LOOK.c.slug == slug))

    def said(self, slug: str) -> Said:
        """What the sources said of a house when they were last asked."""
        this = {"of_slug": slug}
        with reading(self._engine) as connection:
            answers = connection.execute(_PLACES, this).all()
            shown = connection.execute(_SHOWN, this).all()
        return Said(
            outcomes={Source(row.source): _OUTCOME[row.outcome] for row in answers},
            rows=frozenset([*(tuple(row[1:]) for row in answers), *map(tuple, shown)]),
        )

    def shown_epoch(self, slug: str) -> int | None:
        """The epoch of a house whose folder shows all its rows; None if it does not."""
        epoch = _epoch_of(slug)
        this = sa.select(_HOUSE.c.published_epoch).where(
            _HOUSE.c.slug == slug, _HOUSE.c.published_epoch == epoch
        )
        with reading(self._engine) as connection:
            found: int | None = connection.execute(this).scalar()
        return found

    def still_shown(self, slug: str, *, epoch: int) -> bool:
        """Note that the one who worked on a house after *epoch* changed nothing shown.

        Nothing is written, and false returned, if somebody else did, too.
        """
        this = sa.update(_HOUSE).where(
            _HOUSE.c.slug == slug,
            _HOUSE.c.published_epoch == epoch,
            _epoch_of(slug) == epoch + 1,
        )
        with writing(self._engine) as connection:
            changed = connection.execute(this.values(published_epoch=epoch + 1))
            return changed.rowcount > 0

    # --- days ---

    def day(self, day: date) -> LookDay | None:
        """The looks of a day; None if none began."""
        with reading(self._engine) as connection:
            query = sa.select(_DAY).where(_DAY.c.day == day)
            row = connection.execute(query).one_or_none()
        return _day(row) if row else None

    def last_day(self, *, with_houses: bool = False) -> LookDay | None:
        """The newest day on which a look began, or a house was looked at."""
        some = _DAY.c.looked > 0 if with_houses else sa.true()
        with reading(self._engine) as connection:
            query = sa.select(_DAY).where(some).order_by(_DAY.c.day.desc()).limit(1)
            row = connection.execute(query).one_or_none()
        return _day(row) if row else None

    def followed_since(self) -> datetime | None:
        """When the first of the houses that are followed was added."""
        query = sa.select(sa.func.min(_HOUSE.c.added_at))
        with reading(self._engine) as connection:
            followed = query.where(_HOUSE.c.removed_at.is_(None))
            found: datetime | None = connection.execute(followed).scalar()
        return found

    def begin_run(self, day: date, *, at: datetime, next_at: datetime | None) -> None:
        """Count a look; *next_at* is when to go on if it is killed."""
        with writing(self._engine) as connection:
            row = _locked_day(connection, day, at=at)
            values = {"day": day, "runs": row.runs + 1, "next_at": next_at}
            change_row(connection, _DAY, values)

    def end_run(
        self,
        day: date,
        found: Collection[Found],
        *,
        at: datetime,
        next_at: datetime | None,
        waiting: int,
    ) -> None:
        """Add what a look found to its day, and note when to go on."""
        with writing(self._engine) as connection:
            row = _locked_day(connection, day, at=at)
            told = {"next_at": next_at, "waiting": waiting, **_ended(row, found, at=at)}
            change_row(connection, _DAY, {"day": day, **told})
            _want_times(connection, found)

    def note(self, day: date, found: Collection[Found], *, at: datetime) -> None:
        """Add to its day what a look at named houses found; what waits stays so."""
        with writing(self._engine) as connection:
            row = _locked_day(connection, day, at=at)
            change_row(connection, _DAY, {"day": day, **_ended(row, found, at=at)})
            _want_times(connection, found)

    def note_waiting(
        self, day: date, *, next_at: datetime | None, waiting: int
    ) -> None:
        """Write what waits on a day that had a look, and when to go on with it."""
        this = sa.update(_DAY).where(_DAY.c.day == day)
        with writing(self._engine) as connection:
            connection.execute(this.values(next_at=next_at, waiting=waiting))

    # --- pages ---

    def take_page(self, source: Source, day: date, most: int) -> bool:
        """Count a page that is about to be asked for; false if it would be too many."""
        with writing(self._engine) as connection:
            return _take(connection, source, day=day, count=1, most=most)

    def pages(self, day: date) -> dict[Source, int]:
        """How many pages each source was asked for on a day, or are set aside."""
        with reading(self._engine) as connection:
            rows = connection.execute(sa.select(_PAGES).where(_PAGES.c.day == day))
            return {Source(row.source): row.pages for row in rows}


def _ended(row: AnyRow, found: Collection[Found], *, at: datetime) -> dict[str, Any]:
    """The counts with those of a look, and its end if it looked at any house."""
    day = _day(row)
    counts = dict(summed(day, found))
    is_vain = counts["looked"] == day.looked
    return {"ended_at": row.ended_at if is_vain else at, **counts}


def _want_times(connection: sa.Connection, found: Collection[Found]) -> None:
    """Note that views are behind: some tell when a house or photo was last seen."""
    if any(it is not Found.PASSED_BY for it in found):
        want(connection)


def _of(
    query: sa.Select[Any], slug: sa.ColumnElement[str], slugs: Collection[str] | None
) -> sa.Select[Any]:
    return query if slugs is None else query.where(slug.in_(slugs))


def _by_house(rows: Iterable[AnyRow]) -> dict[str, dict[Source, SourceTally]]:
    found: dict[str, dict[Source, SourceTally]] = defaultdict(dict)
    for row in rows:
        source = Source(row.source)
        found[row.slug][source] = SourceTally(
            slug=row.slug,
            source=source,
            outcome=_OUTCOME[row.outcome],
            checked_at=row.checked_at,
        )
    return found


def _tries(row: AnyRow) -> Tries:
    return Tries(
        day=row.day,
        tries=row.tries,
        began_at=row.began_at,
        found=Found(row.found),
        called_on=row.called_on,
        fresh=row.fresh,
    )


def _is_there(connection: sa.Connection, slug: str) -> bool:
    query = sa.select(sa.literal(1)).where(_HOUSE.c.slug == slug)
    return connection.execute(query).first() is not None


def _put(connection: sa.Connection, slug: str, tries: Tries) -> None:
    values = {
        "slug": slug,
        "day": tries.day,
        "tries": tries.tries,
        "began_at": tries.began_at,
        "found": tries.found.value,
        "called_on": tries.called_on,
        "fresh": tries.fresh,
    }
    insert_or_replace(connection, _LOOK, [values])


def _epoch_of(slug: str) -> sa.ScalarSelect[int]:
    lease = tables.lease.c
    epoch = sa.select(lease.epoch).where(lease.name == property_lease(slug))
    return epoch.scalar_subquery()


def _day(row: AnyRow) -> LookDay:
    return LookDay(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _locked_day(connection: sa.Connection, day: date, *, at: datetime) -> AnyRow:
    counts = ("runs", "looked", "changed", "open", "failed", "waiting")
    fresh = {"day": day, "began_at": at, **dict.fromkeys(counts, 0)}
    row: AnyRow = locked_row(connection, _DAY, fresh)
    return row


def _take(
    connection: sa.Connection, source: Source, *, day: date, count: int, most: int
) -> bool:
    key = {"day": day, "source": source.value}
    row = locked_row(connection, _PAGES, {**key, "pages": 0})
    if row.pages + count > most:
        return False
    change_row(connection, _PAGES, {**key, "pages": row.pages + count})
    return True


def _give_back(
    connection: sa.Connection, source: Source, *, day: date, count: int
) -> None:
    key = {"day": day, "source": source.value}
    row = locked_row(connection, _PAGES, {**key, "pages": 0})
    change_row(connection, _PAGES, {**key, "pages": max(0, row.pages - count)})
