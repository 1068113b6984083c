"""`{name}.json`: what is known of one published picture, as a file beside it.

Nobody's name is in it: who ruled, and why, stays in the catalogue.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SCHEMA: Final = 1

# Python's fast encoder knows no indent: a line for each row is both fast and readable.
_LINE = json.JSONEncoder(ensure_ascii=False)

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidecar:
    """The parts of a sidecar, in the order of the file; `docs/data.md` tells each."""

    file: str
    house: Row
    shows: Row
    votes: Sequence[Row]
    versions: Row
    picture: Row
    copies: Sequence[Row]
    listings: str
    rulings: Sequence[Row]


def render_sidecar(sidecar: Sidecar) -> str:
    """Return the text of a sidecar: the same for the same values."""
    parts = {
        "schema": str(SCHEMA),
        "file": _LINE.encode(sidecar.file),
        "property": _LINE.encode(sidecar.house),
        "shows": _LINE.encode(sidecar.shows),
        "votes": render_rows(sidecar.votes),
        "versions": _LINE.encode(sidecar.versions),
        "picture": _LINE.encode(sidecar.picture),
        "copies": render_rows(sidecar.copies),
        "listings": sidecar.listings,
        "rulings": render_rows(sidecar.rulings),
    }
    body = ",\n".join(f'  "{name}": {text}' for name, text in parts.items())
    return f"{{\n{body}\n}}\n"


def render_rows(rows: Iterable[Row]) -> str:
    """Return a list with a line for each row; what many sidecars share is made once."""
    lines = ",\n".join(f"    {_LINE.encode(row)}" for row in rows)
    return f"[\n{lines}\n  ]" if lines else "[]"
