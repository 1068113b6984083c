"""Asset `raw_images`: download what is missing, check it is a picture, store it."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.catalog.leases import Lease
from phx_pipeline.dedup.align import appearance
from phx_pipeline.dedup.hashes import luminance, picture_hashes
from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    CircuitOpenError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    ImageError,
    NoWayError,
    ProxyError,
    RateLimitedError,
    SourceDisabledError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Judge, Request, RequestKind
from phx_pipeline.fetch.events import Fault, is_no_picture
from phx_pipeline.imaging.decode import Picture, decode
from phx_pipeline.imaging.standardize import standard_frame, standard_size
from phx_pipeline.model.due import is_photo_asked
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Blob, Photo, PhotoKey, PhotoRef
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.stages.context import StageContext, picture_pool
from phx_pipeline.stages.inline import InlineFetcher
from phx_pipeline.stages.progress import Progress
from phx_pipeline.stages.repeats import Repeats

logger = logging.getLogger(__name__)

_MOST_BROKEN: Final = 3  # sizes of one photo that are no pictures; any may be gone

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


@asynccontextmanager
async def _tasks() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks together; an interruption comes out as itself, not in a group.

    asyncio does so for Ctrl-C alone. To Dagster a group with its own interruption in it
    would be a failure of ours, and so never be repeated.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        for error in errors.exceptions:
            if not isinstance(error, Exception):
                raise error from None
        raise


async def collect(
    context: StageContext,
    slug: str,
    *,
    mode: Mode = Mode.RESUME,
    only: Collection[PhotoKey] | None = None,
) -> CollectReport:
    """Download every photo of *slug* that is due, several at once.

    Of the photos *only* names, and of no other, those whose bytes rotted as well.

    Each photo is committed by itself, its blob first: a kill at any moment loses only
    the downloads under way.
    """
    context.house(slug)
    with context.holding(slug) as lease:
        photos = [
            photo
            for photo in context.catalog.photos(slug)
            if photo.verdict is not Verdict.WITHDRAWN
        ]
        if only is None:
            missing = [photo for photo in photos if _wants(context, photo, mode=mode)]
        else:
            named = [photo for photo in photos if photo.key in only]
            missing = [p for p in named if not context.blobs.is_whole(str(p.sha256))]
        if not missing:
            return CollectReport(asked=0, stored=0, failed=0, skipped=0)
        fetcher = InlineFetcher(context.open_fetcher(slug), blobs=context.blobs)
        try:
            with picture_pool(context) as pool:
                progress = Progress(slug, missing)
                repeats = Repeats(
                    photos,
                    final_after_days=context.final_after_days,
                    today=context.stamp().today,
                )
                collector = _Collector(context, lease, fetcher, pool, progress, repeats)
                return await collector.run(missing)
        finally:
            await fetcher.aclose()


def _wants(context: StageContext, photo: Photo, *, mode: Mode) -> bool:
    days = context.final_after_days
    if is_photo_asked(photo, mode=mode, run_id=context.run_id, final_after_days=days):
        return True
    return photo.sha256 is not None and not context.blobs.has_raw(photo.sha256)


class _Collector:
    """The downloads of one property; a source that refuses us is not asked again."""

    def __init__(
        self,
        context: StageContext,
        lease: Lease,
        fetcher: Fetcher,
        pool: ThreadPoolExecutor,
        progress: Progress,
        repeats: Repeats,
    ) -> None:
        self._context = context
        self._lease = lease
        self._fetcher = fetcher
        self._pool = pool
        self._progress = progress
        self._repeats = repeats
        self._slots = asyncio.Semaphore(context.downloads)
        self._refused: set[Source] = set()
        self._no_way: set[str] = set()  # hosts
        self._in_trouble: set[Source] = set()

    async def run(self, photos: list[Photo]) -> CollectReport:
        sources = dict.fromkeys(photo.ref.source for photo in photos)
        async with _tasks() as group:
            tasks = [
                group.create_task(
                    self._gallery([p for p in photos if p.ref.source is s])
                )
                for s in sources
            ]
        ends = [end for task in tasks for end in task.result()]
        await self._give_up_repeats(photos[0].property_slug)
        return CollectReport(
            asked=len(ends) - ends.count(None),
            stored=ends.count(Verdict.PENDING),
            failed=sum(end not in {None, Verdict.PENDING} for end in ends),
            skipped=ends.count(None),
        )

    async def _gallery(self, photos: list[Photo]) -> list[Verdict | None]:
        """Ask for photos of one source: one alone until one has come, then many.

        And one alone again after any trouble. So hosts that are in trouble, or refuse
        us, are asked for as few as it takes to see that. Those that gave no picture
        before come last, lest they stand for all.
        """
        waiting = deque(sorted(photos, key=_gave_no_picture))
        ends: list[Verdict | None] = []
        while waiting:
            async with self._slots:
                ends.append(await self._one(waiting.popleft()))
            if ends[-1] is Verdict.PENDING:
                ends += await self._many(waiting)
        return ends

    async def _many(self, waiting: deque[Photo]) -> list[Verdict | None]:
        """Ask for photos of one source at once, until there is any trouble."""
        self._in_trouble -= {photo.ref.source for photo in waiting}
        at_once = min(self._context.downloads, len(waiting))
        async with _tasks() as group:
            tasks = [group.create_task(self._in_turn(waiting)) for _ in range(at_once)]
        return [end for task in tasks for end in task.result()]

    async def _in_turn(self, waiting: deque[Photo]) -> list[Verdict | None]:
        ends: list[Verdict | None] = []
        while True:
            # A slot is held until the bytes are dealt with: while the workers lag
            # behind, no more photos are asked for, and no more bodies wait in memory.
            async with self._slots:
                if not waiting or waiting[0].ref.source in self._in_trouble:
                    return ends
                ends.append(await self._one(waiting.popleft()))

    async def _one(self, photo: Photo) -> Verdict | None:
        source = photo.ref.source
        if source in self._refused or _host_of(photo) in self._no_way:
            self._progress.kept_back(source)
            return None
        examiner = _Examiner(self._context, self._pool, photo, self._repeats)
        faults: list[Fault] = []
        try:
            fetched = await self._fetch(photo, judge=examiner, faults=faults)
        except (FetchError, ImageError) as error:
            self._in_trouble.add(source)
            if isinstance(error, FetchError) and _was_not_sent(error):
                self._refused.add(source)
                logger.info("%s: %s", photo.property_slug, error)
                self._progress.kept_back(source)
                return None
            if isinstance(error, NoWayError):
                self._no_way.add(_host_of(photo))
            await self._give_up_repeats(photo.property_slug)
            return await self._fail(photo, _verdict_of(error), str(error))
        await asyncio.to_thread(self._keep, photo, fetched, examiner.blob)
        if faults:
            await self._note_larger(photo, faults[0])
        self._progress.came(source, size_bytes=len(fetched.body))
        return Verdict.PENDING

    async def _fetch(
        self, photo: Photo, *, judge: Judge, faults: list[Fault]
    ) -> Fetched:
        """Return the largest size that can be had and is larger than the one held.

        One that is gone or no picture gives way to the next smaller; a refusal and a
        failure of the wire do not, since they would meet the same host.

        Args:
            photo: in its sizes.
            judge: looks at each answer.
            faults: gets those of sizes that came, but were no picture.

        Raises:
            FetchError, ImageError: how the last size asked for failed.
        """
        sizes = deque(self._sizes(photo))
        while True:
            request = _request(photo, sizes.popleft(), judge=judge)
            has_spare = bool(sizes) and len(faults) + 1 < _MOST_BROKEN
            try:
                return await self._fetcher.get(replace(request, has_spare=has_spare))
            except (FetchError, ImageError) as error:
                if not has_spare or not is_no_picture(error):
                    raise
                logger.debug("%s: %s; next smaller size", request.url, error)
                if not isinstance(error, GoneError):
                    self._in_trouble.add(photo.ref.source)
                    faults.append(error)

    def _sizes(self, photo: Photo) -> list[str]:
        """What to ask for, largest first; nothing that is held already."""
        sizes = [photo.ref.url, *photo.ref.fallback_urls]
        if photo.fetched_url in sizes[1:] and photo.sha256 is not None:
            held = sizes.index(photo.fetched_url, 1)
            if self._context.blobs.is_whole(photo.sha256):
                return sizes[:held]
        return sizes

    def _keep(self, photo: Photo, fetched: Fetched, blob: Blob) -> None:
        self._context.blobs.put_raw(fetched.body)
        self._context.catalog.record_download(
            self._lease,
            photo,
            blob,
            fetched_url=fetched.url,
            stamp=self._context.stamp(),
        )
        # A purge of another property may have dropped the same bytes in between.
        if not self._context.blobs.has_raw(blob.sha256):
            self._context.blobs.put_raw(fetched.body)

    async def _note_larger(self, photo: Photo, fault: Fault) -> None:
        """Let a larger size be asked for again: it was no picture, in a bad minute."""
        verdict = _verdict_of(fault)
        if not verdict.gave_no_picture:  # but an answer came, which was none
            verdict = Verdict.NOT_AN_IMAGE
        await self._record(photo, verdict, printable(f"a larger size: {fault}"))

    async def _fail(self, photo: Photo, verdict: Verdict, told: str) -> Verdict:
        if verdict is Verdict.BLOCKED:
            self._refused.add(photo.ref.source)
        detail = printable(told)
        self._progress.failed(photo, verdict, detail)
        await self._record(photo, verdict, detail)
        return verdict

    async def _give_up_repeats(self, slug: str) -> None:
        """Let the first photos too be asked for again that came as the same picture."""
        if self._repeats.new:
            await asyncio.to_thread(
                self._context.catalog.record_no_pictures,
                self._lease,
                slug,
                dict(self._repeats.new),
                stamp=self._context.stamp(),
            )

    async def _record(self, photo: Photo, verdict: Verdict, detail: str) -> None:
        await asyncio.to_thread(
            self._context.catalog.record_failure,
            self._lease,
            photo,
            verdict,
            detail=detail,
            stamp=self._context.stamp(),
        )


class _Examiner:
    """The judge of a photo's answer; keeps what it learnt, so nobody decodes twice."""

    blob: Blob

    def __init__(
        self,
        context: StageContext,
        pool: ThreadPoolExecutor,
        photo: Photo,
        repeats: Repeats,
    ) -> None:
        self._context = context
        self._pool = pool
        self._photo = photo
        self._repeats = repeats

    async def __call__(self, answer: Fetched) -> None:
        """Raise `ImageError` if the answer is no usable picture, or that of many."""
        source = self._context.registered.get(self._photo.ref.source)
        refuse_another(answer.url, ref=self._photo.ref, source=source)
        loop = asyncio.get_running_loop()
        self.blob = await loop.run_in_executor(
            self._pool, _examine, self._context, answer.body
        )
        self._repeats.check(self._photo, self.blob.sha256)


