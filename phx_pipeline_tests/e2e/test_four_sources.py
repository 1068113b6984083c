"""A house that all four sources know: each photo once, at its best copy, all told."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.maricopa_sketches import sketches_of
from phx_pipeline.demo.standins import all_sites
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source
from phx_pipeline.reads.facts import house_sheet
from phx_pipeline.sources.maricopa.standin import TOKEN
from phx_pipeline.sources.phoenix_mls.standin_photos import uploads as given_to_mls
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.standin_photos import uploads as shown_on_zillow
from phx_pipeline.stages.extract import extract
from phx_pipeline.wiring.runs import reads_of
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE = HOUSES[0]
SLUG = slug_of(HOUSE)
FOUR = tuple(available_sources())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An installation that has asked all four sources for one house.

    At first it had no token for the assessor. `again` is what the next extraction said
    then, and `requests` are how many had been made; `equipped` is the exit code of the
    first one with a token, and `more` are its requests.
    """

    made: Deployment
    again: str
    requests: int
    equipped: int
    more: int


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    root = tmp_path_factory.mktemp("four") / "made"
    with Deployment(root, all_sites(), sources=FOUR) as without:
        without.add_houses([HOUSE])
        with without.context() as context:
            asyncio.run(extract(context, SLUG))
        again = without.phx("extract", "--all", "--sync")
        requests = len(without.standin.asked)
    with Deployment(root, all_sites(), sources=FOUR, maricopa_token=TOKEN) as made:
        done = made.phx("extract", "--all", "--sync")
        yield Asked(
            made=made,
            again=again.stdout,
            requests=requests,
            equipped=done.returncode,
            more=len(made.standin.asked),
        )


@pytest.fixture
def made(asked: Asked) -> Deployment:
    return asked.made


def drawings() -> dict[tuple[Source, int], object]:
    """What is depicted on each photo with a picture, by source and place in it."""
    shots = {
        Source.REDFIN: HOUSE.record.shots,
        Source.ZILLOW: [upload.shot for upload in shown_on_zillow(HOUSE)],
        Source.PHOENIX_MLS: [upload.shot for upload in given_to_mls(HOUSE)],
        Source.MARICOPA: sketches_of(HOUSE),
    }
    return {
        (source, at): getattr(shot, "drawing", shot)
        for source, gallery in shots.items()
        for at, shot in enumerate(gallery)
    }


def test_each_photo_is_kept_once_with_all_that_led_to_it(made: Deployment) -> None:
    with made.context() as context:
        photos = context.catalog.photos(SLUG)
        blobs = context.catalog.blobs(SLUG)
        assert context.tally(SLUG).is_complete
        assert verify_property(context, SLUG) == []
    depicted = drawings()
    clusters: dict[object, list[Photo]] = defaultdict(list)
    for photo in photos:
        clusters[depicted[photo.ref.source, photo.ref.position]].append(photo)

    assert {photo.ref.source for photo in photos} == set(FOUR)
    assert len(clusters) == len(set(depicted.values())) > 15
    for copies in clusters.values():
        (kept,) = (it for it in copies if it.verdict is Verdict.KEPT)
        assert {it.cluster_id for it in copies} == {kept.cluster_id}
        assert all(it.fetched_url for it in copies)  # where each copy came from
        widths = [blobs[str(it.sha256)].width for it in copies]
        assert 2 * blobs[str(kept.sha256)].width > max(widths)


def test_the_address_of_every_copy_stays(made: Deployment) -> None:
    tracked = made.views()["url_tracker.json"]

    with made.context() as context:
        urls = [str(it.fetched_url) for it in context.catalog.photos(SLUG)]

    assert len(urls) > 40
    assert [url for url in urls if url not in tracked] == []


def test_the_facts_of_four_sources_stand_side_by_side(made: Deployment) -> None:
    with made.context() as context:
        sheet = house_sheet(reads_of(context), context.house(SLUG))

    assert set(sheet.facts) == set(FOUR)
    areas = {said.seen.facts.living_area for said in sheet.facts.values()}
    assert areas == {HOUSE.sqft}
    assert all("living_area" in said.days for said in sheet.facts.values())
    assert len(sheet.valuations[Source.MARICOPA]) > 1
    assert sheet.conflicts == ()


def test_once_its_token_is_there_the_assessor_is_asked(asked: Asked) -> None:
    assert "1 property left out: complete" in asked.again
    assert asked.equipped == 0
    assert asked.requests > asked.more == 2  # its search, its parcel
    with asked.made.context() as context:
        ended = {it.source: it.outcome for it in context.tally(SLUG).sources}
    assert ended[Source.MARICOPA] is ListingOutcome.LISTED
