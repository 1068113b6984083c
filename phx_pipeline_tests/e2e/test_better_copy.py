"""A better copy that comes later takes the place of the one shown, and only that."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoKey
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.sources.zillow.standin import PAGE_HOST
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots

# Zillow has some of its photos larger than Redfin, some smaller, some cut.
(HOUSE,) = (house for house in HOUSES if house.street == "Quail Lantern")
SLUG = slug_of(HOUSE)
BOTH = (Source.ZILLOW, Source.REDFIN)
pytestmark = pytest.mark.xdist_group("better_copy")  # all need the same first runs

LARGER_SIZES = (
    b"uncropped_scaled_within_1536_1152",
    b"uncropped_scaled_within_1344_1008",
)

Number = tuple[Location, Subject, int]


def sites(*, redfin: House = HOUSE, zillow: House = HOUSE) -> dict[str, Handler]:
    """Both sites, with these galleries of the house."""
    return {**redfin_sites([redfin]), **zillow_sites([zillow])}


def sites_of_small_photos() -> dict[str, Handler]:
    """Zillow's page names none of its two largest sizes."""
    shown = sites()
    return {**shown, PAGE_HOST: _naming_small_sizes(shown[PAGE_HOST])}


def _naming_small_sizes(page: Handler) -> Handler:
    def answer(asked: Asked) -> Answer:
        given = page(asked)
        body = given.body
        for size in LARGER_SIZES:
            body = body.replace(size, b"d_d")
        return replace(given, body=body)

    return answer


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
        files={n: body for n, body in files.items() if _is_picture(n)},
        pixels={blob.sha256: blob.width * blob.height for blob in blobs},
    )


def _is_picture(name: str) -> bool:
    return name.startswith("processed/") and name.endswith(".png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The installation a run left, and what it shows."""

    root: Path
    shown: Shown


def first_run(
    root: Path, *sources: Source, shown: Mapping[str, Handler] | None = None
) -> Ran:
    """Ask *sources* for the house in a new installation."""
    with Deployment(root, shown or sites(), sources=BOTH) as made:
        made.add_houses([HOUSE])
        return Ran(root=root, shown=run(made, *sources))


def later_run(
    before: Ran,
    root: Path,
    *sources: Source,
    shown: Mapping[str, Handler] | None = None,
) -> Ran:
    """Ask *sources* again, in a copy of the installation that *before* left."""
    shutil.copytree(before.root, root)
    with Deployment(root, shown or sites(), sources=BOTH) as made:
        return Ran(root=root, shown=run(made, *sources))


@pytest.fixture(scope="module")
def of_redfin(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return first_run(tmp_path_factory.mktemp("redfin"), Source.REDFIN)


@pytest.fixture(scope="module")
def of_zillow(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return first_run(tmp_path_factory.mktemp("zillow"), Source.ZILLOW)


@pytest.fixture(scope="module")
def of_redfin_then_both(
    of_redfin: Ran, tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    return later_run(of_redfin, tmp_path_factory.mktemp("both") / "copy")


@pytest.fixture(scope="module")
def of_both_together(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return first_run(tmp_path_factory.mktemp("together"))


def replaced(before: Shown, after: Shown) -> list[Number]:
    """The numbers that show other bytes than before."""
    return [
        number
        for number, row in before.numbers.items()
        if number in after.numbers and after.numbers[number].sha256 != row.sha256
    ]


def test_a_larger_copy_from_another_source_takes_over_the_number(
    of_redfin: Ran, of_redfin_then_both: Ran
) -> None:
    before, after = of_redfin.shown, of_redfin_then_both.shown

    changed = replaced(before, after)
    assert changed
    assert set(before.numbers) <= set(after.numbers)
    for number in changed:
        old, new = before.numbers[number], after.numbers[number]
        assert (old.source, new.source) == (Source.REDFIN, Source.ZILLOW)
        assert after.pixels[new.sha256] > after.pixels[old.sha256]
        assert before.categories[old.holder] == after.categories[new.holder]
        assert before.body(old) not in after.files.values()
        assert not any(name.endswith(old.file_name) for name in after.files)


def test_all_copies_stay_as_provenance_of_the_picture(
    of_redfin: Ran, of_redfin_then_both: Ran
) -> None:
    before, after = of_redfin.shown, of_redfin_then_both.shown

    for number in replaced(before, after):
        old, new = before.numbers[number], after.numbers[number]
        assert {old.holder, new.holder} <= after.cluster(new)
        loser = after.photos[old.holder]
        assert loser.verdict is Verdict.DUPLICATE
        assert loser.fetched_url == before.photos[old.holder].fetched_url
        assert loser.sha256 == old.sha256
    assert set(before.photos) <= set(after.photos)


def test_a_full_frame_takes_the_place_of_a_cut_one(
    of_zillow: Ran, tmp_path: Path
) -> None:
    before = of_zillow.shown

    after = later_run(of_zillow, tmp_path / "later").shown

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
    tmp_path: Path,
) -> None:
    small = sites_of_small_photos()
    first = first_run(tmp_path / "first", Source.ZILLOW, shown=small)
    before = first.shown

    after = later_run(first, tmp_path / "later", Source.ZILLOW).shown

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
    of_redfin_then_both: Ran, tmp_path: Path
) -> None:
    before = of_redfin_then_both.shown
    shorter = with_shots(HOUSE, *range(10))

    after = later_run(
        of_redfin_then_both, tmp_path / "later", shown=sites(zillow=shorter)
    ).shown

    absent = {key for key, photo in after.photos.items() if not photo.present}
    assert {source for source, _ in absent} == {Source.ZILLOW}
    assert absent & after.kept
    assert after.kept == before.kept
    assert after.numbers == before.numbers
    assert after.files == before.files


@pytest.mark.parametrize(
    ("first", "second"), [("of_redfin", Source.ZILLOW), ("of_zillow", Source.REDFIN)]
)
def test_whichever_source_is_asked_first_the_same_copies_are_kept(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    of_both_together: Ran,
    first: str,
    second: Source,
) -> None:
    before: Ran = request.getfixturevalue(first)
    together = of_both_together.shown

    apart = later_run(before, tmp_path / "later", second).shown

    assert apart.kept == together.kept
    assert {k: photo.cluster_id for k, photo in apart.photos.items()} == {
        k: photo.cluster_id for k, photo in together.photos.items()
    }
    assert sorted(apart.files.values()) == sorted(together.files.values())
