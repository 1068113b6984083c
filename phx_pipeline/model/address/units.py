"""Units: which words are one, how it is written, and its value below the writing.

The words are those of USPS Publication 28, appendix C2. Where a unit begins in a line
is told by `line`.
"""

import re
from collections.abc import Iterable, Sequence

from phx_pipeline.model.address.words import DIRECTIONS, SUFFIXES

Group = tuple[str, tuple[str, ...]]  # a kind of unit and its values

# One door is a "suite" to one source and "#" to another.
_SIGNS = frozenset({"#", "no", "number"})
_PLAIN = frozenset({"apt", "apartment", "condo", "ste", "suite", "unit"})
_PLURAL = frozenset({"apts", "apartments", "suites", "units"})
# The value may be any word: no street is called so. "Rue Ste Anne" is one.
_STRONG = frozenset({"apt", "apartment", "suite", "unit", "#"})
# Written as any other unit, but only behind a whole street: "Slip 4", "Key Largo Dr".
_RARE = frozenset(
    ("dept", "department", "hngr", "hangar", "hanger", "key", "pier", "slip", "stop")
)
# In the order they are written.
_OTHERS = {
    "Bldg": ("bldg", "building", "bld", "bldng"),
    "Fl": ("fl", "floor", "flr"),
    "Lot": ("lot", "lt"),
    "Spc": ("spc", "space", "sp", "site"),
    "Trlr": ("trlr", "trailer"),
    "Rm": ("rm", "room"),
    "Ph": ("ph", "penthouse"),
    "Bsmt": ("bsmt", "basement"),
    "Lbby": ("lbby", "lobby"),
    "Lowr": ("lowr", "lower"),
    "Uppr": ("uppr", "upper"),
    "Frnt": ("frnt", "front"),
    "Rear": ("rear",),
    "Ofc": ("ofc", "office"),
    "Villa": ("villa",),
    "Casita": ("casita",),
    "Twnhse": ("twnhse", "townhouse", "townhome"),
    "Cottage": ("cottage",),
    "Cabin": ("cabin",),
    "Studio": ("studio",),
    "Loft": ("loft",),
    "Side": ("side",),
}
_ORDER = (*_OTHERS, "Unit")
# Whose kind says nothing but "a door of this number".
_DOORS = frozenset({"Lot", "Spc", "Trlr", "Rm", "Unit"})
# Units that need no value.
_PLACES = frozenset(_ORDER[_ORDER.index("Ph") : _ORDER.index("Unit")])
_KINDS = {word: kind for kind, words in _OTHERS.items() for word in words}
_KINDS |= dict.fromkeys(_PLAIN | _SIGNS | _RARE, "Unit")
# Words a street may end with as well.
_WEAK = _RARE | frozenset(
    """
    lobby lower lt upper front office side villa casita twnhse townhouse townhome
    cottage cabin studio loft
    """.split()  # noqa: SIM905 - a list of words reads better as text
)

_VALUE = re.compile(
    r"(?=.*\d)[A-Z\d]+(?:[-/][A-Z\d]+)*|[A-Z]{1,2}|[A-Z](?:-[A-Z])+|[IVX]{3,5}"
)
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)
# "12-A", "12 A" and "12A" are one door, "1-11" and "11-1" are two.
_NEEDLESS_HYPHEN = re.compile(r"(?<=\d)-(?=[A-Z])|(?<=[A-Z])-(?=\d)")
# Between a building and its door it may be left out as well, but for "Bldg 1 Unit A1"
# and "Bldg 1A Unit 1": there it tells where the building ends.
_PLAIN_PAIR = re.compile(r"\d+-[A-Z]+|[A-Z]+-\d+")


