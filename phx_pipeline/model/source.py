"""The places photos come from, and the letter each has in a file name."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Self

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KNOWN: dict[str, Any] = {}  # the one object of each name


class Source(str):
    """A listing source; the text is its name in the CLI, the catalogue and views.

    There is one object for each name, so `is` compares. Any name is one, because what
    is stored may be of a source that is not here any more; which sources can be asked
    is told by the registry of `sources`.

    Raises:
        ValueError: the text is no name: lower-case letters, digits and `_`, at most 40.
    """

    __slots__ = ()

    ZILLOW: ClassVar["Source"]
    REDFIN: ClassVar["Source"]
    MARICOPA: ClassVar["Source"]
    PHOENIX_MLS: ClassVar["Source"]
    UNKNOWN: ClassVar["Source"]

    def __new__(cls, name: str) -> Self:
        """Return the source of that name, the same object each time."""
        known: Self | None = _KNOWN.get(name)
        if known is None:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is not the name of a source")
            known = _KNOWN.setdefault(name, super().__new__(cls, name))
        return known

    @property
    def value(self) -> str:
        """Its name."""
        return str(self)

    @property
    def letter(self) -> str:
        """The one-letter code used in file names: z r m p, and u of any other."""
        return _LETTERS.get(self, "u")

    @classmethod
    def from_letter(cls, letter: str) -> "Source":
        """Return the source of a file-name letter, `UNKNOWN` if it is that of many.

        Raises:
            ValueError: it is no source's letter.
        """
        for source, own in _LETTERS.items():
            if own == letter:
                return source
        raise ValueError(f"no source has the letter {letter!r}; known: z r m p u")


Source.ZILLOW = Source("zillow")
Source.REDFIN = Source("redfin")
Source.MARICOPA = Source("maricopa_assessor")
Source.PHOENIX_MLS = Source("phoenix_mls")
Source.UNKNOWN = Source("unknown")

_LETTERS = {
    Source.ZILLOW: "z",
    Source.REDFIN: "r",
    Source.MARICOPA: "m",
    Source.PHOENIX_MLS: "p",
    Source.UNKNOWN: "u",
}
LETTERED: Final = tuple(_LETTERS)
"""The sources with a letter, in the order in which they are shown."""


def in_order(sources: Iterable[Source]) -> list[Source]:
    """Return *sources* as they are shown: the lettered ones first, others by name."""
    rank = {source: at for at, source in enumerate(LETTERED)}
    return sorted(set(sources), key=lambda it: (rank.get(it, len(rank)), it))
