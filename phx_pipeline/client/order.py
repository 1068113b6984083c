"""What somebody orders: houses as people name them, and how they are asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from phx_pipeline.errors import InputError
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import Mode, Priority
from phx_pipeline.model.source import Source
from phx_pipeline.settings import parse_sources

_Word = TypeVar("_Word", bound=StrEnum)

ALL: Final = "all"
"""In place of houses: every one that is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is ordered: these `houses`, or `everything` that is followed.

    No sources means all that the side that works has enabled, no isolation what its
    settings say.
    """

    houses: tuple[str, ...] = ()
    everything: bool = False
    sources: tuple[Source, ...] = ()
    mode: Mode = Mode.RESUME
    priority: Priority = Priority.NORMAL
    isolation: IsolationMode | None = None
    idempotency_key: str = ""


def order_of(
    houses: str | Iterable[str],
    *,
    sources: Iterable[str] = (),
    mode: Mode = Mode.RESUME,
    priority: Priority = Priority.NORMAL,
    isolation: IsolationMode | None = None,
    idempotency_key: str = "",
) -> Order:
    """Return the order that the arguments of `Client.submit` make.

    Raises:
        InputError: no house is named, or a source or another word is unknown.
    """
    named = [houses] if isinstance(houses, str) else list(houses)
    chosen = [str(source) for source in sources]
    everything = named == [ALL]
    if not all(name.strip() for name in named) or not named:
        raise InputError(
            f"houses={houses!r}: give the key, folder or address of each, or {ALL!r}"
        )
    return Order(
        houses=() if everything else tuple(named),
        everything=everything,
        sources=parse_sources(",".join(chosen), by="sources") if chosen else (),
        mode=_word("mode", mode, Mode),
        priority=_word("priority", priority, Priority),
        isolation=_word("isolation", isolation, IsolationMode) if isolation else None,
        idempotency_key=idempotency_key,
    )


def _word(name: str, text: str, among: type[_Word]) -> _Word:
    try:
        return among(text)
    except ValueError:
        known = ", ".join(among)
        raise InputError(f"{name}={text!r}: choose from {known}") from None