def read_unit(
    words: Sequence[str], *, behind_street: bool = False, weak: bool = False
) -> tuple[Group, ...]:
    """Return each unit word's kind with its values; empty if *words* is anything else.

    A value has a digit or is at most two letters and no street suffix, so that "Old
    Space Dr" stays a street; after some unit words it may be any word.

    Args:
        words: the end of a street line.
        behind_street: a whole street stands before: the value may be any word, and
            the unit word one that streets have too.
        weak: the unit word may be one that streets have too.
    """
    groups: list[tuple[str, list[str]]] = []
    spoken = ""
    for word in map(str.lower, words):
        waiting = bool(groups) and not groups[-1][1] and groups[-1][0] not in _PLACES
        if waiting and word in _SIGNS:
            continue  # "Apt # 4"
        if waiting and word == "unit" and groups[-1][0] in _DOORS - {"Unit"}:
            continue  # "Lot Unit 4"
        if waiting and groups[-1][0] == "Unit" and word in _KINDS:
            groups[-1] = (_KINDS[word], [])  # "Unit PH", "# Lot 4"
        elif word in _KINDS and not waiting:
            if word in _WEAK and not (groups or weak or behind_street):
                return ()
            groups.append((_KINDS[word], []))
            spoken = word
        elif groups and _is_value(
            word,
            free=waiting and groups[-1][0] == "Unit" and behind_street,
            letters=waiting and (spoken in _STRONG or (weak and spoken in _PLAIN)),
        ):
            groups[-1][1].append(_value(word))
        else:
            return ()
    if any(not values and kind not in _PLACES for kind, values in groups):
        return ()
    return tuple((kind, tuple(values)) for kind, values in groups)


def read_bare(words: Sequence[str], *, letters: bool) -> tuple[Group, ...]:
    """Read a unit whose first value stands without a unit word, such as "204".

    Args:
        words: the end of a street line.
        letters: whether a value without a digit counts: "B", "III", but no direction.
    """
    first = words[0]
    is_number = any(c.isdigit() for c in first) and not _ORDINAL.fullmatch(first)
    if not is_number and (not letters or first.lower() in DIRECTIONS):
        return ()
    return read_unit(["unit", *words]) if _is_value(first.lower()) else ()


def is_loose(words: Sequence[str]) -> bool:
    """Whether street words hold a unit word that lacks its number."""
    return "#" in words or (len(words) > 1 and words[-1].lower() in _PLAIN | _PLURAL)


def is_unit_word(word: str) -> bool:
    """Whether *word* may name a kind of unit."""
    return word.lower() in _KINDS


def canonical_unit(groups: Iterable[Group]) -> str | None:
    """Return the one way these units are written; None for none.

    Raises:
        ValueError: two different values of one kind.
    """
    named = _named(groups)
    # A street may end with "Side", but not with "Unit Side".
    written = {"Side": "Unit Side"}
    return (
        " ".join(
            f"{written.get(k, k)} {named[k]}".strip() for k in _ORDER if k in named
        )
        or None
    )


def unit_value(groups: Iterable[Group]) -> tuple[str, ...]:
    """Return what tells a door from others: its values in order, without unit words.

    A kind that is no door of its own is part of the value: a floor, a penthouse, a
    building without any door. So is that of all doors but the last, and of a building
    with a hyphen: "Lot 5 Unit 3" is not "Bldg 5 Unit 3", nor is "Bldg 1-2 Unit 3" "Bldg
    1 Unit 2-3".
    """
    named = _named(groups)
    building = named.pop("Bldg", None)
    there = [kind for kind in _ORDER if kind in named]
    doors = {named[kind]: kind.upper() for kind in there if kind in _DOORS}
    *outer, last = doors or [""]
    places = [kind.upper() + named[kind] for kind in there if kind not in _DOORS]
    inner = [*places, *(doors[value] + value for value in outer), *filter(None, [last])]
    if building is None:
        return tuple(inner)
    alone = not inner or "-" in building
    return (f"BLDG{building}" if alone else building, *inner)


def joined(values: Iterable[str]) -> str:
    """Return values as one, without the hyphens some leave out: "A", "3" -> "A3"."""
    value = "-".join(values)
    return value.replace("-", "") if _PLAIN_PAIR.fullmatch(value) else value


def _named(groups: Iterable[Group]) -> dict[str, str]:
    named: dict[str, str] = {}
    for kind, values in groups:
        value = _NEEDLESS_HYPHEN.sub("", "-".join(values))
        if named.setdefault(kind, value) != value:
            raise ValueError(f"two units, {named[kind]!r} and {value!r}; keep one")
    return named


def _is_value(word: str, *, free: bool = False, letters: bool = False) -> bool:
    if free:
        return True
    if word in SUFFIXES or word in _KINDS:
        return False
    return _VALUE.fullmatch(_value(word)) is not None or (letters and word.isalpha())


def _value(word: str) -> str:
    return DIRECTIONS.get(word) or word.upper().replace(".", "-")
