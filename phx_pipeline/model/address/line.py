"""The street line of an address: its number, the words of its street, its units."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from phx_pipeline.model.address.plain import refusal
from phx_pipeline.model.address.street import is_whole, numbered_road
from phx_pipeline.model.address.units import (
    Group,
    is_loose,
    is_unit_word,
    read_bare,
    read_unit,
)
from phx_pipeline.model.address.words import DIRECTIONS

_NUMBERED = re.compile(
    r"(?P<number>\d+(?:-\d+)?)-?(?P<letter>[A-Za-z]?)"
    r"(?P<fraction> \d/\d)?(?: (?P<rest>.+))?"
)
# "Apt 4 100 E Bell Rd": a number follows the unit, and a word the number.
_UNIT_FIRST = re.compile(
    r"(?P<unit>(?:(?:apt|apartment|unit|ste|suite) |# ?)#? ?[\w-]+) "
    r"(?P<street>\d+ (?!\d+$)\w.*)",
    re.IGNORECASE,
)
_PO_BOX = re.compile(r"\b(?:po|p o|post office) ?box \d", re.IGNORECASE)
_MAIL = re.compile(
    r"\b(?:(?:p ?o ?b(?:ox)?|post office box|general delivery|gen del)\b(?: ?#? ?\d+)?"
    r"|(?:pmb|box|rr|rural route|hcr?|star route) ?#? ?\d+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetLine:
    """What stands before the city; `words` as typed, `units` in the order typed."""

    number: str
    words: tuple[str, ...]
    units: tuple[Group, ...]


def read_line(parts: Sequence[str], text: str) -> StreetLine:
    """Read the comma parts before the city.

    Raises:
        InputError: number or name is missing, or a part is no unit.
    """
    first, *others = _number_first(parts)
    if not (found := _NUMBERED.fullmatch(first)):
        raise refusal(text, _without_number(first))
    if not found["rest"]:
        raise refusal(text, "no street name after the number")
    if _PO_BOX.search(found["rest"]):
        raise refusal(text, "a post office box is no house; remove it")
    words, units = split_units(found["rest"].split())
    whole = is_whole(words)
    for part in others:
        read = _unit_part(part.split(), behind_street=whole)
        if not read:
            raise refusal(text, f"{part!r} is no unit; remove it or write 'Unit 4'")
        units = (*units, *read)
    _refuse_unread_unit(words, text)
    number = f"{found['number']}{found['letter'].upper()}{found['fraction'] or ''}"
    return StreetLine(number=number, words=tuple(words), units=units)


def split_units(words: Sequence[str]) -> tuple[Sequence[str], tuple[Group, ...]]:
    """Split before the longest end that reads as a unit; a street word must remain."""
    for start in range(max(1, numbered_road(words)), len(words)):
        if units := _read_end(words[:start], words[start:]):
            return words[:start], units
    return words, ()


def _read_end(street: Sequence[str], end: Sequence[str]) -> tuple[Group, ...]:
    whole = is_whole(street)
    if units := read_unit(end, behind_street=whole):
        valueless = not any(values for _, values in units)
        return () if valueless and not _has_name(street) else units
    if not whole and (not _has_name(street) or is_unit_word(street[-1])):
        return ()
    return read_bare(end, letters=whole)


def _has_name(street: Sequence[str]) -> bool:
    return any(word.lower() not in DIRECTIONS for word in street)


def _without_number(line: str) -> str:
    """Return what is to be done about a line that does not begin with a number."""
    if found := _MAIL.match(line):
        return f"{found[0]!r} is a mail box and no house; give the street address"
    return "no street number; begin with it"


def _number_first(parts: Sequence[str]) -> Sequence[str]:
    """Put a unit that stands before the street behind it: "Unit 4, 12 Main St"."""
    if found := _UNIT_FIRST.fullmatch(parts[0]):
        parts = [found["unit"], found["street"], *parts[1:]]
    leading = len(parts) > 1 and not parts[0][0].isdigit() and parts[1][0].isdigit()
    if leading and read_unit(parts[0].split()):
        return [parts[1], parts[0], *parts[2:]]
    return parts


def _unit_part(words: Sequence[str], *, behind_street: bool) -> tuple[Group, ...]:
    """Read a part between two commas."""
    read = read_unit(words, behind_street=behind_street, weak=True)
    if read or len(words) > 1 or words[0].lower() not in DIRECTIONS:
        return read or read_bare(words, letters=True)
    return (("Unit", (DIRECTIONS[words[0].lower()],)),)


def _refuse_unread_unit(words: Sequence[str], text: str) -> None:
    if is_loose(words):
        raise refusal(text, "a unit without its number; add it or remove the word")
    for at in range(1, len(words) - 1):
        if words[at].lower() in {"apt", "apartment", "unit"} and is_whole(words[:at]):
            unread = " ".join(words[at:])
            raise refusal(text, f"{unread!r} is no unit; write it like 'Unit 4'")
