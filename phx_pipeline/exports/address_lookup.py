"""`address_folder_lookup.json` 1.0.0: which folder holds the photos of an address."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

VERSION = "1.0.0"
DESCRIPTION = "Where the published photos of each address are"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderEntry:
    """One property's folder below `processed/` and the number of pictures in it."""

    address: str
    folder: str
    image_count: int


def render_address_lookup(folders: Iterable[FolderEntry]) -> str:
    """Return the lookup of `folders`, sorted by address."""
    mappings = {entry.address: _mapping(entry) for entry in folders}
    document = {
        "version": VERSION,
        "description": DESCRIPTION,
        "mappings": dict(sorted(mappings.items())),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _mapping(entry: FolderEntry) -> dict[str, str | int]:
    return {
        "folder": entry.folder,
        "image_count": entry.image_count,
        "path": f"data/property_images/processed/{entry.folder}/",
    }
