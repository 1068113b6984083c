"""`phx properties show` and the conflicts of `phx status`, on really asked sites."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.discover import discover
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.deployment import Deployment, slug_of

DISPUTED = next(house for house in HOUSES if house.beds_on_zillow)
AGREED = next(house for house in HOUSES if not house.beds_on_zillow)
SITES = redfin_sites() | zillow_sites()
CONFLICT = {"fact": "bedrooms_total", "values": {"redfin": 3.0, "zillow": 4.0}}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Two houses both sites were asked for; a week later one is cheaper."""
    root = tmp_path_factory.mktemp("asked")
    sources = (Source.REDFIN, Source.ZILLOW)
    with Deployment(root, SITES, sources=sources) as made:
        made.add_houses([DISPUTED, AGREED])
        with made.context() as context:
            for house in (DISPUTED, AGREED):
                asyncio.run(discover(context, slug_of(house)))
            record_price(context, slug_of(AGREED), AGREED.record.price - 9000)
        yield made


@pytest.fixture
def phx(phx: Phx, asked: Deployment, use_settings: UseSettings) -> Phx:
    """Run a command line on the deployment."""
    use_settings(asked.settings)
    return phx


def record_price(context: StageContext, slug: str, price: int) -> None:
    listing = Listing(
        source=Source.REDFIN,
        outcome=ListingOutcome.BLOCKED,
        facts=ListingFacts(list_price=price),
    )
    stamp = context.stamp()
    later = replace(stamp, today=stamp.today + timedelta(days=7))
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=later)


def test_the_facts_of_a_house_stand_side_by_side(phx: Phx) -> None:
    done = phx("properties", "show", slug_of(DISPUTED))

    assert done.code == 0, done.err
    lines = [
        [cell.strip() for cell in line.split("│")] for line in done.out.splitlines()
    ]
    cells = [[cell for cell in line if cell] for line in lines]
    assert cells[0] == [DISPUTED.address]
    assert ["! bedrooms", "3", "4"] in cells
    assert ["price", "$434,900", "$434,900"] in cells
    assert ["sewer", "septic", "septic"] in cells
    assert "https://www.redfin.com" + DISPUTED.path in done.out
    assert "Prices" not in done.out


@pytest.mark.parametrize("by", ["key", "folder", "address"])
def test_a_house_is_found_by_what_people_have_of_it(
    asked: Deployment, phx: Phx, by: str
) -> None:
    with asked.context() as context:
        house = context.house(slug_of(DISPUTED))
    told = {"key": house.slug, "folder": house.folder, "address": str(house.address)}

    done = phx("properties", "show", told[by], "--json")

    assert done.json["key"] == house.slug


def test_programs_get_all_of_it(phx: Phx) -> None:
    told = phx("properties", "show", slug_of(AGREED), "--json").json

    redfin, zillow = told["facts"]["redfin"], told["facts"]["zillow"]
    price = AGREED.record.price
    assert told["address"] == AGREED.address
    assert set(told["sources"]) == {"redfin", "zillow"}
    assert told["sources"]["zillow"]["outcome"] == "listed"
    assert told["sources"]["zillow"]["asked_at"].endswith("+00:00")
    assert (redfin["list_price"], zillow["list_price"]) == (price - 9000, price)
    assert [(seen["source"], seen["list_price"]) for seen in told["prices"]] == [
        ("redfin", price),
        ("zillow", price),
        ("redfin", price - 9000),
    ]
    assert told["conflicts"] == []
    assert told["photos"] == {}


def test_a_changed_price_has_a_history(phx: Phx) -> None:
    done = phx("properties", "show", slug_of(AGREED))

    assert "Prices" in done.out
    assert f"${AGREED.record.price - 9000:,}" in done.out


def test_an_unknown_house_is_named(phx: Phx) -> None:
    done = phx("properties", "show", "1-nowhere-st")

    assert done.code != 0
    assert "1-nowhere-st" in done.err


def test_status_has_a_line_per_house_in_conflict(phx: Phx) -> None:
    done = phx("status")

    conflicts = [line for line in done.out.splitlines() if "conflict:" in line]
    assert conflicts == [
        f"conflict: {slug_of(DISPUTED)}: bedrooms 3 (redfin) / 4 (zillow)"
    ]


def test_status_lists_the_conflicts_for_programs(phx: Phx) -> None:
    rows = phx("status", "--json").json

    told = {row["property"]: row["conflicts"] for row in rows}
    assert told == {slug_of(DISPUTED): [CONFLICT], slug_of(AGREED): []}
