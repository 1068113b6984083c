"""`phx properties show` and the conflicts of `phx status`, on really asked sites."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.cli.console import console
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.model.conflicts import Conflict
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation
from phx_pipeline.reads.facts import conflict_lines
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
    assert ["! bedrooms", "4", "3"] in cells  # zillow first, as everywhere
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


def test_sources_that_say_the_same_stand_together() -> None:
    said = ((Source.PHOENIX_MLS, 3.0), (Source.ZILLOW, 4.0), (Source.REDFIN, 3.0))

    (line,) = conflict_lines({"a": [Conflict(name="bedrooms_total", values=said)]})

    assert line == "conflict: a: bedrooms 3 (phoenix_mls, redfin) / 4 (zillow)"


def test_status_lists_the_conflicts_for_programs(phx: Phx) -> None:
    rows = phx("status", "--json").json

    told = {row["property"]: row["conflicts"] for row in rows}
    assert told == {slug_of(DISPUTED): [CONFLICT], slug_of(AGREED): []}


# --- four sources, each of its own kind -----------------------------------------------

ASSESSED = ListingFacts(
    living_area=1510,
    lot_size_square_feet=5560,
    pool_private=False,
    year_built=2002,
    roof="Ct - Concrete Tile",
    construction_materials="Fw - Frame Wood",
    parcel_number="501-93-515",
)
LISTED = ListingFacts(
    list_price=355_000,
    living_area=1740,
    lot_size_square_feet=5663,
    pool_private=True,
    year_built=2003,
    sewer="city",
    roof="Tile",
)
VALUES = (
    Valuation(tax_year=2025, full_cash_value=312_600, limited_property_value=138_844),
    Valuation(tax_year=2024, full_cash_value=341_000),
)


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A house of which four sources speak; the assessor's map alone, without token.

    Two of them are not asked any more.
    """
    root = tmp_path_factory.mktemp("four")
    with Deployment(root, {}, sources=(Source.REDFIN, Source.ZILLOW)) as made:
        made.add_houses([AGREED])
        with made.context() as context:
            say(context, Source.ZILLOW, LISTED, ago=3)
            say(context, Source.ZILLOW, ListingFacts(list_price=349_000))
            say(context, Source.REDFIN, LISTED)
            say(context, Source.PHOENIX_MLS, LISTED)
            lacks = ListingOutcome.DISABLED
            say(context, Source.MARICOPA, ASSESSED, outcome=lacks, detail="no token")
        yield made


def say(
    context: StageContext,
    source: Source,
    facts: ListingFacts,
    *,
    ago: int = 0,
    outcome: ListingOutcome = ListingOutcome.LISTED_EMPTY,
    detail: str = "",
) -> None:
    valuations = VALUES if source is Source.MARICOPA else ()
    listing = Listing(
        source=source,
        outcome=outcome,
        detail=detail,
        facts=facts,
        valuations=valuations,
    )
    stamp = context.stamp()
    then = replace(stamp, today=stamp.today - timedelta(days=ago))
    with context.holding(slug_of(AGREED)) as lease:
        context.catalog.record_listing(lease, slug_of(AGREED), listing, stamp=then)


@pytest.fixture
def shown(
    phx: Phx,
    four: Deployment,
    use_settings: UseSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Phx:
    """Run a command line on that deployment, on a terminal of 80 columns."""
    monkeypatch.setattr(console, "_width", 80)
    use_settings(four.settings)
    return phx


def test_four_sources_are_told_on_eighty_columns(shown: Phx, four: Deployment) -> None:
    with four.context() as context:
        today = context.stamp().today

    lines = shown("properties", "show", slug_of(AGREED)).out.splitlines()

    facts = lines[lines.index("What the sources say") :]
    earlier = f"zillow on {today - timedelta(days=3)}"
    assert facts[1:17] == [
        f"  zillow on {today}, redfin on {today}, maricopa_assessor on {today}",
        f"  phoenix_mls on {today}",
        "! price: $349,000 (zillow); $355,000 (redfin, phoenix_mls)",
        "! living area (sqft):",
        f"    1,740 ({earlier}, redfin, phoenix_mls); 1,510 (maricopa_assessor)",
        "  lot (sqft):",
        f"    5,663 ({earlier}, redfin, phoenix_mls); 5,560 (maricopa_assessor)",
        f"! pool: yes ({earlier}, redfin, phoenix_mls); no (maricopa_assessor)",
        f"  sewer: city ({earlier}, redfin, phoenix_mls)",
        "  year built:",
        f"    2003 ({earlier}, redfin, phoenix_mls); 2002 (maricopa_assessor)",
        "  roof:",
        f"    Tile ({earlier}, redfin, phoenix_mls)",
        "    Ct - Concrete Tile (maricopa_assessor)",
        "  outer walls: Fw - Frame Wood (maricopa_assessor)",
        "  parcel number: 501-93-515 (maricopa_assessor)",
    ]
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in facts]
    assert ["2025", "maricopa_assessor", "$312,600", "$138,844"] in cells
    assert max(map(len, facts[:-1])) <= 80


def test_what_a_source_without_its_token_knows_is_told_with_the_reason(
    shown: Phx,
) -> None:
    done = shown("properties", "show", slug_of(AGREED))

    (line,) = (it for it in done.out.splitlines() if it.startswith("maricopa_assessor"))
    assert (line.split()[1], line.split("  ")[-1]) == ("disabled", "no token")
    assert (" asked " in line) == ("https://" in line)


def test_programs_get_each_fact_with_its_day_and_values_by_year(
    shown: Phx, four: Deployment
) -> None:
    with four.context() as context:
        today = context.stamp().today

    told = shown("properties", "show", slug_of(AGREED), "--json").json

    zillow = told["facts"]["zillow"]
    assert (zillow["list_price"], zillow["sewer"]) == (349_000, "city")
    assert zillow["days"]["list_price"] == zillow["seen_on"] == today.isoformat()
    assert zillow["days"]["sewer"] == (today - timedelta(days=3)).isoformat()
    assert told["valuations"] == {
        "maricopa_assessor": [
            {
                "tax_year": 2025,
                "full_cash_value": 312_600,
                "limited_property_value": 138_844,
            },
            {"tax_year": 2024, "full_cash_value": 341_000},
        ]
    }
    disputed = ["list_price", "living_area", "pool_private"]
    assert [conflict["fact"] for conflict in told["conflicts"]] == disputed
