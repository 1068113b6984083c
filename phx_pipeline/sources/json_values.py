"""JSON as sites answer with it: text in, objects and lists out, or the site changed.

What a value means is read in `stated`, and in the package of each source.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from phx_pipeline.errors import SourceChangedError

JsonObject = Mapping[str, Any]


def decoded(text: str, *, what: str) -> object:
    """Return the JSON value in *text*.

    Raises:
        SourceChangedError: it is none; *what* names it in the message.
    """
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SourceChangedError(f"{what} is not JSON") from error
    return value


def mapping(value: object, *, what: str) -> JsonObject:
    """Return *value* if it is a JSON object, else raise `SourceChangedError`."""
    if not isinstance(value, dict):
        raise SourceChangedError(f"{what} is missing or not an object")
    return value


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a list; nothing of anything else."""
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict):
            yield entry
