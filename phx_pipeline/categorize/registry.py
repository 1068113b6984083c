"""Which backends there are, what each knows, needs and costs, and how each is made.

What they say is kept and fused by `stages.categorize`; `PHX_CATEGORIZERS` chooses.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from phx_pipeline.categorize.network.installed import lacking
from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.taxonomy import Subject

if TYPE_CHECKING:
    from phx_pipeline.categorize.base import (
        Categorizer,
        FeatureCache,
        Network,
        TrainedModel,
    )
    from phx_pipeline.categorize.embedded import EmbeddedCategorizer
    from phx_pipeline.categorize.listing_text import ListingTextCategorizer


class Need(StrEnum):
    """What a backend must have to answer."""

    WORDS = "words"
    PIXELS = "pixels"
    NETWORK = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one picture costs at first; a second time it is read from the catalogue."""

    cpu_ms: float
    requests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What backends are made with.

    `cache_dir` may be emptied at any time. `trained` is what was learnt from reviewed
    pictures, if anything was; `network` the way out, where there is one.
    """

    cache_dir: Path
    features: "FeatureCache"
    trained: "TrainedModel | None" = None
    network: "Network | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A way to tell what pictures show, none of whose code is loaded to list it.

    Attributes:
        name: of what `build` makes.
        knows: returns the subjects it can tell.
        needs: what it must have to answer.
        cost: of one picture.
        build: makes it; it opens no file before it is asked.
        lacking: returns why it cannot be had here and what would help, for people;
            None if it can.
        votes_go_on: whether the votes that it gave when it could be had go on counting:
            they are found by the name and the version of what `build` makes.
    """

    name: str
    knows: Callable[[], frozenset[Subject]]
    needs: frozenset[Need]
    cost: Cost
    build: "Callable[[Equipment], Categorizer]"
    lacking: Callable[[], str | None] = lambda: None
    votes_go_on: bool = False


def _listing_text() -> "type[ListingTextCategorizer]":
    from phx_pipeline.categorize.listing_text import (  # noqa: PLC0415 - compiles rules
        ListingTextCategorizer,
    )

    return ListingTextCategorizer


def _embedded() -> "type[EmbeddedCategorizer]":
    from phx_pipeline.categorize.embedded import (  # noqa: PLC0415 - numpy
        EmbeddedCategorizer,
    )

    return EmbeddedCategorizer


def _build_embedded(equipment: Equipment) -> "Categorizer":
    return _embedded()(
        cache_dir=equipment.cache_dir,
        features=equipment.features,
        trained=equipment.trained,
    )


BACKENDS: tuple[Backend, ...] = (
    Backend(
        name="listing_text",
        knows=lambda: _listing_text().knows,
        needs=frozenset({Need.WORDS}),
        cost=Cost(cpu_ms=0.1),
        build=lambda _: _listing_text()(),
    ),
    Backend(
        name="embedded",
        knows=lambda: _embedded().knows,
        needs=frozenset({Need.PIXELS}),
        cost=Cost(cpu_ms=10),
        build=_build_embedded,
        lacking=lacking,
        votes_go_on=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipped:
    """The backends that can be asked, and why others of the chosen ones cannot.

    `away` are those of the missing ones whose former votes can be found.
    """

    categorizers: "tuple[Categorizer, ...]"
    missing: dict[str, str]
    away: "tuple[Categorizer, ...]" = ()


def chosen(names: Sequence[str]) -> tuple[Backend, ...]:
    """Return the backends with these names, all if none is given.

    Raises:
        InputError: some are none.
    """
    known = {it.name: it for it in BACKENDS}
    for name in names:
        if name not in known:
            raise InputError(
                f"PHX_CATEGORIZERS: unknown backend {name[:_LONGEST_TOLD]!r}"
                f"{did_you_mean(name, known)}: choose from {', '.join(known)}"
            )
    return tuple(it for it in BACKENDS if not names or it.name in names)


def equip(backends: Sequence[Backend], equipment: Equipment) -> Equipped:
    """Make the backends; one that is missing stops none of the others."""
    missing = missing_of(backends)
    made = {
        it.name: it.build(equipment)
        for it in backends
        if it.name not in missing or it.votes_go_on
    }
    return Equipped(
        categorizers=tuple(it for name, it in made.items() if name not in missing),
        missing=missing,
        away=tuple(it for name, it in made.items() if name in missing),
    )


def missing_of(backends: Sequence[Backend]) -> dict[str, str]:
    """Return why some of *backends* cannot be had here, by their names."""
    told = {it.name: it.lacking() for it in backends}
    return {name: reason for name, reason in told.items() if reason}


def gap_lines(missing: Mapping[str, str], *, away: Collection[str]) -> Iterator[str]:
    """Yield a line for each backend that is *missing*, and why.

    Args:
        missing: why, by name.
        away: those of them whose former votes go on counting.
    """
    for name, reason in missing.items():
        which = "new pictures" if name in away else "pictures"
        yield f"{which} are named without {name}: {reason}"


_LONGEST_TOLD = 100  # characters of a wrong value
