"""The places photos come from, and the letter each has in a file name."""

from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """A listing source; the value is its name in the CLI, the catalogue and views."""

    ZILLOW = "zillow"
    REDFIN = "redfin"
    MARICOPA = "maricopa_assessor"
    PHOENIX_MLS = "phoenix_mls"
    UNKNOWN = "unknown"

    @property
    def letter(self) -> str:
        """The one-letter code used in file names: z r m p u."""
        return _LETTERS[self]

    @classmethod
    def from_letter(cls, letter: str) -> "Source":
        """Return the source of a file-name letter; `ValueError` for any other."""
        for source, own in _LETTERS.items():
            if own == letter:
                return source
        raise ValueError(f"no source has the letter {letter!r}; known: z r m p u")


ASKED: Final = (Source.ZILLOW, Source.REDFIN)  # those with an adapter, to be enabled

_LETTERS = {
    Source.ZILLOW: "z",
    Source.REDFIN: "r",
    Source.MARICOPA: "m",
    Source.PHOENIX_MLS: "p",
    Source.UNKNOWN: "u",
}
