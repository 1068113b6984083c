"""Whether all that a page says of its own address is of one house.

Whether that house is the one asked for is another question.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.sources.head import Described

_LINK_END = re.compile(r"-(?P<state>[A-Za-z]{2})-(?P<zip>\d{5})(?:-\d{4})?$", re.ASCII)
_MOST_WORDS = 20
_UNIT_WORDS = frozenset(
    {"apt", "bldg", "lot", "no", "rm", "spc", "ste", "suite", "trlr", "unit"}
)


def readable(text: str) -> Address | None:
    """Return the address in *text*, None if there is none."""
    try:
        return Address.parse(text)
    except InputError:
        return None


def contradicts(own: Address, other: Address) -> bool:
    """Whether a page about *own* says with *other* that it is about another house.

    A statement may leave the unit out, or a direction or the suffix, and one from a
    link has lost its signs.
    """
    match = own.compare(other)
    if match is Match.SAME or _same_words(own, other):
        return False
    is_part = f" {other.street} " in f" {own.street} " and own.unit == other.unit
    if match is Match.NEAR and is_part:
        return False
    return not (
        other.unit is None and replace(own, unit=None).compare(other) is Match.SAME
    )


def link_contradicts(words: str, own: Address) -> bool:
    """Whether the words of a link, `94-King-Arthur-Ct-Dahlonega-GA-30533`, do so.

    Nothing parts street and city in them: every place is tried, that of the page's own
    city alone if it fits.
    """
    readings = list(_readings(words, city=own.city))
    return bool(readings) and all(contradicts(own, each) for each in readings)


def another_described(
    houses: Iterable[Described],
    own: Address,
    *,
    link_differs: Callable[[str], bool | None],
) -> str:
    """Return the other house that structured data is of; empty if it tells of *own*.

    Pages also describe houses nearby: one that is their own settles it.

    Args:
        houses: what the page describes.
        own: its own address.
        link_differs: whether a link names another house; None if it names none.
    """
    others = ""
    for each in houses:
        said = (link_differs(each.url), _street_differs(each, own))
        if True in said:
            others = others or each.url or each.street
        elif False in said:
            return ""
    return others


def stated_beside(own: Address, street: str, *, zip_code: str = "") -> Address | None:
    """Return the address that a street line stands for on a page about *own*.

    The line may be a whole address; what it leaves out is as in *own*. None if it
    cannot be read.
    """
    where = f"{own.city}, {own.state} {zip_code or own.zip_code}"
    return readable(street) or readable(f"{street}, {where}")


def another_titled(titles: Iterable[str], own: Address) -> str:
    """Return the other house that a title is of; empty if all are of *own*."""
    for title in titles:
        other = stated_beside(own, title)
        if other and contradicts(own, other):
            return title
    return ""


def _street_differs(each: Described, own: Address) -> bool | None:
    other = stated_beside(own, each.street, zip_code=each.zip_code)
    return None if other is None else contradicts(own, other)


def _readings(words: str, *, city: str) -> Iterator[Address]:
    end = _LINK_END.search(words)
    if end is None:
        return
    parts = words[: end.start()].split("-")[:_MOST_WORDS]
    own_city = re.split(r"[ -]", city.lower())
    fits = [part.lower() for part in parts[-len(own_city) :]] == own_city
    places = [len(parts) - len(own_city)] if fits else range(2, len(parts))
    for at in places:
        place = parts[at:]
        if place[0].lower() in _UNIT_WORDS or any(map(str.isdecimal, place)):
            continue
        where = f"{' '.join(place)}, {end['state'].upper()} {end['zip']}"
        if address := readable(f"{' '.join(parts[:at])}, {where}"):
            yield address


def _same_words(own: Address, other: Address) -> bool:
    """Whether both are the same words, their signs and the kind of unit left out."""
    door = _words(f"{own.street_number} {own.street}")
    told = _words(f"{other.street_number} {other.street} {other.unit or ''}")
    return (
        own.zip_code == other.zip_code
        and told[: len(door)] == door
        and _value(told[len(door) :]) == _value(_words(own.unit or ""))
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _value(unit: list[str]) -> str:
    return "".join(word for word in unit if word not in _UNIT_WORDS)
