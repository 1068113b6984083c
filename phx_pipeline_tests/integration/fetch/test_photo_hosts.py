"""A photo host in a bad minute: how little it is asked, and who rests for how long."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.sources.redfin.gallery import photo_key
from phx_pipeline.sources.redfin.standin import listing_page
from phx_pipeline.sources.redfin.standin_photos import PHOTO_HOST
from phx_pipeline.sources.zillow.standin import PAGE_HOST as ZILLOW_HOST
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE, OTHER = HOUSES[3], HOUSES[0]  # of 24 and of 16 photos
SLUG = slug_of(HOUSE)
PHOTOS = len(HOUSE.record.shots)
DENIED = Answer(
    status=403,
    headers={"content-type": "application/xml"},
    body=b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
)
ROBOT = Answer(body=b"<title>Are You a Robot?</title><p>x</p>")
EMPTY = Answer(headers={"content-type": "image/jpeg"})
MISSING = Answer(status=404, body=b"Not Found")
AWAY = Answer(status=302, headers={"Location": "https://parked.example/"})
TEAPOT = Answer(status=418)
OUT_OF_ORDER = Answer(status=503, body=b"<h1>Busy</h1>")
OTHER_PAGES = [(b"<p>Sorry</p>", 404), (b"<p>Sorry</p>", 418), (b"", 200)]
OTHER_PAGES += [(b"", 418), (DENIED.body, 200), (DENIED.body, 404)]
HOURS_S = 3.9 * 3600
REST_S = 300


@cache
def photo(name: str) -> bytes:
    """A small photo like no other."""
    noise = np.random.default_rng(list(name.encode()))
    pixels = noise.integers(0, 256, size=(210, 280, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def good(asked: Asked) -> Answer:
    return Answer(body=photo(asked.target), headers={"content-type": "image/jpeg"})


def half(asked: Asked) -> Answer:
    body = photo(asked.target)
    return Answer(body=body[: len(body) // 2])


def part(asked: Asked) -> Answer:
    whole = photo(asked.target)
    told = {"Content-Range": f"bytes 0-999/{len(whole)}"}
    return Answer(status=206, body=whole[:1000], headers=told)


def elsewhere(asked: Asked) -> Answer:
    """Lead to a photo of another house, which is there."""
    if "6999999" in asked.target:
        return good(asked)
    return Answer(
        status=302, headers={"Location": "/photo/57/bigphoto/999/6999999_0.jpg"}
    )


def around(asked: Asked) -> Answer:
    return Answer(status=302, headers={"Location": asked.target})


@dataclass
class PhotoHost:
    """Answers as it is told to, but for what `healthy` says."""

    trouble: object = good
    healthy_for: int = 0
    asked: int = 0
    photos: set[str] = field(default_factory=set)  # in whatever size

    def __call__(self, asked: Asked) -> Answer:
        self.asked += 1
        self.photos.add(str(photo_key(f"https://{PHOTO_HOST}{asked.target}")))
        if self.asked <= self.healthy_for:
            return good(asked)
        trouble = self.trouble
        return trouble if isinstance(trouble, Answer) else trouble(asked)  # type: ignore[operator]  # an answer or what makes one


@dataclass
class Scene:
    """Houses whose galleries are known and whose photo host is in a mood."""

    made: Deployment
    host: PhotoHost
    context: StageContext

    def collect(self, slug: str = SLUG) -> Counter[Verdict]:
        """Collect the photos of a house; how all of them stand then."""
        asyncio.run(collect(self.context, slug))
        return Counter(photo.verdict for photo in self.context.catalog.photos(slug))

    def state(self, name: str) -> SourceState:
        _, states = self.context.catalog.policies.source_states()
        return next(state for state in states if state.name == name)

    def rests_s(self, name: str) -> float:
        """For how many seconds more these hosts are left alone."""
        return (self.state(name).open_until or 0.0) - time.time()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    host = PhotoHost()
    sites = redfin_sites([HOUSE, OTHER]) | {PHOTO_HOST: host}
    asking = {"attempts": 1, "downloads": 4, "final_after_days": 3}
    with Deployment(tmp_path, sites, **asking) as made:
        slugs = made.add_houses([HOUSE, OTHER])
        with made.context() as context:
            for slug in slugs:
                asyncio.run(discover(context, slug))
            yield Scene(made=made, host=host, context=context)


@pytest.mark.parametrize(
    ("trouble", "verdict", "photos", "asked"),
    [
        (EMPTY, Verdict.NOT_AN_IMAGE, 3, 6),
        (half, Verdict.DAMAGED, 3, 6),
        (MISSING, Verdict.GONE, 5, 10),
        (DENIED, Verdict.GONE, 5, 10),
        (AWAY, Verdict.NETWORK, 3, 6),
        (TEAPOT, Verdict.NETWORK, 3, 6),
        (around, Verdict.NETWORK, 3, 6),
        (part, Verdict.NETWORK, 3, 3),
        (OUT_OF_ORDER, Verdict.NETWORK, 3, 3),
    ],
    ids=[
        *("no bytes", "halves", "missing", "denied", "away", "teapot", "around"),
        *("parts", "out of order"),
    ],
)
def test_a_photo_host_in_trouble_is_asked_for_few_and_rests(
    scene: Scene, trouble: object, verdict: Verdict, photos: int, asked: int
) -> None:
    scene.host.trouble = trouble

    ends = scene.collect()

    assert (len(scene.host.photos), scene.host.asked) == (photos, asked)
    assert ends == {verdict: photos, Verdict.PENDING: PHOTOS - photos}
    assert REST_S - 100 < scene.rests_s("redfin/photos") <= REST_S
    assert scene.state("redfin").open_until is None
    scene.collect()
    scene.collect(slug_of(OTHER))
    assert scene.host.asked == asked


def test_a_photo_of_another_name_that_a_redirect_leads_to_is_not_taken(
    scene: Scene,
) -> None:
    scene.host.trouble = elsewhere

    ends = scene.collect()

    assert ends == {Verdict.NOT_AN_IMAGE: 3, Verdict.PENDING: PHOTOS - 3}
    assert REST_S - 100 < scene.rests_s("redfin/photos") <= REST_S


def test_a_redirect_to_another_size_of_a_photo_is_followed(scene: Scene) -> None:
    def to_small(asked: Asked) -> Answer:
        if "/bigphoto/" not in asked.target:
            return good(asked)
        small = asked.target.replace("/bigphoto/", "/mbphotov3/")
        return Answer(status=302, headers={"Location": small})

    scene.host.trouble = to_small

    assert scene.collect() == {Verdict.PENDING: PHOTOS}
    assert all(photo.sha256 for photo in scene.context.catalog.photos(SLUG))


def test_a_block_page_in_place_of_a_photo_stops_the_source(scene: Scene) -> None:
    scene.host.trouble = ROBOT

    ends = scene.collect()

    assert scene.host.asked == 1
    assert ends == {Verdict.BLOCKED: 1, Verdict.PENDING: PHOTOS - 1}
    assert min(map(scene.rests_s, ("redfin", "redfin/photos"))) > HOURS_S
    everything = len(scene.made.standin.asked)
    asyncio.run(discover(scene.context, slug_of(OTHER)))
    scene.collect(slug_of(OTHER))
    assert len(scene.made.standin.asked) == everything


@pytest.mark.parametrize("status", [401, 403])
def test_a_bare_refusal_of_a_photo_rests_the_photo_hosts_alone(
    scene: Scene, status: int
) -> None:
    scene.host.trouble = Answer(status=status, body=b"no")

    scene.collect()

    assert scene.host.asked == 1
    assert scene.rests_s("redfin/photos") > HOURS_S
    assert scene.state("redfin").open_until is None


@pytest.mark.parametrize(
    "trouble",
    [EMPTY, half, MISSING, DENIED, ROBOT],
    ids=["no bytes", "halves", "missing", "denied", "robot"],
)
def test_trouble_that_begins_amid_a_house_is_seen_within_what_is_under_way(
    scene: Scene, trouble: object
) -> None:
    scene.host.trouble, scene.host.healthy_for = trouble, 6

    ends = scene.collect()

    slots, in_a_row, sizes = 4, 5, 2
    # Each slot meets it once; then photos go one by one. A good answer that is noted
    # late begins a new row, but then its slot has met nothing.
    assert len(scene.host.photos) < 6 + in_a_row + slots
    assert scene.host.asked - 6 <= sizes * (len(scene.host.photos) - 6)
    failed = PHOTOS - ends[Verdict.PENDING]
    asked_again = scene.host.asked - len(scene.host.photos)
    # A photo whose smaller size the open circuit kept from being asked stays open.
    assert failed == (scene.host.asked - 6 if trouble is ROBOT else asked_again)


@pytest.mark.parametrize(
    ("page", "status"),
    [
        *zip((b"<p>Sorry</p>", b"", DENIED.body), (200, 404, 418), strict=True),
        *(pytest.param(*it, marks=pytest.mark.soak) for it in OTHER_PAGES),
    ],
)
def test_where_the_large_photos_are_no_pictures_the_smaller_ones_come(
    scene: Scene, page: bytes, status: int
) -> None:
    def only_small(asked: Asked) -> Answer:
        large = "/bigphoto/" in asked.target
        return Answer(status=status, body=page) if large else good(asked)

    scene.host.trouble = only_small

    scene.collect()

    photos = scene.context.catalog.photos(SLUG)
    assert all(photo.sha256 for photo in photos)
    assert scene.host.asked == 2 * PHOTOS
    assert scene.state("redfin/photos").open_until is None


def test_an_object_that_is_denied_concerns_that_photo_alone(scene: Scene) -> None:
    def one_denied(asked: Asked) -> Answer:
        return DENIED if "_3_" in asked.target else good(asked)

    scene.host.trouble = one_denied

    ends = scene.collect()

    assert ends == {Verdict.PENDING: PHOTOS - 1, Verdict.GONE: 1}
    assert scene.state("redfin/photos").open_until is None
    (gone,) = [it for it in scene.context.catalog.photos(SLUG) if not it.sha256]
    assert gone.fault_days == 1


def test_when_its_rest_is_over_and_it_is_well_again_all_photos_come(
    scene: Scene,
) -> None:
    scene.host.trouble = EMPTY
    scene.collect()
    scene.host.trouble = good
    let_the_rest_be_over(scene)

    scene.collect()

    photos = scene.context.catalog.photos(SLUG)
    assert all(photo.sha256 for photo in photos)
    assert scene.state("redfin/photos").open_until is None


def test_a_probe_that_brings_no_picture_lets_the_host_rest_again(scene: Scene) -> None:
    scene.host.trouble = half
    scene.collect()
    let_the_rest_be_over(scene)

    before = set(scene.host.photos)

    scene.collect()

    assert len(scene.host.photos - before) == 1
    assert scene.host.asked == 6 + 2
    assert scene.rests_s("redfin/photos") > REST_S - 100


def let_the_rest_be_over(scene: Scene) -> None:
    def rested(state: SourceState, now_s: float) -> tuple[SourceState, None]:
        return replace(state, open_until=now_s - 1), None

    scene.context.catalog.policies.change("redfin/photos", rested)


def test_a_gallery_under_a_challenge_is_taken_with_its_photos(
    tmp_path: Path,
) -> None:
    sites = zillow_sites([HOUSE], challenged=True)
    with Deployment(tmp_path, sites, sources=(Source.ZILLOW,)) as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(discover(context, SLUG))
            asyncio.run(collect(context, SLUG))
            (told,) = context.tally(SLUG).sources
            photos = context.catalog.photos(SLUG)

    assert told.outcome is ListingOutcome.LISTED
    assert photos
    assert all(photo.sha256 for photo in photos)
    pages = [it.host for it in made.standin.asked if it.host == ZILLOW_HOST]
    assert len(pages) == 1


def test_one_photo_that_is_late_leaves_the_json_of_a_command_whole(
    tmp_path: Path, phx_on: Phx, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="phx_pipeline.fetch.retries")
    host = PhotoHost()

    def once_busy(asked: Asked) -> Answer:
        answer = host(asked)
        return OUT_OF_ORDER if host.asked == 1 else answer

    page = tmp_path / "saved.html"
    page.write_bytes(listing_page(HOUSE, others=()))
    with Deployment(tmp_path / "store", {PHOTO_HOST: once_busy}) as made:
        made.add_houses([HOUSE])

        done = phx_on(
            made,
            *("ingest", str(page), "--property", SLUG, "--source", "redfin"),
            *("--collect", "--json"),
        )

    assert json.loads(done.out)["photos"] == PHOTOS
    assert host.asked == PHOTOS + 1
    assert [m for m in caplog.messages if m.startswith("asks again in")]
