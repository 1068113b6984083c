"""The pictures of a folder that is measured with."""

from pathlib import Path
from typing import Final

from phx_pipeline.errors import InputError

SUFFIXES: Final = (".avif", ".gif", ".jpeg", ".jpg", ".png", ".webp")


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures in *folder*, by name; `InputError` if there are none."""
    found = sorted(it for it in folder.iterdir() if it.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"{folder}: no pictures ({', '.join(SUFFIXES)})")
    return found
