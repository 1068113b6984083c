"""What people said of copies, and the runs after it, on both databases."""

import asyncio
from dataclasses import replace
from pathlib import Path

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.workflows.duplicates import copies_of
from phx_pipeline.workflows.split_join import split, undo
from phx_pipeline_tests.damage import HOUSE
from phx_pipeline_tests.deployment import Deployment

ONE_PICTURE = replace(HOUSE, record=replace(HOUSE.record, shots=HOUSE.record.shots[:2]))


def shown(context: StageContext, slug: str) -> dict[str | None, int]:
    """How many photos each file stands for."""
    return {it.file_name: len(it.members) for it in copies_of(context, slug)}


def test_parted_photos_stay_parted_in_later_runs(tmp_path: Path, url: str) -> None:
    with Deployment(tmp_path, redfin_sites([ONE_PICTURE]), catalog_url=url) as made:
        (slug,) = made.add_houses([ONE_PICTURE])
        with made.context() as context:
            asyncio.run(extract(context, slug))
            (found,) = copies_of(context, slug)
            photos = [it.photo for it in found.members]

            done = split(context, slug, photos, why="two rooms")
            parted = shown(context, slug)
            asyncio.run(extract(context, slug))
            later = shown(context, slug)
            undo(context, slug, photos)

            assert [ruling.why for ruling in done.rulings] == ["two rooms"]
            assert len(parted) == 2
            assert parted[found.file_name] == 1
            assert later == parted
            assert shown(context, slug) == {found.file_name: 2}
