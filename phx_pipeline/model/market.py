"""Whether a house is offered, in one word per source, and what a change of it is.

The word is a status as `model.facts.status_word` spells it, or one of those below where
a source states none. Which pages state one is the business of `sources`.
"""

from typing import Final

from phx_pipeline.model.event import EventKind
from phx_pipeline.model.outcome import ListingOutcome

LISTED: Final = "Listed"
OFF: Final = "Off Market"
NOT_FOUND: Final = "Not Found"

_SOLD = "Closed"
_WITHOUT_OFFER = frozenset(
    {OFF, NOT_FOUND, "Canceled", "Cancelled", "Delete", "Expired", "Withdrawn"}
)
_OVER = _WITHOUT_OFFER | {_SOLD}
_TAKEN = frozenset({"Active Under Contract", "Hold", "Pending"})
_OFFERED = frozenset({LISTED, "Active", "Coming Soon"})
_BY_OUTCOME = {
    ListingOutcome.LISTED: LISTED,
    ListingOutcome.LISTED_EMPTY: LISTED,
    ListingOutcome.OFF_MARKET: OFF,
    ListingOutcome.NOT_FOUND: NOT_FOUND,
}

GONE: Final = tuple(sorted(_OVER))
"""The words of a listing that is over: its photos are of the past."""


def market_after(
    before: str | None, outcome: ListingOutcome, status: str | None
) -> str | None:
    """Return the word after an answer; None while nothing is known.

    An answer that tells nothing of the house, such as a block, leaves *before*. So does
    one that states no status and does not contradict *before*.
    """
    told = _BY_OUTCOME.get(outcome)
    if told is None:
        return before
    is_over = told in _OVER
    if status and not (is_over and status in _OFFERED):
        return status
    if before is not None and is_over == (before in _OVER):
        return before
    return told


def market_event(before: str, after: str) -> EventKind | None:
    """Return what people are told; None if it is no news.

    A status first stated of a house that was known to be listed is none.
    """
    if before == after or (before == LISTED and after not in _OVER):
        return None
    if after in _OFFERED:
        was_off = before in _OVER or before in _TAKEN
        return EventKind.BACK_ON_MARKET if was_off else EventKind.STATUS
    if after in _WITHOUT_OFFER and before not in _OVER:
        return EventKind.OFF_MARKET
    return EventKind.STATUS
