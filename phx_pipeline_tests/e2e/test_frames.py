"""One run decodes a picture once; another run makes the same of the stored bytes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.discover import discover
from phx_pipeline_tests.deployment import SMALLEST, Deployment, with_shots

# Large ones, one turned by its EXIF tag, and a copy.
HOUSE = with_shots(SMALLEST, 0, 2, 3, 4, 5, 9)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, redfin_sites([HOUSE])) as made:
        yield made


def collected(context: StageContext, slug: str) -> list[str]:
    """Discover and collect; return the SHA-256 of the photos."""
    asyncio.run(discover(context, slug))
    asyncio.run(collect(context, slug))
    return [str(p.sha256) for p in context.catalog.photos(slug) if p.sha256]


def encoded(context: StageContext, slug: str) -> dict[str, bytes]:
    """Dedupe; return the PNG of each kept photo."""
    dedupe(context, slug)
    return {
        str(photo.sha256): context.blobs.read_standardized(
            str(photo.sha256), context.recipe
        )
        for photo in context.catalog.photos(slug)
        if photo.verdict is Verdict.KEPT
    }


def test_the_same_run_encodes_without_opening_the_originals_again(
    deployment: Deployment,
) -> None:
    (slug,) = deployment.add_houses([HOUSE])
    with deployment.context() as context:
        for sha in collected(context, slug):
            context.layout.raw(sha).unlink()

        pngs = encoded(context, slug)

    assert len(pngs) > 3


def test_a_later_run_makes_the_same_pictures_from_the_stored_bytes(
    tmp_path: Path,
) -> None:
    found = []
    for name, runs in (("together", 1), ("apart", 2)):
        with Deployment(tmp_path / name, redfin_sites([HOUSE])) as made:
            (slug,) = made.add_houses([HOUSE])
            with made.context("first") as context:
                collected(context, slug)
                pngs = encoded(context, slug) if runs == 1 else {}
            if runs > 1:
                with made.context("second") as context:
                    pngs = encoded(context, slug)
        found.append(pngs)

    assert found[0] == found[1]
    assert len(found[0]) > 3


def test_nothing_stays_in_memory_after_the_pictures_are_made(
    deployment: Deployment,
) -> None:
    (slug,) = deployment.add_houses([HOUSE])
    with deployment.context() as context:
        empty = context.frames.room_bytes
        collected(context, slug)
        filled = context.frames.room_bytes

        dedupe(context, slug)

        assert filled < empty
        assert context.frames.room_bytes == empty
