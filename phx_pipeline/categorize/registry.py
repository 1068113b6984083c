"""Which backends there are, what each knows, needs and costs, and how each is made.

What they say is kept and fused by `stages.categorize`; `PHX_CATEGORIZERS` chooses.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from phx_pipeline.categorize.base import (
    Categorizer,
    FeatureCache,
    Network,
    TrainedModel,
)
from phx_pipeline.categorize.embedded import EmbeddedCategorizer
from phx_pipeline.categorize.listing_text import ListingTextCategorizer
from phx_pipeline.categorize.network.session import lacking
from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.taxonomy import Subject


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
    features: FeatureCache
    trained: TrainedModel | None = None
    network: Network | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Why a backend cannot be had here, and what would help: for people.

    `backend` is never asked: by its name and by what it reads are found the votes that
    it gave when it could be had, which go on counting. None if that cannot be told.
    """

    reason: str
    backend: Categorizer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A way to tell what pictures show; `build` opens no file before it is asked."""

    name: str
    knows: frozenset[Subject]
    needs: frozenset[Need]
    cost: Cost
    build: Callable[[Equipment], Categorizer | Missing]


def _listing_text(equipment: Equipment) -> Categorizer:
    del equipment
    return ListingTextCategorizer()


def _embedded(equipment: Equipment) -> Categorizer | Missing:
    backend = EmbeddedCategorizer(
        cache_dir=equipment.cache_dir,
        features=equipment.features,
        trained=equipment.trained,
    )
    if reason := lacking():
        return Missing(reason=reason, backend=backend)
    return backend


BACKENDS: tuple[Backend, ...] = (
    Backend(
        name=ListingTextCategorizer.name,
        knows=ListingTextCategorizer.knows,
        needs=frozenset({Need.WORDS}),
        cost=Cost(cpu_ms=0.1),
        build=_listing_text,
    ),
    Backend(
        name=EmbeddedCategorizer.name,
        knows=EmbeddedCategorizer.knows,
        needs=frozenset({Need.PIXELS}),
        cost=Cost(cpu_ms=10),
        build=_embedded,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipped:
    """The backends that can be asked, and why others of the chosen ones cannot.

    `away` are those of the missing ones whose former votes can be found.
    """

    categorizers: tuple[Categorizer, ...]
    missing: dict[str, str]
    away: tuple[Categorizer, ...] = ()


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
    made = {it.name: it.build(equipment) for it in backends}
    missing = {name: it for name, it in made.items() if isinstance(it, Missing)}
    return Equipped(
        categorizers=tuple(it for it in made.values() if not isinstance(it, Missing)),
        missing={name: it.reason for name, it in missing.items()},
        away=tuple(it.backend for it in missing.values() if it.backend),
    )


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
