"""What a source answers when its request failed."""

import pytest

from phx_pipeline.errors import BlockedError, FetchError, GoneError, TransientError
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.endings import failed

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
    assert listing.detail == "no answer (HTTP 418)"
