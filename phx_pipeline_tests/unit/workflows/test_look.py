"""One look after the other on a real catalogue; the questions let the clock go on."""

import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.errors import LeaseHeldError
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import Origin
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.look import LOOK_LEASE, PAUSES, SOON, Found, Looked
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows import lifecycle
from phx_pipeline.workflows.look import Look
from phx_pipeline_tests.bench.daily import day_of_looks, down
from phx_pipeline_tests.mornings import (
    DAY,
    FACTS,
    PAGES,
    SIX,
    World,
    houses,
    marked_gone,
    quiet_answer,
    simulated,
)

COUNT = 4
TODAY = date(2025, 3, 10)
MIDNIGHT = SIX + timedelta(hours=18)  # the end of it in Phoenix
HOUR = timedelta(hours=1)
DAILY = set(PAGES) - {Source.MARICOPA}
ONE, OTHER, *REST = [house.slug for house in houses(COUNT)]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of houses that were complete yesterday."""
    folder = tmp_path_factory.mktemp("yesterday") / "data"
    with simulated(folder, World(), count=COUNT):
        return folder


@pytest.fixture
def context(world: World, yesterday: Path, tmp_path: Path) -> Iterator[StageContext]:
    shutil.copytree(yesterday, tmp_path / "data")
    with simulated(tmp_path / "data", world, count=COUNT) as made:
        yield made


def look(
    context: StageContext, *, most: int = 20_000, minutes: int | None = None
) -> tuple[list[Looked], Look]:
    """Look at all that is due, to the end."""
    work = Look(
        context,
        most_pages=most,
        lasting=timedelta(minutes=minutes) if minutes else None,
        ticks=lambda: context.clock().timestamp(),
    )
    return list(work.all_due()), work


def found_of(looked: list[Looked]) -> dict[str, Found]:
    return {it.slug: it.found for it in looked if not it.judged}


def jobs_of(context: StageContext) -> dict[str, str]:
    """The jobs that wait, by the house of each."""
    query = sa.select(tables.job_item.c.slug, tables.job_item.c.job_id)
    with context.catalog._engine.connect() as connection:
        return {row.slug: row.job_id for row in connection.execute(query)}


def only(slug: str, answer: Listing) -> object:
    """Answers of a world in which one house is another than the day before."""

    def said(house: Property, source: Source) -> Listing:
        if house.slug == slug and source is answer.source:
            return answer
        return quiet_answer(house, source)

    return said


def test_a_quiet_day_asks_each_source_once_and_changes_nothing(
    context: StageContext, world: World
) -> None:
    told, work = look(context)

    assert set(found_of(told).values()) == {Found.UNCHANGED}
    assert Counter(world.asked) == Counter(
        {(house.slug, source): 1 for house in houses(COUNT) for source in DAILY}
    )
    assert all(tally.is_complete for tally in context.tallies())
    assert context.catalog.jobs.called_on(context.catalog.slugs()) == set()
    assert context.catalog.looks.pages(TODAY) == {it: COUNT * PAGES[it] for it in DAILY}
    assert (work.report.waiting, work.report.next_at) == (0, None)
    assert [it.fresh for it in told] == [True] * COUNT
    assert context.catalog.views.states()[0].is_stale  # they tell when it was seen
    refresh_views(context)
    assert look(context)[0] == []  # nothing is due any more
    assert not context.catalog.views.is_stale()


def test_looks_end_in_time_and_go_on_where_the_last_one_ended(
    context: StageContext, world: World
) -> None:
    limit, reached = timedelta(minutes=1), []
    for _ in range(COUNT):
        began = world.now
        told, work = look(context, minutes=1)
        assert world.now <= began + limit
        reached += [it.slug for it in told]
        if not work.report.waiting:
            break
        assert work.report.ended == "time is up"

    assert sorted(reached) == sorted(house.slug for house in houses(COUNT))
    assert set(Counter(world.asked).values()) == {1}


def test_the_clock_may_be_set_back_amid_a_look_and_its_limit_holds(
    context: StageContext, world: World
) -> None:
    back = replace(context, clock=lambda: world.now - len(world.asked) * HOUR / 3)
    limit = timedelta(seconds=30)
    work = Look(back, most_pages=20_000, lasting=limit, ticks=world.ticks)
    assert 0 < len(list(work.all_due())) < COUNT
    assert world.now <= SIX + limit
    assert work.report.ended == "time is up"


def test_a_clock_that_was_a_month_ahead_keeps_no_house_from_a_look(
    context: StageContext, world: World
) -> None:
    world.now += 30 * DAY
    look(context)
    world.now -= 30 * DAY
    told, _ = look(context)

    assert len(found_of(told)) == COUNT


def test_a_look_ends_with_its_day_and_each_day_counts_its_own_pages(
    context: StageContext, world: World
) -> None:
    world.now = MIDNIGHT - timedelta(seconds=1)
    told, work = look(context)
    pages = context.catalog.looks.pages
    assert (len(told), work.report.ended) == (1, "its day is over")
    assert pages(TODAY) == {it: PAGES[it] for it in DAILY}

    world.now = MIDNIGHT - timedelta(seconds=1)
    assert len(list(Look(context, most_pages=20_000).houses([ONE, OTHER]))) == 2
    assert pages(TODAY) == {it: PAGES[it] * (2 if it in DAILY else 1) for it in PAGES}
    assert pages(TODAY + DAY) == PAGES


@pytest.mark.parametrize("question", [1, 2, 5])
def test_an_interrupted_look_leaves_all_whole_and_the_next_goes_on(
    context: StageContext, world: World, question: int
) -> None:
    answered: list[Source] = []

    def interrupted(house: Property, source: Source) -> Listing:
        answered.append(source)
        if len(answered) == question:
            signal.raise_signal(signal.SIGINT)  # Ctrl-C
        return quiet_answer(house, source)

    world.answer = interrupted
    with pytest.raises(KeyboardInterrupt):
        look(context)
    under_way, _ = world.asked[-1]
    day = context.catalog.looks.day(TODAY)
    assert day is not None
    assert day.next_at is not None
    world.now = day.next_at

    told, work = look(context)
    assert under_way not in found_of(told)  # it was tried, and has its pause
    assert work.report.next_at is not None
    world.now = work.report.next_at
    assert list(found_of(look(context)[0])) == [under_way]

    asked = Counter(world.asked)
    assert len(asked) == COUNT * len(DAILY)
    # What was under way is asked again, and no other.
    again = {slug for (slug, _), count in asked.items() if count > 1}
    assert again == {under_way}
    assert max(asked.values()) == 2
    # What a killed look has left for a run to end is a run's of its own.
    left = [it.slug for it in context.tallies() if not it.is_complete]
    assert left == [under_way] == sorted(jobs_of(context))


def test_a_house_that_fails_stops_no_other_and_is_tried_three_times(
    context: StageContext, world: World
) -> None:
    def broken(house: Property, source: Source) -> Listing:
        if house.slug == ONE and source is Source.REDFIN:
            raise RuntimeError("a fault\x1b[31m of ours")
        return quiet_answer(house, source)

    world.answer = broken
    begun = []
    told, work = look(context)
    (failed,) = (it for it in told if it.found is Found.FAILED)
    assert (failed.slug, failed.detail) == (
        ONE,
        "a fault\N{REPLACEMENT CHARACTER}[31m of ours",
    )
    assert list(found_of(told).values()).count(Found.UNCHANGED) == COUNT - 1
    while work.report.next_at:
        world.now = work.report.next_at
        begun.append(world.now)
        told, work = look(context)
        assert found_of(told) == {ONE: Found.FAILED}
    assert len(begun) == 2
    assert begun[1] - begun[0] >= PAUSES[1]
    day = context.catalog.looks.day(TODAY)
    assert day is not None
    assert (day.runs, day.looked, day.failed, day.waiting) == (3, COUNT + 2, 3, 1)

    world.now = SIX + DAY
    assert found_of(look(context)[0])[ONE] is Found.FAILED


def test_a_house_that_is_removed_amid_a_look_did_not_fail(
    context: StageContext, world: World
) -> None:
    def removing(house: Property, source: Source) -> Listing:
        if OTHER in context.catalog.slugs():
            lifecycle.remove(context, OTHER)
        return quiet_answer(house, source)

    world.answer = removing
    told, _ = look(context)
    (passed,) = (it for it in told if it.slug == OTHER)
    assert (passed.found, passed.detail) == (
        Found.PASSED_BY,
        "it was removed meanwhile",
    )
    day = context.catalog.looks.day(TODAY)
    assert day is not None
    assert (day.failed, day.waiting) == (0, 0)


def test_what_changed_gets_a_run_of_its_own_and_is_not_asked_again(
    context: StageContext, world: World
) -> None:
    house = next(it for it in houses(COUNT) if it.slug == ONE)
    said = quiet_answer(house, Source.ZILLOW)
    world.answer = only(ONE, replace(said, facts=replace(FACTS, list_price=449_000)))  # type: ignore[assignment]  # a function

    told, work = look(context)

    assert found_of(told) == {ONE: Found.CHANGED} | dict.fromkeys(
        (OTHER, *REST), Found.UNCHANGED
    )
    assert work.report.called == 1
    assert list(jobs_of(context)) == [ONE]
    job = context.catalog.jobs.job(jobs_of(context)[ONE])
    assert job is not None
    assert job.job_id.startswith("look-20250310-")
    assert (job.user, job.origin) == ("phx", Origin.SENSOR)
    assert look(context)[0] == []
    # Until that run has published, the house is open: one more run a day is asked for.
    world.now = SIX + DAY
    told, work = look(context)
    assert [it.called for it in told if it.slug == ONE] == [False]  # it still waits


def test_more_days_on_the_market_are_no_change(
    context: StageContext, world: World
) -> None:
    house = next(it for it in houses(COUNT) if it.slug == ONE)
    said = quiet_answer(house, Source.ZILLOW)
    world.answer = only(ONE, replace(said, facts=replace(FACTS, days_on_market=13)))  # type: ignore[assignment]  # a function

    assert set(found_of(look(context)[0]).values()) == {Found.UNCHANGED}


def test_a_house_somebody_works_on_is_looked_at_later(
    context: StageContext, world: World
) -> None:
    leases = context.catalog.leases
    with leases.hold(property_lease(ONE), owner=process_owner("another run")):
        told, work = look(context)

    assert found_of(told)[ONE] is Found.PASSED_BY
    assert ONE not in {slug for slug, _ in world.asked}
    assert work.report.next_at == world.now + SOON
    assert found_of(look(context)[0]) == {ONE: Found.UNCHANGED}


def test_there_is_one_look_at_a_time(context: StageContext, world: World) -> None:
    with (
        context.catalog.leases.hold(LOOK_LEASE, owner=process_owner("another")),
        pytest.raises(LeaseHeldError, match=LOOK_LEASE),
    ):
        look(context)

    assert world.asked == []


def test_no_source_is_asked_for_more_pages_than_a_day_has(
    context: StageContext, world: World
) -> None:
    look(context, most=10)
    told, work = look(context, most=10)
    day_one = {slug for slug, _ in world.asked}

    assert max(world.pages.values()) <= 10
    assert 0 < len(day_one) < COUNT
    assert work.report.waiting == COUNT - len(day_one)
    assert work.report.next_at is None  # not today any more

    world.now = SIX + DAY
    told, _ = look(context, most=10)
    first = list(found_of(told))[: COUNT - len(day_one)]
    assert not day_one & set(first)  # who was not reached is first


@pytest.mark.parametrize("most", [1, 3, 7])
def test_a_day_of_few_pages_is_kept_to_and_what_was_asked_is_counted(
    context: StageContext, world: World, most: int
) -> None:
    look(context, most=most)
    list(Look(context, most_pages=most).houses([OTHER]))

    assert set(world.pages) == set(PAGES)
    assert max(world.pages.values()) <= most
    assert context.catalog.looks.pages(TODAY) == world.pages


def test_where_no_source_is_asked_a_look_is_in_vain_and_says_why(
    context: StageContext, world: World
) -> None:
    context.catalog.policies.disable([it.value for it in PAGES])
    work = Look(context, most_pages=20_000)
    told = list(work.houses([ONE, OTHER]))
    _, due = look(context)

    assert world.asked == []
    assert set(found_of(told).values()) == {Found.PASSED_BY}
    for report in (work.report, due.report):
        assert (report.is_vain, report.looked) == (True, 0)
        assert "redfin is switched off (`phx sources enable redfin`)" in report.ended


def test_houses_whose_sources_gave_all_pages_are_passed_by(
    context: StageContext, world: World
) -> None:
    look(context, most=8)
    world.asked.clear()
    work = Look(context, most_pages=8)
    told = [it for it in work.houses([ONE]) if it.sources == (Source.MARICOPA,)]
    (again,) = work.houses([ONE])

    assert [source for _, source in world.asked] == [Source.MARICOPA]
    assert [it.found for it in told] == [Found.UNCHANGED]
    assert (again.found, work.report.is_vain) == (Found.PASSED_BY, False)
    assert "zillow was asked for all 8 pages of today (PHX_DAILY_PAGES)" in again.detail


def test_a_source_that_is_down_is_no_matter_of_any_house(
    context: StageContext, world: World
) -> None:
    down(Source.ZILLOW, since=SIX + DAY, days=1, world=world)
    days = [
        day_of_looks(context, world, begin=SIX + number * DAY) for number in range(1, 3)
    ]

    assert marked_gone(context.catalog) == 0
    assert [told.called for told in days] == [0, 0]
    assert [max(told.asked.values()) for told in days] == [3, 1]
    assert all(tally.is_complete for tally in context.tallies())


def test_a_house_named_by_hand_is_looked_at_though_it_is_not_due(
    context: StageContext, world: World
) -> None:
    look(context)
    world.asked.clear()
    work = Look(context, most_pages=20_000)

    assert [it.slug for it in work.houses([ONE])] == [ONE]
    assert set(world.asked) == {(ONE, source) for source in PAGES}
    day = context.catalog.looks.day(TODAY)
    assert day is not None
    assert (day.runs, day.looked) == (1, COUNT + 1)


def test_circuits_rest_by_the_clock_that_is_handed_in(
    context: StageContext, world: World
) -> None:
    world.now += 30 * DAY

    assert context.catalog.policies.source_states()[0] == world.ticks()
