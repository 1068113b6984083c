"""The JSON Schemas (draft 2020-12) of the documents, one file each.

A document has no key that its schema does not know.
"""

import json
from importlib.resources import files
from typing import Any, Final

NAMES: Final = (
    "change",
    "digest",
    "event",
    "house",
    "job",
    "look",
    "not_kept",
    "picture",
    "property",
    "proposal",
    "search",
    "search_turn",
    "source",
    "status",
)


def schema_of(name: str) -> dict[str, Any]:
    """Return the schema of the document *name*, one of `NAMES`."""
    text = files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
