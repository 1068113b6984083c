"""A standardized picture: the PNG made of a blob by one recipe."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardPicture:
    """Facts of a stored PNG; sizes in pixels and bytes."""

    sha256: str
    recipe: str
    png_sha256: str
    size_bytes: int
    width: int
    height: int
