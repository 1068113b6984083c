import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from phx_pipeline.cli.stats import stats
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline_tests.commands import UseSettings
from phx_pipeline_tests.deployment import SMALLEST, Deployment

BINS = ("pending", "kept", "duplicate", "rejected", "failed")


@pytest.fixture
def made(tmp_path: Path, use_settings: UseSettings) -> Iterator[Deployment]:
    """An installation with one house, to which the commands' settings point."""
    with Deployment(tmp_path, redfin_sites()) as made:
        made.add_houses([SMALLEST])
        use_settings(made.settings)
        yield made


@pytest.fixture
def listed(made: Deployment) -> int:
    """How many photos two sources list for the house."""
    galleries = {Source.REDFIN: 3, Source.ZILLOW: 2}
    with made.context() as context:
        (slug,) = context.catalog.slugs()
        for source, count in galleries.items():
            with context.holding(slug) as lease:
                context.catalog.record_listing(
                    lease, slug, _gallery(source, count), stamp=context.stamp()
                )
    return sum(galleries.values())


def _gallery(source: Source, count: int) -> Listing:
    return Listing(
        source=source,
        outcome=ListingOutcome.LISTED,
        complete=True,
        photos=tuple(
            PhotoRef(
                source=source,
                photo_key=str(number),
                url=f"https://photos.example/{number}.jpg",
                position=number,
            )
            for number in range(count)
        ),
    )


@pytest.fixture
def told() -> Callable[[], dict[str, dict[str, int]]]:
    def told() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = json.loads(
            CliRunner().invoke(stats, ["--json"]).stdout
        )
        return found

    return told


@pytest.mark.usefixtures("made")
def test_an_empty_store_has_statistics(
    told: Callable[[], dict[str, dict[str, int]]],
) -> None:
    found = told()

    assert found["properties"] == {"followed": 1, "removed": 0, "with_photos": 0}
    assert found["by_source"] == {}
    assert found["lookup"]["hashes"] == 0


def test_the_bins_of_each_source_add_up(
    listed: int, told: Callable[[], dict[str, dict[str, int]]]
) -> None:
    found = told()

    assert found["photos"]["discovered"] == listed
    by_source: dict[str, dict[str, int]] = found["by_source"]  # type: ignore[assignment]  # JSON
    assert set(by_source) == {"redfin", "zillow"}
    for counts in (found["photos"], *by_source.values()):
        assert counts["discovered"] == sum(counts[kind] for kind in BINS)
    assert found["photos"]["properties"] == 1


def test_people_get_a_table_and_the_hashes(listed: int) -> None:
    done = CliRunner().invoke(stats, [])

    assert done.exit_code == 0
    (sums,) = (line for line in done.stdout.splitlines() if line.startswith("│ all"))
    assert sums.replace("│", " ").split()[:3] == ["all", "1", str(listed)]
    assert "hashes: 0 stored" in done.stdout
