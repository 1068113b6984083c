"""Scalars as pages state them: any JSON value in, a bounded value or nothing out.

Facts of a house, with their units, are read in `stated_facts`.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.facts import LARGEST_INTEGER
from phx_pipeline.model.printable import printable

LONGEST_URL: Final = 2000
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2100, 1, 1)
# Of the state of a listing: nobody offers the house now.
OFF_MARKET_WORDS: Final = re.compile(
    r"\b(?:off.?(?:market|mkt)|withdrawn|expired|cancell?ed|delisted|unlisted"
    r"|terminated|removed|deleted|(?:on )?hold|not for sale|inactive|rescinded"
    r"|suspended|rented|leased|unavailable|no longer (?:for sale|available))\b",
    re.IGNORECASE,
)
_LONGEST_ID = 60
_LONGEST_TEXT = 2000
_LONGEST_DURATION = 40
_LONGEST_NUMBER = 500  # characters of a text that begins with one
_DEEPEST = 3  # wrappers around a value
_NUMBER = re.compile(
    r"\$?\s*(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)", re.ASCII
)
# Behind a number: it is of another size (`850K`), a part (`2 1/2`), one of several
# (`3-4`), or written in a way we do not read (`298.500,00`).
_GOES_ON = re.compile(
    r"[kmb]\b|e[+-]?\d|[½¼¾⅓⅔]|\s*[.,+/\u2013\u2014-]?\s*\$?\d", re.IGNORECASE
)

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()  # noqa: SIM905 - a list of words reads better as text
_DAYS = (
    re.compile(
        r"(?P<year>\d{4})([-/])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)", re.ASCII
    ),
    re.compile(r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})(?!\d)", re.ASCII),
    re.compile(
        rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*\.? (?P<day>\d{{1,2}}),? "
        r"(?P<year>\d{4})(?!\d)",
        re.ASCII | re.IGNORECASE,
    ),
)
_EPOCH = re.compile(r"\d{10}|\d{12,13}", re.ASCII)  # in seconds, in milliseconds
_SECONDS_OF_DAY = 86_400
_PHOENIX_S = -7 * 3600  # from UTC, in every season
_MLS_NUMBER = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)
# "FMLS-7652074"; the number of MLSListings, "ML81929841", begins with its letters.
_MLS_LETTERS = re.compile(r"[A-Za-z]*MLS[-_.]?(?=\d)", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"(?P<less>less than )?(?P<count>\d{1,3},\d{3}|\d{1,6})\+?\s*"
    r"(?:(?P<unit>minute|min|hour|hr|day|week)s?)?",
    re.ASCII,
)
_DAYS_IN: Final = {
    "minute": 0,
    "min": 0,
    "hour": 0,
    "hr": 0,
    "day": 1,
    "week": 7,
    "month": 30,
}
_NUMBER_NAMES = ("mlsId", "id", "number", "text", "displayValue")


def unwrapped(value: object) -> object:
    """Return a value some pages wrap: `{"value": 7, "displayLevel": 1}` is 7."""
    for _ in range(_DEEPEST):
        if not isinstance(value, dict) or "value" not in value:
            break
        value = value["value"]
    return value


def number(value: object) -> float | None:
    """Return a number a page states, as JSON or at the start of a text (`$1,791`).

    None for what is no number, is negative, or is too large to be stored.
    """
    value = unwrapped(value)
    if isinstance(value, str):
        words = value[:_LONGEST_NUMBER].strip()
        found = _NUMBER.match(words)
        if found and _GOES_ON.match(words, found.end()):
            return None
        # Far fewer digits than Python refuses to read.
        digits = found["number"].replace(",", "")[:40] if found else ""
        value = float(digits) if digits else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    is_held = 0 <= value <= LARGEST_INTEGER  # false for not-a-number too
    return float(value) if is_held else None


def rounded(value: object) -> int | None:
    """Return a stated number, rounded; None like `number`."""
    stated = number(value)
    return None if stated is None else round(stated)


def text(value: object, *, most: int = _LONGEST_TEXT) -> str:
    """Return a JSON string as one line of *most* characters, empty for all else."""
    told = unwrapped(value)
    return printable(told, most=most) if isinstance(told, str) else ""


def members(holder: object, names: Iterable[str]) -> dict[str, bool]:
    """Return by `member NAME` whether an object of a page has members of these names.

    For `Listing.also_read`: a member that something else stands in for where it is not
    there. One that holds null is there.
    """
    told = holder if isinstance(holder, dict) else {}
    return {f"member {name}": name in told for name in names}


def members_of_any(holders: Iterable[object], names: Iterable[str]) -> dict[str, bool]:
    """Return like `members` which of the names any of several objects has.

    Nothing where there is no object: a list that is empty lacks no member.
    """
    found = [members(holder, names) for holder in holders]
    return {name: any(it[name] for it in found) for it in found[:1] for name in it}


def part(value: object, *, what: str) -> str:
    """Return a part of an address, a text or a number; empty where none is stated.

    Raises:
        SourceChangedError: something is stated that cannot be read: whose house it is
            must not be told without it.
    """
    told = unwrapped(value)
    if told is None or (isinstance(told, str) and not told.strip()):
        return ""
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    line = text(told) or identifier(told)
    if line is None:
        raise SourceChangedError(f"{what} is stated in another shape")
    return line


def identifier(value: object) -> str | None:
    """Return an id as text: sites state ids as numbers and as strings.

    None for what is too long to be one.
    """
    told = unwrapped(value)
    if isinstance(told, bool) or not isinstance(told, int | str):
        return None
    if isinstance(told, int) and abs(told) >= 10**_LONGEST_ID:
        return None
    line = text(str(told))
    return line if 0 < len(line) <= _LONGEST_ID else None


def mls_number(value: object) -> str | None:
    """Return a number in an MLS, without what is written before it: `MLS# 6801242`.

    None for words without a digit (`N/A`), for 0, and for several numbers.
    """
    told = only(value)
    if isinstance(told, dict):
        told = next((told[name] for name in _NUMBER_NAMES if name in told), None)
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    line = identifier(told)
    words = re.split(r"[\s#:]+", line or "")
    numbers = [word for word in words if re.search(r"[1-9]", word)]
    if len(numbers) != 1 or not _MLS_NUMBER.fullmatch(numbers[0]):
        return None
    return _MLS_LETTERS.sub("", numbers[0], count=1)


def whole(value: object) -> int | None:
    """Return a stated integer that is not negative and can be stored."""
    told = unwrapped(value)
    if isinstance(told, bool) or not isinstance(told, int):
        return None
    return told if 0 <= told <= LARGEST_INTEGER else None


def pixels(value: object) -> int | None:
    """Return a stated width or height."""
    return whole(value) or None


def only(value: object) -> object:
    """Return a value that a page wraps, or has alone in a list."""
    told = unwrapped(value)
    return unwrapped(told[0]) if isinstance(told, list) and len(told) == 1 else told


def days(value: object) -> int | None:
    """Return a duration in whole days: a number, `12 days`, `13 hours`, `2 weeks`."""
    if not isinstance(told := only(value), str):
        return rounded(told)
    found = _DURATION.fullmatch(told[:_LONGEST_DURATION].strip().lower())
    if found is None:
        return None
    count = int(found["count"].replace(",", "")) - bool(found["less"])
    return count * _DAYS_IN[found["unit"] or "day"]


def day(value: object) -> date | None:
    """Return the day a text begins with, such as `2025-03-08T00:00:00`, or an epoch's.

    An epoch of midnight in UTC stands for that day, any other for that in Phoenix. None
    for a day on which no listing can have begun.
    """
    told = only(value)
    if isinstance(told, dict):
        told = told.get("date")
    line = text(told) or identifier(told) or ""
    try:
        stated = _day_of_epoch(line) or _day_in(line)
    except (ValueError, OverflowError):
        return None
    return stated if stated and FIRST_DAY <= stated <= LAST_DAY else None


def _day_of_epoch(line: str) -> date | None:
    if not _EPOCH.fullmatch(line):
        return None
    second = int(line[:-3]) if len(line) > len("1772409600") else int(line)
    offset = _PHOENIX_S if second % _SECONDS_OF_DAY else 0
    return date(1970, 1, 1) + timedelta(seconds=second + offset)


def _day_in(line: str) -> date | None:
    found = next((it for each in _DAYS if (it := each.match(line))), None)
    if found is None:
        return None
    named = found.groupdict()
    month = named.get("month") or _MONTHS.index(named["name"].lower()) + 1
    return date(int(named["year"]), int(month), int(named["day"]))
