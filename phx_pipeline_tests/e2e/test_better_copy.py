"""A better copy that comes later takes the place of the one shown, and only that."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import PAGE_HOST, zillow_sites
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.verify import verify_property, verify_views
from phx_pipeline.stages.views import refresh_views
from phx_pipeline_tests.deployment import Deployment, slug_of

# Zillow has some of its photos larger than Redfin, some smaller, some cut.
(HOUSE,) = (house for house in HOUSES if house.street == "Quail Lantern")
SLUG = slug_of(HOUSE)
BOTH = (Source.ZILLOW, Source.REDFIN)
LARGER_SIZES = (
    b"uncropped_scaled_within_1536_1152",
    b"uncropped_scaled_within_1344_1008",
)

PhotoKey = tuple[Source, str]
Number = tuple[Location, Subject, int]


@dataclass(slots=True)
class Market:
    """Both sites; what they show can change while they are up."""

    now: Mapping[str, Handler]

    def show(self, *, redfin: House = HOUSE, zillow: House = HOUSE) -> None:
        """Show these galleries of the house."""
        self.now = {**redfin_sites([redfin]), **zillow_sites([zillow])}

    def show_small(self) -> None:
        """Name none of the two largest sizes on Zillow's page."""
        self.show()
        self.now = {**self.now, PAGE_HOST: _naming_small_sizes(self.now[PAGE_HOST])}

    def handlers(self) -> dict[str, Handler]:
        """Handlers that follow `now`."""
        return {host: self._handler(host) for host in self.now}

    def _handler(self, host: str) -> Handler:
        def handle(asked: Asked) -> Answer:
            return self.now[host](asked)

        return handle


def _naming_small_sizes(page: Handler) -> Handler:
    def answer(asked: Asked) -> Answer:
        given = page(asked)
        body = given.body
        for size in LARGER_SIZES:
            body = body.replace(size, b"d_d")
        return replace(given, body=body)

    return answer


@pytest.fixture
def market() -> Market:
    market = Market({})
    market.show()
    return market


