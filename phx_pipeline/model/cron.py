"""Whether a text says when to do something, in the five fields of cron.

What a schedule makes of it is Dagster's; here a wrong one is found before it is handed
over.
"""

import re
from datetime import datetime
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.printable import printable

HOW: Final = "five fields of numbers, such as `0 6 * * *` (every day at 6:00), or `off`"
_NAMES: Final = ("minute", "hour", "day", "month", "weekday")
_FIELDS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_SUNDAY: Final = 7  # or 0
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_LONGEST_PART: Final = 30
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
                f"its {name} {printable(part, most=_LONGEST_PART)} is none: numbers "
                f"from {low} to {high} are taken, and * for all"
            )
    return "" if _may_come(*parts[2:]) else "no month has that day"


def has_come(text: str, *, by: datetime) -> bool:
    """Whether a text that is right names a moment of the day of *by* until then.

    As cron has it, where day and weekday are both given, one of them is enough.
    """
    minutes, hours, days, months, weekdays = (
        _numbers(part, low, high)
        for part, (low, high) in zip(text.split(), _FIELDS, strict=True)
    )
    _, _, day, _, weekday = text.split()
    fits = by.day in days, by.isoweekday() in {it or _SUNDAY for it in weekdays}
    is_any = day.startswith("*") or weekday.startswith("*")
    if by.month not in months or not (all(fits) if is_any else any(fits)):
        return False
    return any((hour, min(minutes)) <= (by.hour, by.minute) for hour in hours)


def _may_come(days: str, months: str, weekdays: str) -> bool:
    """Whether there is such a day in any year; a weekday comes in each month."""
    if not weekdays.startswith("*"):
        return True
    first_day = min(_numbers(days, *_FIELDS[2]), default=1)
    return any(first_day <= _LONGEST[it - 1] for it in _numbers(months, *_FIELDS[3]))


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
