"""What an assessor holds a house to be worth, by tax year; not what is asked for it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from phx_pipeline.model.facts import FIRST_YEAR, LAST_YEAR

_MOST_DOLLARS = 1_000_000_000
MOST_YEARS = 100
"""Of one source; its oldest years are the first that are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """A year's values in dollars; None for one that was not said.

    `full_cash_value` is the assessor's estimate of the market; taxes are computed from
    `limited_property_value`, which Arizona lets rise by 5 % a year at most.
    """

    tax_year: int
    full_cash_value: int | None = None
    limited_property_value: int | None = None

    @property
    def stated(self) -> dict[str, int]:
        """The values that were said, by name."""
        named = {
            "full_cash_value": self.full_cash_value,
            "limited_property_value": self.limited_property_value,
        }
        return {name: value for name, value in named.items() if value is not None}


def plausible_valuations(stated: Iterable[Valuation]) -> tuple[Valuation, ...]:
    """Return what can be of a house, the newest year first, each year once."""
    held: dict[int, Valuation] = {}
    for one in stated:
        sound = replace(
            one,
            full_cash_value=_dollars(one.full_cash_value),
            limited_property_value=_dollars(one.limited_property_value),
        )
        if FIRST_YEAR <= one.tax_year <= LAST_YEAR and sound.stated:
            held.setdefault(one.tax_year, sound)
    newest_first = sorted(held.values(), key=lambda it: -it.tax_year)
    return tuple(newest_first[:MOST_YEARS])


def _dollars(stated: int | None) -> int | None:
    return stated if stated and 0 < stated <= _MOST_DOLLARS else None
