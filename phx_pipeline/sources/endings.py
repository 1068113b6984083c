"""How asking a source ends without a gallery: outcomes of errors, told in one line."""

from collections.abc import Iterable
from typing import Final

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    GoneError,
    RateLimitedError,
    SourceDisabledError,
)
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.printable import printable
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source

LONGEST_DETAIL: Final = 300
_WAY_ON: Final = "; `phx ingest` takes a page you save in your own browser"
_SHOWN: Final = 2  # spellings: more would not fit


def outcome_of(error: FetchError) -> ListingOutcome:
    """Return the outcome a failed page or search request stands for."""
    match error:
        case RateLimitedError():
            return ListingOutcome.RATE_LIMITED
        case BlockedError():
            return ListingOutcome.BLOCKED
        case GoneError():
            return ListingOutcome.NOT_FOUND
        case CircuitOpenError():
            return ListingOutcome.CIRCUIT_OPEN
        case SourceDisabledError():
            return ListingOutcome.DISABLED
        case _:
            return ListingOutcome.FAILED


def told(error: FetchError) -> str:
    """Return what happened in words, with the status if there was one."""
    status = f" (HTTP {error.status})" if error.status else ""
    return f"{printable(str(error))}{status}"


def failed(source: Source, error: FetchError, *, has_page: bool = True) -> Listing:
    """The answer of a source whose request failed.

    It has no URL: what was learnt of the listing before must stay.

    Args:
        source: the one asked.
        error: how the request failed.
        has_page: whether a person can open what was asked for, which an API has not.
    """
    detail = told(error)
    if not has_page:
        return ended(source, outcome_of(error), detail)
    if isinstance(error, BlockedError) or _rests_refused(error):
        detail = with_way_on(detail)
    return ended(source, outcome_of(error), detail)


def with_way_on(detail: str) -> str:
    """Return how a source refused us, and what a person can do all the same."""
    return printable(detail, most=LONGEST_DETAIL - len(_WAY_ON)) + _WAY_ON


def _rests_refused(error: FetchError) -> bool:
    return isinstance(error, CircuitOpenError) and error.refused


def ended(
    source: Source, outcome: ListingOutcome, detail: str, *, url: str | None = None
) -> Listing:
    """An answer without photos; *detail* on one line."""
    return Listing(
        source=source,
        outcome=outcome,
        detail=printable(detail, most=LONGEST_DETAIL),
        url=url,
    )


def near_miss(
    source: Source,
    house: Property,
    spellings: Iterable[Address],
    *,
    url: str | None = None,
) -> Listing:
    """The answer of a source that shows no more than addresses much like the house's.

    Its detail names them and the command that tells whether they are the house.
    """
    shown = [f'"{spelling}"' for spelling in dict.fromkeys(map(str, spellings))]
    more = f"; {len(shown) - _SHOWN} more like it" if len(shown) > _SHOWN else ""
    command = f"`phx properties confirm {house.slug} {' '.join(shown[:_SHOWN])}`"
    told = (
        f"only an address much like it: {command} if that is it, else add --not{more}"
    )
    return ended(source, ListingOutcome.AMBIGUOUS, told, url=url)
