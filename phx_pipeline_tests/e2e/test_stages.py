"""The five stages on the stand-in sites, without Dagster."""

import asyncio
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.job import Mode
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views, render_views
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.captured import (
    CAPTURED_ADDRESS,
    captured_redfin_sites,
    expected_photo_keys,
)
from phx_pipeline_tests.captured_zillow import (
    CAPTURED_ADDRESS as CAPTURED_ZILLOW_ADDRESS,
)
from phx_pipeline_tests.captured_zillow import (
    captured_zillow_photos,
    captured_zillow_sites,
    expected_zillow_keys,
)
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    SMALLEST,
    Deployment,
    collected_whole,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.expected import expected_verdicts
from phx_pipeline_tests.forked import ended, start_phx

# Ordinary ones, one turned by its EXIF tag, one damaged, and a copy.
HOUSE = with_shots(SMALLEST, 0, 2, 3, 4, 5, 6, 9)
SLUG = slug_of(HOUSE)
OTHERS = [with_shots(house, 0, 1, 2, 3) for house in HOUSES if house is not SMALLEST]
THREE = [HOUSE, *OTHERS[:2]]

_SUBJECTS_OF_TAG = {
    "Kitchen": {Subject.KITCHEN},
    "Bath": {Subject.BATHROOM},
    "Bed": {Subject.BEDROOM, Subject.MASTER},
    "Living": {Subject.LIVING},
}


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, redfin_sites()) as made:
        yield made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with one house, run once."""
    return collected_whole(tmp_path_factory.mktemp("whole"), HOUSE)


@pytest.fixture
def collected(whole: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A copy of that installation, whose sites nobody asked yet."""
    root = shutil.copytree(whole, tmp_path / "copy")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        yield made


def run(
    context: StageContext, slugs: Sequence[str], *, mode: Mode = Mode.FRESH
) -> None:
    for slug in slugs:
        asyncio.run(extract(context, slug, mode=mode))
    refresh_views(context)


def problems(context: StageContext) -> list[str]:
    found = [
        p for slug in context.catalog.slugs() for p in verify_property(context, slug)
    ]
    return [problem.text for problem in [*found, *verify_views(context)]]


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
def test_each_photo_of_a_house_ends_as_it_should(
    deployment: Deployment, house: House
) -> None:
    (slug,) = deployment.add_houses([house])

    with deployment.context() as context:
        run(context, [slug])
        verdicts = {p.ref.photo_key: p.verdict for p in context.catalog.photos(slug)}

        assert verdicts == expected_verdicts(house)
        assert problems(context) == []


def test_a_second_run_asks_for_what_is_missing_and_changes_nothing(
    tmp_path: Path,
) -> None:
    with Deployment(tmp_path, redfin_sites(THREE)) as made:
        slugs = made.add_houses(THREE[:2])
        with made.context("first") as context:
            run(context, slugs)
            digest, files = content_digest(context), made.files()
            missing = {
                url.partition(PHOTO_HOST)[2]
                for slug in slugs
                for photo in context.catalog.photos(slug)
                if photo.sha256 is None
                for url in (photo.ref.url, *photo.ref.fallback_urls)
            }
        asked = len(made.photos_asked())

        with made.context("second") as context:
            run(context, slugs)

            assert content_digest(context) == digest
        again = set(made.photos_asked()[asked:])
        assert again
        assert again <= missing
        assert made.files() == files


def test_rendering_again_leaves_the_views_byte_identical(
    collected: Deployment,
) -> None:
    before = collected.files(), collected.views()
    with collected.context() as context:
        shutil.rmtree(context.layout.metadata)

        written = refresh_views(context, anyway=True)

        assert written == len(list(render_views(context)))
        assert (collected.files(), collected.views()) == before
        assert refresh_views(context, anyway=True) == 0


def test_order_and_parallel_runs_do_not_matter(tmp_path: Path) -> None:
    digests = set()
    for name, houses in (("forward", THREE), ("backward", THREE[::-1])):
        with Deployment(tmp_path / name, redfin_sites(THREE)) as made:
            made.add_houses(houses)
            with made.context() as context:
                run(context, [slug_of(house) for house in houses])
                digests.add(content_digest(context))
    with Deployment(tmp_path / "together", redfin_sites(THREE)) as made:
        slugs = made.add_houses(THREE)
        runs = [
            start_phx("extract", "--sync", "--address", slug, env=made.env)
            for slug in slugs
        ]
        codes = [ended(run, patience_s=300) for run in runs]
        with made.context() as context:
            digests.add(content_digest(context))
            found = problems(context)

    assert codes == [0, 0, 0]
    assert found == []
    assert len(digests) == 1


