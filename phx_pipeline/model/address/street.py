"""Street names as they are written, and where a street ends in a line."""

import re
from collections.abc import Container, Sequence

from phx_pipeline.model.address.words import (
    CONNECTING,
    DIRECTIONS,
    EVERYDAY,
    FULL_WORDS,
    SUFFIXES,
    WRITTEN,
)

# Behind these nothing more of a name is expected.
_ENDING = EVERYDAY | frozenset(
    """
    Aly Bnd Cres Cv Expy Fwy Hwy Loop Mews Pass Path Pkwy Plz Pt Row Run Sq Stra
    Ter Trce Trl Walk Xing
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
# Roads that have a number for a name: "County Rd 12A", "Old Us Hwy 80", "Calle 5".
_ROAD_KINDS = frozenset(
    """
    arizona az bia cnty co county cr farm fire fm forest fr fsr historic i ih indian
    interstate market national navajo old private ranch service sh sr state to
    township us
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
_WITH_NUMBER = frozenset(
    "us county az arizona interstate sr cr fm fr fsr ih i sh".split()  # noqa: SIM905 - as above
)
_NUMBERED_ROADS = frozenset(
    """
    Ave Byp Ct Dr Expy Fwy Hwy Ln Loop Pl Rd Rte Spur St Way
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
_HIGHWAYS = frozenset({"Hwy", "Rte"})
_NUMBERED_PLACES = frozenset(
    """
    avenida block calle camino carretera mile milepost parcel section tract via
    """.split()  # noqa: SIM905 - a list of words reads better as text
)
_ROAD_NUMBER = re.compile(r"\d+(?:\.\d+|-\d/\d)?-?[a-z]?|[a-z]")
_JOINED_NUMBER = re.compile(r"(?:us|sr|cr|az|fm|fr|fsr|ih|sh|i)-?\d+[a-z]?")
_FRACTION = re.compile(r"\d/\d")


def cased(word: str) -> str:
    """Return a word of a name: "29TH" -> "29th", "DAVIS" -> "Davis", "McDowell"."""
    if word[0].isdigit():
        ordinal = re.fullmatch(r"\d+(st|nd|rd|th)", word.lower())
        return word.lower() if ordinal else word.upper()
    return word.capitalize() if word.isupper() or word.islower() else word


def canonical_street(words: Sequence[str]) -> str:
    """Return direction, name, suffix, direction; at least one word stays the name."""
    rest, after = split_last_direction([cased(word) for word in words])
    before, rest = split_first_direction(rest)
    return " ".join([*before, *_canonical_name(rest), *after])


def split_last_direction(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off the short form of a direction behind a name."""
    *rest, last = words
    if last.lower() not in DIRECTIONS or not rest:
        return words, []
    previous = rest[-1].lower()
    # "E North", "Avenue E"
    alone = len(rest) == 1 and (previous in DIRECTIONS or previous in SUFFIXES)
    if alone or previous in CONNECTING:
        return words, []
    return rest, [DIRECTIONS[last.lower()]]


def split_first_direction(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off the short form of a direction before a name."""
    first, *rest = words
    is_name = not rest or (len(rest) == 1 and SUFFIXES.get(rest[0].lower()) in EVERYDAY)
    if first.lower() not in DIRECTIONS or is_name:
        return [], words
    return [DIRECTIONS[first.lower()]], rest


def is_suffix(words: Sequence[str]) -> bool:
    """Whether the last of a name's words, which has no directions, is its suffix."""
    *name, last = map(str.lower, words)
    if not name or last not in SUFFIXES:
        return False
    return name[-1] not in CONNECTING or SUFFIXES[last] in EVERYDAY


def is_whole(words: Sequence[str]) -> bool:
    """Whether *words* end as a street ends: what follows is no more of its name."""
    low = [word.lower() for word in words]
    if low and numbered_road(low) == len(low):
        return True
    while len(low) > 1 and low[-1] in DIRECTIONS:
        low.pop()
    return len(low) > 1 and SUFFIXES.get(low[-1]) in _ENDING


def numbered_road(words: Sequence[str]) -> int:
    """Return how many words make a road with a number; 0 if it is none.

    "Avenue 3 E", "N Loop 101", "Avenue B" and "US 60" are some: the number is no unit.
    """
    low = [*map(str.lower, words), ""]
    at = _first_other(low, DIRECTIONS)
    if _JOINED_NUMBER.fullmatch(low[at]):
        return at + 1
    if low[at] == "st" and SUFFIXES.get(low[at + 1]) in _HIGHWAYS:
        at += 1  # "St Rte 87"
    road = _first_other(low, _ROAD_KINDS, start=at)
    is_road = SUFFIXES.get(low[road]) in _NUMBERED_ROADS
    if is_road or low[road] in _NUMBERED_PLACES:
        road += 1
    elif road == at or low[road - 1] not in _WITH_NUMBER:
        return 0
    if not _ROAD_NUMBER.fullmatch(low[road]):
        return 0
    if low[road - 1] == "arizona" and not low[road][0].isdigit():
        return 0
    end = road + 1
    if _FRACTION.fullmatch(low[end]):
        end += 1
    return end + (low[end] in DIRECTIONS and low[end - 1][-1].isdigit())


def _first_other(words: Sequence[str], known: Container[str], *, start: int = 0) -> int:
    while words[start] in known:
        start += 1
    return start


def _canonical_name(words: list[str]) -> list[str]:
    """Shorten the suffix of a name without directions."""
    *name, last = words
    if not name:
        return [_full(last)]
    if is_suffix(words):
        written = WRITTEN[last.lower()]
        return [*([_full(name[0])] if len(name) == 1 else name), written]
    if last.lower() in SUFFIXES:
        return [*name, _full(last)]
    if re.fullmatch(r"\d+[A-Z]?|[A-Z]", last):  # "Highway 60", "Avenue B"
        return [*name[:-1], WRITTEN.get(name[-1].lower(), name[-1]), last]
    return words


def _full(word: str) -> str:
    full = FULL_WORDS.get(word.lower())
    return full.capitalize() if full else word
