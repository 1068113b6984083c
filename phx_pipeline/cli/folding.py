"""Lines broken between words at the width of a terminal. Nothing is printed here."""

import os
import re
import sys
from shutil import get_terminal_size
from textwrap import fill
from typing import IO

# Commands are copied, and a moment is read at one glance.
_TOGETHER = re.compile(r"`[^`]*`|\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? MST\b|\bpid \d+")
_BOUND = "\0"  # a space at which nothing is broken; no path and no text holds it


def unbroken(text: str) -> str:
    """Have `folded` keep *text* on one line: people copy a path from it, or a command.

    Only `folded` takes such a text, be it for no width.
    """
    return text.replace(" ", _BOUND)


def folded(text: str, *, width: int | None) -> str:
    """Break each line of *text* at *width* columns, if there is one.

    Where a line goes on it is indented by two more, so that one sees where it begins.
    Commands in backticks and moments stay whole, and words longer than the width.
    """
    if width:
        text = "\n".join(_folded(line, width) for line in text.split("\n"))
    return text.replace(_BOUND, " ")


def _folded(line: str, width: int) -> str:
    indent = len(line) - len(line.lstrip(" ")) + 2
    return fill(
        _TOGETHER.sub(lambda it: unbroken(it[0]), line),
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def width_of(stream: IO[str]) -> int | None:
    """The columns of the terminal behind *stream*, or those that COLUMNS says."""
    asked = get_terminal_size((0, 0)).columns  # COLUMNS, or of standard output
    if stream.isatty():
        return asked or os.get_terminal_size(stream.fileno()).columns
    return None if sys.stdout.isatty() else asked or None
