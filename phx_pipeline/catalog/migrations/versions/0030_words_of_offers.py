"""The words that 0026 took from outcomes alone, and who is still to have a mail."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_listing = sa.table(
    "listing",
    *(sa.column("slug"), sa.column("source")),
    sa.column("market"),
    sa.column("checked_at", sa.DateTime(timezone=True)),
)
_fact = sa.table(
    "listing_fact",
    *(sa.column("slug"), sa.column("source")),
    sa.column("seen_on", sa.Date()),
    sa.column("standard_status"),
)
_change = sa.table("change", *map(sa.column, ("slug", "source", "what")))

_LISTED, _OFF, _NOT_FOUND = "Listed", "Off Market", "Not Found"
_ENDS = frozenset(
    {
        *(_OFF, _NOT_FOUND, "Closed", "Canceled", "Cancelled"),
        *("Delete", "Expired", "Withdrawn"),
    }
)
_OFFERS = frozenset({"Active", "Coming Soon"})
_BEHIND_UTC = timedelta(hours=7)  # Phoenix, all the year


def upgrade() -> None:
    """Take the status that pages stated, where no answer has changed the word since.

    Else the next answer that states the same would be news.
    """
    op.add_column("delivery", sa.Column("recipients", sa.JSON()))
    connection = op.get_bind()
    mended = [
        {"of_slug": row.slug, "of_source": row.source, "word": word}
        for row in connection.execute(_untouched()).all()
        if (word := _word(row)) != row.market
    ]
    if mended:
        table = _listing.c
        this = sa.and_(
            table.slug == sa.bindparam("of_slug"),
            table.source == sa.bindparam("of_source"),
        )
        change = sa.update(_listing).where(this).values(market=sa.bindparam("word"))
        connection.execute(change, mended)


def downgrade() -> None:
    """Drop the column; words stay, which an older version reads as well."""
    op.drop_column("delivery", "recipients")


def _untouched() -> sa.Select[Any]:
    """Listings with a word of 0026, and the newest status that was stated of each."""
    listing, fact, change = _listing.c, _fact.c, _change.c
    stated = sa.and_(
        fact.slug == listing.slug,
        fact.source == listing.source,
        fact.standard_status.is_not(None),
    )
    newest = sa.select(sa.func.max(fact.seen_on)).where(stated).correlate(_listing)
    noted = sa.exists().where(
        change.slug == listing.slug,
        change.source == listing.source,
        change.what == "market",
    )
    told = _fact.alias("told")
    own = sa.and_(
        told.c.slug == listing.slug,
        told.c.source == listing.source,
        told.c.seen_on == newest.scalar_subquery(),
    )
    query = sa.select(*listing, told.c.standard_status, told.c.seen_on)
    by_outcome = listing.market.in_([_LISTED, _OFF, _NOT_FOUND])
    return query.select_from(_listing.join(told, own)).where(by_outcome, ~noted)


def _word(row: Any) -> str:
    """What the answers would have left: a status counts until another contradicts it.

    One that was stated before the last answer is contradicted by an outcome alone.
    """
    status, market = str(row.standard_status), str(row.market)
    is_over = market != _LISTED
    if _day(row.checked_at) == row.seen_on:
        return market if is_over and status in _OFFERS else status
    return status if is_over == (status in _ENDS) else market


def _day(at: datetime) -> date:
    at = at if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite knows no zones
    return (at.astimezone(UTC) - _BEHIND_UTC).date()
