"""An address: its one spelling for display, and what identifies its door below it.

The short forms are those of USPS Publication 28. `plain`, `place`, `line`, `street` and
`units` read; `matching` compares; nothing else splits an address.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Self

from phx_pipeline.errors import InputError
from phx_pipeline.model.address.line import StreetLine, read_line
from phx_pipeline.model.address.matching import (
    Street,
    near_directions,
    near_units,
    street_of,
    with_letter,
)
from phx_pipeline.model.address.place import split_city, split_state, split_zip
from phx_pipeline.model.address.plain import EXAMPLE, plain, refusal
from phx_pipeline.model.address.street import canonical_street
from phx_pipeline.model.address.units import canonical_unit, joined, unit_value

__all__ = ["EXAMPLE", "Address", "Match"]


class Match(StrEnum):
    """How two addresses relate: one door, perhaps one door, two doors."""

    SAME = "same"
    NEAR = "near"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """What an address says, in words that do not depend on how it is written."""

    number: str
    street: Street
    unit: tuple[str, ...]
    zip_code: str

    @property
    def key(self) -> str:
        """All of it in one line; the parts cannot run into one another."""
        parts = (self.number, str(self.street), joined(self.unit), self.zip_code)
        return "|".join(parts).lower()

    def is_near(self, other: Self) -> bool:
        """Whether it may be the same door, were one side careless."""
        if self.zip_code != other.zip_code:
            return False
        if self.number != other.number:  # "12A Elm St" and "12 Elm St Unit A"
            return self.street == other.street and self._numbers == other._numbers
        if self._squeezed == other._squeezed:  # "Via Linda B" and "Via Linda #B"
            return near_directions(self.street.directions, other.street.directions)
        streets = self.street.is_near(other.street)
        return streets and near_units(self.unit, other.unit)

    @property
    def _numbers(self) -> str:
        return f"{self.number}{joined(self.unit)}".replace(" ", "").lower()

    @property
    def _squeezed(self) -> str:
        return "".join((*self.street.words, joined(self.unit))).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address in canonical spelling; make one with `parse`.

    `street` is the street line between the number and the unit ("W Davis Rd"); `unit`
    is "Unit 4B" or "Bldg 2 Unit 4", `None` for a house. The spelling is for display,
    key and folder; whether two addresses are one door is told by `match_key` and
    `compare`.
    """

    street_number: str
    street: str
    unit: str | None
    city: str
    state: str
    zip_code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the canonical form of an address as people type it.

        Raises:
            InputError: a part is missing or unknown; the text names it and the remedy.
        """
        head, zip_code = split_zip(plain(text), text)
        parts, state = split_state(head, text)
        street_parts, city = split_city(parts, text)
        line = read_line(street_parts, text)
        street, unit = _canonical(line, text)
        address = cls(
            street_number=line.number,
            street=street,
            unit=unit,
            city=city,
            state=state,
            zip_code=zip_code,
        )
        if _canonical(read_line([plain(address.line)], text), text) != (street, unit):
            # Such as "100 N, PH": read again, it would be another house.
            raise refusal(text, "street and unit cannot be told apart")
        return address

    def __str__(self) -> str:
        """Return the canonical line; `parse` reads it back unchanged."""
        return f"{self.line}, {self.city}, {self.state} {self.zip_code}"

    @property
    def slug(self) -> str:
        """The canonical line in `[a-z0-9-]`: the property's key unless it is taken."""
        return re.sub(r"[^a-z0-9]+", "-", str(self).lower()).strip("-")

    def folder_id(self, salt: int = 0) -> str:
        """Return 8 hex digits; a *salt* > 0 gives another one when that is taken."""
        text = str(self).lower()
        salted = f"{text}#{salt}" if salt else text
        return sha256(salted.encode()).hexdigest()[:8]

    @property
    def match_key(self) -> str:
        """The same for all spellings of one door, whatever city they name.

        Two addresses with the same key are one house; catalogues keep it unique.
        """
        return self._door.key

    def compare(self, other: Self) -> Match:
        """Tell whether both are one door.

        `NEAR` is the same number and ZIP where one side leaves out a direction, a
        suffix or the unit, or misspells a long word: a person must say.
        """
        mine, theirs = self._door, other._door
        if mine.key == theirs.key:
            return Match.SAME
        return Match.NEAR if mine.is_near(theirs) else Match.OTHER

    @property
    def line(self) -> str:
        """Number, street and unit."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.street_number} {self.street}{unit}"

    @property
    def _door(self) -> _Door:
        return _door_of(self)


@lru_cache(maxsize=1 << 14)  # reading one takes half a millisecond
def _door_of(address: Address) -> _Door:
    """Read the line anew: an older version may have put a unit into the street."""
    try:
        line = read_line([plain(address.line)], address.line)
        unit = unit_value(line.units)
    except (InputError, ValueError):
        number, words = address.street_number, tuple(address.street.split())
        unit = tuple(filter(None, [address.unit]))
    else:
        number, words = with_letter(line.number, line.words)
    return _Door(
        number=re.sub(r"^0+(?=\d)", "", number.lower()),
        street=street_of(words),
        unit=unit,
        zip_code=address.zip_code,
    )


def _canonical(line: StreetLine, text: str) -> tuple[str, str | None]:
    """Return street and unit of a street line as they are written."""
    try:
        return canonical_street(line.words), canonical_unit(line.units)
    except ValueError as error:
        raise refusal(text, str(error)) from error
