"""Made-up Phoenix houses: addresses, listing facts and what is in each gallery.

They are data, in `houses.toml` beside this module. `rooms` draws the pictures, the
stand-ins of the sources write the pages.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from types import GenericAlias
from typing import Any, TypeVar

from phx_pipeline.sources.standins import Copied, Flaw, House, Record, RoomKind, Shot

__all__ = ["HOUSES", "NEWCOMERS", "Copied", "Flaw", "House", "Record", "Shot"]

_Made = TypeVar("_Made")


class _Read:
    """The parsed file: houses, and the words and sizes that their photos share."""

    def __init__(self, parsed: Mapping[str, Any]) -> None:
        self._parsed = parsed
        self._sizes = {name: tuple(size) for name, size in parsed["sizes"].items()}

    def houses(self, name: str) -> tuple[House, ...]:
        return tuple(map(self._house, self._parsed[name]))

    def _house(self, table: Mapping[str, Any]) -> House:
        records = {name: self._record(table[name]) for name in ("record", "earlier")}
        return _checked(House, {**table, **records})

    def _record(self, table: Mapping[str, Any]) -> Record:
        turns = {"versions": tuple(table["versions"])} if "versions" in table else {}
        shots = tuple(map(self._shot, table["shots"]))
        return _checked(Record, {**table, **turns, "shots": shots})

    def _shot(self, table: Mapping[str, Any]) -> Shot:
        values = dict(table)
        values["kind"] = kind = RoomKind(values.pop("shows"))
        values["size"] = self._sizes[values.get("size", "large")]
        values["flaw"] = Flaw(values.get("flaw", Flaw.NONE))
        if "copied" in values:
            values["copied"] = _checked(Copied, values["copied"])
        if not values.pop("untold", False):
            told = self._parsed["told"][kind]
            captions = told["captions"]
            values["tags"] = tuple(told["tags"])
            values["caption"] = captions[values["seed"] % len(captions)]
        return _checked(Shot, values)


def _checked(made: type[_Made], values: Mapping[str, Any]) -> _Made:
    """Return a value of the class *made*, whose fields *values* has by name.

    Raises:
        TypeError: a field is missing, unknown or of another type
    """
    types: dict[str, Any] = {field.name: field.type for field in fields(made)}  # type: ignore[arg-type]  # all are dataclasses
    for name, value in values.items():
        expected = types.get(name, object)
        plain: Any = expected.__origin__ if type(expected) is GenericAlias else expected
        if not isinstance(value, plain):
            told = f"{made.__name__}.{name} of the demo's houses is {value!r}"
            raise TypeError(f"{told}, which is no {expected}; mend it in houses.toml")
    return made(**values)


_READ = _Read(
    tomllib.loads(files(__package__).joinpath("houses.toml").read_text("utf-8"))
)

HOUSES = _READ.houses("followed")

NEWCOMERS = _READ.houses("newcomers")
"""On the market, and not followed: for searches to find."""
