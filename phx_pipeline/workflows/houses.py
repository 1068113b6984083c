"""Houses are followed, renamed and removed, with all that follows, in one call each.

For whoever shows no steps and asks nobody: commands do the same step by step. Dagster's
partitions follow by a sensor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from phx_pipeline.errors import InputError
from phx_pipeline.model.address import Address
from phx_pipeline.model.property import Property
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.partners import settle_called
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows import lifecycle
from phx_pipeline.workflows.intake import (
    Doubt,
    IntakeReport,
    LookAlike,
    Typed,
    add_houses,
    find_property,
    look_alikes,
    read_one,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What people's texts mean: houses, doubtful ones, and what could not be read.

    `unread` has the number of a text, from 0, and why.
    """

    taken: tuple[Typed, ...]
    doubts: tuple[Doubt, ...]
    unread: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What was added, and which of it may be meant to be another house."""

    report: IntakeReport
    alike: tuple[LookAlike, ...]


def read_houses(context: StageContext, texts: Sequence[str]) -> Named:
    """Read each of *texts*: an address, the URL of a listing, a key or a folder."""
    taken: list[Typed] = []
    doubts: list[Doubt] = []
    unread: list[tuple[int, str]] = []
    for number, text in enumerate(texts):
        try:
            reading = read_one(context, text)
        except InputError as error:
            unread.append((number, str(error)))
            continue
        taken += reading.taken
        doubts += reading.doubts
    return Named(taken=tuple(taken), doubts=tuple(doubts), unread=tuple(unread))


def follow(context: StageContext, typed: Sequence[Typed]) -> Followed:
    """Add the houses not known yet and take up removed ones again, all or none."""
    once = {it.house.address.match_key: it for it in reversed(typed)}
    report = add_houses(context, list(reversed(once.values())))
    _settle(context, [house.slug for house in report.revived])
    alike = tuple(look_alikes(context, report.added))
    return Followed(report=report, alike=alike)


def rename(context: StageContext, text: str, address: Address) -> Property:
    """Give the house meant by *text* another address, as `lifecycle.rename` does."""
    before = find_property(context, text)
    after = lifecycle.rename(context, before.slug, address)
    _settle(context, [after.slug])
    return after


def remove(
    context: StageContext, text: str, *, ending_runs: Callable[[str], None]
) -> tuple[Property, bool]:
    """Stop following the house meant by *text*, and keep what is known of it.

    Args:
        context: of the caller.
        text: as in `lifecycle.known_property`.
        ending_runs: ends the runs of a key; raises where one goes on.

    Returns:
        The house, and whether it was followed until now.
    """
    house = lifecycle.known_property(context, text).house
    ending_runs(house.slug)
    is_new = lifecycle.remove(context, house.slug)
    _settle(context, [house.slug])
    return house, is_new


def _settle(context: StageContext, slugs: Sequence[str]) -> None:
    settle_called(context, slugs)
    refresh_views(context)
