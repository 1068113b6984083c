"""The shape of a JSON document: its keys, and of what kind their values are."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

Shape = Mapping[str, frozenset[str]]


def shape_of(*documents: object, maps: Collection[str] = ()) -> dict[str, set[str]]:
    """Return the kinds of values by path, over all documents.

    Paths are such as `runs[].properties[].address`. A path in *maps* leads to an object
    whose keys are data: they all become `*`. Nothing is told of what is below a path
    that ends in `!` there.
    """
    found: dict[str, set[str]] = {}
    for document in documents:
        _look(document, "", maps=maps, found=found)
    return found


def _look(
    value: Any, path: str, *, maps: Collection[str], found: dict[str, set[str]]
) -> None:
    if path:
        found.setdefault(path, set()).add(type(value).__name__)
    if f"{path}!" in maps:
        return
    if isinstance(value, list):
        for item in value:
            _look(item, f"{path}[]", maps=maps, found=found)
    elif isinstance(value, dict):
        for key, item in value.items():
            name = "*" if path in maps else key
            _look(item, f"{path}.{name}" if path else name, maps=maps, found=found)


def kinds(shape: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return a shape as it is written down: each path with its kinds in one word."""
    return {path: "|".join(sorted(types)) for path, types in sorted(shape.items())}


def read(path: Path) -> Any:
    """Return a real document, without the remark an excerpt was given."""
    document = json.loads(path.read_text(encoding="utf-8"))
    document.pop("_note", None)
    return document
