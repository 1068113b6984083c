"""What a licensed feed says in its own words goes into no detail: it names persons."""

import json
from typing import Any

import pytest

from phx_pipeline.errors import BlockedError, FetchError, TransientError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls import licensed_reso, licensed_spark

HOUSE = Property.at(Address.parse("5219 W El Caminito Dr, Glendale, AZ 85302"))
TOKEN = "a-token-of-the-user"  # noqa: S105 - of these tests alone
SAID = f"Jane Roe, jane@roe.example, {TOKEN.upper()}"
FEEDS = [licensed_reso, licensed_spark]

RECORD = {
    "ListingId": "6937912",
    "StandardStatus": "Active",
    "StreetNumber": "5219",
    "StreetDirPrefix": "W",
    "StreetName": "El Caminito",
    "StreetSuffix": "Dr",
    "PostalCode": "85302",
    "PhotosCount": 1,
}
MEDIUM = {
    "MediaURL": "https://cdn.photos.sparkplatform.com/az/20250301070000000000000000-o.jpg",
    "MediaCategory": "Photo",
    "Permission": "Public",
    "Id": "20250301070000000000000000",
    "UriLarge": "https://cdn.photos.sparkplatform.com/az/20250301070000000000000000-o.jpg",
}
OF_RECORD = ["ListingId", "ListingKey", "StandardStatus", "MlsStatus", "PhotosCount"]
OF_RECORD += ["PropertyType", "ListAgentFullName", "MlgCanView", "Media"]
OF_MEDIUM = [*MEDIUM, "ResourceRecordKey", "ResourceName", "MediaStatus", "Privacy"]


class Everywhere:
    """A fetcher with one answer to all questions, or one failure."""

    def __init__(self, answer: bytes | FetchError) -> None:
        self.answer = answer

    async def get(self, request: Request) -> Fetched:
        if isinstance(self.answer, FetchError):
            raise self.answer
        return Fetched(url=request.url, status=200, headers={}, body=self.answer)

    async def aclose(self) -> None:
        """There is nothing to close."""


async def ask(feed: Any, answer: bytes | FetchError) -> Listing:
    fetcher = Everywhere(answer)
    listing: Listing = await feed.discover(HOUSE, fetcher=fetcher, token=TOKEN)
    return listing


def assert_own_words(listing: Listing) -> None:
    told = " ".join([listing.detail, *listing.withdrawn.values()]).lower()
    assert not any(word in told for word in ("jane", "roe", TOKEN))


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("code", [None, SAID, 1000, 1040, 1550, 9999])
@pytest.mark.parametrize("kind", [None, BlockedError, TransientError])
async def test_a_complaint_is_told_by_its_number_alone(
    feed: Any, code: object, kind: type[FetchError] | None
) -> None:
    complaints: list[dict[str, Any]] = [
        {"error": {"code": code, "message": SAID}},
        {"D": {"Success": False, "Code": code, "Message": SAID}},
    ]
    for told in complaints:
        body = json.dumps(told).encode()
        answer: bytes | FetchError = body
        if kind is not None:
            answer = kind("refused", url="https://x.example", status=401)
            answer.body = body
        listing = await ask(feed, answer)

        assert_own_words(listing)
        assert not listing.outcome.saw_gallery


def answers_of(record: dict[str, Any], medium: dict[str, Any]) -> list[bytes]:
    """The answers of both feeds with a record and a medium; Spark's is both at once."""
    odata = {"value": [{"ListingKey": "1", "Media": [medium], **record}]}
    rows = [{"StandardFields": record, **medium}]
    spark = {"D": {"Success": True, "Results": rows}}
    return [json.dumps(it).encode() for it in (odata, spark)]


@pytest.mark.parametrize("name", OF_RECORD)
async def test_a_record_is_told_in_our_words(name: str) -> None:
    for feed, answer in zip(
        FEEDS, answers_of(RECORD | {name: SAID}, MEDIUM), strict=True
    ):
        assert_own_words(await ask(feed, answer))


@pytest.mark.parametrize("name", OF_MEDIUM)
async def test_a_medium_is_told_in_our_words(name: str) -> None:
    for feed, answer in zip(
        FEEDS, answers_of(RECORD, MEDIUM | {name: SAID}), strict=True
    ):
        assert_own_words(await ask(feed, answer))


@pytest.mark.parametrize(
    "link", [f"https://jane.example/{TOKEN}", f"/Version/3/../{TOKEN}/Jane", SAID]
)
async def test_a_link_is_told_in_our_words(link: str) -> None:
    body = json.dumps({"value": [], "@odata.nextLink": link}).encode()

    assert_own_words(await ask(licensed_reso, body))
