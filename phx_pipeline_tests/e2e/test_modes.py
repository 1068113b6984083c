"""What each mode of `phx extract` asks for, counted at the stand-in sites."""

from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Handler
from phx_pipeline.demo.redfin_site import PAGE_HOST as REDFIN_HOST
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import PAGE_HOST as ZILLOW_HOST
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline_tests.deployment import Deployment

HOUSE = min(HOUSES, key=lambda house: len(house.record.shots))


@pytest.fixture
def complete(tmp_path: Path) -> "Deployment":
    """One house, collected whole; the sites are asked anew from here on."""
    return Deployment(tmp_path, redfin_sites())


def hosts_asked(made: Deployment, *, since: int) -> list[str]:
    return [asked.host for asked in made.standin.asked[since:]]


def test_resume_asks_nothing_of_what_is_complete(complete: Deployment) -> None:
    with complete as made:
        made.add_houses([HOUSE])
        assert made.phx("extract", "--all", "--sync").returncode == 0
        asked = len(made.standin.asked)

        again = made.phx("extract", "--all", "--sync")

        assert again.returncode == 0
        assert "1 properties are complete" in again.stdout
        assert len(made.standin.asked) == asked


def test_fresh_asks_the_source_again_and_downloads_nothing(
    complete: Deployment,
) -> None:
    with complete as made:
        made.add_houses([HOUSE])
        assert made.phx("extract", "--all", "--sync").returncode == 0
        digest = made.phx("verify", "--digest").stdout
        asked = len(made.standin.asked)

        again = made.phx("extract", "--all", "--sync", "--fresh")

        assert again.returncode == 0
        assert hosts_asked(made, since=asked) == [REDFIN_HOST, REDFIN_HOST]
        assert made.phx("verify", "--digest").stdout == digest


def test_a_dry_run_shows_the_gallery_and_keeps_nothing(complete: Deployment) -> None:
    with complete as made:
        made.add_houses([HOUSE])
        with made.context() as context:
            before = list(context.catalog.content_rows())

        shown = made.phx("extract", "--all", "--dry-run")

        assert shown.returncode == 0
        assert f"{len(HOUSE.record.shots)} photos listed" in shown.stdout
        assert made.photos_asked() == []
        assert hosts_asked(made, since=0) == [REDFIN_HOST, REDFIN_HOST]
        with made.context() as context:
            assert list(context.catalog.content_rows()) == before


def test_resume_finishes_what_a_kill_left_unpublished(complete: Deployment) -> None:
    with complete as made:
        (slug,) = made.add_houses([HOUSE])
        assert made.phx("extract", "--all", "--sync").returncode == 0
        before, asked = made.files(), len(made.standin.asked)
        with made.context() as context, context.holding(slug):
            folder = context.layout.folder(context.house(slug).folder)
            next(folder.iterdir()).unlink()

        again = made.phx("extract", "--all", "--sync")

        assert again.returncode == 0
        assert made.files() == before
        assert len(made.standin.asked) == asked


def both(*, refused: bool) -> dict[str, Handler]:
    blocked = frozenset({ZILLOW_HOST}) if refused else frozenset()
    return {**redfin_sites(), **zillow_sites(blocked=blocked)}


def test_a_source_blocked_for_a_run_is_the_only_one_asked_later(
    tmp_path: Path,
) -> None:
    sources = (Source.ZILLOW, Source.REDFIN)
    with Deployment(tmp_path, both(refused=True), sources=sources) as made:
        (slug,) = made.add_houses([HOUSE])

        partial = made.phx("extract", "--all", "--sync")

        assert partial.returncode == 3
        with made.context() as context:
            tally = context.tally(slug)
            photos = context.catalog.photos(slug)
        outcomes = {source.source: source.outcome for source in tally.sources}
        assert outcomes == {
            Source.ZILLOW: ListingOutcome.BLOCKED,
            Source.REDFIN: ListingOutcome.LISTED,
        }
        assert tally.count(VerdictKind.KEPT) == len(
            [v for v in HOUSE.expected_verdicts().values() if v == "kept"]
        )
        assert all(photo.present for photo in photos)
        told = made.phx("status").stdout
        assert f"open: {slug} zillow: blocked" in told
        assert "retries it not before 20" in told
    with Deployment(tmp_path, both(refused=False), sources=sources) as made:
        resting = made.phx("extract", "--all", "--sync")
        assert resting.returncode == 3
        assert hosts_asked(made, since=0) == []
        assert made.phx("sources", "reset", "zillow").returncode == 0

        later = made.phx("extract", "--all", "--sync")

        assert later.returncode == 0, later.stdout + later.stderr
        assert REDFIN_HOST not in hosts_asked(made, since=0)
        assert ZILLOW_HOST in hosts_asked(made, since=0)
        assert made.phx("verify").returncode == 0
