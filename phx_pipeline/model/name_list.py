"""A line of names: as many whole ones as there is room for, and how many more."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_BETWEEN: Final = ", "
_MORE: Final = re.compile(r"(?P<named>.+) and (?P<more>\d+) more", re.DOTALL)


def line_of_names(names: Iterable[str], *, most: int) -> str:
    """Return *names* as one line; those beyond *most* characters are counted.

    The first one always stands there.
    """
    every = list(dict.fromkeys(names))
    if len(whole := _BETWEEN.join(every)) <= most:
        return whole
    room = most - len(_told_more(len(every)))
    fits, used = 1, len(every[0])
    while used + len(_BETWEEN) + len(every[fits]) <= room:
        used += len(_BETWEEN) + len(every[fits])
        fits += 1
    return _BETWEEN.join(every[:fits]) + _told_more(len(every) - fits)


def names_of_line(line: str) -> tuple[Sequence[str], int]:
    """Return the names of such a line, and how many more there are."""
    found = _MORE.fullmatch(line)
    named, more = (found["named"], int(found["more"])) if found else (line, 0)
    return named.split(_BETWEEN), more


def _told_more(count: int) -> str:
    return f" and {count} more" if count else ""