def refuse_another(url: str, *, ref: PhotoRef, source: ListingSource | None) -> None:
    """Refuse what a redirect led to, if its URL does not name the photo asked for.

    It may be of another house, or say that there is no photo.

    Raises:
        ImageError: it does not.
    """
    if source is None:
        return
    if source.photo_named(ref.url) == ref.photo_key != source.photo_named(url):
        told = f"the photo host led to {printable(urlsplit(url).path)} instead"
        raise ImageError(told, verdict=Verdict.NOT_AN_IMAGE)


def _gave_no_picture(photo: Photo) -> bool:
    is_fault = photo.verdict.kind in {VerdictKind.REJECTED, VerdictKind.FAILED}
    return is_fault or photo.fault_days > 0


def _host_of(photo: Photo) -> str:
    return urlsplit(photo.ref.url).hostname or ""


def _was_not_sent(error: FetchError) -> bool:
    """Whether our own policies kept the request back: the photo stays as it is."""
    if isinstance(error, RateLimitedError):
        return error.status is None
    if isinstance(error, ProxyError):
        return error.retry_after_s is not None  # every proxy rests
    return isinstance(error, CircuitOpenError | SourceDisabledError)


def _request(photo: Photo, url: str, *, judge: Judge) -> Request:
    return Request(
        url=url, source=photo.ref.source, kind=RequestKind.PHOTO, judge=judge
    )


