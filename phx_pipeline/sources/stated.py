"""Scalars as pages state them: any JSON value in, a bounded value or nothing out.

Numbers that are facts of a house are read in `model.facts`.
"""

import re
from datetime import date
from typing import Final

from phx_pipeline.model.facts import unwrapped
from phx_pipeline.model.printable import printable

LONGEST_URL: Final = 2000
LARGEST_INTEGER: Final = 2**31 - 1  # what an integer column holds
_LONGEST_ID = 60
_LONGEST_TEXT = 2000

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def text(value: object) -> str:
    """Return a JSON string as one line, empty for anything else."""
    told = unwrapped(value)
    return printable(told, most=_LONGEST_TEXT) if isinstance(told, str) else ""


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


def whole(value: object) -> int | None:
    """Return a stated integer that is not negative and can be stored."""
    told = unwrapped(value)
    if isinstance(told, bool) or not isinstance(told, int):
        return None
    return told if 0 <= told <= LARGEST_INTEGER else None


def pixels(value: object) -> int | None:
    """Return a stated width or height."""
    return whole(value) or None


def day(value: object) -> date | None:
    """Return the day a text begins with, such as `2025-03-08T00:00:00`."""
    found = _DAY.match(text(value))
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
