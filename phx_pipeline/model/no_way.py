"""How it is told that this machine reached nobody, and how that is known again."""

from collections.abc import Iterable
from typing import Final

from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.tally import SourceTally

OFFLINE: Final = (
    "offline: no source can be reached from this machine, which seems to have no "
    "network; connect it, then run the same command again"
)
_NO_WAY: Final = "no way there: "


def no_way(why: str) -> str:
    """Say that this machine found no way to a host, which tells nothing about it."""
    return f"{_NO_WAY}{why}"


def all_tell_no_way(details: Iterable[str]) -> bool:
    """Whether all there are tell, in the words of `no_way`, that nobody was reached."""
    told = [_NO_WAY in detail for detail in details]
    return bool(told) and all(told)


def nobody_was_reached(
    sources: Iterable[SourceTally], *, photos_failed: Iterable[str]
) -> bool:
    """Whether all that is open is so for want of a network.

    A refusal, a rest or a photo that gave no picture is an answer of somebody.

    Args:
        sources: what each source gave for each of some properties.
        photos_failed: the details of their photos that failed on the wire.
    """
    told = list(photos_failed)
    for source in sources:
        if source.faulted:
            return False
        outcome = source.outcome
        if outcome and not outcome.is_final and outcome is not ListingOutcome.DISABLED:
            told.append(source.detail)
    return all_tell_no_way(told)
