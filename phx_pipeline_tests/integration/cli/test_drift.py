"""A field that is gone from the pages of a source is told to whoever looks."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import dagster as dg
import pytest

from phx_pipeline.defs.checks import fields
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE, OTHER = HOUSES[:2]


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A house of which Redfin told the year on five days, and then on three not."""
    root = tmp_path_factory.mktemp("drifted")
    with Deployment(root, {}, sources=(Source.REDFIN, Source.ZILLOW)) as made:
        made.add_houses([HOUSE, OTHER])
        with made.context() as context:
            for day in range(8):
                year = {} if day >= 5 else {"year_built": 1978}
                record(context, Source.REDFIN, ago=7 - day, **year)
            record(context, Source.ZILLOW, ago=0)
        yield made


def record(context: StageContext, source: Source, *, ago: int, **stated: int) -> None:
    facts = ListingFacts(living_area=1688, **stated)  # type: ignore[arg-type]  # whole numbers
    listing = Listing(source=source, outcome=ListingOutcome.LISTED_EMPTY, facts=facts)
    stamp = context.stamp()
    then = replace(stamp, today=stamp.today - timedelta(days=ago))
    slug = slug_of(HOUSE if source is Source.REDFIN else OTHER)
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=then)


@pytest.fixture
def phx(phx: Phx, drifted: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(drifted.settings)
    return phx


@pytest.fixture
def since(drifted: Deployment) -> date:
    with drifted.context() as context:
        return context.stamp().today - timedelta(days=2)


def test_status_tells_which_field_is_gone_since_when_and_what_helps(
    phx: Phx, since: date
) -> None:
    (line,) = (line for line in phx("status").out.splitlines() if "drift:" in line)

    assert line == (
        f"drift: redfin: year built is gone since {since}, 5 of 5 pages had it, none "
        "of the 3 since: `phx sources check redfin` tells what its pages hold"
    )


def test_programs_find_it_with_the_source(phx: Phx, since: date) -> None:
    rows = {row["property"]: row["sources"] for row in phx("status", "--json").json}

    for slug in map(slug_of, (HOUSE, OTHER)):
        assert rows[slug]["zillow"]["drift"] == []
        assert rows[slug]["redfin"]["drift"] == [
            {
                "field": "year_built",
                "page_kind": "",
                "since": since.isoformat(),
                "pages_before": 5,
                "had": 5,
                "pages_since": 3,
            }
        ]


def test_the_check_of_a_house_warns_of_the_sources_that_were_asked_for_it(
    drifted: Deployment, since: date
) -> None:
    with drifted.context() as context:
        warned, fine = (fields(context, slug_of(it)) for it in (HOUSE, OTHER))

    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"redfin: year built is gone since {since}" in (warned.description or "")
    assert (fine.passed, fine.description) == (True, None)
