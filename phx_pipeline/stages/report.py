"""Counts and outcomes of a property as text; the numbers come from the catalogue.

And the one way a text of a site gets into Markdown: as text.
"""

import re
from collections.abc import Iterable

from phx_pipeline.model.outcome import VerdictKind
from phx_pipeline.model.printable import printable
from phx_pipeline.model.tally import PropertyTally

_LONGEST_CELL = 300
# Words and signs that mean nothing in Markdown, wherever they stand in a cell.
_PLAIN = re.compile(r"(?:[^\W_]|[ ,.;:()'/#%+=…-]|(?<=[^\W_])_(?=[^\W_]))*")
_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)
_IN_CODE = str.maketrans({"`": "'", "|": "¦", "<": "\u2039", ">": "\u203a"})

_NOT = "not asked"


def outcome_rows(tally: PropertyTally) -> list[dict[str, str | int]]:
    """A table for pages: one row per source, all of the same columns."""
    return [
        {
            "source": source.source.value,
            "outcome": source.outcome.value if source.outcome else _NOT,
            "discovered": source.discovered,
            **{kind.value: source.count(kind) for kind in VerdictKind},
            "detail": inert(source.detail),
        }
        for source in tally.sources
    ]


def outcome_sentence(tally: PropertyTally) -> str:
    """How each source ended, and why, on one plain line."""
    return "; ".join(
        f"{source.source.value}: {source.outcome.value if source.outcome else _NOT}"
        + (f" ({printable(source.detail)})" if source.detail else "")
        for source in tally.sources
    )


def inert(text: str, *, most: int = _LONGEST_CELL) -> str:
    """Return a text of *most* characters for Markdown, shown as it is and never obeyed.

    What might mean something in Markdown or HTML, or be made a link by a reader, stands
    as code, in which nothing is interpreted; signs that could end it are replaced.
    """
    line = printable(text, most=most)
    if _PLAIN.fullmatch(line) and not _LINK.search(line):
        return line
    return f"`{line.translate(_IN_CODE).replace('](', '] (')}`"


def table_line(cells: Iterable[str]) -> str:
    """A line of a Markdown table; what a site said must have gone through `inert`."""
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
