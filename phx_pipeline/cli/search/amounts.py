"""Amounts and counts as people type them: `450,000`, `$450000`, `450k`."""

import re
from typing import Any, Final

import click

from phx_pipeline.errors import InputError
from phx_pipeline.model.facts import LARGEST_INTEGER

_AMOUNT: Final = re.compile(
    r"\$?\s?(?P<digits>\d{1,3}(?:,\d{3})+|\d+)(?P<part>\.\d+)?\s?(?P<unit>[km]?)",
    re.IGNORECASE | re.ASCII,
)
_UNITS: Final = {"": 0, "k": 3, "m": 6}  # powers of ten
_COUNT: Final = re.compile(r"\d{1,2}(?:\.\d{1,2})?", re.ASCII)
LARGEST_INTEGER_ROOMS: Final = 50.0


class Amount(click.ParamType[int]):
    """A whole number, perhaps of dollars, with commas, `k` or `m`."""

    name = "amount"

    def __init__(self, *, such_as: str) -> None:
        self._such_as = such_as

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return *value*; click tells which option has none."""
        try:
            return amount_of(str(value))
        except InputError as error:
            self.fail(f"{error}: give a number such as {self._such_as}", param, ctx)


class Count(click.ParamType[float]):
    """How many rooms at least; which parts of one there are is told elsewhere."""

    name = "count"

    def __init__(self, *, such_as: str) -> None:
        self._such_as = such_as

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return *value*; click tells which option has none."""
        text = str(value).strip()
        if not _COUNT.fullmatch(text) or float(text) > LARGEST_INTEGER_ROOMS:
            told = f"{text[:40]!r} is no count from 0 to {LARGEST_INTEGER_ROOMS:g}"
            self.fail(
                f"{told}: give one such as {self._such_as}; it is the least that is "
                "asked for",
                param,
                ctx,
            )
        return float(text)


def amount_of(text: str) -> int:
    """Return the whole number that a text such as `$450k` means.

    Raises:
        InputError: it means none, or more than a column holds.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if not found:
        raise InputError(f"{text[:40]!r} is no amount")
    digits, power = found["digits"].replace(",", ""), _UNITS[found["unit"].lower()]
    part = (found["part"] or ".")[1:]
    if len(part) > power or len(digits) > len(str(LARGEST_INTEGER)):
        raise InputError(f"{text[:40]!r} is no whole amount up to {LARGEST_INTEGER:,}")
    amount = int(digits + part.ljust(power, "0"))
    if amount > LARGEST_INTEGER:
        raise InputError(f"{text[:40]!r} is more than {LARGEST_INTEGER:,}")
    return amount
