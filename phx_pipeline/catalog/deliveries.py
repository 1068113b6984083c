"""What is to be told on which channel, and what became of it: never told twice.

A row is there before anything is sent. Of a message that was begun and not booked as
sent nobody knows whether it arrived: it is sent again, under the same key.

Digests have numbers in the order in which they were noted, which no clock changes; the
number is the end of the key of the message.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
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
_NUMBERED: Final = re.compile(r"digest:[0-9-]+:([0-9]+)")
_NEVER: Final = (DeliveryState.GIVEN_UP.value, DeliveryState.PASSED_ON.value)


class DeliveryBook:
    """Reads and writes of `delivery`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def book_digest(
        self, channel: Channel, key: str, *, at: datetime, first_from: datetime
    ) -> bool:
        """Note that a day's digest is to be told; return whether it was not before.

        It begins where the one noted last ended, the very first at *first_from*. One of
        a day to come that was not sent is given up, so that this one takes it over.
        """
        self.settle([channel], at=at)
        with writing(self._engine) as connection:
            _give_up_ahead(connection, channel, at=at)
            noted = _noted(connection, channel)
            _free(connection, channel, key, noted)
            number = max((it.number for it in noted), default=0) + 1
            begin = _end_of(noted, by=newest_past(at)) or first_from
            values = _fresh(channel, key, at=at, due_at=at)
            message = {"message": f"{key}:{number}", "from_at": min(begin, at)}
            return insert_missing(connection, _TABLE, values | message)

    def settle(self, channels: Iterable[Channel], *, at: datetime) -> None:
        """Have digests of days to come that were sent end where they began.

        A clock was ahead when they were noted, or is behind now: nobody knows. What
        they told stays told, and the next one looks at the same time again. To be
        called before their days come; it mostly reads alone.
        """
        is_sent = _TABLE.c.state == DeliveryState.SENT.value
        these = sa.and_(
            _TABLE.c.channel.in_([it.value for it in channels]),
            _is_ahead(at),
            is_sent,
            _TABLE.c.from_at < _TABLE.c.booked_at,
        )
        with reading(self._engine) as connection:
            query = sa.select(_TABLE.c.key).where(these).limit(1)
            is_any = connection.execute(query).first() is not None
        if is_any:
            with writing(self._engine) as connection:
                ends = {"booked_at": _TABLE.c.from_at}
                connection.execute(sa.update(_TABLE).where(these).values(ends))

    def last_digest(self, channel: Channel, *, by: datetime) -> datetime | None:
        """When the digest ended that was noted last; None without any by then."""
        with reading(self._engine) as connection:
            return _end_of(_noted(connection, channel), by=by)

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

    def told(self, channel: Channel, *, but: str) -> set[str]:
        """Return all that digests tell, but one with the key *but*.

        Their dates do not count: a clock may have been wrong. What was given up was
        told to nobody.
        """
        counts = sa.and_(_TABLE.c.state.not_in(_NEVER), _TABLE.c.key != but)
        query = sa.select(_TABLE.c.told).where(_is_digest(channel), counts)
        with reading(self._engine) as connection:
            lists = connection.execute(query).scalars()
            return {key for keys in lists for key in keys or ()}

    def record_told(self, channel: Channel, key: str, told: Sequence[str]) -> None:
        """Note what a digest tells, so that it tells the same when it is made again."""
        update = sa.update(_TABLE).where(_this(channel, key))
        with writing(self._engine) as connection:
            connection.execute(update, {"told": list(told)})

    def take_over(self, channel: Channel, key: str, *, end: datetime) -> datetime:
        """Have a digest tell, too, what those given up were to tell until its *end*.

        Returns:
            Since when it tells; its `from_at`.
        """
        given_up = _TABLE.c.state == DeliveryState.GIVEN_UP.value
        these = sa.and_(_is_digest(channel), given_up, _TABLE.c.booked_at <= end)
        own = _this(channel, key)
        with writing(self._engine) as connection:
            query = sa.select(_TABLE.c.key).where(these)
            keys = set(connection.execute(query).scalars())
            noted = _noted(connection, channel)
            begins = [it.from_at for it in noted if it.key == key]
            begins += [
                _known_begin(noted[: place + 1])
                for place, it in enumerate(noted)
                if it.key in keys
            ]
            since = min(begins)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    """What orders the digests of a channel; those of older versions have no number."""

    number: int
    booked_at: datetime
    from_at: datetime
    key: str

    @property
    def was_ahead(self) -> bool:
        """Whether its day was seen to be still to come."""
        return self.booked_at <= self.from_at


