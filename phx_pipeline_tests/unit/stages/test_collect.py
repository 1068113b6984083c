"""How the photos of a house are asked for, against a photo host made of answers."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    NoWayError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.collect import CollectReport, collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.blobs import BlobStore
from phx_pipeline.storage.layout import Layout
from phx_pipeline_tests.deployment import Deployment

HOUSE = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
SLUG = Address.parse(HOUSE).slug
URL = "https://photos.example"
NO_PICTURE = b"<p>This photo cannot be shown.</p>"
ALL = tuple(f"p{number}" for number in range(8))


@cache
def picture(name: str) -> bytes:
    """A small photo like no other."""
    noise = np.random.default_rng(list(name.encode()))
    pixels = noise.integers(0, 256, size=(210, 280, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


@dataclass
class PhotoHost:
    """A fetcher that judges its answers as the chain does; by default all is well.

    `alone` is how many were asked for until the first picture had come, `at_once` the
    most that were under way together at any time.
    """

    told: Mapping[str, bytes | FetchError] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    under_way: int = 0
    at_once: int = 0
    alone: int = 0
    came: int = 0
    watch: Callable[[], None] = lambda: None

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        self.watch()
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1

    async def _answer(self, request: Request) -> Fetched:
        for _ in range(3):  # so that others may come in between
            await asyncio.sleep(0)
        name = request.url.removeprefix(f"{URL}/")
        answer = self.told.get(name, picture(name))
        if isinstance(answer, FetchError):
            raise answer
        fetched = Fetched(url=request.url, status=200, headers={}, body=answer)
        assert request.judge is not None
        await request.judge(fetched)
        if not self.came:
            self.alone = len(self.asked)
        self.came += 1
        return fetched

    async def aclose(self) -> None:
        pass

    @property
    def names(self) -> list[str]:
        return [request.url.removeprefix(f"{URL}/") for request in self.asked]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, {}) as made:
        made.add([HOUSE])
        with made.context() as opened:
            yield opened


def refs(
    *keys: str, source: Source = Source.REDFIN, smaller: Sequence[str] = ()
) -> tuple[PhotoRef, ...]:
    return tuple(
        PhotoRef(
            source=source,
            photo_key=key,
            url=f"{URL}/{key}",
            fallback_urls=tuple(f"{URL}/{key}-{size}" for size in smaller),
            position=position,
        )
        for position, key in enumerate(keys)
    )


def gallery(context: StageContext, *photos: PhotoRef) -> None:
    """Record the complete galleries of all sources in *photos*."""
    with context.holding(SLUG) as lease:
        for source in dict.fromkeys(photo.source for photo in photos):
            listing = Listing(
                source=source,
                outcome=ListingOutcome.LISTED,
                photos=tuple(photo for photo in photos if photo.source is source),
                complete=True,
            )
            context.catalog.record_listing(lease, SLUG, listing, stamp=context.stamp())


def take(context: StageContext, host: PhotoHost, **changes: int) -> CollectReport:
    asking = replace(context, open_fetcher=lambda _: host, **changes)  # type: ignore[arg-type]  # fields that are numbers
    return asyncio.run(collect(asking, SLUG))


def verdicts(context: StageContext) -> dict[str, Verdict]:
    return {
        photo.ref.photo_key: photo.verdict for photo in context.catalog.photos(SLUG)
    }


def gone(name: str) -> GoneError:
    return GoneError("answered 404", url=f"{URL}/{name}", status=404)


BLOCK = BlockedError("are you a robot", url=URL, status=403)


def test_photos_that_come_are_stored(context: StageContext) -> None:
    gallery(context, *refs(*ALL))

    report = take(context, PhotoHost())

    assert report == CollectReport(asked=8, stored=8, failed=0, skipped=0)
    assert all(photo.sha256 for photo in context.catalog.photos(SLUG))


class Purged(BlobStore):
    """Bytes are dropped once when they are stored: another house had them, and goes."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.dropped: set[str] = set()

    def put_raw(self, body: bytes) -> str:
        digest = super().put_raw(body)
        if digest not in self.dropped:
            self.dropped.add(digest)
            self.drop_raw(digest)
        return digest


def test_bytes_that_a_purge_drops_meanwhile_are_stored_again(
    context: StageContext,
) -> None:
    gallery(context, *refs("p0"))

    take(replace(context, blobs=Purged(context.layout)), PhotoHost())

    (photo,) = context.catalog.photos(SLUG)
    assert context.blobs.is_whole(str(photo.sha256))


class InterruptionError(BaseException):
    """What a library raises where a signal tells it to stop."""


@pytest.mark.parametrize("met_after", [0, 1, 4], ids=["first", "second", "amid many"])
def test_an_interruption_amid_photos_comes_out_as_itself(
    context: StageContext, met_after: int
) -> None:
    gallery(context, *refs(*ALL), *refs("z0", "z1", source=Source.ZILLOW))
    host = PhotoHost()

    def told_to_stop() -> None:
        if len(host.asked) > met_after:
            raise InterruptionError

    host.watch = told_to_stop

    with pytest.raises(InterruptionError):
        take(context, host)


