"""Scalars as pages state them: any JSON value in, a bounded value or nothing out.

Numbers that are facts of a house are read in `model.facts`.
"""

import re
from datetime import date
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.facts import unwrapped
from phx_pipeline.model.facts import whole as rounded
from phx_pipeline.model.printable import printable

LONGEST_URL: Final = 2000
LARGEST_INTEGER: Final = 2**31 - 1  # what an integer column holds
FIRST_DAY, LAST_DAY = date(1980, 1, 1), date(2100, 1, 1)
# Of the state of a listing: nobody offers the house now.
OFF_MARKET_WORDS: Final = re.compile(
    r"\b(?:off.?market|withdrawn|expired|cancell?ed|delisted|unlisted|terminated"
    r"|removed|deleted|(?:on )?hold|not for sale|no longer (?:for sale|available))\b",
    re.IGNORECASE,
)
_LONGEST_ID = 60
_LONGEST_TEXT = 2000
_LONGEST_DURATION = 40

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_MLS_NUMBER = re.compile(r"[A-Za-z0-9][\w./-]*", re.ASCII)
# "FMLS-7652074"; the number of MLSListings, "ML81929841", begins with its letters.
_MLS_LETTERS = re.compile(r"[A-Za-z]*MLS[-_.]?(?=\d)", re.ASCII | re.IGNORECASE)
_DURATION = re.compile(
    r"(?P<count>\d{1,6})\+?\s*(?:(?P<unit>minute|min|hour|hr|day|week)s?)?", re.ASCII
)
_DAYS_IN: Final = {"minute": 0, "min": 0, "hour": 0, "hr": 0, "day": 1, "week": 7}


def text(value: object) -> str:
    """Return a JSON string as one line, empty for anything else."""
    told = unwrapped(value)
    return printable(told, most=_LONGEST_TEXT) if isinstance(told, str) else ""


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
    told = unwrapped(value)
    line = identifier(told[0] if isinstance(told, list) and len(told) == 1 else told)
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


def days(value: object) -> int | None:
    """Return a duration in whole days: a number, `12 days`, `13 hours`, `2 weeks`."""
    if not isinstance(told := unwrapped(value), str):
        return rounded(told)
    found = _DURATION.fullmatch(told[:_LONGEST_DURATION].strip().lower())
    return int(found["count"]) * _DAYS_IN[found["unit"] or "day"] if found else None


def day(value: object) -> date | None:
    """Return the day a text begins with, such as `2025-03-08T00:00:00`.

    None for a day on which no listing can have begun.
    """
    found = _DAY.match(text(value))
    try:
        stated = date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
    return stated if stated and FIRST_DAY <= stated <= LAST_DAY else None
