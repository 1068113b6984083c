"""What the sidecars of one house tell beside its photos."""

from collections.abc import Mapping
from dataclasses import dataclass

from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.ruling import Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Why a kept photo has its category: the votes as they were stored."""

    probability: float
    votes: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The bytes of a copy, in short. Sizes in pixels and bytes."""

    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What is known of the pictures of a house beside their photo rows.

    `rulings` are those that count, the oldest first; `originals` go by SHA-256.
    """

    named: Mapping[PhotoKey, Named]
    originals: Mapping[str, Original]
    rulings: tuple[Ruling, ...]