def test_a_host_that_refuses_us_is_asked_once(context: StageContext) -> None:
    gallery(context, *refs(*ALL))
    host = PhotoHost(dict.fromkeys(ALL, BLOCK))

    report = take(context, host)

    assert host.names == ["p0"]
    assert report == CollectReport(asked=1, stored=0, failed=1, skipped=7)
    assert list(verdicts(context).values()) == [Verdict.BLOCKED] + [Verdict.PENDING] * 7


def test_a_refusal_among_photos_that_come_stops_those_behind_it(
    context: StageContext,
) -> None:
    gallery(context, *refs(*ALL))
    host = PhotoHost({"p3": BLOCK})

    report = take(context, host, downloads=1)

    assert host.names == ["p0", "p1", "p2", "p3"]
    assert report.skipped == 4


def test_a_source_that_refuses_us_does_not_stop_another(context: StageContext) -> None:
    gallery(context, *refs("p0", "p1"), *refs("z0", "z1", source=Source.ZILLOW))

    report = take(context, PhotoHost({"p0": BLOCK}))

    assert report == CollectReport(asked=3, stored=2, failed=1, skipped=1)


@pytest.mark.parametrize("bad", [0, 1, 3])
@pytest.mark.parametrize(
    "trouble",
    [lambda _: NO_PICTURE, gone, lambda n: TransientError("reset", url=n)],
    ids=["no picture", "gone", "reset"],
)
def test_photos_are_asked_for_one_by_one_until_one_has_come(
    context: StageContext, bad: int, trouble: Callable[[str], bytes | FetchError]
) -> None:
    gallery(context, *refs(*ALL))
    host = PhotoHost({name: trouble(name) for name in ALL[:bad]})

    report = take(context, host)

    assert host.alone == bad + 1
    assert host.at_once == len(ALL) - bad - 1
    assert (report.failed, report.stored) == (bad, len(ALL) - bad)


def test_no_more_are_under_way_than_there_are_slots(context: StageContext) -> None:
    gallery(context, *refs(*ALL))
    host = PhotoHost()

    take(context, host, downloads=3)

    assert host.at_once == 3


@pytest.mark.parametrize("downloads", [1, 4, 20])
def test_after_any_trouble_photos_are_asked_for_one_by_one_until_one_has_come(
    context: StageContext, downloads: int
) -> None:
    many = tuple(f"p{number:02}" for number in range(40))
    gallery(context, *refs(*many))
    host = PhotoHost(dict.fromkeys(many[10:], NO_PICTURE))
    under_way: list[int] = []
    host.watch = lambda: under_way.append(host.under_way)

    report = take(context, host, downloads=downloads)

    # Those under way with the first that failed end; then each is alone.
    assert set(under_way[10 + downloads :]) == {1}
    assert report == CollectReport(asked=40, stored=10, failed=30, skipped=0)


def test_a_host_no_way_leads_to_is_tried_once_and_others_are_asked(
    context: StageContext,
) -> None:
    here, there = refs(*ALL[:3]), refs("q0", "q1")
    away = [replace(it, url=it.url.replace("photos", "other")) for it in there]
    gallery(context, *here, *away)
    no_way = dict.fromkeys(ALL[:3], NoWayError("no way there: x", url=URL))
    host = PhotoHost(no_way)

    report = take(context, host)

    assert host.names[0] == "p0"
    assert sorted(host.names[1:]) == [it.url for it in away]
    assert report == CollectReport(asked=3, stored=2, failed=1, skipped=2)
    assert verdicts(context)["p0"] is Verdict.NETWORK
    assert {photo.fault_days for photo in context.catalog.photos(SLUG)} == {0}


def test_photos_that_gave_no_picture_come_last_the_next_time(
    context: StageContext,
) -> None:
    gallery(context, *refs(*ALL[:3]))
    take(context, PhotoHost({"p0": TransientError("reset", url=URL)}))
    gallery(context, *refs(*ALL[:5]))
    host = PhotoHost()

    take(context, host, downloads=1)

    assert host.names == ["p3", "p4", "p0"]


SIZES = ("p0", "p0-l", "p0-m", "p0-s")
HALF = picture("p0")[:9000]
AWAY = HostRefusedError("sent to an address not listed", url=URL, redirected=True)
ODD = FetchError("answered 418", url=URL, status=418)
BIG = BodyLimitError("the body is larger than 9 bytes", url=URL)