@pytest.fixture
def deployment(tmp_path: Path, market: Market) -> Iterator[Deployment]:
    with Deployment(tmp_path, market.handlers(), sources=BOTH) as made:
        made.add_houses([HOUSE])
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is published, and the rows behind it."""

    photos: dict[PhotoKey, Photo]
    numbers: dict[Number, Publication]
    categories: dict[PhotoKey, Category]
    files: dict[str, bytes]
    pixels: dict[str, int]  # of each blob

    @property
    def kept(self) -> set[PhotoKey]:
        return {
            key for key, photo in self.photos.items() if photo.verdict is Verdict.KEPT
        }

    def body(self, row: Publication) -> bytes:
        (body,) = (b for name, b in self.files.items() if name.endswith(row.file_name))
        return body

    def cluster(self, row: Publication) -> set[PhotoKey]:
        """The photos of the picture that a row shows."""
        cluster_id = self.photos[row.holder].cluster_id
        return {k for k, photo in self.photos.items() if photo.cluster_id == cluster_id}


def run(made: Deployment, *sources: Source) -> Shown:
    """Ask *sources* (by default both) in a run of its own; prove what came of it."""
    with made.context() as context:
        asyncio.run(extract(context, SLUG, sources=sources or None))
        refresh_views(context)
        assert [p.text for p in verify_property(context, SLUG)] == []
        assert [p.text for p in verify_views(context)] == []
        return _shown(context, made)


def _shown(context: StageContext, made: Deployment) -> Shown:
    rows = context.catalog.publications(SLUG)
    blobs = context.catalog.blobs(SLUG).values()
    files = made.files()
    return Shown(
        photos={photo.key: photo for photo in context.catalog.photos(SLUG)},
        numbers={row.number: row for row in rows if row.active},
        categories=context.catalog.categories(SLUG),
        files={n: body for n, body in files.items() if n.startswith("processed/")},
        pixels={blob.sha256: blob.width * blob.height for blob in blobs},
    )


def replaced(before: Shown, after: Shown) -> list[Number]:
    """The numbers that show other bytes than before."""
    return [
        number
        for number, row in before.numbers.items()
        if number in after.numbers and after.numbers[number].sha256 != row.sha256
    ]


def test_a_larger_copy_from_another_source_takes_over_the_number(
    deployment: Deployment,
) -> None:
    before = run(deployment, Source.REDFIN)

    after = run(deployment)

    changed = replaced(before, after)
    assert len(changed) == 2
    assert set(before.numbers) <= set(after.numbers)
    for number in changed:
        old, new = before.numbers[number], after.numbers[number]
        assert (old.source, new.source) == (Source.REDFIN, Source.ZILLOW)
        assert after.pixels[new.sha256] > after.pixels[old.sha256]
        assert before.categories[old.holder] == after.categories[new.holder]
        assert before.body(old) not in after.files.values()
        assert not any(name.endswith(old.file_name) for name in after.files)


def test_all_copies_stay_as_provenance_of_the_picture(deployment: Deployment) -> None:
    before = run(deployment, Source.REDFIN)

    after = run(deployment)

    for number in replaced(before, after):
        old, new = before.numbers[number], after.numbers[number]
        assert {old.holder, new.holder} <= after.cluster(new)
        loser = after.photos[old.holder]
        assert loser.verdict is Verdict.DUPLICATE
        assert loser.fetched_url == before.photos[old.holder].fetched_url
        assert loser.sha256 == old.sha256
    assert set(before.photos) <= set(after.photos)


def test_a_full_frame_takes_the_place_of_a_cut_one(deployment: Deployment) -> None:
    before = run(deployment, Source.ZILLOW)

    after = run(deployment)

    taken = {
        after.photos[key].cluster_id
        for key in before.kept
        if after.photos[key].verdict is Verdict.DUPLICATE
    }
    winners = {key for key in after.kept if after.photos[key].cluster_id in taken}
    shown = {body for name, body in before.files.items()}
    assert len(winners) >= 3
    assert {source for source, _ in winners} == {Source.REDFIN}
    assert len(shown & set(after.files.values())) == len(before.files) - len(taken)
    assert len(after.files) == len(after.kept)


def test_a_larger_variant_of_the_same_photo_replaces_the_smaller_file(
    deployment: Deployment, market: Market
) -> None:
    market.show_small()
    before = run(deployment, Source.ZILLOW)
    market.show()

    after = run(deployment, Source.ZILLOW)

    changed = replaced(before, after)
    assert len(changed) >= 8
    assert set(after.photos) == set(before.photos)
    assert set(after.numbers) == set(before.numbers)
    for number in changed:
        old, new = before.numbers[number], after.numbers[number]
        assert new.holder == old.holder
        assert new.file_name == old.file_name
        assert after.body(new) == after.files[_path(after, new)] != before.body(old)
        assert (
            after.photos[new.holder].fetched_url
            != before.photos[old.holder].fetched_url
        )


def _path(shown: Shown, row: Publication) -> str:
    (path,) = (name for name in shown.files if name.endswith(row.file_name))
    return path


def test_nothing_is_lost_when_the_better_copy_is_listed_no_more(
    deployment: Deployment, market: Market
) -> None:
    run(deployment, Source.REDFIN)
    before = run(deployment)
    shorter = replace(HOUSE.record, shots=HOUSE.record.shots[:10])
    market.show(zillow=replace(HOUSE, record=shorter))

    after = run(deployment)

    absent = {key for key, photo in after.photos.items() if not photo.present}
    assert {source for source, _ in absent} == {Source.ZILLOW}
    assert absent & after.kept
    assert after.kept == before.kept
    assert after.numbers == before.numbers
    assert after.files == before.files


@pytest.mark.parametrize(
    "runs",
    [(Source.REDFIN, Source.ZILLOW), (Source.ZILLOW, Source.REDFIN)],
    ids=["redfin first", "zillow first"],
)
def test_whichever_source_is_asked_first_the_same_copies_are_kept(
    tmp_path: Path, deployment: Deployment, market: Market, runs: tuple[Source, ...]
) -> None:
    *_, apart = [run(deployment, source) for source in runs]
    with Deployment(tmp_path / "other", market.handlers(), sources=BOTH) as other:
        other.add_houses([HOUSE])
        together = run(other)

    assert apart.kept == together.kept
    assert {k: photo.cluster_id for k, photo in apart.photos.items()} == {
        k: photo.cluster_id for k, photo in together.photos.items()
    }
    assert sorted(apart.files.values()) == sorted(together.files.values())
