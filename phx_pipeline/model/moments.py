"""Moments as people read them: Phoenix's time, with its zone. No ISO for machines."""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

PHOENIX: Final = ZoneInfo("America/Phoenix")
APART_S: Final = 300.0
"""How far the clocks of several machines may differ."""

_MINUTE_S: Final = 60
_AT_REST: Final = timedelta(days=2)  # a store may be for so long


def moment(at_s: float) -> str:
    """Date, time and zone of seconds since 1970."""
    return f"{_in_phoenix(at_s):%Y-%m-%d %H:%M:%S %Z}"


def end_of_rest(at_s: float, *, now_s: float) -> str:
    """The minute by which *at_s* is over, with its date if that is not today's."""
    minute = _in_phoenix(at_s).replace(second=0, microsecond=0) + timedelta(minutes=1)
    is_today = minute.date() == _in_phoenix(now_s).date()
    return f"{minute:%H:%M %Z}" if is_today else f"{minute:%Y-%m-%d %H:%M %Z}"


def has_been(at: datetime, *, now: datetime) -> bool:
    """Whether a moment that was noted has come.

    One that has not was noted while a clock was ahead. Whoever decides by it takes it
    for never: else all would rest until then.
    """
    return at <= newest_past(now)


def sane_end_s(end_s: float, *, now_s: float, longest_s: float) -> float:
    """The end of a rest of *longest_s* at most: now, if it was noted by a clock ahead.

    Cut to *longest_s* instead it would move on with the clock wherever it is only read.
    """
    return end_s if end_s <= now_s + longest_s + APART_S else now_s


def newest_past(now: datetime) -> datetime:
    """The last moment that `has_been`."""
    return now + timedelta(seconds=APART_S)


def believed(now: datetime, *, newest: datetime | None) -> datetime:
    """*now*, but not more than two days after *newest*, when work was last noted.

    A clock that is farther ahead is not believed by whoever does what cannot be undone.
    """
    return min(now, newest + _AT_REST) if newest else now


def phoenix_day(at: datetime) -> date:
    """The day it is in Phoenix."""
    return at.astimezone(PHOENIX).date()


def day_start_s(day: date) -> float:
    """Seconds since 1970 at which *day* begins in Phoenix."""
    return day_start(day).timestamp()


def day_start(day: date) -> datetime:
    """The moment in UTC at which *day* begins in Phoenix."""
    return datetime.combine(day, time(), tzinfo=PHOENIX).astimezone(UTC)


def _in_phoenix(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, UTC).astimezone(PHOENIX)


def span_text(seconds: float) -> str:
    """A length of time as people say it, rounded up: `40 s`, `7 min`, `2 h 05 min`."""
    if seconds <= _MINUTE_S:
        return f"{ceil(seconds)} s"
    minutes = ceil(seconds / _MINUTE_S)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{minutes} min"
