"""The Spark API: records and photos in pages, by captured answers and drawn ones."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from phx_pipeline.errors import BlockedError, RateLimitedError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.phoenix_mls.licensed_spark import HOST, discover, literal
from phx_pipeline.sources.phoenix_mls.spark_photos import photos_of
from phx_pipeline_tests.canned import ENDINGS
from phx_pipeline_tests.hostile import TEXTS, VALUES, Change, changed, fields

HOUSE = Property.at(Address.parse("5219 W El Caminito Dr, Glendale, AZ 85302"))
TOKEN = "a-token-of-the-user"  # noqa: S105 - of these tests alone
ID = "20250301070000000000000000"
HOSTILE = (*VALUES, *TEXTS[::25])


def entry(number: int, **said: Any) -> dict[str, Any]:
    key = f"202503010700{number:02}000000000000"
    resized = "https://cdn.resize.sparkplatform.com/az"
    return {
        "Id": key,
        "Name": f"room {number}",
        "Caption": "",
        "UriThumb": f"https://cdn.photos.sparkplatform.com/az/{key}-t.jpg",
        "Uri300": f"https://cdn.photos.sparkplatform.com/az/{key}.jpg",
        "Uri640": f"{resized}/640x480/true/{key}-o.jpg",
        "Uri1280": f"{resized}/1280x1024/true/{key}-o.jpg",
        "UriLarge": f"https://cdn.photos.sparkplatform.com/az/{key}-o.jpg",
        **said,
    }


def record(key: str = ID, **said: Any) -> dict[str, Any]:
    """The current record of the house."""
    given: dict[str, Any] = {
        "ListingId": "6937912",
        "StandardStatus": "Active",
        "StreetNumber": "5219",
        "StreetDirPrefix": "W",
        "StreetName": "El Caminito",
        "StreetSuffix": "Dr",
        "City": "Glendale",
        "StateOrProvince": "AZ",
        "PostalCode": "85302",
        "BedsTotal": 4,
        "PhotosCount": 2,
    }
    return {"Id": key, "StandardFields": given | said}


class Feed:
    """A fetcher that gives the rows of a path in pages, as the API does."""

    def __init__(
        self,
        records: object = (),
        photos: object = (),
        *,
        counts: bool = True,
        pages: int = 99,
    ) -> None:
        self.rows = {"/v1/listings": records, f"/v1/listings/{ID}/photos": photos}
        self.counts = counts
        self.pages = pages
        self.asked: list[Request] = []

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        parts = urlsplit(request.url)
        question = parse_qs(parts.query)
        rows = self.rows.get(parts.path, ())
        if isinstance(rows, Exception):
            raise rows
        if isinstance(rows, bytes):
            return Fetched(url=request.url, status=200, headers={}, body=rows)
        assert isinstance(rows, list | tuple)
        (size,), (page,) = question["_limit"], question["_page"]
        start = int(size) * (min(int(page), self.pages) - 1)
        told: dict[str, Any] = {
            "Success": True,
            "Results": list(rows[start : start + int(size)]),
        }
        if self.counts:
            told["Pagination"] = {"TotalRows": len(rows)}
        body = json.dumps({"D": told}).encode()
        return Fetched(url=request.url, status=200, headers={}, body=body)

    async def aclose(self) -> None:
        """There is nothing to close."""


async def ask(feed: Feed) -> Listing:
    return await discover(HOUSE, fetcher=feed, token=TOKEN)


def captured(shared_dir: Path, name: str) -> list[dict[str, Any]]:
    text = (shared_dir / "samples/phoenix_mls" / name).read_text()
    results: list[dict[str, Any]] = json.loads(text)["D"]["Results"]
    return results


def truth(shared_dir: Path, name: str) -> dict[str, Any]:
    told = json.loads((shared_dir / "samples/truth.json").read_text())
    found: dict[str, Any] = told[f"phoenix_mls/{name}"]
    return found


def at_spark(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries as they are since the photos moved to Spark's hosts."""
    text = json.dumps(entries).replace("flexmls.com", "sparkplatform.com")
    moved = text.replace("//photos.spark", "//cdn.photos.spark")
    found: list[dict[str, Any]] = json.loads(moved)
    return found


@pytest.mark.parametrize("name", ["spark_photos_index.json", "spark_with_photos.json"])
def test_the_photos_of_a_captured_answer_are_read_in_their_order(
    shared_dir: Path, name: str
) -> None:
    results = captured(shared_dir, name)
    rows = results[0]["StandardFields"]["Photos"] if len(results) == 1 else results
    known = truth(shared_dir, name)
    originals = [url.rpartition("/")[2] for url in known["largest_urls"]]

    found = photos_of(at_spark(rows))

    assert len(found.photos) == known["photo_count"]
    assert [photo.url.rpartition("/")[2] for photo in found.photos] == originals
    assert [f"{photo.photo_key}-o.jpg" for photo in found.photos] == originals
    assert [photo.caption for photo in found.photos] == known["captions"]
    assert [photo.position for photo in found.photos] == [*range(len(originals))]
    assert {len(photo.fallback_urls) for photo in found.photos} == {5}
    # As they were captured they are at hosts that are not Spark's now.
    assert photos_of(rows).left_out == {"not at Spark's hosts": known["photo_count"]}


