"""Pages that people saved, and pages of refusals that are kept for diagnosis."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from phx_pipeline.cli.ingest import ingest as ingest_command
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.loopback import Answer, Asked
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.standin import PAGE_HOST, listing_page
from phx_pipeline.stages.discover import discover
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.ingest import ingest, take_photos
from phx_pipeline.workflows.verify import content_digest, verify_property, verify_views
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import (
    Deployment,
    slug_of,
    verdicts_of,
    with_shots,
)
from phx_pipeline_tests.expected import expected_verdicts

(_THERE,) = (house for house in HOUSES if house.number == "7316")
(_HOME,) = (house for house in HOUSES if house.number == "15238")
THERE, HOME = with_shots(_THERE, 0, 1, 2), with_shots(_HOME, 0, 1, 2, 3, 5, 6, 9)
PAIR = (THERE, HOME)


@pytest.fixture
def refused(tmp_path: Path) -> Iterator[Deployment]:
    """Both houses, at a site whose pages refuse us and whose photos do not."""
    sites = redfin_sites(PAIR, blocked=frozenset({PAGE_HOST}))
    with Deployment(tmp_path / "refused", sites) as made:
        made.add_houses(PAIR)
        yield made


def saved(folder: Path, house: House) -> Path:
    path = folder / "saved.html"
    others = tuple(other for other in PAIR if other is not house)
    path.write_bytes(listing_page(house, others=others))
    return path


def test_a_saved_page_gives_what_the_source_would_have_given(
    refused: Deployment, tmp_path: Path
) -> None:
    page = saved(tmp_path, HOME)
    with Deployment(tmp_path / "open", redfin_sites(PAIR)) as made:
        made.add_houses(PAIR)
        with made.context() as context:
            asyncio.run(extract(context, slug_of(HOME)))
            refresh_views(context)
            digest = content_digest(context)

    with refused.context() as context:
        listing = ingest(context, slug_of(HOME), page)
        asked = [asked.host for asked in refused.standin.asked]
        asyncio.run(take_photos(context, slug_of(HOME)))
        refresh_views(context)

        assert listing.outcome is ListingOutcome.LISTED
        assert asked == []
        assert content_digest(context) == digest
        assert verify_property(context, slug_of(HOME)) == []
        assert verify_views(context) == []


def test_a_saved_page_of_another_house_gives_nothing(
    refused: Deployment, tmp_path: Path
) -> None:
    with refused.context() as context:
        before = content_digest(context)

        listing = ingest(context, slug_of(THERE), saved(tmp_path, HOME))

        assert listing.outcome is ListingOutcome.WRONG_PROPERTY
        assert "15238" in listing.detail
        assert content_digest(context) == before


def test_the_ingest_command_tells_by_its_exit_code(
    refused: Deployment, tmp_path: Path, use_settings: UseSettings
) -> None:
    use_settings(refused.settings)
    page = str(saved(tmp_path, HOME))
    cli = CliRunner()

    right = cli.invoke(
        ingest_command, [page, "--property", slug_of(HOME), "--collect", "--json"]
    )
    wrong = cli.invoke(ingest_command, [page, "--property", slug_of(THERE)])

    assert (right.exit_code, wrong.exit_code) == (0, 3)
    told = json.loads(right.output)
    assert (told["outcome"], told["photos"], told["taken"]) == ("listed", 7, True)
    with refused.context() as context:
        assert verdicts_of(context, HOME) == expected_verdicts(HOME)
        assert verdicts_of(context, THERE) == {}
        assert context.tally(slug_of(THERE)).sources[0].source is Source.REDFIN


# --- pages kept for diagnosis


@pytest.mark.parametrize("status", [200, 403, 429])
def test_the_page_of_a_refusal_is_kept_as_text_and_nowhere_else(
    tmp_path: Path, status: int
) -> None:
    challenge = (
        b"<html><head><title>Are You a Robot? | Redfin</title></head>"
        b"<body>Your address is 203.0.113.77</body></html>"
    )

    def robot(_asked: Asked) -> Answer:
        headers = {"content-type": "text/html"}
        return Answer(status=status, body=challenge, headers=headers)

    with Deployment(tmp_path, redfin_sites(PAIR) | {PAGE_HOST: robot}) as made:
        made.add_houses([HOME])
        with made.context() as context:
            asyncio.run(discover(context, slug_of(HOME)))
            outcome = context.tally(slug_of(HOME)).sources[0].outcome
            asyncio.run(discover(context, slug_of(HOME)))
    data = made.settings.data_dir
    kept = [path for path in (data / "quarantine").rglob("*") if path.is_file()]

    assert outcome is ListingOutcome.BLOCKED
    assert [path.parent for path in kept] == [data / "quarantine/pages/redfin"]
    assert kept[0].suffix == ".txt"
    text = kept[0].read_text()
    assert "Are You a Robot?" in text
    assert "outcome: blocked" in text
    assert "203.0.113.77" not in text
    assert not list((data / "property_images").rglob("*.png"))
