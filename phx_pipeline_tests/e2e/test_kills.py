"""SIGKILL at random moments: nothing lost, nothing fetched twice, the same result."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.stages.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.deployment import Deployment

_HOUSES = sorted(HOUSES, key=lambda house: len(house.record.shots))[:2]
_PAUSE_S = 0.02  # between photos, so that kills fall into every stage


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an undisturbed run."""
    root = tmp_path_factory.mktemp("undisturbed")
    with Deployment(root, redfin_sites(photo_delay_s=_PAUSE_S)) as made:
        made.add_houses(_HOUSES)
        done = made.phx("extract", "--all", "--sync")
        assert done.returncode == 0, done.stderr
        with made.context() as context:
            return content_digest(context)


def _stores(root: Path) -> Iterator[Path]:
    number = 0
    while True:
        yield root / str(number)
        number += 1


def _run_and_kill(made: Deployment, *, after_s: float) -> int:
    """Run the stages, kill them after a while; return the exit code."""
    process = subprocess.Popen(  # noqa: S603 - the tests' own command
        made.command("extract", "--all", "--sync"),
        env=made.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()


def _held(made: Deployment) -> set[str]:
    """Targets of the photos whose outcome is settled in the catalogue."""
    with made.context() as context:
        return {
            photo.ref.url.partition(".com")[2]
            for slug in context.catalog.slugs()
            for photo in context.catalog.photos(slug)
            if not photo.wants_download
        }


def _campaign(root: Path, *, kills: int, reference: str) -> int:
    """Kill *kills* times over as many stores as it takes; return how many were hit."""
    chance = random.Random(20261122)  # noqa: S311 - moments, not secrets
    hit = 0
    for store in _stores(root):
        with Deployment(store, redfin_sites(photo_delay_s=_PAUSE_S)) as made:
            made.add_houses(_HOUSES)
            code = -1
            while code != 0:
                held, asked = _held(made), len(made.photos_asked())
                last = hit >= kills
                code = _run_and_kill(
                    made, after_s=120 if last else chance.uniform(0.5, 2.2)
                )
                hit += code == -signal.SIGKILL
                assert code in {0, -signal.SIGKILL}
                assert not held & set(made.photos_asked()[asked:])
            with made.context() as context:
                assert content_digest(context) == reference
                assert verify_views(context) == []
                for slug in context.catalog.slugs():
                    assert verify_property(context, slug) == []
        if hit >= kills:
            return hit
    return hit


def test_a_killed_run_is_taken_up_where_it_stopped(
    tmp_path: Path, reference: str
) -> None:
    assert _campaign(tmp_path, kills=18, reference=reference) >= 18


@pytest.mark.soak
def test_two_hundred_kills_lose_nothing(tmp_path: Path, reference: str) -> None:
    started = time.monotonic()

    hit = _campaign(tmp_path, kills=200, reference=reference)

    assert hit >= 200, f"{hit} kills in {time.monotonic() - started:.0f} s"