async def test_a_captured_record_is_read(shared_dir: Path) -> None:
    (row,) = captured(shared_dir, "spark_with_photos.json")
    house = Property.at(Address.parse("7298 Birch, Bonners Ferry, ID 83805"))
    photos = at_spark(row["StandardFields"]["Photos"])
    feed = Feed([row], photos)
    feed.rows[f"/v1/listings/{row['Id']}/photos"] = photos

    found = await discover(house, fetcher=feed, token=TOKEN)

    assert (found.outcome, len(found.photos)) == (ListingOutcome.LISTED, 5)
    assert (found.complete, found.mls_id) == (True, "06-9395")
    assert found.facts is not None
    assert found.facts.stated == {
        "list_price": 50000,
        "bedrooms_total": 3.0,
        "bathrooms_total": 1.0,
        "living_area": 924,
        "year_built": 1977,
        "mls_number": "06-9395",
    }


async def test_the_current_record_is_asked_for_its_photos() -> None:
    old = record("20200101", StandardStatus="Closed", ListingId="4719507")
    feed = Feed([old, record()], [entry(0), entry(1)])

    found = await ask(feed)

    assert (found.outcome, found.complete) == (ListingOutcome.LISTED, True)
    assert (found.mls_id, found.listing_id, found.detail) == ("6937912", ID, "")
    first, _ = found.photos
    assert first.url == entry(0)["UriLarge"]
    sizes = ("Uri1280", "Uri640", "Uri300")
    assert first.fallback_urls == tuple(entry(0)[name] for name in sizes)
    assert [urlsplit(it.url).path for it in feed.asked] == list(feed.rows)
    for request in feed.asked:
        assert urlsplit(request.url).netloc == HOST
        assert request.secret_headers == {"authorization": f"Bearer {TOKEN}"}
        assert request.headers["x-sparkapi-user-agent"]
    assert TOKEN not in f"{feed.asked}{found}"


async def test_the_question_is_of_number_and_zip_code_in_quotes() -> None:
    feed = Feed([])

    await ask(feed)

    (told,) = parse_qs(urlsplit(feed.asked[0].url).query)["_filter"]
    assert told == "PostalCode Eq '85302' And StreetNumber Eq '5219'"
    assert literal("a\\' Or 1 Eq 1") == "'a\\\\\\' Or 1 Eq 1'"


@pytest.mark.parametrize(
    ("said", "withdrawn", "left_out"),
    [
        ({}, None, {}),
        ({"Privacy": "Public", "Permission": ["IDX"]}, None, {}),
        ({"Privacy": "Private"}, "Privacy Private", {}),
        ({"Permission": "Private", "Privacy": "Public"}, "Permission Private", {}),
        ({"Permission": ["Office Only"]}, "Permission OfficeOnly", {}),
        ({"MlgCanView": False}, "MlgCanView is false", {}),
        ({"Privacy": "Friends"}, None, {"with a permission in unknown words": 1}),
    ],
)
def test_a_photo_is_shown_unless_a_word_is_against_it(
    said: dict[str, Any], withdrawn: str | None, left_out: dict[str, int]
) -> None:
    first = entry(0, **said)

    media = photos_of([first, entry(1)])

    shown = [photo.photo_key for photo in media.photos]
    is_shown = not withdrawn and not left_out
    assert shown == [first["Id"], entry(1)["Id"]][not is_shown :]
    assert [photo.position for photo in media.photos] == [*range(len(shown))]
    assert (withdrawn or "") in media.withdrawn.get(first["Id"], "")
    assert (len(media.withdrawn), media.left_out) == (bool(withdrawn), left_out)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("number", [0, 24, 25, 26, 60])
async def test_photos_come_in_pages(number: int, *, counts: bool) -> None:
    rows = [entry(at) for at in range(number)]
    feed = Feed([record(PhotosCount=number)], rows, counts=counts)

    found = await ask(feed)

    assert [photo.photo_key for photo in found.photos] == [row["Id"] for row in rows]
    assert found.complete
    is_empty = found.outcome is ListingOutcome.LISTED_EMPTY
    assert is_empty is (number == 0)


async def test_pages_that_come_again_are_left_off() -> None:
    feed = Feed([record()], [entry(at) for at in range(30)], counts=False, pages=1)

    found = await ask(feed)

    assert (found.outcome, len(feed.asked)) == (ListingOutcome.PAGE_CHANGED, 9)