def test_the_captured_page_gives_exactly_its_own_photos_in_order(
    tmp_path: Path, shared_dir: Path
) -> None:
    with Deployment(tmp_path, captured_redfin_sites(shared_dir)) as made:
        (slug,) = made.add([CAPTURED_ADDRESS])
        with made.context() as context:
            run(context, [slug])
            photos = context.catalog.photos(slug)
            categories = context.catalog.categories(slug)
            found = problems(context)

    assert [p.ref.photo_key for p in photos] == expected_photo_keys(shared_dir)
    assert {p.verdict for p in photos} == {Verdict.KEPT}
    assert found == []
    for photo in photos:
        subject = categories[photo.key].subject
        for tag, allowed in _SUBJECTS_OF_TAG.items():
            assert tag not in photo.ref.tags or subject in allowed, photo.ref
    assert sum("Kitchen" in photo.ref.tags for photo in photos) == 8


def test_the_captured_zillow_home_gives_exactly_its_own_photos_in_order(
    tmp_path: Path, shared_dir: Path
) -> None:
    sites = captured_zillow_sites(shared_dir)
    with Deployment(tmp_path, sites, sources=(Source.ZILLOW,)) as made:
        (slug,) = made.add([CAPTURED_ZILLOW_ADDRESS])
        with made.context() as context:
            run(context, [slug])
            photos = context.catalog.photos(slug)
            images = list(context.catalog.published_images(slug))
            facts = context.catalog.facts.newest(slug)[Source.ZILLOW].facts
            found = problems(context)

    assert [p.ref.photo_key for p in photos] == expected_zillow_keys(shared_dir)
    assert {p.verdict for p in photos} == {Verdict.KEPT}
    assert [p.fetched_url for p in photos] == list(captured_zillow_photos(shared_dir))
    assert len(images) == len(photos) == 21
    assert found == []
    assert facts.living_area


def test_the_published_names_tell_listing_date_and_source(
    collected: Deployment,
) -> None:
    with collected.context() as context:
        images = list(context.catalog.published_images(SLUG))

    names = [ImageName.parse(Path(image.local_path).name) for image in images]
    assert {name.source for name in names} == {Source.REDFIN}
    assert {name.date for name in names} == {HOUSE.record.listed_on}


def test_the_manifest_lists_the_files_of_the_folder(collected: Deployment) -> None:
    with collected.context() as context:
        house = context.house(SLUG)
        folder = context.layout.folder(house.folder)
        manifest = json.loads(
            (context.layout.metadata / "image_manifest.json").read_text()
        )

    listed = [row["local_path"] for row in manifest["properties"][str(house.address)]]
    there = [f"processed/{house.folder}/{path.name}" for path in folder.glob("*.png")]
    assert sorted(listed) == sorted(there)


def test_a_blocked_source_loses_nothing_and_leaves_the_property_partial(
    whole: Path, tmp_path: Path
) -> None:
    root = shutil.copytree(whole, tmp_path / "copy")
    sites = redfin_sites([HOUSE], blocked=frozenset({PAGE_HOST}))
    with Deployment(root, sites) as blocked, blocked.context() as context:
        kept = context.tally(SLUG).count(VerdictKind.KEPT)

        run(context, [SLUG])

        tally = context.tally(SLUG)
        photos = context.catalog.photos(SLUG)
        found = problems(context)
    assert tally.sources[0].outcome is ListingOutcome.BLOCKED
    assert not tally.is_complete
    assert tally.count(VerdictKind.KEPT) == kept
    assert all(photo.present for photo in photos)
    assert found == []


def test_a_lost_original_is_fetched_again_and_nothing_else(
    collected: Deployment,
) -> None:
    with collected.context() as context:
        digest = content_digest(context)
        lost = next(p for p in context.catalog.photos(SLUG) if p.sha256)
        context.layout.raw(str(lost.sha256)).unlink()

        run(context, [SLUG], mode=Mode.RESUME)

        assert collected.photos_asked() == [
            lost.ref.url.partition("ssl.cdn-redfin.com")[2]
        ]
        assert content_digest(context) == digest
        assert problems(context) == []


def test_a_deleted_folder_is_built_again_without_any_request(
    collected: Deployment,
) -> None:
    before = collected.files()
    with collected.context() as context:
        folder = context.layout.folder(context.house(SLUG).folder)
        for path in folder.iterdir():
            path.unlink()
        (folder / "stray.png").write_bytes(b"not ours")

        run(context, [SLUG], mode=Mode.RESUME)

        (aside,) = folder.glob("stray.png.aside-*")
        aside.unlink()
    assert collected.files() == before
    assert collected.photos_asked() == []