def facts_of(body: bytes, picture: Picture) -> Blob:
    """Return what the catalogue notes of *body*, which decodes to *picture*."""
    grey = luminance(picture.image)
    return Blob(
        sha256=sha256(body).hexdigest(),
        size_bytes=len(body),
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        hashes=picture_hashes(picture.image, grey),
        appearance=appearance(picture.image, grey),
    )


def _examine(context: StageContext, body: bytes) -> Blob:
    with context.room_for(body):
        return _examined(context, body)


def _examined(context: StageContext, body: bytes) -> Blob:
    # A function of its own: its pixels are gone before their room is given back.
    picture = decode(body)
    blob = facts_of(body, picture)
    _remember(context, blob.sha256, picture)
    return blob


def _remember(context: StageContext, digest: str, picture: Picture) -> None:
    size = (picture.width, picture.height)
    width, height = standard_size(size, max_side=context.max_side)
    if context.frames.room_bytes >= 3 * width * height:  # else it would be in vain
        frame = standard_frame(picture, max_side=context.max_side)
        context.frames.put(digest, frame)


def _verdict_of(error: Fault) -> Verdict:
    if isinstance(error, ImageError):
        return error.verdict
    if isinstance(error, HostRefusedError) and error.redirected:
        return Verdict.NETWORK  # what the host did, not what the gallery says
    for kind, verdict in _VERDICTS:
        if isinstance(error, kind):
            return verdict
    return Verdict.NETWORK