@pytest.mark.parametrize(
    ("told", "days"),
    [
        ([gone("p0")], 0),
        ([gone("p0"), gone("p0-l"), gone("p0-m")], 0),
        ([NO_PICTURE], 1),
        ([b""], 1),
        ([HALF], 1),
        ([AWAY], 1),
        ([ODD], 1),
        ([BIG], 1),
        ([NO_PICTURE, b""], 1),
        ([NO_PICTURE, gone("p0-l"), HALF], 1),
        ([gone("p0"), HALF], 1),
    ],
    ids=[
        *("gone", "all but one gone", "a page", "no bytes", "a half", "sent away"),
        *("odd", "too large", "two bad", "bad, gone and bad", "gone and bad"),
    ],
)
def test_a_size_that_is_missing_or_broken_gives_way_to_the_next_smaller(
    context: StageContext, told: Sequence[bytes | FetchError], days: int
) -> None:
    gallery(context, *refs("p0", smaller=("l", "m", "s")))
    host = PhotoHost(dict(zip(SIZES, told, strict=False)))

    report = take(context, host)

    assert host.names == list(SIZES[: len(told) + 1])
    (photo,) = context.catalog.photos(SLUG)
    assert photo.fetched_url == f"{URL}/{SIZES[len(told)]}"
    assert (photo.verdict, photo.fault_days) == (Verdict.PENDING, days)
    assert report == CollectReport(asked=1, stored=1, failed=0, skipped=0)


def test_after_three_sizes_that_are_no_pictures_no_fourth_is_asked_for(
    context: StageContext,
) -> None:
    gallery(context, *refs("p0", smaller=("l", "m", "s")))
    host = PhotoHost(dict.fromkeys(SIZES, NO_PICTURE))

    take(context, host)

    assert host.names == ["p0", "p0-l", "p0-m"]
    assert [request.has_spare for request in host.asked] == [True, True, False]
    assert verdicts(context) == {"p0": Verdict.NOT_AN_IMAGE}


def test_sizes_that_are_gone_are_asked_for_to_the_last(context: StageContext) -> None:
    gallery(context, *refs("p0", smaller=("l", "m", "s")))
    host = PhotoHost({name: gone(name) for name in SIZES})

    take(context, host)

    assert host.names == list(SIZES)
    assert [it.has_spare for it in host.asked] == [True, True, True, False]
    assert verdicts(context) == {"p0": Verdict.GONE}


def test_a_larger_size_that_was_broken_is_asked_for_again_and_nothing_else_is(
    context: StageContext,
) -> None:
    gallery(context, *refs("p0", smaller=("m", "s")))
    take(context, PhotoHost({"p0": HALF}))
    asked_again = replace(context, run_id="again", final_after_days=3)
    still, well = PhotoHost({"p0": HALF}), PhotoHost()

    take(asked_again, still)
    (held,) = context.catalog.photos(SLUG)
    take(asked_again, well)

    assert still.names == well.names == ["p0"]
    assert (held.fetched_url, held.fault_days) == (f"{URL}/p0-m", 1)
    (photo,) = context.catalog.photos(SLUG)
    assert (photo.fetched_url, photo.fault_days) == (f"{URL}/p0", 0)


def test_a_smaller_size_whose_bytes_were_lost_is_asked_for_again(
    context: StageContext,
) -> None:
    gallery(context, *refs("p0", smaller=("m", "s")))
    host = PhotoHost({"p0": gone("p0")})
    take(context, host)
    (held,) = context.catalog.photos(SLUG)
    context.blobs.drop_raw(str(held.sha256))

    take(context, host)

    assert host.names == ["p0", "p0-m"] * 2
    assert context.blobs.is_whole(str(held.sha256))


@pytest.mark.parametrize(
    ("trouble", "verdict"),
    [
        (TransientError("answered 206", url=URL, status=206), Verdict.NETWORK),
        (DeadlineError("late", url=URL), Verdict.TIMEOUT),
        (RateLimitedError("429", url=URL, status=429), Verdict.RATE_LIMITED),
        (BlockedError("answered 403", url=URL, status=403), Verdict.BLOCKED),
        (BLOCK, Verdict.BLOCKED),
    ],
    ids=["a part", "late", "limited", "refused", "challenged"],
)
def test_a_refusal_and_a_failing_wire_are_no_reason_to_take_a_smaller_one(
    context: StageContext, trouble: bytes | FetchError, verdict: Verdict
) -> None:
    gallery(context, *refs("p0", smaller=("m", "s")))
    host = PhotoHost({"p0": trouble})

    take(context, host)

    assert host.names == ["p0"]
    assert verdicts(context) == {"p0": verdict}


def test_what_a_photo_failed_of_is_told_short_and_printable(
    context: StageContext, caplog: pytest.LogCaptureFixture
) -> None:
    gallery(context, *refs("p0"))
    loud = FetchError("\x1b[2J" + "x" * 3000, url=URL)

    take(context, PhotoHost({"p0": loud}))

    message, *_ = [it for it in caplog.messages if it.startswith(f"{SLUG} p0: ")]
    assert all(map(str.isprintable, caplog.messages))
    assert len(message.removeprefix(f"{SLUG} p0: ")) <= 200
