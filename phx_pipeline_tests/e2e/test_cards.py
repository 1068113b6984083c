"""A "no photo" card that stands on several houses is a photo of none of them."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.rooms import RoomKind
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.stages.categorize import categorize
from phx_pipeline.stages.collect import collect
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.dedupe import DedupeReport, dedupe
from phx_pipeline.stages.partners import call_on, settle_called
from phx_pipeline.stages.publish import publish
from phx_pipeline.workflows.verify import content_digest, verify_property
from phx_pipeline_tests.corpus.cards import card
from phx_pipeline_tests.corpus.pages import pages
from phx_pipeline_tests.damage import execute
from phx_pipeline_tests.deployment import PHOTO_HOST, Deployment

CARD = card(5, seed=1).body
PLAN = next(pages("template plan", number=1, seed=1)).body
BODIES: Mapping[str, bytes] = {
    "card": CARD,
    "plan": PLAN,
    **{
        f"own{number}": rooms.draw(RoomKind.KITCHEN, seed=number, size=(640, 480))
        for number in range(3)
    },
}


def serve(asked: Asked) -> Answer:
    return Answer(
        body=BODIES[Path(asked.target).stem], headers={"Content-Type": "image/jpeg"}
    )


def gallery(number: int) -> Listing:
    """A card called a kitchen, a plan, and a kitchen of the house's own."""
    photos = [
        PhotoRef(
            source=Source.REDFIN,
            photo_key=f"{number}-{name}",
            url=f"https://{PHOTO_HOST}/{name}.jpg",
            position=position,
            tags=("Kitchen",),
        )
        for position, name in enumerate(("card", "plan", f"own{number}"))
    ]
    return Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.LISTED,
        photos=tuple(photos),
        complete=True,
    )


def run(context: StageContext, slug: str) -> DedupeReport:
    asyncio.run(collect(context, slug))
    report = dedupe(context, slug)
    call_on(context, report.to_settle)
    categorize(context, slug)
    publish(context, slug)
    return report


def verdicts(context: StageContext, slug: str) -> dict[str, Verdict]:
    return {
        photo.ref.photo_key.partition("-")[2].rstrip("012"): photo.verdict
        for photo in context.catalog.photos(slug)
    }


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(tmp_path, {PHOTO_HOST: serve}) as made:
        slugs = made.add_houses(HOUSES[:3])
        with made.context() as context:
            for number, slug in enumerate(slugs):
                with context.holding(slug) as lease:
                    context.catalog.record_listing(
                        lease, slug, gallery(number), stamp=context.stamp()
                    )
        yield made


def test_a_card_on_one_house_may_be_its_own_and_stays(made: Deployment) -> None:
    with made.context() as context:
        slug = context.catalog.slugs()[0]
        run(context, slug)

        assert set(verdicts(context, slug).values()) == {Verdict.KEPT}


def test_a_card_on_two_houses_goes_from_both_and_a_plan_stays(made: Deployment) -> None:
    with made.context() as context:
        first, second, _ = context.catalog.slugs()
        run(context, first)
        files = {row.file_name for row in context.catalog.publications(first)}
        run(context, second)
        settle_called(context, [second])

        for slug in (first, second):
            assert verdicts(context, slug) == {
                "card": Verdict.PLACEHOLDER,
                "plan": Verdict.KEPT,
                "own": Verdict.KEPT,
            }
            assert list(verify_property(context, slug)) == []
        shown = {r.file_name for r in context.catalog.publications(first) if r.active}
        folder = context.layout.folder(context.house(first).folder)
        assert {path.name for path in folder.glob("*.png")} == shown
        assert len(files - shown) == 1


def test_the_order_of_the_houses_does_not_matter(made: Deployment) -> None:
    with made.context() as context:
        slugs = context.catalog.slugs()
        for slug in [*slugs, *reversed(slugs)]:
            run(context, slug)
            settle_called(context, [slug])

        found = [verdicts(context, slug)["card"] for slug in slugs]
        before = content_digest(context)
        for slug in slugs:
            run(context, slug)

        assert found == [Verdict.PLACEHOLDER] * 3
        assert content_digest(context) == before


def test_a_house_decided_before_gets_a_run_of_its_own_once(made: Deployment) -> None:
    with made.context() as context:
        first, second, _ = context.catalog.slugs()
        run(context, first)
        run(context, second)
        waiting = context.catalog.jobs.waiting(limit=9)
        run(context, first)

        assert [item.slug for item in waiting] == [first]
        assert run(context, second).to_settle == ()
        assert verdicts(context, first)["card"] is Verdict.PLACEHOLDER


def test_a_card_is_asked_for_once(made: Deployment) -> None:
    with made.context() as context:
        first, second, _ = context.catalog.slugs()
        for slug in (first, second, first, second):
            run(context, slug)

        assert len(made.photos_asked()) == 6
        assert sum(it.wanting for it in context.tally(first).sources) == 0


def test_a_card_whose_original_is_gone_stays_one(made: Deployment) -> None:
    with made.context() as context:
        first, second, _ = context.catalog.slugs()
        for slug in (first, second, first):
            run(context, slug)
        (sha,) = {
            str(photo.sha256)
            for photo in context.catalog.photos(first)
            if photo.verdict is Verdict.PLACEHOLDER
        }
        context.blobs.drop_raw(sha)
        dedupe(context, first)

        assert verdicts(context, first)["card"] is Verdict.PLACEHOLDER


def test_a_card_that_turns_out_to_be_half_a_picture_is_one_no_more(
    made: Deployment,
) -> None:
    with made.context() as context:
        first, second, _ = context.catalog.slugs()
        run(context, first)
        run(context, second)
        half = context.blobs.put_raw(CARD[: len(CARD) // 2] + b"\xff\xd9")
        (card_sha,) = (
            photo.sha256
            for photo in context.catalog.photos(second)
            if photo.verdict is Verdict.PLACEHOLDER
        )
        for table in ("blob", "appearance", "photo"):
            rename = f"update {table} set sha256='{half}' where sha256='{card_sha}'"  # noqa: S608 - two hashes
            assert execute(context, rename)

        run(context, first)

        assert verdicts(context, first)["card"] is Verdict.DAMAGED
        assert verify_property(context, first) == []
