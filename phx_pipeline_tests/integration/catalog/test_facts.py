"""Facts of the houses on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.conflicts import COMPARED_FACTS
from phx_pipeline.model.facts import FACT_NAMES, ListingFacts, SeenFacts
from phx_pipeline.model.job import Mode
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.valuation import Valuation
from phx_pipeline_tests.integration.conftest import STAMP, Scene, expire, gallery

ALL = ListingFacts(
    list_price=434_900,
    bedrooms_total=3.0,
    bathrooms_total=2.5,
    living_area=1688,
    lot_size_square_feet=7405,
    garage_spaces=2.0,
    pool_private=True,
    association_fee=83.33,
    sewer="city",
    year_built=1978,
    days_on_market=40,
    standard_status="Active",
    mls_number="6983352",
    stories_total=1.0,
    roof="Ct - Concrete Tile",
    construction_materials="Fs - Frame Stucco",
    cooling="RF - REFRIGERATION",
    heating="Yes",
    parcel_number="501-79-577",
    property_sub_type="Single Family Residence",
)
VALUES = (
    Valuation(tax_year=2025, full_cash_value=355_100, limited_property_value=193_263),
    Valuation(tax_year=2024, full_cash_value=389_700),
)
LATER = replace(STAMP, today=STAMP.today + timedelta(days=1))


def said(facts: ListingFacts | None, source: Source = Source.REDFIN) -> Listing:
    return Listing(source=source, outcome=ListingOutcome.LISTED_EMPTY, facts=facts)


def seen(
    facts: ListingFacts, *, on: date = STAMP.today, source: Source = Source.REDFIN
) -> SeenFacts:
    return SeenFacts(source=source, seen_on=on, facts=facts)


def later(scene: Scene) -> Scene:
    return replace(scene, stamp=LATER)


def test_facts_have_the_names_of_their_columns() -> None:
    of_days = {column.name for column in tables.fact_day.c}

    lasting = [name for name in FACT_NAMES if name not in of_days]
    assert [column.name for column in tables.listing_fact.c] == ["id", *lasting]


def test_every_fact_reads_back_as_it_was_said(scene: Scene) -> None:
    scene.say(said(ALL))

    assert scene.catalog.facts.history(scene.slug) == [seen(ALL)]
    assert set(ALL.stated) == set(FACT_NAMES)


@pytest.mark.parametrize("facts", [None, ListingFacts()])
def test_an_answer_without_facts_leaves_no_row(
    scene: Scene, facts: ListingFacts | None
) -> None:
    scene.say(said(facts))

    assert scene.catalog.facts.history(scene.slug) == []


def test_a_later_answer_of_the_day_replaces_what_it_says(scene: Scene) -> None:
    scene.say(said(ALL))
    scene.say(said(ListingFacts(list_price=430_000)))

    assert scene.catalog.facts.history(scene.slug) == [
        seen(replace(ALL, list_price=430_000))
    ]


def test_each_day_and_source_has_an_answer_of_its_own(scene: Scene) -> None:
    cheaper = replace(ALL, list_price=430_000)
    scene.say(said(ALL))
    scene.say(said(ALL, Source.ZILLOW))
    later(scene).say(said(cheaper))

    book = scene.catalog.facts
    assert book.history(scene.slug) == [
        seen(ALL),
        seen(ALL, source=Source.ZILLOW),
        seen(cheaper, on=LATER.today),
    ]
    assert book.newest(scene.slug) == {
        Source.REDFIN: seen(cheaper, on=LATER.today),
        Source.ZILLOW: seen(ALL, source=Source.ZILLOW),
    }


def test_the_day_is_that_of_phoenix(scene: Scene) -> None:
    scene.say(said(ALL))

    (only,) = scene.catalog.facts.history(scene.slug)
    assert (only.seen_on, STAMP.at.date()) == (date(2025, 3, 9), date(2025, 3, 10))


def test_a_block_leaves_the_facts_as_they_were(scene: Scene) -> None:
    scene.say(said(ALL))
    later(scene).say(Listing(source=Source.REDFIN, outcome=ListingOutcome.BLOCKED))

    assert scene.catalog.facts.newest(scene.slug) == {Source.REDFIN: seen(ALL)}


def test_a_superseded_lease_writes_no_facts(scene: Scene, engine: sa.Engine) -> None:
    expire(engine, scene.lease)
    scene.catalog.leases.acquire(scene.lease.name, owner="the next one")

    with pytest.raises(StaleEpochError):
        scene.say(said(ALL))

    assert scene.catalog.facts.history(scene.slug) == []


def test_facts_are_no_content(scene: Scene) -> None:
    scene.say(gallery("a"))
    before = list(scene.catalog.content_rows())

    scene.say(replace(gallery("a"), facts=ALL))

    assert list(scene.catalog.content_rows()) == before


def test_only_properties_whose_newest_answers_differ_are_compared(
    catalog: Catalog, scene: Scene
) -> None:
    agreed, alone = (Scene.of(catalog, number=number) for number in (4734, 4736))
    other = replace(ALL, bedrooms_total=4.0)
    for one in (scene, agreed):
        one.say(said(other))
        one.say(said(ALL, Source.ZILLOW))
        later(one).say(said(ALL if one is agreed else other))
    alone.say(said(ALL))
    later(alone).say(said(other))

    found = catalog.facts.differing()

    assert set(found) == {scene.slug}
    assert sorted(found[scene.slug], key=lambda it: it.source.value) == [
        seen(other, on=LATER.today),
        seen(ALL, source=Source.ZILLOW),
    ]
    assert catalog.facts.differing([agreed.slug, alone.slug]) == {}
    assert catalog.facts.differing([scene.slug]) == found


@pytest.mark.parametrize("name", COMPARED_FACTS)
def test_the_database_compares_every_fact(scene: Scene, name: str) -> None:
    value = ALL.stated[name]
    other = value + "s" if isinstance(value, str) else False if value is True else 7
    changes: dict[str, Any] = {name: other}
    scene.say(said(ALL))
    scene.say(said(replace(ALL, **changes), Source.ZILLOW))

    assert set(scene.catalog.facts.differing()) == {scene.slug}


def test_what_a_source_leaves_out_is_no_difference(scene: Scene) -> None:
    scene.say(said(ALL))
    scene.say(said(ListingFacts(bedrooms_total=3.0), Source.ZILLOW))

    assert scene.catalog.facts.differing() == {}


def test_a_removed_property_is_not_compared(
    catalog: Catalog, scene: Scene, engine: sa.Engine
) -> None:
    scene.say(said(ALL))
    scene.say(said(replace(ALL, bedrooms_total=4.0), Source.ZILLOW))
    removed = sa.update(tables.house).values(removed_at=datetime.now(UTC))

    with writing(engine) as connection:
        connection.execute(removed)

    assert catalog.facts.differing() == {}
    assert len(catalog.facts.newest(scene.slug)) == 2  # still told when asked for


def test_the_address_of_a_listing_is_known(scene: Scene) -> None:
    url = "https://www.redfin.com/AZ/Phoenix/home/1"
    scene.say(replace(said(ALL), url=url))
    scene.say(said(ALL, Source.ZILLOW))

    assert scene.catalog.facts.listing_urls(scene.slug) == {Source.REDFIN: url}


def test_values_of_years_read_back_newest_first_by_source(scene: Scene) -> None:
    scene.say(replace(said(None, Source.MARICOPA), valuations=VALUES[::-1]))
    scene.say(replace(said(ALL), valuations=VALUES[:1]))

    assert scene.catalog.facts.valuations(scene.slug) == {
        Source.MARICOPA: VALUES,
        Source.REDFIN: VALUES[:1],
    }


def test_a_later_answer_replaces_the_values_it_says(scene: Scene) -> None:
    corrected = Valuation(tax_year=2025, limited_property_value=190_000)
    scene.say(replace(said(None), valuations=VALUES))
    later(scene).say(replace(said(None), valuations=(corrected,)))

    newest, before = scene.catalog.facts.valuations(scene.slug)[Source.REDFIN]
    assert newest == replace(VALUES[0], limited_property_value=190_000)
    assert before == VALUES[1]


def days_of(scene: Scene) -> list[int]:
    """On which days before or after the first facts are kept."""
    history = scene.catalog.facts.history(scene.slug)
    return [(seen.seen_on - STAMP.today).days for seen in history]


@pytest.mark.parametrize(
    ("prices", "kept"),
    [
        ([9, 9], [0, 1]),
        ([9, 9, 9, 9], [0, 3]),
        ([9, 9, 9, 8], [0, 2, 3]),
        ([9, 8, 9, 9, 9], [0, 1, 2, 4]),
    ],
)
def test_of_a_stretch_of_equal_days_the_first_and_the_last_are_kept(
    scene: Scene, prices: list[int], kept: list[int]
) -> None:
    for number, price in enumerate(prices):
        facts = ListingFacts(list_price=price * 50_000, days_on_market=number)
        _say(scene, facts, day=number)

    assert days_of(scene) == kept
    newest = scene.catalog.facts.newest(scene.slug)[Source.REDFIN]
    assert newest.facts.days_on_market == len(prices) - 1
    assert scene.catalog.facts.of_last_day(scene.slug) == {Source.REDFIN: newest}


def test_the_facts_of_a_day_with_a_run_are_kept(scene: Scene) -> None:
    facts = ListingFacts(list_price=450_000)
    _say(scene, facts, day=0)
    _say(scene, facts, day=1)
    scene.catalog.runs.record_started(
        scene.lease,
        scene.slug,
        mode=Mode.FRESH,
        job_id=None,
        photos=[],
        interrupted={},
        stamp=replace(STAMP, at=STAMP.at + timedelta(days=1), run_id="a run"),
    )
    _say(scene, facts, day=2)
    _say(scene, facts, day=3)

    assert days_of(scene) == [0, 1, 3]


def rows_of_facts(scene: Scene) -> int:
    count = sa.select(sa.func.count()).select_from(tables.listing_fact)
    with reading(scene.catalog._engine) as connection:
        return int(connection.execute(count).scalar_one())


def test_facts_that_are_repeated_take_no_more_room(scene: Scene) -> None:
    for day in range(3):
        _say(scene, replace(ALL, days_on_market=day), day=day)

    assert rows_of_facts(scene) == 1
    assert [
        it.facts.days_on_market for it in scene.catalog.facts.history(scene.slug)
    ] == [0, 2]


def test_what_is_said_later_on_a_day_changes_no_other_day(scene: Scene) -> None:
    """Nor does it need other rows when it is said again."""
    cheaper = replace(ALL, list_price=430_000)
    _say(scene, ALL, day=0)
    _say(scene, ALL, day=1)
    for _ in range(2):
        _say(scene, ListingFacts(list_price=430_000, days_on_market=41), day=1)

    assert scene.catalog.facts.history(scene.slug) == [
        seen(ALL),
        seen(replace(cheaper, days_on_market=41), on=LATER.today),
    ]
    assert rows_of_facts(scene) == 2


def test_what_a_clock_that_was_ahead_noted_stays_on_its_day(scene: Scene) -> None:
    _say(scene, ALL, day=9)
    _say(scene, ALL, day=0)
    _say(scene, ALL, day=1)
    _say(scene, ALL, day=2)

    assert days_of(scene) == [0, 2, 9]


def _say(scene: Scene, facts: ListingFacts, *, day: int) -> None:
    later = timedelta(days=day)
    stamp = replace(STAMP, at=STAMP.at + later, today=STAMP.today + later)
    replace(scene, stamp=stamp).say(said(facts))
