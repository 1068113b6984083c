"""Pictures inside an answer go the way of all photos, and are not asked for."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from phx_pipeline.demo import rooms
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.fetch.base import Fetcher
from phx_pipeline.model.address import Address
from phx_pipeline.model.inline import LARGEST_BYTES, MOST_PICTURES, inline_url
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.sources.border import Border, bounded
from phx_pipeline.sources.redfin import Redfin
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.discover import discover
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.deployment import Deployment

HOUSE = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
SLUG = Address.parse(HOUSE).slug
SOURCE = Source("county")
PAGE = "https://county.example/parcel/301"


def jpeg(seed: int) -> bytes:
    """A drawing like no other, of 640 by 480 pixels."""
    return rooms.draw(RoomKind.LIVING, seed=seed, size=(640, 480))


class County(ListingSource):
    """A source whose answers hold their pictures."""

    source = SOURCE
    page_hosts = ("county.example",)
    photo_hosts = ()

    def __init__(
        self, pictures: Mapping[str, bytes], *, url: str | None = PAGE
    ) -> None:
        self.pictures = pictures
        self.url = url

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        del house, fetcher
        return Listing(
            source=self.source,
            outcome=ListingOutcome.LISTED,
            url=self.url,
            photos=tuple(
                PhotoRef(source=self.source, photo_key=key, url="", position=position)
                for position, key in enumerate(self.pictures)
            ),
            complete=True,
            inline=self.pictures,
        )


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, {}) as made:
        made.add([HOUSE])
        with made.context() as opened:
            nobody = CannedFetcher({})  # whoever is asked fails the test
            yield replace(opened, open_fetcher=lambda _: nobody)


def asking(context: StageContext, county: ListingSource) -> StageContext:
    sources = {SOURCE: Border(county)}
    return replace(context, sources=sources, registered=sources)


def collected(context: StageContext, county: ListingSource) -> dict[str, Photo]:
    context = asking(context, county)
    asyncio.run(discover(context, SLUG))
    asyncio.run(collect(context, SLUG))
    return {photo.ref.photo_key: photo for photo in context.catalog.photos(SLUG)}


def test_they_are_stored_and_judged_without_any_request(context: StageContext) -> None:
    pictures = {"sketch-1": jpeg(1), "sketch-2": jpeg(2), "torn": jpeg(3)[:900]}

    photos = collected(context, County(pictures))
    dedupe(context, SLUG)

    found = {photo.ref.photo_key: photo for photo in context.catalog.photos(SLUG)}
    assert {key: photo.verdict for key, photo in found.items()} == {
        "sketch-1": Verdict.KEPT,
        "sketch-2": Verdict.KEPT,
        "torn": photos["torn"].verdict,
    }
    assert photos["torn"].verdict.gave_no_picture
    digest = sha256(pictures["sketch-1"]).hexdigest()
    assert found["sketch-1"].sha256 == digest
    assert found["sketch-1"].fetched_url == inline_url(PAGE, digest)


def test_bytes_that_are_gone_come_again_with_the_next_answer(
    context: StageContext,
) -> None:
    county = County({"sketch-1": jpeg(1)})
    digest = sha256(county.pictures["sketch-1"]).hexdigest()
    asyncio.run(discover(asking(context, county), SLUG))
    context.blobs.drop_raw(digest)

    asyncio.run(collect(asking(context, county), SLUG))
    (before,) = context.catalog.photos(SLUG)
    photos = collected(context, county)

    assert before.verdict is Verdict.NETWORK
    assert photos["sketch-1"].sha256 == digest


def test_the_bytes_are_stored_before_their_row_is(
    context: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = County({"sketch-1": jpeg(1)})
    digest = sha256(county.pictures["sketch-1"]).hexdigest()
    stored = []

    def killed(*_: object, **__: object) -> None:
        stored.append(context.blobs.has_raw(digest))
        raise KeyboardInterrupt

    monkeypatch.setattr(type(context.catalog), "record_listing", killed)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(discover(asking(context, county), SLUG))

    assert stored == [True]


@pytest.mark.parametrize(
    ("pictures", "url", "kept"),
    [
        ({"one": b""}, PAGE, 0),
        ({"one": b"x" * (LARGEST_BYTES + 1), "two": b"x"}, PAGE, 1),
        ({f"p{number}": b"x" for number in range(MOST_PICTURES + 5)}, PAGE, 100),
        ({"one": b"x"}, None, 0),
        ({"one": b"x"}, "https://elsewhere.example/", 0),
        ({"one?": b"x"}, PAGE, 0),
    ],
    ids=["empty", "large", "many", "no page", "another's page", "no key"],
)
def test_what_is_beyond_the_bounds_is_left_out(
    pictures: dict[str, bytes], url: str | None, kept: int
) -> None:
    house = Property.at(Address.parse(HOUSE))
    source = Border(County(pictures, url=url))

    listing = asyncio.run(source.discover(house, fetcher=CannedFetcher({})))

    assert len(listing.photos) == len(listing.inline) == kept
    assert not listing.complete


@pytest.mark.parametrize("smaller", [False, True])
def test_a_page_cannot_name_bytes_that_another_answer_brought(*, smaller: bool) -> None:
    own = "https://ssl.cdn-redfin.com/photo/1/bigphoto/2/3_0.jpg"
    others = inline_url(own, sha256(jpeg(1)).hexdigest())
    photo = PhotoRef(
        source=Source.REDFIN,
        photo_key="1-3_0",
        url=own if smaller else others,
        fallback_urls=(others,),
        position=0,
    )
    listing = Listing(
        source=Source.REDFIN, outcome=ListingOutcome.LISTED, photos=(photo,)
    )

    held = bounded(listing, of=Redfin())

    assert [it.url for it in held.photos] == ([own] if smaller else [])
    assert not any(it.fallback_urls for it in held.photos)
