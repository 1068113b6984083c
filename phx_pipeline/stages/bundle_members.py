"""Members of a bundle's manifest, held to their kinds and bounds.

Anybody may have written the manifest. What its members mean is not told here.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from phx_pipeline.model.facts import FactValue

T = TypeVar("T")

MOST_OF_A_KIND: Final = 50  # requests, answers a page asked for, events
_LARGEST_COUNT: Final = 10**9  # bytes, pixels, photos
_LEAST_STATUS, _END_STATUS = 100, 600
_LONGEST_TEXT: Final = 4096
_LARGEST_NUMBER: Final = 2**53
_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "whole number",
    bool: "yes or no",
    list: "list",
}


class DamagedError(Exception):
    """What makes a file no bundle; the text may be shown."""


class Told:
    """An object of the manifest, whose values are of the kind that is asked for.

    Each raises `ValueError` that names the value which is not.
    """

    def __init__(self, plain: object) -> None:
        if not isinstance(plain, dict):
            raise DamagedError("its manifest has another shape")
        self._plain: dict[str, Any] = plain

    def has(self, name: str) -> bool:
        """Whether there is a member *name*, and not null."""
        return self._plain.get(name) is not None

    def get(self, name: str, kind: type[T]) -> T:
        """Return a member that must be there, of just this kind."""
        value = self._plain.get(name)
        if value is None:
            raise ValueError(f"{name} is missing")
        if type(value) is not kind:  # a flag is no number
            raise ValueError(f"{name} is no {_KINDS.get(kind, kind.__name__)}")
        if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
            raise ValueError(f"{name} is too large")
        return value

    def count(self, name: str) -> int:
        """Return a number of things, such as pixels or bytes."""
        if not 0 <= (value := self.get(name, int)) <= _LARGEST_COUNT:
            raise ValueError(f"{name} {value} is no number of ours")
        return value

    def status(self, name: str) -> int:
        """Return an HTTP status; 0 stands for none."""
        if (value := self.get(name, int)) and not _LEAST_STATUS <= value < _END_STATUS:
            raise ValueError(f"{name} {value} is no status of HTTP")
        return value

    def plain_text(self, name: str) -> str | None:
        """Return a text; None for anything else."""
        value = self._plain.get(name)
        return value if isinstance(value, str) else None

    def text(self, name: str) -> str:
        """Return a short line."""
        value = self.get(name, str)
        if len(value) > _LONGEST_TEXT or not value.isprintable():
            raise ValueError(f"{name} is no short line")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts of any length."""
        found = self.get(name, list)
        if not all(isinstance(each, str) for each in found):
            raise ValueError(f"{name} are no texts")
        return tuple(found)

    def inner(self, name: str) -> "Told":
        """Return the object *name*; `DamagedError` if it is none."""
        return Told(self._plain.get(name))

    def each(self, name: str) -> list["Told"]:
        """Return the first objects of a list."""
        return [Told(each) for each in self.get(name, list)[:MOST_OF_A_KIND]]

    def scalars(self) -> dict[str, FactValue]:
        """Return all members, which must be single values."""
        if not all(isinstance(it, FactValue) for it in self._plain.values()):
            raise ValueError("facts are no single values")
        return self._plain

    def plain(self, name: str) -> Any:
        """Return a number or a flag; None for anything else."""
        value = self._plain.get(name)
        if value is not None and not isinstance(value, bool | int | float):
            value = None
        return value
