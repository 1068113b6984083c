"""Lists a page at a time: how long a page may be, and where the next one begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from phx_pipeline.errors import InputError

LIMIT: Final = 100
"""Rows of a page where nobody says how many."""
MOST: Final = 500
"""Rows of the longest page."""
_LONGEST = 2_000  # characters of a cursor
_BETWEEN = "\n"  # is in no key, no address and no file name

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows of a list; `next` leads to those after them, None after the last."""

    rows: tuple[Row, ...]
    next: str | None = None


def page_of(
    found: Sequence[Row], *, limit: int, ends: Callable[[Row], Sequence[str]]
) -> Page[Row]:
    """Return a page of *limit* rows.

    Args:
        found: one row more than the page has, if there are more.
        limit: rows of the page.
        ends: names the place of a row, as the next page is to be told.
    """
    rows = tuple(found[:limit])
    more = len(found) > limit
    return Page(rows=rows, next=cursor_of(ends(rows[-1])) if more else None)


def checked_limit(limit: int) -> int:
    """Return the rows of a page.

    Raises:
        InputError: it is less than 1 or more than `MOST`.
    """
    if not 1 <= limit <= MOST:
        raise InputError(f"limit {limit} is not 1 to {MOST}: choose one that is")
    return limit


def cursor_of(place: Sequence[str]) -> str:
    """Return a place as letters, digits, `-` and `_`, for URLs."""
    text = _BETWEEN.join(place)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_at(cursor: str | None, *, parts: int) -> list[str] | None:
    """Return the place that a cursor stands for; None without one.

    Raises:
        InputError: no page of such a list ended with this cursor.
    """
    if not cursor:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = urlsafe_b64decode(padded).decode().split(_BETWEEN)
    except ValueError as error:  # letters, base64 or UTF-8 that are none
        raise refused(cursor) from error
    is_text = all(part.isprintable() for part in place)  # no database takes NUL
    if len(place) != parts or len(cursor) > _LONGEST or not is_text:
        raise refused(cursor)
    return place


def refused(cursor: str) -> InputError:
    """Return the error that tells that a cursor is none of ours."""
    return InputError(
        f"cursor {cursor[:40]!r} is none that a page ended with: leave it out to begin "
        "with the first page"
    )