def _noted(connection: sa.Connection, channel: Channel) -> list[_Noted]:
    """All digests of a channel, the one noted last at the end."""
    row = _TABLE.c
    query = sa.select(row.message, row.booked_at, row.from_at, row.key)
    found = [
        _Noted(number=_number_of(message), booked_at=at, from_at=begin, key=key)
        for message, at, begin, key in connection.execute(
            query.where(_is_digest(channel))
        )
    ]
    return sorted(found, key=lambda it: (it.number, it.booked_at))


def _number_of(message: str) -> int:
    found = _NUMBERED.fullmatch(message)
    return int(found[1]) if found else 0


def _end_of(noted: Sequence[_Noted], *, by: datetime) -> datetime | None:
    """The end of the digest noted last, of those that ended by then; None without any.

    However far a clock was behind, it is not before the first day of the first one that
    is known: what was before was told by those forgotten, or is older than the channel.
    """
    ends = [it.booked_at for it in noted if it.booked_at <= by]
    if not ends:
        return None
    first = noted[0].from_at + _DAY
    return max(ends[-1], min(first, max(ends)))


def _known_begin(noted: Sequence[_Noted]) -> datetime:
    """Where the last of some digests begins, not before the first day that is known.

    One that was noted by a clock that was behind begins there all the same.
    """
    *before, last = (it.from_at for it in noted)
    return max(last, min(before) + _DAY) if before else last


def _is_ahead(at: datetime) -> sa.ColumnElement[bool]:
    """Digests of days to come; none for a clock that is evidently behind itself."""
    later = at + _AHEAD if at >= _SINCE else datetime.max.replace(tzinfo=UTC)
    return sa.and_(_TABLE.c.from_at.is_not(None), _TABLE.c.booked_at > later)


def _give_up_ahead(
    connection: sa.Connection, channel: Channel, *, at: datetime
) -> None:
    """Give up digests of days to come that nobody has."""
    unsent = sa.and_(_TABLE.c.state.in_(_OPEN), _TABLE.c.sent_at.is_(None))
    these = sa.and_(_is_of(channel), _is_ahead(at), unsent)
    values = {"state": DeliveryState.GIVEN_UP.value, "booked_at": _TABLE.c.from_at}
    connection.execute(sa.update(_TABLE).where(these).values(**_aside(), **values))


def _free(
    connection: sa.Connection, channel: Channel, key: str, noted: Sequence[_Noted]
) -> None:
    """Leave its key to a day whose digest was noted before the day came.

    If no other was noted since, it was the clock meanwhile that was behind: then it is
    the digest of the day.
    """
    if any(it.key == key and it.was_ahead for it in noted[:-1]):
        this = sa.update(_TABLE).where(_this(channel, key))
        connection.execute(this.values(_aside()))


def _aside() -> dict[str, Any]:
    """A key that no other digest has."""
    return {"key": sa.literal(_ASIDE) + _TABLE.c.message}


def _delivery_of(row: AnyRow) -> Delivery:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    values |= {"channel": Channel(row.channel), "state": DeliveryState(row.state)}
    for name in ("told", "recipients"):
        values[name] = None if values[name] is None else tuple(values[name])
    return Delivery(**values)
