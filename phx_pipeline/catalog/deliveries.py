"""What is to be told on which channel, and what became of it: never told twice.

A row is there before anything is sent. Of a message that was begun and not booked as
sent nobody knows whether it arrived: it is sent again, under the same key.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import insert_missing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.message import Channel, Delivery, DeliveryState, pause_after
from phx_pipeline.model.printable import printable

_TABLE = tables.delivery
_OPEN: Final = (DeliveryState.WAITING.value, DeliveryState.SENDING.value)
_MOST_KEYS: Final = 500  # in one query
_LONGEST_DETAIL: Final = 500


class DeliveryBook:
    """Reads and writes of `delivery`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def book_digest(
        self, channel: Channel, key: str, *, at: datetime, first_from: datetime
    ) -> bool:
        """Note that a day's digest is to be told; return whether it was not before.

        It begins where the channel's last one ended, the very first at *first_from*.
        """
        with writing(self._engine) as connection:
            found = connection.execute(_last_digest(channel))
            last: datetime | None = found.scalar_one()
            values = _fresh(channel, key, at=at, due_at=at)
            return insert_missing(
                connection,
                _TABLE,
                values | {"message": key, "from_at": min(last or first_from, at)},
            )

    def book(
        self, channel: Channel, keys: Iterable[str], *, at: datetime, due_at: datetime
    ) -> int:
        """Note what is to be told, each in the next message made at *due_at* or later.

        Returns:
            How many of them were not noted before.
        """
        with writing(self._engine) as connection:
            return sum(
                insert_missing(
                    connection, _TABLE, _fresh(channel, key, at=at, due_at=due_at)
                )
                for key in keys
            )

    def book_told(self, channel: Channel, keys: Iterable[str], *, at: datetime) -> None:
        """Note things as told that need no message."""
        told = {"state": DeliveryState.SENT.value, "sent_at": at}
        with writing(self._engine) as connection:
            for key in keys:
                fresh = _fresh(channel, key, at=at, due_at=at) | told
                insert_missing(connection, _TABLE, fresh)

    def find(self, channel: Channel, key: str) -> Delivery | None:
        """Return what is noted of *key*."""
        with reading(self._engine) as connection:
            query = sa.select(_TABLE).where(_this(channel, key))
            row = connection.execute(query).one_or_none()
            return _delivery_of(row) if row else None

    def booked(self, channel: Channel, keys: Sequence[str]) -> set[str]:
        """Return those of *keys* that are noted."""
        found: set[str] = set()
        with reading(self._engine) as connection:
            for start in range(0, len(keys), _MOST_KEYS):
                some = _TABLE.c.key.in_(keys[start : start + _MOST_KEYS])
                query = sa.select(_TABLE.c.key).where(_is_of(channel), some)
                found.update(connection.execute(query).scalars())
        return found

    def last_alert_at(self, channel: Channel) -> datetime | None:
        """When a message of anything but a digest was last sent, or begun."""
        at = sa.func.coalesce(_TABLE.c.sent_at, _TABLE.c.due_at)
        begun = sa.and_(_TABLE.c.message != "", _TABLE.c.from_at.is_(None))
        with reading(self._engine) as connection:
            query = sa.select(sa.func.max(at)).where(_is_of(channel), begun)
            found: datetime | None = connection.execute(query).scalar_one()
            return found

    def open(self, *, at: datetime | None = None) -> list[Delivery]:
        """Return what is not told yet, the oldest first; only what is due by *at*."""
        query = sa.select(_TABLE).where(_TABLE.c.state.in_(_OPEN))
        if at is not None:
            query = query.where(_TABLE.c.due_at <= at)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(_TABLE.c.booked_at, _TABLE.c.key))
            return list(map(_delivery_of, rows))

    def take(self, channel: Channel, *, at: datetime) -> list[Delivery]:
        """Begin the next message of a channel; return what it tells, or nothing.

        Whoever takes it holds the channel's lease. Things that have no message yet get
        one together, unless one like it is still to be taken again: while a server is
        down they become no more than one message.
        """
        with writing(self._engine) as connection:
            rows = connection.execute(_open_of(channel)).all()
            taken = _next_message(rows, at=at)
            if not taken:
                return []
            message = taken[0].message or _message_key(taken)
            tries = taken[0].tries + 1
            values = {
                "message": message,
                "state": DeliveryState.SENDING.value,
                "tries": tries,
                "due_at": at + pause_after(tries),
            }
            keys = [row.key for row in taken]
            connection.execute(
                sa.update(_TABLE).where(_is_of(channel), _TABLE.c.key.in_(keys)), values
            )
            query = sa.select(_TABLE).where(_is_message(channel, message))
            return list(map(_delivery_of, connection.execute(query.order_by("key"))))

    def told(self, channel: Channel, *, since: datetime, until: datetime) -> set[str]:
        """Return all that digests tell that were booked since, and before *until*."""
        made = sa.and_(_is_of(channel), _TABLE.c.from_at.is_not(None))
        at = sa.and_(_TABLE.c.booked_at >= since, _TABLE.c.booked_at < until)
        query = sa.select(_TABLE.c.told).where(made, at)
        with reading(self._engine) as connection:
            lists = connection.execute(query).scalars()
            return {key for keys in lists for key in keys or ()}

    def record_told(self, channel: Channel, key: str, told: Sequence[str]) -> None:
        """Note what a digest tells, so that it tells the same when it is made again."""
        update = sa.update(_TABLE).where(_this(channel, key))
        with writing(self._engine) as connection:
            connection.execute(update, {"told": list(told)})

    def record_sent(
        self, channel: Channel, message: str, *, at: datetime, detail: str = ""
    ) -> None:
        """Note that a message was taken."""
        self._end(channel, message, DeliveryState.SENT, detail=detail, sent_at=at)

    def record_failed(
        self, channel: Channel, message: str, *, at: datetime, detail: str, tries: int
    ) -> None:
        """Note why a message was not taken; it is due again after a pause."""
        self._end(
            channel,
            message,
            DeliveryState.SENDING,
            detail=detail,
            due_at=at + pause_after(tries),
        )

    def hurry(self, channels: Collection[Channel], *, at: datetime) -> None:
        """Have all that waits on some channels be due at once."""
        names = [it.value for it in channels]
        waits = sa.and_(_TABLE.c.channel.in_(names), _TABLE.c.state.in_(_OPEN))
        with writing(self._engine) as connection:
            connection.execute(sa.update(_TABLE).where(waits), {"due_at": at})

    def give_up(self, *, digests: datetime, alerts: datetime) -> int:
        """Give up what was booked before these moments, and return how many."""
        is_digest = _TABLE.c.from_at.is_not(None)
        too_old = sa.or_(
            sa.and_(is_digest, _TABLE.c.booked_at < digests),
            sa.and_(~is_digest, _TABLE.c.booked_at < alerts),
        )
        given_up = {"state": DeliveryState.GIVEN_UP.value}
        with writing(self._engine) as connection:
            update = sa.update(_TABLE).where(_TABLE.c.state.in_(_OPEN), too_old)
            return connection.execute(update, given_up).rowcount

    def _end(
        self, channel: Channel, message: str, state: DeliveryState, **values: object
    ) -> None:
        values["detail"] = printable(str(values["detail"]), most=_LONGEST_DETAIL)
        update = sa.update(_TABLE).where(_is_message(channel, message))
        with writing(self._engine) as connection:
            connection.execute(update, {"state": state.value, **values})


