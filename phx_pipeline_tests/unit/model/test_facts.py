from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.facts import (
    ListingFacts,
    PriceSeen,
    SeenFacts,
    last_said,
    price_changes,
)
from phx_pipeline.model.source import LETTERED, Source

DAY = date(2026, 3, 9)


def seen(
    facts: ListingFacts, source: Source = Source.REDFIN, *, on: date = DAY
) -> SeenFacts:
    return SeenFacts(source=source, seen_on=on, facts=facts)


def test_facts_not_said_are_left_out() -> None:
    facts = ListingFacts(pool_private=False, association_fee=0.0)

    assert facts.stated == {"pool_private": False, "association_fee": 0.0}


@given(
    st.lists(
        st.builds(
            seen,
            st.builds(ListingFacts, list_price=st.none() | st.integers(1, 3)),
            st.sampled_from([Source.REDFIN, Source.ZILLOW]),
            on=st.dates(DAY, DAY + timedelta(days=9)),
        ),
        unique_by=lambda it: (it.source, it.seen_on),
    )
)
def test_prices_are_told_when_they_change_and_only_then(
    history: list[SeenFacts],
) -> None:
    told = price_changes(history)

    for source in LETTERED:
        own = [price.list_price for price in told if price.source is source]
        assert all(one != next_one for one, next_one in pairwise(own))
        stated = {
            it.facts.list_price
            for it in history
            if it.source is source and it.facts.list_price
        }
        assert set(own) == stated
    assert [price.seen_on for price in told] == sorted(p.seen_on for p in told)
    assert price_changes(reversed(history)) == told


def test_a_price_that_comes_back_is_a_change() -> None:
    prices = [500, 480, None, 480, 500]
    history = [
        seen(ListingFacts(list_price=price), on=DAY + timedelta(days=at))
        for at, price in enumerate(prices)
    ]

    assert price_changes(history) == tuple(
        PriceSeen(
            seen_on=DAY + timedelta(days=at), source=Source.REDFIN, list_price=price
        )
        for at, price in [(0, 500), (1, 480), (4, 500)]
    )


def test_of_each_fact_the_last_answer_that_says_it_counts() -> None:
    later, last = DAY + timedelta(days=1), DAY + timedelta(days=2)
    detail = ListingFacts(bedrooms_total=3, sewer="septic", list_price=400_000)
    history = [
        seen(ListingFacts(bedrooms_total=4), on=last),
        seen(detail, on=DAY),
        seen(ListingFacts(bedrooms_total=5, year_built=1978), on=later),
        seen(ListingFacts(roof="Tile"), Source.MARICOPA, on=DAY),
    ]

    found = last_said(history)

    redfin, maricopa = found[Source.REDFIN], found[Source.MARICOPA]
    merged = ListingFacts(bedrooms_total=4, sewer="septic", year_built=1978)
    assert redfin.seen == seen(merged, on=last)
    assert redfin.days == {"bedrooms_total": last, "sewer": DAY, "year_built": later}
    assert maricopa.seen == history[3]
    assert maricopa.days == {"roof": DAY}


def test_nobody_said_anything_of_an_unknown_house() -> None:
    assert last_said([]) == {}
