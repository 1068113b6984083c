"""What is to be told on which channel, and what became of it: never told twice.

A row is there before anything is sent. Of a message that was begun and not booked as
sent nobody knows whether it arrived: it is sent again, under the same key.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import insert_missing
from phx_pipeline.catalog.rows import AnyRow
from phx_pipeline.model.batches import batches
from phx_pipeline.model.message import (
    LONGEST_WAIT,
    Channel,
    Delivery,
    DeliveryState,
    pause_after,
)
from phx_pipeline.model.moments import newest_past
from phx_pipeline.model.printable import printable

_TABLE = tables.delivery
_OPEN: Final = (DeliveryState.WAITING.value, DeliveryState.SENDING.value)
_MOST_KEYS: Final = 500  # in one query
_LONGEST_DETAIL: Final = 500
_DAY: Final = timedelta(days=1)
_AHEAD: Final = timedelta(hours=1)  # farther than clocks that are set a bit
_SINCE: Final = datetime(2025, 1, 1, tzinfo=UTC)  # before, nobody had this program
_ASIDE: Final = "ahead:"
_NEVER: Final = (DeliveryState.GIVEN_UP.value, DeliveryState.PASSED_ON.value)


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
        self.settle([channel], at=at)
        with writing(self._engine) as connection:
            found = connection.execute(_last_digest(channel, by=newest_past(at)))
            last: datetime | None = found.scalar_one()
            values = _fresh(channel, key, at=at, due_at=at)
            return insert_missing(
                connection,
                _TABLE,
                values | {"message": key, "from_at": min(last or first_from, at)},
            )

    def settle(self, channels: Iterable[Channel], *, at: datetime) -> None:
        """Put digests of days to come right: a clock was ahead when they were noted.

        They leave their keys to their days, and the next one begins where the last real
        one ended. If their moments come before another digest was noted, it was the
        clock meanwhile that was behind, and they are put back. To be called before
        their days come; it mostly reads alone.
        """
        for channel in channels:
            ahead = sa.select(_TABLE.c.key).where(_digests_ahead(channel, at=at))
            with reading(self._engine) as connection:
                is_any = connection.execute(ahead.limit(1)).first() is not None
                returned = _returned(connection, channel, at=at)
            if is_any or returned:
                with writing(self._engine) as connection:
                    _put_back(connection, channel, at=at)
                    _set_aside(connection, channel, at=at)

    def last_digest(self, channel: Channel, *, by: datetime) -> datetime | None:
        """When the last digest of a channel ended."""
        with reading(self._engine) as connection:
            found = connection.execute(_last_digest(channel, by=by))
            last: datetime | None = found.scalar_one()
            return last

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
            for batch in batches(keys, _MOST_KEYS):
                some = _TABLE.c.key.in_(batch)
                query = sa.select(_TABLE.c.key).where(_is_of(channel), some)
                found.update(connection.execute(query).scalars())
        return found

    def last_alert_at(self, channel: Channel, *, by: datetime) -> datetime | None:
        """When a message of anything but a digest was last sent, or begun."""
        sent, due = _TABLE.c.sent_at, _TABLE.c.due_at
        begun = sa.and_(_TABLE.c.message != "", _TABLE.c.from_at.is_(None))
        has_been = sa.or_(
            sent <= newest_past(by),
            sa.and_(
                sent.is_(None),
                _TABLE.c.state.in_(_OPEN),
                due <= by + LONGEST_WAIT,
            ),
        )
        at = sa.func.max(sa.func.coalesce(sent, due))
        with reading(self._engine) as connection:
            query = sa.select(at).where(_is_of(channel), begun, has_been)
            found: datetime | None = connection.execute(query).scalar_one()
            return found

    def open(self) -> list[Delivery]:
        """Return what is not told yet, the oldest first."""
        query = sa.select(_TABLE).where(_TABLE.c.state.in_(_OPEN))
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
            taken = _next_message(list(map(_delivery_of, rows)), at=at)
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

    def told(self, channel: Channel, *, since: datetime, but: str) -> set[str]:
        """Return all that digests booked since tell, but one with the key *but*.

        What was given up was told to nobody.
        """
        counts = sa.and_(_TABLE.c.state.not_in(_NEVER), _TABLE.c.key != but)
        at = _TABLE.c.booked_at >= since
        query = sa.select(_TABLE.c.told).where(_is_digest(channel), counts, at)
        with reading(self._engine) as connection:
            lists = connection.execute(query).scalars()
            return {key for keys in lists for key in keys or ()}

    def record_told(self, channel: Channel, key: str, told: Sequence[str]) -> None:
        """Note what a digest tells, so that it tells the same when it is made again."""
        update = sa.update(_TABLE).where(_this(channel, key))
        with writing(self._engine) as connection:
            connection.execute(update, {"told": list(told)})

    def take_over(self, channel: Channel, key: str) -> datetime:
        """Have a digest tell, too, what those given up were to tell.

        Returns:
            Since when it tells; its `from_at`.
        """
        given_up = _TABLE.c.state == DeliveryState.GIVEN_UP.value
        these = sa.and_(_is_digest(channel), given_up)
        own = _this(channel, key)
        with writing(self._engine) as connection:
            earliest = sa.select(sa.func.min(_TABLE.c.from_at)).where(these | own)
            since: datetime = connection.execute(earliest).scalar_one()
            passed_on = {"state": DeliveryState.PASSED_ON.value}
            connection.execute(sa.update(_TABLE).where(these), passed_on)
            connection.execute(sa.update(_TABLE).where(own), {"from_at": since})
        return since

    def record_sent(
        self, channel: Channel, message: str, *, at: datetime, detail: str = ""
    ) -> None:
        """Note that a message was taken, for all who are to have it."""
        ends = {"detail": detail, "sent_at": at, "recipients": None}
        self._end(channel, message, DeliveryState.SENT, **ends)

    def record_partly_sent(
        self,
        channel: Channel,
        message: str,
        *,
        at: datetime,
        detail: str,
        tries: int,
        later: Sequence[str],
    ) -> None:
        """Note that a message was taken, and who is to be sent it after a pause."""
        self._end(
            channel,
            message,
            DeliveryState.SENDING,
            detail=detail,
            sent_at=at,
            due_at=at + pause_after(tries),
            recipients=list(later),
        )

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
        """Give up what was booked before these moments, and return how many.

        An alert that no digest was noted after is in none: it is kept as long as those.
        What some have is not given up as a whole: it is sent, for whom it could be.
        """
        is_digest = _TABLE.c.from_at.is_not(None)
        too_old = sa.or_(
            _TABLE.c.booked_at < digests,
            sa.and_(~is_digest, _TABLE.c.booked_at < alerts, _is_in_a_digest()),
        )
        open_ones = sa.and_(_TABLE.c.state.in_(_OPEN), too_old)
        partly = _TABLE.c.recipients.is_not(None)
        with writing(self._engine) as connection:
            done = [
                connection.execute(
                    sa.update(_TABLE).where(open_ones, which), {"state": state.value}
                )
                for which, state in (
                    (partly, DeliveryState.SENT),
                    (~partly, DeliveryState.GIVEN_UP),
                )
            ]
        return sum(it.rowcount for it in done)

    def _end(
        self, channel: Channel, message: str, state: DeliveryState, **values: object
    ) -> None:
        values["detail"] = printable(str(values["detail"]), most=_LONGEST_DETAIL)
        update = sa.update(_TABLE).where(_is_message(channel, message))
        with writing(self._engine) as connection:
            connection.execute(update, {"state": state.value, **values})


def _next_message(waiting: Sequence[Delivery], *, at: datetime) -> list[Delivery]:
    """What the message tells that is sent next, of all that waits by age."""
    made = [it for it in waiting if it.message]
    due = [it for it in made if it.is_due(now=at)]
    if due:
        first = min(due, key=lambda it: (it.due_at, it.key))
        return [it for it in due if it.message == first.message]
    # One that some have holds up nothing.
    if any(not it.is_digest and it.recipients is None for it in made):
        return []
    fresh = [it for it in waiting if not it.message]
    return fresh if any(it.is_due(now=at) for it in fresh) else []


def _message_key(told: Collection[Delivery]) -> str:
    """A key that is the same for the same things."""
    keys = "\n".join(sorted(it.key for it in told))
    return f"alerts:{sha256(keys.encode()).hexdigest()[:32]}"


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
        "recipients": None,
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


def _is_digest(channel: Channel) -> sa.ColumnElement[bool]:
    return sa.and_(_is_of(channel), _TABLE.c.from_at.is_not(None))


def _is_in_a_digest() -> sa.ColumnElement[bool]:
    """Whether a digest of its channel was noted after it."""
    digest = _TABLE.alias("digest")
    return sa.exists().where(
        digest.c.channel == _TABLE.c.channel,
        digest.c.from_at.is_not(None),
        digest.c.booked_at >= _TABLE.c.booked_at,
    )


def _last_digest(channel: Channel, *, by: datetime) -> sa.Select[Any]:
    known = sa.and_(_is_digest(channel), _TABLE.c.booked_at <= by)
    return sa.select(sa.func.max(_TABLE.c.booked_at)).where(known)


def _digests_ahead(channel: Channel, *, at: datetime) -> sa.ColumnElement[bool]:
    """Digests of days to come; none for a clock that is evidently behind itself."""
    later = at + _AHEAD if at >= _SINCE else datetime.max.replace(tzinfo=UTC)
    is_of_a_day = ~_TABLE.c.key.startswith(_ASIDE, autoescape=True)
    return sa.and_(_is_digest(channel), is_of_a_day, _TABLE.c.booked_at > later)


def _returned(
    connection: sa.Connection, channel: Channel, *, at: datetime
) -> list[AnyRow]:
    """What was set aside by a clock that was behind: no digest was noted since."""
    last = _last_digest(channel, by=at).scalar_subquery()
    is_aside = _TABLE.c.key.startswith(_ASIDE, autoescape=True)
    aside = sa.and_(_is_digest(channel), is_aside, _TABLE.c.booked_at == last)
    rows = connection.execute(sa.select(_TABLE).where(aside)).all()
    return [row for row in rows if _moment_of(row.key) <= at]


def _moment_of(aside: str) -> datetime:
    """When what was set aside had been noted."""
    return datetime.fromtimestamp(float(aside.rpartition(":")[2]), UTC)


def _put_back(connection: sa.Connection, channel: Channel, *, at: datetime) -> None:
    for row in _returned(connection, channel, at=at):
        key = row.key.removeprefix(_ASIDE).rpartition(":")[0]
        booked_at = _moment_of(row.key)
        its_day = _TABLE.alias("its_day")
        is_free = ~sa.exists().where(
            its_day.c.channel == row.channel, its_day.c.key == key
        )
        connection.execute(
            sa.update(_TABLE).where(_this(channel, row.key), is_free),
            {"key": key, "message": key, "booked_at": booked_at, "sent_at": booked_at},
        )


def _set_aside(connection: sa.Connection, channel: Channel, *, at: datetime) -> None:
    """End what was sent of days to come when the last real digest did; drop the rest.

    What was told stays told; what was not, the next digest tells.
    """
    ahead = _digests_ahead(channel, at=at)
    rows = connection.execute(sa.select(_TABLE).where(ahead).with_for_update()).all()
    if not rows:
        return
    found = connection.execute(_last_digest(channel, by=at))
    last: datetime = found.scalar_one() or at - _DAY
    sent = _TABLE.c.sent_at.is_not(None)
    connection.execute(sa.delete(_TABLE).where(ahead, ~sent))
    for row in rows:
        key = f"{_ASIDE}{row.key}:{row.booked_at.timestamp():.0f}"
        times = {"booked_at": last, "from_at": last, "sent_at": last}
        connection.execute(
            sa.update(_TABLE).where(_this(channel, row.key), sent),
            {"key": key, "message": key, **times},
        )


def _delivery_of(row: AnyRow) -> Delivery:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values |= {"channel": Channel(row.channel), "state": DeliveryState(row.state)}
    for name in ("told", "recipients"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Delivery(**values)
