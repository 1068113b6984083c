"""A field that is gone from the pages of a source is told to whoever looks."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import dagster as dg
import pytest

from phx_pipeline.defs.checks import fields
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of

HOUSE, OTHER = HOUSES[:2]
YEAR = b"yearBuilt"


class Renaming:
    """The stand-in of Redfin, which after a while calls the year something else."""

    def __init__(self) -> None:
        self.is_changed = False

    def sites(self) -> dict[str, Handler]:
        """What answers for each of its hosts."""
        return {host: self._changing(answer) for host, answer in redfin_sites().items()}

    def _changing(self, handler: Handler) -> Handler:
        def answer(asked: Asked) -> Answer:
            it = handler(asked)
            new = YEAR + b"V2" if self.is_changed else YEAR
            return replace(it, body=it.body.replace(YEAR, new))

        return answer


@pytest.fixture(scope="module")
def drifted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Houses that Redfin told the year of, and three of them later not; one is new."""
    site = Renaming()
    root = tmp_path_factory.mktemp("drifted")
    sources = (Source.REDFIN, Source.ZILLOW)
    with Deployment(root, site.sites(), sources=sources) as made:
        made.add_houses(HOUSES)
        with made.context() as context:
            for house in [it for it in HOUSES if it is not OTHER]:
                ask_redfin(context, slug_of(house))
            site.is_changed = True
            for house in [HOUSE, *HOUSES[2:4]]:
                ask_redfin(context, slug_of(house))
        yield made


def ask_redfin(context: StageContext, slug: str) -> None:
    asyncio.run(discover(context, slug, sources=[Source.REDFIN]))


@pytest.fixture
def phx(phx: Phx, drifted: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(drifted.settings)
    return phx


@pytest.fixture
def since(drifted: Deployment) -> date:
    with drifted.context() as context:
        return context.stamp().today


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
        tallies = [context.tally(slug_of(it)) for it in (HOUSE, OTHER)]
        warned, fine = (fields(context, tally) for tally in tallies)

    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"redfin: year built is gone since {since}" in (warned.description or "")
    assert (fine.passed, fine.description) == (True, None)
