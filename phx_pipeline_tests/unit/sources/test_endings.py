"""What a source answers when its request failed."""

from datetime import UTC, datetime

import pytest

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    FetchError,
    GoneError,
    TransientError,
)
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import LONGEST_DETAIL, failed

URL = "https://www.zillow.com/homes/nowhere_rb/"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (BlockedError, ListingOutcome.BLOCKED),
        (GoneError, ListingOutcome.NOT_FOUND),
        (TransientError, ListingOutcome.FAILED),
    ],
)
def test_a_failed_request_does_not_replace_the_address_of_the_listing(
    kind: type[FetchError], outcome: ListingOutcome
) -> None:
    listing = failed(Source.ZILLOW, kind("no\nanswer", url=URL, status=418))

    assert listing.outcome is outcome
    assert listing.url is None
    assert listing.detail.startswith("no answer (HTTP 418)")


AT = datetime(2026, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (BlockedError("answered 403", url=URL, status=403), True),
        (BlockedError("no " * 900, url=URL, status=403), True),
        (CircuitOpenError("it rests", url=URL, retry_at=AT, refused=True), True),
        (CircuitOpenError("it rests", url=URL, retry_at=AT), False),
        (TransientError("reset", url=URL), False),
        (GoneError("gone", url=URL, status=404), False),
    ],
)
def test_a_refusal_names_the_way_on_for_people(
    error: FetchError, *, is_told: bool
) -> None:
    detail = failed(Source.ZILLOW, error).detail

    assert ("`phx ingest` takes a page you save" in detail) is is_told
    assert len(detail) <= LONGEST_DETAIL
