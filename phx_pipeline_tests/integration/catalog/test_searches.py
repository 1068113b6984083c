"""What searches found: each door proposed once, under whatever spelling, by both."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.job import PHX, Origin
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.search import (
    MOST_PAGES,
    Criteria,
    LeftOut,
    PlaceAsked,
    Proposal,
    ProposalState,
    SavedSearch,
    SearchTurn,
)
from phx_pipeline.model.source import Source
from phx_pipeline.workflows import searches
from phx_pipeline.workflows.searches import accept_ready
from phx_pipeline_tests.integration.conftest import STAMP, Scene

DAY = STAMP.today
TURN = SearchTurn(search="west", source=Source.REDFIN, on=DAY)
PLACE = "Glendale, AZ 85306"


def found(line: str, **changes: Any) -> Proposal:
    address = Address.parse(f"{line}, {PLACE}")
    given: dict[str, Any] = {
        "match_key": address.match_key,
        "address": address,
        "search": "west",
        "source": Source.REDFIN,
        "listing_id": "1",
        "url": "https://www.redfin.com/1",
        "facts": ListingFacts(list_price=400_000, standard_status="Active"),
        "first_seen_on": DAY,
    }
    return Proposal(**given | changes)


def save(catalog: Catalog, *, accept_per_day: int = 0, **changes: Any) -> SavedSearch:
    criteria = Criteria(zip_codes=("85306",), max_price=450_000)
    search = SavedSearch(
        name="west",
        criteria=criteria,
        created_at=STAMP.at,
        accept_per_day=accept_per_day,
        sources=(Source.REDFIN,),
    )
    search = replace(search, **changes)
    assert catalog.searches.add(search)
    return search


def test_a_search_comes_back_as_it_was_saved(catalog: Catalog) -> None:
    book, search = catalog.searches, save(catalog, accept_per_day=2)
    assert not book.add(search)
    asked = PlaceAsked(asked_at=STAMP.at.isoformat(), url="https://www.redfin.com/1")
    for name in ("west", "none"):
        for source in (Source.REDFIN, Source.ZILLOW):
            book.note_asked(name, source, "85306", asked)
    book.note_asked("west", Source.REDFIN, "Glendale", PlaceAsked())
    told = {"85306": asked, "Glendale": PlaceAsked()}
    assert book.asked("west", Source.REDFIN) == told
    assert book.asked("none", Source.REDFIN) == {}
    assert catalog.jobs.never_asked(["nobody"]) == set()
    assert book.saved() == [search]
    assert book.pause("west", is_paused=True)
    assert book.saved() == [replace(search, is_paused=True)]
    assert book.remove("west")
    assert not book.remove("west")
    assert not book.pause("west", is_paused=False)


def test_a_door_is_proposed_once_under_any_spelling(catalog: Catalog) -> None:
    first = [found("100 W Elm St"), found("7 N Oak Ave Apt 4")]
    again = [
        found("100 West Elm Street"),
        found("7 North Oak Avenue #4", source=Source.ZILLOW, search="other"),
        found("102 W Elm St"),
        found("102 W. Elm St."),
    ]
    book = catalog.searches
    assert len(book.record(TURN, first, left_out={}).proposed) == 2
    done = book.record(
        replace(TURN, source=Source.ZILLOW), again, left_out={LeftOut.CRITERIA: 3}
    )
    assert [str(it.address) for it in done.proposed] == [f"102 W Elm St, {PLACE}"]
    assert Counter(why for _, why in done.left) == {LeftOut.BEFORE: 3}
    (zillow,) = (it for it in book.turns(on=DAY) if it.source is Source.ZILLOW)
    assert (zillow.rows, zillow.proposed) == (7, 1)
    assert zillow.left_out == {LeftOut.BEFORE: 3, LeftOut.CRITERIA: 3}


def test_houses_that_were_followed_in_any_way_are_not_proposed(
    catalog: Catalog,
) -> None:
    kept = Scene.of(catalog, number=100)
    merged, gone = (Scene.of(catalog, number=it) for it in (102, 104))
    catalog.houses.merge(
        [kept.lease, merged.lease], kept.slug, merged.slug, stamp=STAMP
    )
    catalog.houses.remove(gone.lease, gone.slug, at=STAMP.at)

    lines = [f"{number} West Davis Road" for number in (100, 102, 104)]
    done = catalog.searches.record(TURN, [found(it) for it in lines], left_out={})
    assert done.proposed == ()
    assert [why for _, why in done.left] == [
        LeftOut.FOLLOWED,
        LeftOut.FOLLOWED,
        LeftOut.REMOVED,
    ]
    unknown = Address.parse(f"106 W Davis Rd, {PLACE}")
    addresses = [it.address for it in map(found, lines)]
    assert catalog.searches.unknown([*addresses, unknown]) == [unknown]


def test_a_house_much_like_another_waits_for_a_person(catalog: Catalog) -> None:
    house = Scene.of(catalog, number=100)
    save(catalog, accept_per_day=9)
    rows = [found("100 Davis Rd"), found("7 N Oak Ave"), found("7 Oak Ave")]
    catalog.searches.record(TURN, rows, left_out={})
    doubts = {
        str(it.address).split(",")[0]: it.doubt
        for it in catalog.searches.proposals(limit=9)
    }
    assert doubts == {
        "100 Davis Rd": f"it may be {house.slug}",
        "7 N Oak Ave": "",
        "7 Oak Ave": f"it may be 7 N Oak Ave, {PLACE}",
    }
    done = accept_ready(catalog, at=STAMP.at, today=DAY)
    assert [it.slug for it in done] == [found("7 N Oak Ave").address.slug]


def test_a_doubt_is_over_when_another_row_tells(catalog: Catalog) -> None:
    book, doubtful = catalog.searches, found("100 W Elm St", doubt="no year")
    book.record(TURN, [doubtful], left_out={})
    assert book.ready("west", on=DAY, per_day=9) == []
    told = ListingFacts(year_built=1990)
    book.record(TURN, [replace(doubtful, doubt="", facts=told)], left_out={})
    (ready,) = book.ready("west", on=DAY, per_day=9)
    assert ready.facts == replace(doubtful.facts, year_built=1990)
    book.record(TURN, [doubtful], left_out={})
    assert book.proposal(doubtful.match_key) == ready


def test_what_a_person_rejected_stays_rejected_but_for_a_person(
    catalog: Catalog,
) -> None:
    book, one = catalog.searches, found("100 W Elm St")
    book.record(TURN, [one], left_out={})
    on: dict[str, Any] = {"at": STAMP.at, "on": DAY}
    assert book.decide(one.match_key, ProposalState.REJECTED, **on)
    assert not book.decide(one.match_key, ProposalState.REJECTED, **on)
    done = book.record(TURN, [one], left_out={})
    assert [why for _, why in done.left] == [LeftOut.REJECTED]
    accepted = ProposalState.ACCEPTED
    assert not book.decide(one.match_key, accepted, by_itself=True, **on)
    assert book.decide(one.match_key, accepted, house="a-house", **on)
    assert not book.decide(one.match_key, ProposalState.REJECTED, **on)


def test_a_search_accepts_by_itself_within_its_daily_limit(catalog: Catalog) -> None:
    save(catalog, accept_per_day=2)
    rows = [found(f"{number} W Elm St") for number in range(100, 105)]
    catalog.searches.record(TURN, rows, left_out={})
    per_day = []
    for later in range(4):
        today, at = DAY + timedelta(days=later), STAMP.at + timedelta(days=later)
        done = accept_ready(catalog, at=at, today=today)
        assert accept_ready(catalog, at=at, today=today) == []
        per_day.append(len(done))
        for it in done:
            job = catalog.jobs.job(it.job_id)
            assert job is not None
            assert (job.user, job.origin) == (PHX, Origin.SEARCH)
            assert [item.slug for item in job.items] == [it.slug]
    assert per_day == [2, 2, 1, 0]
    assert len(catalog.slugs()) == len(rows)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_call_accepts_so_many_and_reads_all_houses_as_often_as_for_one(
    catalog: Catalog, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "MOST_AT_ONCE", 2)
    for name, numbers in (("east", range(100, 103)), ("west", range(200, 202))):
        save(catalog, name=name, accept_per_day=9)
        rows = [found(f"{number} W Elm St", search=name) for number in numbers]
        catalog.searches.record(replace(TURN, search=name), rows, left_out={})
    told: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *a: told.append(a[2]))
    calls = []
    for _ in range(4):
        done = accept_ready(catalog, at=STAMP.at, today=DAY)
        whole = [it for it in told if it.split()[-2:] == ["FROM", "property"]]
        calls.append(([it.proposal.search for it in done], len(whole)))
        told.clear()

    assert [names for names, _ in calls] == [
        ["east"] * 2,
        ["east", "west"],
        ["west"],
        [],
    ]
    assert [reads for _, reads in calls] == [3, 3, 3, 0]


@pytest.mark.parametrize(
    ("facts", "doubt"),
    [
        (ListingFacts(list_price=900_000), "outside the criteria: at most $450,000"),
        (ListingFacts(standard_status="Pending"), "not for sale: Pending"),
        (
            ListingFacts(standard_status="Auction"),
            "it may not be for sale: its state is 'Auction'",
        ),
    ],
)
def test_what_its_last_row_forbids_is_not_accepted(
    catalog: Catalog, facts: ListingFacts, doubt: str
) -> None:
    save(catalog, accept_per_day=9)
    book, one = catalog.searches, found("100 W Elm St")
    book.record(TURN, [one], left_out={})
    book.record(TURN, [], left_out={}, misfits=[replace(one, facts=facts)])
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []
    (waits,) = book.proposals(limit=9)
    assert (waits.state, waits.doubt) == (ProposalState.PROPOSED, doubt)
    assert waits.facts.stated == {**one.facts.stated, **facts.stated}

    book.record(TURN, [one], left_out={})
    assert len(accept_ready(catalog, at=STAMP.at, today=DAY)) == 1


def test_what_is_near_a_house_that_is_followed_by_now_is_not_accepted(
    catalog: Catalog,
) -> None:
    save(catalog, accept_per_day=9)
    catalog.searches.record(TURN, [found("4732 W Davis Rd")], left_out={})
    near = Property.at(Address.parse(f"4732 Davis Rd, {PLACE}"))
    catalog.houses.add([near], at=STAMP.at)
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []
    (waits,) = catalog.searches.proposals(limit=9)
    assert waits.doubt == f"it may be {near.slug}"


def test_another_search_of_the_name_accepts_what_a_row_shows_it_anew(
    catalog: Catalog,
) -> None:
    rows = [found("100 W Elm St"), found("102 W Elm St")]
    save(catalog)
    catalog.searches.record(TURN, rows, left_out={})
    assert catalog.searches.remove("west")
    save(catalog, accept_per_day=9)
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []
    catalog.searches.record(TURN, rows[1:], left_out={})
    (done,) = accept_ready(catalog, at=STAMP.at, today=DAY)
    assert done.proposal.match_key == rows[1].match_key


def test_a_search_that_accepts_takes_over_what_another_only_proposed(
    catalog: Catalog,
) -> None:
    save(catalog, name="first")
    save(catalog, accept_per_day=9)
    one = found("100 W Elm St", search="first")
    catalog.searches.record(replace(TURN, search="first"), [one], left_out={})
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []
    catalog.searches.record(TURN, [replace(one, search="west")], left_out={})
    assert len(accept_ready(catalog, at=STAMP.at, today=DAY)) == 1


def test_doors_of_one_building_are_compared_by_the_ends_of_their_units(
    catalog: Catalog,
) -> None:
    rows = [found(f"100 W Elm St Unit {number}") for number in range(1, 40)]
    done = catalog.searches.record(TURN, [*rows, found("100 W Elm St")], left_out={})
    doubts = [it.doubt for it in done.proposed]
    assert doubts == [""] * len(rows) + [f"it may be 100 W Elm St Unit 1, {PLACE}"]


def test_a_paused_search_accepts_nothing(catalog: Catalog) -> None:
    save(catalog, accept_per_day=2, is_paused=True)
    catalog.searches.record(TURN, [found("100 W Elm St")], left_out={})
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []


def test_what_was_accepted_and_killed_half_way_is_done_once(catalog: Catalog) -> None:
    """The house is added, but neither its job nor the decision was written."""
    save(catalog, accept_per_day=1)
    one, two = found("100 W Elm St"), found("102 W Elm St")
    catalog.searches.record(TURN, [one, two], left_out={})
    catalog.houses.add([Property.at(one.address)], at=STAMP.at)
    (done,) = accept_ready(catalog, at=STAMP.at, today=DAY)
    assert (done.slug, bool(done.job_id)) == (one.address.slug, True)
    assert catalog.slugs() == [one.address.slug]


def test_what_was_removed_since_is_rejected(catalog: Catalog) -> None:
    save(catalog, accept_per_day=1)
    catalog.searches.record(TURN, [found("100 W Davis Rd")], left_out={})
    gone = Scene.of(catalog, number=100)
    catalog.houses.remove(gone.lease, gone.slug, at=STAMP.at)
    assert accept_ready(catalog, at=STAMP.at, today=DAY) == []
    (proposal,) = catalog.searches.proposals(limit=9)
    assert proposal.state is ProposalState.REJECTED


def test_an_accepted_house_is_removed_once_nobody_follows_it(catalog: Catalog) -> None:
    save(catalog, accept_per_day=1)
    catalog.searches.record(TURN, [found("100 W Davis Rd")], left_out={})

    def state(told: ProposalState) -> bool:
        (proposal,) = catalog.searches.proposals(limit=9, state=told)
        return proposal == catalog.searches.proposal(proposal.match_key)

    (done,) = accept_ready(catalog, at=STAMP.at, today=DAY)
    assert state(ProposalState.ACCEPTED)
    lease = catalog.leases.acquire(property_lease(done.slug), owner="test")
    address = Address.parse(f"102 W Davis Rd, {PLACE}")
    house = catalog.houses.rename(lease, done.slug, address, at=STAMP.at)
    assert state(ProposalState.ACCEPTED)
    assert catalog.searches.proposals(limit=9, state=ProposalState.REMOVED) == []

    lease = catalog.leases.acquire(property_lease(house.slug), owner="test")
    catalog.houses.remove(lease, house.slug, at=STAMP.at)
    assert state(ProposalState.REMOVED)
    assert catalog.searches.proposals(limit=9, state=ProposalState.ACCEPTED) == []
    assert catalog.searches.names() == {"west"}


def test_no_page_more_than_the_day_allows_is_counted(catalog: Catalog) -> None:
    def take(_: int) -> bool:
        return catalog.searches.take_page("west", Source.REDFIN, DAY, most=MOST_PAGES)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(8))) == MOST_PAGES
    tomorrow = DAY + timedelta(days=1)
    assert catalog.searches.take_page("west", Source.REDFIN, tomorrow, most=1)
    ended = replace(TURN, outcome=ListingOutcome.BLOCKED, detail="refused")
    catalog.searches.end(ended, at=STAMP.at)
    newest, oldest = catalog.searches.turns(search="west")
    assert (newest.on, newest.pages, oldest.pages) == (tomorrow, 1, MOST_PAGES)
    assert (oldest.outcome, oldest.at) == (ListingOutcome.BLOCKED, STAMP.at)


def test_two_that_find_a_house_at_once_propose_it_once(catalog: Catalog) -> None:
    def record(number: int) -> int:
        turn = replace(TURN, search=f"search-{number}")
        rows = [found(f"{at} W Elm St") for at in range(100, 104)]
        return len(catalog.searches.record(turn, rows, left_out={}).proposed)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(record, range(4))) == 4


@pytest.mark.parametrize("limit", [1, 2, 9])
def test_proposals_are_read_a_page_at_a_time(catalog: Catalog, limit: int) -> None:
    for later in range(2):
        on = DAY + timedelta(days=later)
        rows = [
            found(f"{100 + later * 2 + at * 8} W Elm St", first_seen_on=on)
            for at in range(2)
        ]
        catalog.searches.record(replace(TURN, on=on), rows, left_out={})
    read: list[Proposal] = []
    before: tuple[date, str] | None = None
    while some := catalog.searches.proposals(limit=limit, before=before):
        read += some
        before = (some[-1].first_seen_on, some[-1].match_key)
    days = [it.first_seen_on - DAY for it in read]
    assert days == [timedelta(days=1)] * 2 + [timedelta(0)] * 2
    assert len({it.match_key for it in read}) == 4
    of_today = catalog.searches.proposals(limit=9, since=DAY + timedelta(days=1))
    assert of_today == read[:2]
    assert catalog.searches.proposals(limit=9, search="other") == []
    assert catalog.searches.proposals(limit=9, state=ProposalState.REJECTED) == []