def _next_message(rows: Sequence[AnyRow], *, at: datetime) -> list[AnyRow]:
    """The rows of the message that is sent next, of all open ones by age."""
    made = [row for row in rows if row.message]
    due = [row for row in made if row.due_at <= at]
    if due:
        first = min(due, key=lambda row: (row.due_at, row.key))
        return [row for row in due if row.message == first.message]
    if any(row.from_at is None for row in made):
        return []
    fresh = [row for row in rows if not row.message]
    return fresh if any(row.due_at <= at for row in fresh) else []


def _message_key(rows: Collection[AnyRow]) -> str:
    """A key that is the same for the same things."""
    told = "\n".join(sorted(row.key for row in rows))
    return f"alerts:{sha256(told.encode()).hexdigest()[:32]}"


def _fresh(
    channel: Channel, key: str, *, at: datetime, due_at: datetime
) -> dict[str, object]:
    return {
        "channel": channel.value,
        "key": key,
        "message": "",
        "state": DeliveryState.WAITING.value,
        "tries": 0,
        "booked_at": at,
        "from_at": None,
        "due_at": due_at,
        "sent_at": None,
        "detail": "",
        "told": None,
    }


def _is_of(channel: Channel) -> sa.ColumnElement[bool]:
    return _TABLE.c.channel == channel.value


def _this(channel: Channel, key: str) -> sa.ColumnElement[bool]:
    return sa.and_(_is_of(channel), _TABLE.c.key == key)


def _is_message(channel: Channel, message: str) -> sa.ColumnElement[bool]:
    return sa.and_(_is_of(channel), _TABLE.c.message == message)


def _open_of(channel: Channel) -> sa.Select[Any]:
    query = sa.select(_TABLE).where(_is_of(channel), _TABLE.c.state.in_(_OPEN))
    return query.order_by(_TABLE.c.booked_at, _TABLE.c.key).with_for_update()


def _last_digest(channel: Channel) -> sa.Select[Any]:
    digests = sa.and_(_is_of(channel), _TABLE.c.from_at.is_not(None))
    return sa.select(sa.func.max(_TABLE.c.booked_at)).where(digests)


def _delivery_of(row: AnyRow) -> Delivery:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values |= {"channel": Channel(row.channel), "state": DeliveryState(row.state)}
    told = None if row.told is None else tuple(row.told)
    return Delivery(**values | {"told": told})