@pytest.mark.parametrize(
    ("photos", "count", "told"),
    [
        ([entry(0)], 2, "1 of 2 photos stated"),
        ([entry(0), entry(0)], 2, "1 of 2 photos stated"),
        (
            [entry(0), entry(1, Id=entry(2)["Id"])],
            2,
            "1 of 2 photos stated; left out: 1 not at Spark's hosts",
        ),
        (
            [entry(0), {"Id": "x"}],
            1,
            "1 of 2 photos stated; left out: 1 cannot be read",
        ),
    ],
)
async def test_a_gallery_with_fewer_than_stated_is_not_complete(
    photos: list[object], count: int, told: str
) -> None:
    found = await ask(Feed([record(PhotosCount=count)], photos))

    assert (found.complete, found.detail, len(found.photos)) == (False, told, 1)


async def test_a_record_that_is_to_be_deleted_takes_its_photos_with_it() -> None:
    gone = record("20200101", StandardStatus="Delete", ListingId="4719507")

    alone = await ask(Feed([gone]))
    beside = await ask(Feed([gone, record()], [entry(0), entry(1)]))

    assert alone.outcome is ListingOutcome.NOT_FOUND
    assert set(alone.withdrawn) == set(beside.withdrawn) == {EVERY_PHOTO}
    assert len(beside.photos) == 2


@pytest.mark.parametrize(
    ("records", "outcome", "told"),
    [
        ([], "not_found", "knows no record"),
        ([record(StreetName="El Camino")], "not_found", "1 record of other houses"),
        ([record(StreetSuffix=None)], "ambiguous", "much like it"),
        ([record(), record("2", ListingId="1")], "ambiguous", "records: 6937912, 1"),
        ([{"Id": ID}], "page_changed", "without an address"),
        ([record("../contacts")], "page_changed", "no id"),
        (b"no JSON", "page_changed", "not JSON"),
        (b"", "page_changed", "answered with nothing"),
        (b'{"D": {"Success": true}}', "page_changed", "D.Results is missing"),
        (b'{"D": 7}', "page_changed", "D.Results is missing"),
        (
            b'{"D": {"Success": false, "Code": 1550, "Message": "Over"}}',
            "rate_limited",
            "1550",
        ),
        (
            b'{"D": {"Success": false, "Code": 1020, "Message": "expired"}}',
            "blocked",
            "PHX_SPARK_TOKEN",
        ),
        (
            b'{"D": {"Success": false, "Code": 1500, "Message": "level"}}',
            "page_changed",
            "(code 1500)",
        ),
    ],
)
async def test_each_odd_answer_has_its_outcome(
    records: object, outcome: str, told: str
) -> None:
    found = await ask(Feed(records))

    assert (found.outcome.value, found.photos) == (outcome, ())
    assert told in found.detail


def refused(kind: type, status: int, code: int, message: str) -> Exception:
    error = kind("no", url="https://a.example", status=status)
    told = {"Success": False, "Code": code, "Message": message}
    error.body = json.dumps({"D": told}).encode()
    made: Exception = error
    return made


@pytest.mark.parametrize(
    ("error", "outcome", "told"),
    [
        (
            refused(RateLimitedError, 429, 1550, "Over rate limit"),
            "rate_limited",
            "code 1550",
        ),
        (
            refused(BlockedError, 401, 1020, "Session token has expired"),
            "blocked",
            "(code 1020)",
        ),
        (
            refused(BlockedError, 403, 1021, f"Not this endpoint for {TOKEN}"),
            "blocked",
            "(code 1021)",
        ),
    ],
)
@pytest.mark.parametrize("at_photos", [False, True])
async def test_a_refusal_tells_why_and_names_the_setting(
    error: Exception, outcome: str, told: str, *, at_photos: bool
) -> None:
    found = await ask(Feed([record()], error) if at_photos else Feed(error))

    assert (found.outcome.value, found.photos) == (outcome, ())
    assert told in found.detail
    assert ("PHX_SPARK_TOKEN" in found.detail) is (outcome == "blocked")


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
async def test_a_failed_request_ends_as_everywhere(
    error: Exception, outcome: ListingOutcome
) -> None:
    found = await ask(Feed(error))

    assert found.outcome is outcome


def _put(value: object, name: str) -> Change:
    return lambda at, it: value if at == name else it


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_value_in_any_field_stops_it_or_brings_another_photo(
    value: object,
) -> None:
    rows = [[record()], [entry(0), entry(1, Tags={"Room": ["Kitchen"]})]]
    for name in fields(rows):
        records, photos = (changed(part, _put(value, name)) for part in rows)
        found = await ask(Feed(records, photos))

        assert isinstance(found.outcome, ListingOutcome)
        keys = {photo.photo_key for photo in found.photos}
        assert keys <= {entry(0)["Id"], entry(1)["Id"]}
