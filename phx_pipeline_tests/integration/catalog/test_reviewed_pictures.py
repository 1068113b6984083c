"""What people said that pictures show, and the runs after it, on both databases."""

import asyncio
from dataclasses import replace
from pathlib import Path

from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.workflows.review_queue import Entry, Standing, review_queue
from phx_pipeline.workflows.reviews import Review, named_category, review
from phx_pipeline_tests.damage import HOUSE
from phx_pipeline_tests.deployment import Deployment, with_shots

ONE_PICTURE = with_shots(HOUSE, 0, 1)


def only(context: StageContext) -> Entry:
    (entry,) = review_queue(context, everything=True).entries
    return entry


def test_reviewed_pictures_keep_their_names_in_later_runs(
    tmp_path: Path, url: str
) -> None:
    with Deployment(tmp_path, redfin_sites([ONE_PICTURE]), catalog_url=url) as made:
        (slug,) = made.add_houses([ONE_PICTURE])
        with made.context() as context:
            asyncio.run(extract(context, slug))
            first = only(context).picture
            copy = next(
                it for it in context.catalog.photos(slug) if it.key != first.photo
            )
            said = Review(slug=slug, photo=copy, value=named_category("sewer"))

            (done,) = review(replace(context, who="ann"), [said]).reviewed
            asyncio.run(extract(context, slug))
            later = only(context)

            assert (done.before, later.picture.file_name) == (
                first.file_name,
                done.after,
            )
            assert (later.standing, later.picture.photo) == (
                Standing.REVIEWED,
                first.photo,
            )
            assert later.ruled is not None
            assert (later.ruled.ruling.who, later.ruled.ruling.key) == (
                "ann",
                copy.ref.photo_key,
            )
            assert review_queue(context).total == 0
            assert review_queue(context, slug=slug, subject=Subject.SEWER).total == 0
            found = review_queue(context, subject=Subject.SEWER, everything=True)
            assert found.entries == (later,)
