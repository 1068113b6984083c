"""Whether a text says when to do something, in the five fields of cron, and when.

What a schedule makes of it is Dagster's; here a wrong one is found before it is handed
over, and told when one was due last.
"""

import re
from datetime import datetime, time, timedelta
from itertools import product
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.printable import printable

HOW: Final = "five fields of numbers, such as `0 6 * * *` (every day at 6:00), or `off`"
_NAMES: Final = ("minute", "hour", "day", "month", "weekday")
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_LONGEST_PART: Final = 30
_A_MONTH: Final = 31  # days
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # days of the months


def why_not(text: str) -> str:
    """Return why a text is not minute, hour, day, month and weekday; empty if it is.

    Each is `*`, a number, a range `1-5`, one of these with a step such as `/2`, or
    several of all that, separated by commas. Names of days and months are none, nor is
    a day that no month has.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return f"it has {counted(len(parts), 'field')}, not the five of cron"
    for name, part, (low, high) in zip(_NAMES, parts, _FIELDS, strict=True):
        if not all(_is_part(one, low=low, high=high) for one in part.split(",")):
            return (
                f"its {name} cannot be {printable(part, most=_LONGEST_PART)}: numbers "
                f"from {low} to {high} are taken, and * for all"
            )
    return "" if _may_come(*parts[2:]) else "no month has that day"


def _may_come(days: str, months: str, weekdays: str) -> bool:
    """Whether there is such a day in any year; a weekday comes in each month."""
    if not weekdays.startswith("*"):
        return True
    first_day = min(_numbers(days, *_FIELDS[2]), default=1)
    return any(first_day <= _LONGEST[it - 1] for it in _numbers(months, *_FIELDS[3]))


def last_due(cron: str, *, by: datetime) -> datetime | None:
    """When a cron that is right was due last, at *by* at the latest, in its zone.

    None where that is longer ago than a month.
    """
    minutes, hours, *day_fields = cron.split()
    times = [
        time(hour, minute)
        for hour, minute in product(
            sorted(_numbers(hours, *_FIELDS[1]), reverse=True),
            sorted(_numbers(minutes, *_FIELDS[0]), reverse=True),
        )
    ]
    days = (by - timedelta(days=back) for back in range(_A_MONTH + 1))
    moments = (
        datetime.combine(day, at, tzinfo=by.tzinfo)
        for day in days
        if _comes_on(day, *day_fields)
        for at in times
    )
    return next((at for at in moments if at <= by), None)


def _comes_on(day: datetime, days: str, months: str, weekdays: str) -> bool:
    """Whether a day is meant: where day and weekday are given, either will do."""
    is_month = day.month in _numbers(months, *_FIELDS[3])
    is_day = day.day in _numbers(days, *_FIELDS[2])
    is_weekday = day.isoweekday() % 7 in {it % 7 for it in _numbers(weekdays, 0, 7)}
    if days.startswith("*") or weekdays.startswith("*"):
        return is_month and is_day and is_weekday
    return is_month and (is_day or is_weekday)


def _numbers(field: str, low: int, high: int) -> set[int]:
    """What a field that is right stands for."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else int(first)
        end = int(last) if last else (high if first == "*" or step else begin)
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


def _is_part(text: str, *, low: int, high: int) -> bool:
    found = _PART.fullmatch(text)
    if found is None:
        return False
    first, last, step = (int(it) if it else None for it in found.groups())
    if first is not None and not low <= first <= high:
        return False
    if last is not None and not (first or 0) <= last <= high:
        return False
    return step is None or step > 0
