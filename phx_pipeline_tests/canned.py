"""A `Fetcher` that answers from saved pages: the adapters' tests need no server.

Like every fetcher, it knows a challenge.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from phx_pipeline.errors import (
    BodyLimitError,
    CircuitOpenError,
    DeadlineError,
    HostRefusedError,
    RateLimitedError,
    SourceDisabledError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.fetch.challenge import screened_for
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.sources.registry import available_sources, data_of

_SLOW = RateLimitedError("slow", url="https://a.example", status=429)
_REST = CircuitOpenError(
    "rest", url="https://a.example", retry_at=datetime(2025, 3, 10, tzinfo=UTC)
)

# What each failed request ends as, whatever was asked for.
ENDINGS: list[tuple[Exception, ListingOutcome]] = [
    (_SLOW, ListingOutcome.RATE_LIMITED),
    (DeadlineError("late", url="https://a.example"), ListingOutcome.FAILED),
    (TransientError("reset", url="https://a.example"), ListingOutcome.FAILED),
    (BodyLimitError("big", url="https://a.example"), ListingOutcome.FAILED),
    (HostRefusedError("elsewhere", url="https://a.example"), ListingOutcome.FAILED),
    (SourceDisabledError("off", url="https://a.example"), ListingOutcome.DISABLED),
    (_REST, ListingOutcome.CIRCUIT_OPEN),
]


DATA = data_of(available_sources())


class CannedFetcher:
    """Answers or raises by URL, and remembers what it was asked."""

    def __init__(self, pages: Mapping[str, Fetched | Exception]) -> None:
        self.pages = pages
        self.asked: list[Request] = []

    async def get(self, request: Request) -> Fetched:
        """The page of this URL; a URL without one fails the test."""
        self.asked.append(request)
        answer = self.pages[request.url]
        if isinstance(answer, Exception):
            raise answer
        return screened_for(request, answer, holds_data=DATA)

    async def aclose(self) -> None:
        """There is nothing to close."""
