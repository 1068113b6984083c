"""From a licensed feed to files, and back when the feed withdraws what it gave."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from phx_pipeline.catalog import tables
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.phoenix_mls import PhoenixMls, licensed_reso
from phx_pipeline.sources.phoenix_mls.photos import photo_key
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.verify import verify_property, verify_views

KEYS = [f"2025030107000{number}000000000000" for number in range(3)]


@dataclass
class Feed:
    """A fetcher that answers for the feed and for its photo host."""

    record: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    async def get(self, request: Request) -> Fetched:
        if urlsplit(request.url).netloc == licensed_reso.HOST:
            body = json.dumps({"value": [self.record]}).encode()
            return Fetched(url=request.url, status=200, headers={}, body=body)
        self.asked.append(request.url)
        key = photo_key(request.url) or ""
        answer = Fetched(url=request.url, status=200, headers={}, body=picture(key))
        assert request.judge is not None
        await request.judge(answer)
        return answer

    async def aclose(self) -> None:
        """There is nothing to close."""


def picture(key: str) -> bytes:
    """A small photo like no other."""
    noise = np.random.default_rng(int(key))
    pixels = noise.integers(0, 256, size=(210, 280, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def medium(key: str, **said: Any) -> dict[str, Any]:
    return {
        "MediaURL": f"https://cdn.photos.sparkplatform.com/az/{key}-o.jpg",
        "MediaCategory": "Photo",
        "ImageOf": "Kitchen",
        "Permission": "IDX",
        **said,
    }


@pytest.fixture
def feed(collected: StageContext) -> Feed:
    (slug,) = collected.catalog.slugs()
    address = collected.house(slug).address
    return Feed(
        {
            "ListingKey": "1",
            "StandardStatus": "Active",
            "UnparsedAddress": str(address),
            "PostalCode": address.zip_code,
            "PhotosCount": 3,
            "Media": [medium(key) for key in KEYS],
        }
    )


@pytest.fixture
def context(collected: StageContext, feed: Feed) -> StageContext:
    known = {
        Source.PHOENIX_MLS: Border(PhoenixMls({licensed_reso.SETTING: "of tests"}))
    }
    return replace(
        collected,
        sources=known,
        registered={**collected.registered, **known},
        open_fetcher=lambda _: feed,
    )


def bodies(context: StageContext) -> set[bytes]:
    files = context.layout.images.rglob("*")
    return {path.read_bytes() for path in files if path.is_file()}


def own(context: StageContext) -> dict[str, tuple[Verdict, str | None]]:
    (slug,) = context.catalog.slugs()
    return {
        photo.ref.photo_key: (photo.verdict, photo.sha256)
        for photo in context.catalog.photos(slug)
        if photo.ref.source is Source.PHOENIX_MLS
    }


def test_what_a_feed_withdraws_goes_with_the_answer_and_comes_with_another(
    context: StageContext, feed: Feed
) -> None:
    (slug,) = context.catalog.slugs()
    asyncio.run(extract(context, slug))
    names = {row.file_name for row in context.catalog.publications(slug) if row.active}
    assert {verdict for verdict, _ in own(context).values()} == {Verdict.KEPT}
    assert sum("_int_kitchen_" in name and "_p_" in name for name in names) == 3
    assert {picture(key) for key in KEYS} <= bodies(context)

    feed.record["Media"] = [
        medium(KEYS[0]),
        medium(KEYS[1], Permission="Private"),
        medium(KEYS[2], Permission=None),
    ]
    asyncio.run(discover(context, slug))

    told = own(context)
    assert told[KEYS[1]] == (Verdict.WITHDRAWN, None)
    assert told[KEYS[0]][0] is told[KEYS[2]][0] is Verdict.KEPT
    assert picture(KEYS[1]) not in bodies(context)
    assert {picture(KEYS[0]), picture(KEYS[2])} <= bodies(context)
    left = {row.file_name for row in context.catalog.publications(slug) if row.active}
    assert len(names - left) == 1
    assert problems(context, slug) == []
    assert changes(context, KEYS[1])[-2:] == [
        ("verdict", "kept", "rejected:withdrawn"),
        ("present", "true", "false"),
    ]

    feed.record["MlgCanView"] = False
    asyncio.run(extract(context, slug))

    assert set(own(context).values()) == {(Verdict.WITHDRAWN, None)}
    assert not {picture(key) for key in KEYS} & bodies(context)
    assert problems(context, slug) == []

    del feed.record["MlgCanView"]
    feed.asked.clear()
    asyncio.run(extract(context, slug))

    assert [photo_key(url) for url in feed.asked] == [KEYS[0]]
    assert own(context)[KEYS[0]][0] is Verdict.KEPT
    assert problems(context, slug) == []


def problems(context: StageContext, slug: str) -> list[str]:
    refresh_views(context)
    found = [*verify_property(context, slug), *verify_views(context)]
    return [problem.text for problem in found]


def changes(context: StageContext, key: str) -> list[tuple[str, str, str]]:
    change = tables.change
    query = sa.select(change).where(change.c.photo_key == key).order_by(change.c.id)
    with context.catalog._engine.connect() as connection:
        rows = connection.execute(query)
        return [(row.what, row.before, row.after) for row in rows]
