"""What each mode of `phx extract` asks for, counted at the stand-in sites."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.demo.loopback import Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import PAGE_HOST as REDFIN_HOST
from phx_pipeline.sources.zillow.standin import PAGE_HOST as ZILLOW_HOST
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    SMALLEST,
    Deployment,
    collected_whole,
    slug_of,
    with_shots,
)
from phx_pipeline_tests.expected import expected_verdicts

# Five ordinary ones, one turned by its EXIF tag, one damaged, and a copy.
HOUSE = with_shots(SMALLEST, 0, 2, 3, 4, 5, 6, 9, 10)
SLUG = slug_of(HOUSE)

pytestmark = pytest.mark.xdist_group("modes")  # all copy the same store


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation with one house, collected whole."""
    return collected_whole(tmp_path_factory.mktemp("collected"), HOUSE)


@pytest.fixture
def complete(collected: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A copy of that installation, whose sites nobody asked yet."""
    root = shutil.copytree(collected, tmp_path / "copy")
    with Deployment(root, redfin_sites([HOUSE])) as made:
        yield made


def hosts_asked(made: Deployment) -> list[str]:
    return [asked.host for asked in made.standin.asked]


def test_resume_asks_nothing_of_what_is_complete(
    complete: Deployment, phx_on: Phx
) -> None:
    again = phx_on(complete, "extract", "--all", "--sync")

    assert again.code == 0
    assert "1 property left out: complete" in again.out
    assert hosts_asked(complete) == []


def test_fresh_asks_the_source_again_and_for_the_photo_it_never_got(
    complete: Deployment, phx_on: Phx
) -> None:
    digest = phx_on(complete, "verify", "--digest").out

    again = phx_on(complete, "extract", "--all", "--sync", "--fresh")

    assert again.code == 0
    both_sizes = [PHOTO_HOST, PHOTO_HOST]
    assert hosts_asked(complete) == [REDFIN_HOST, REDFIN_HOST, *both_sizes]
    assert phx_on(complete, "verify", "--digest").out == digest


def test_a_dry_run_shows_the_gallery_and_keeps_nothing(
    tmp_path: Path, phx_on: Phx
) -> None:
    with Deployment(tmp_path, redfin_sites([HOUSE])) as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            before = list(context.catalog.content_rows())

        shown = phx_on(made, "extract", "--all", "--dry-run")

        assert shown.code == 0
        assert f"{len(HOUSE.record.shots)} photos listed" in shown.out
        assert made.photos_asked() == []
        assert hosts_asked(made) == [REDFIN_HOST, REDFIN_HOST]
        with made.context() as context:
            assert list(context.catalog.content_rows()) == before


def test_resume_finishes_what_a_kill_left_unpublished(
    complete: Deployment, phx_on: Phx
) -> None:
    before = complete.files()
    with complete.context() as context, context.holding(SLUG):
        folder = context.layout.folder(context.house(SLUG).folder)
        next(folder.glob("*.png")).unlink()

    again = phx_on(complete, "extract", "--all", "--sync")

    assert again.code == 0
    assert complete.files() == before
    assert hosts_asked(complete) == []


def both(*, refused: bool) -> dict[str, Handler]:
    blocked = frozenset({ZILLOW_HOST}) if refused else frozenset()
    return {**redfin_sites([HOUSE]), **zillow_sites([HOUSE], blocked=blocked)}


def test_a_source_blocked_for_a_run_is_the_only_one_asked_later(
    tmp_path: Path, phx_on: Phx
) -> None:
    sources = (Source.ZILLOW, Source.REDFIN)
    with Deployment(tmp_path, both(refused=True), sources=sources) as made:
        (slug,) = made.add_houses([HOUSE])

        partial = phx_on(made, "extract", "--all", "--sync")

        assert partial.code == 3
        with made.context() as context:
            tally = context.tally(slug)
            photos = context.catalog.photos(slug)
        outcomes = {source.source: source.outcome for source in tally.sources}
        assert outcomes == {
            Source.ZILLOW: ListingOutcome.BLOCKED,
            Source.REDFIN: ListingOutcome.LISTED,
        }
        assert tally.count(VerdictKind.KEPT) == len(
            [v for v in expected_verdicts(HOUSE).values() if v == "kept"]
        )
        assert all(photo.present for photo in photos)
        told = phx_on(made, "status").out
        assert f"open: {slug} zillow: blocked" in told
        assert "retries it not before 20" in told
    with Deployment(tmp_path, both(refused=False), sources=sources) as made:
        resting = phx_on(made, "extract", "--all", "--sync")
        assert resting.code == 3
        assert hosts_asked(made) == []
        assert phx_on(made, "sources", "reset", "zillow").code == 0

        later = phx_on(made, "extract", "--all", "--sync")

        assert later.code == 0, later.out + later.err
        assert REDFIN_HOST not in hosts_asked(made)
        assert ZILLOW_HOST in hosts_asked(made)
        assert phx_on(made, "verify").code == 0
