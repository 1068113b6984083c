"""ZIP, state and city: read from the end of an address."""

import re
from collections.abc import Sequence

from phx_pipeline.model.address.plain import refusal
from phx_pipeline.model.address.street import cased
from phx_pipeline.model.address.units import read_unit
from phx_pipeline.model.states import state_at_end, state_code

_COUNTRY = re.compile(
    r"(?<![, ])[, ]+(usa?|united states( of america)?)[, ]*$", re.IGNORECASE
)
_ZIP = re.compile(r"(?<![0-9-])(\d{5})([- ]?\d{4})?$")
_BEHIND_ZIP = re.compile(
    r"\b(?:AZ|Arizona)[ ,]+\d{5}(?:-\d{4})?[ ,]+(?P<rest>.*\w.*)", re.IGNORECASE
)
_CODE_LENGTH = 2


def split_zip(plain: str, text: str) -> tuple[str, str]:
    """Return what stands before the ZIP code, and its five digits."""
    line = _COUNTRY.sub("", plain).strip(" ,")
    found = _ZIP.search(line)
    if not found and (behind := _BEHIND_ZIP.search(line)):
        raise refusal(text, f"remove {behind['rest']!r} behind the ZIP code")
    if not found:
        raise refusal(text, "no ZIP code at the end; add its five digits")
    return line[: found.start()], found[1]


def split_state(head: str, text: str) -> tuple[list[str], str]:
    """Return the comma parts before the state, and its code."""
    parts = [part.strip() for part in head.split(",") if part.strip()]
    words = parts[-1].split() if parts else []
    if size := state_at_end(words):
        code = state_code(" ".join(words[-size:])) or ""
        rest = [" ".join(words[:-size])] if words[:-size] else []
        return [*parts[:-1], *rest], code
    raise refusal(text, _state_trouble(parts))


def _state_trouble(parts: Sequence[str]) -> str:
    enough_for_state = 3  # street, city, and what should be the state
    last = parts[-1].split()[-1] if parts else ""
    if len(last) == _CODE_LENGTH and last.isalpha():
        return f"unknown state {last!r}; use the two-letter code before the ZIP"
    if len(parts) >= enough_for_state:
        return f"unknown state {parts[-1]!r}; use the two-letter code before the ZIP"
    return "no state; add its two-letter code before the ZIP"


def split_city(parts: Sequence[str], text: str) -> tuple[Sequence[str], str]:
    """Return the comma parts before the city, and its name."""
    alone = 1
    if len(parts) <= alone:
        if not any(c.isdigit() for c in "".join(parts)):
            raise refusal(text, "no street; begin with its number and name")
        raise refusal(text, "no city; put a comma between street and city")
    words = parts[-1].replace("-", " ").split()
    named = words and all(word.isalpha() for word in words)
    if not named or read_unit(words):
        raise refusal(text, f"no city; {parts[-1]!r} stands where it should be")
    return parts[:-1], " ".join(map(cased, words))
