"""A disk that is full stops what is at work in one sentence, and nothing is lost."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import dedupe
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.publish import publish
from phx_pipeline.stages.surprise import known
from phx_pipeline.workflows.verify import content_digest
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.deployment import SMALLEST, Deployment
from phx_pipeline_tests.integration.disk.conftest import SmallDisk

FULL = re.compile(r"phx: /\S+: the disk is full; make room .*\n")

Stage = Callable[[StageContext, str], Awaitable[object] | object]
STAGES: list[Stage] = [discover, collect, dedupe, categorize, publish]
HEAVY = {collect, dedupe}  # they write files that no leftover room could hold


def run(stage: Stage, context: StageContext, slug: str) -> None:
    asyncio.run(_awaited(stage, context, slug))


async def _awaited(stage: Stage, context: StageContext, slug: str) -> None:
    done = stage(context, slug)
    if isinstance(done, Awaitable):
        await done


def refusal(stage: Stage, context: StageContext, slug: str) -> str | None:
    """What the stage ends with in one sentence; None if it went well."""
    try:
        run(stage, context, slug)
    except Exception as error:  # noqa: BLE001 - whatever comes, it must be known
        return str(known(error))
    return None


def undisturbed(folder: Path) -> str:
    with Deployment(folder, redfin_sites([SMALLEST])) as made:
        (slug,) = made.add_houses([SMALLEST])
        with made.context("first") as context:
            asyncio.run(extract(context, slug))
            return content_digest(context)


def test_each_stage_stops_with_a_sentence_and_goes_on_once_there_is_room(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    with Deployment(small_disk.folder / "made", redfin_sites([SMALLEST])) as made:
        (slug,) = made.add_houses([SMALLEST])
        with made.context("first") as context:
            for stage in STAGES:
                small_disk.fill()
                told = refusal(stage, context, slug)
                small_disk.make_room()

                assert told or stage not in HEAVY
                assert told is None or "the disk is full; make room" in told
                if stage is collect:
                    verdicts = {photo.verdict for photo in context.catalog.photos(slug)}
                    assert verdicts == {Verdict.PENDING}
                run(stage, context, slug)
            assert content_digest(context) == undisturbed(tmp_path / "other")


def test_a_full_disk_ends_every_command_in_one_line(
    small_disk: SmallDisk, phx_on: Phx
) -> None:
    houses = HOUSES[:2]
    with Deployment(small_disk.folder / "made", redfin_sites(houses)) as made:
        made.add_houses(houses)
        with made.context() as context:
            asyncio.run(discover(context, context.catalog.slugs()[0]))
        small_disk.fill()

        ended = phx_on(made, "extract", "--all", "--sync", "--fresh")
        assert ended.code == 1
        assert FULL.fullmatch(ended.err)
        assert "[2/2]" not in ended.out

        small_disk.make_room()
        assert phx_on(made, "verify").code == 0


@pytest.mark.parametrize("command", ["init", "up", "demo"])
def test_no_stores_are_made_on_a_full_disk(
    small_disk: SmallDisk, phx: Phx, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(small_disk.folder / "data"))
    monkeypatch.setenv("PHX_DAGSTER_DIR", "")
    small_disk.fill()

    ended = phx(command)

    assert ended.code == 1
    assert FULL.fullmatch(ended.err), ended.err
