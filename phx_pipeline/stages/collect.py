"""Asset `raw_images`: download what is missing, check it is a picture, store it."""

import asyncio
import logging
from dataclasses import dataclass
from hashlib import sha256

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    ImageError,
    RateLimitedError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.imaging.decode import decode
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext

logger = logging.getLogger(__name__)

_VERDICTS: tuple[tuple[type[FetchError], Verdict], ...] = (
    (GoneError, Verdict.GONE),
    (BlockedError, Verdict.BLOCKED),
    (RateLimitedError, Verdict.RATE_LIMITED),
    (DeadlineError, Verdict.TIMEOUT),
    (BodyLimitError, Verdict.TOO_LARGE),
    (HostRefusedError, Verdict.REFUSED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectReport:
    """What one run of the stage did; `skipped` photos wait behind a refusal."""

    asked: int
    stored: int
    failed: int
    skipped: int


async def collect(context: StageContext, slug: str) -> CollectReport:
    """Download every photo of *slug* whose bytes are missing, several at once.

    Each photo is committed by itself, its blob first: a kill at any moment loses only
    the downloads under way.
    """
    context.house(slug)
    with context.holding(slug) as lease:
        missing = [
            photo for photo in context.catalog.photos(slug) if _wants(context, photo)
        ]
        if not missing:
            return CollectReport(asked=0, stored=0, failed=0, skipped=0)
        fetcher = context.open_fetcher()
        try:
            return await _Collector(context, lease, fetcher).run(missing)
        finally:
            await fetcher.aclose()


def _wants(context: StageContext, photo: Photo) -> bool:
    if photo.wants_download:
        return True
    return photo.sha256 is not None and not context.blobs.has_raw(photo.sha256)


class _Collector:
    """The downloads of one property; a source that refuses us is not asked again."""

    def __init__(self, context: StageContext, lease: Lease, fetcher: Fetcher) -> None:
        self._context = context
        self._lease = lease
        self._fetcher = fetcher
        self._slots = asyncio.Semaphore(context.downloads)
        self._refused: set[Source] = set()

    async def run(self, photos: list[Photo]) -> CollectReport:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._one(photo)) for photo in photos]
        ends = [task.result() for task in tasks]
        return CollectReport(
            asked=len(ends) - ends.count(None),
            stored=ends.count(Verdict.PENDING),
            failed=sum(end not in {None, Verdict.PENDING} for end in ends),
            skipped=ends.count(None),
        )

    async def _one(self, photo: Photo) -> Verdict | None:
        async with self._slots:
            if photo.ref.source in self._refused:
                return None
            try:
                fetched = await self._fetch(photo)
                blob = await asyncio.to_thread(_examine, fetched.body)
            except FetchError as error:
                return await self._fail(photo, _verdict_of(error), str(error))
            except ImageError as error:
                return await self._fail(photo, error.verdict, str(error))
            await asyncio.to_thread(self._keep, photo, fetched, blob)
            return Verdict.PENDING

    async def _fetch(self, photo: Photo) -> Fetched:
        urls = (photo.ref.url, *photo.ref.fallback_urls)
        for url in urls[:-1]:
            try:
                return await self._fetcher.get(_request(photo, url))
            except GoneError:
                logger.info("%s is gone, asking for the next smaller variant", url)
        return await self._fetcher.get(_request(photo, urls[-1]))

    def _keep(self, photo: Photo, fetched: Fetched, blob: Blob) -> None:
        self._context.blobs.put_raw(fetched.body)
        self._context.catalog.record_download(
            self._lease,
            photo,
            blob,
            fetched_url=fetched.url,
            stamp=self._context.stamp(),
        )

    async def _fail(self, photo: Photo, verdict: Verdict, detail: str) -> Verdict:
        if verdict is Verdict.BLOCKED:
            self._refused.add(photo.ref.source)
        logger.warning("%s %s: %s", photo.property_slug, photo.ref.photo_key, detail)
        await asyncio.to_thread(
            self._context.catalog.record_failure,
            self._lease,
            photo,
            verdict,
            detail=detail,
            stamp=self._context.stamp(),
        )
        return verdict


def _request(photo: Photo, url: str) -> Request:
    return Request(url=url, source=photo.ref.source, kind=RequestKind.PHOTO)


def _examine(body: bytes) -> Blob:
    picture = decode(body)
    return Blob(
        sha256=sha256(body).hexdigest(),
        size_bytes=len(body),
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        hashes=picture_hashes(picture.image),
    )


def _verdict_of(error: FetchError) -> Verdict:
    for kind, verdict in _VERDICTS:
        if isinstance(error, kind):
            return verdict
    return Verdict.NETWORK
