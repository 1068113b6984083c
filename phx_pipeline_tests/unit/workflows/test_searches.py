"""Which pages a search asks for, in which order, and where it stops."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phx_pipeline.fetch.base import Fetcher, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.search import Criteria, Offer, OfferPage, SavedSearch
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState
from phx_pipeline.sources.base import ListingSource
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.searches import SearchReport, ask_searches, within
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.deployment import Deployment

AT = datetime(2026, 3, 9, 12, 30, tzinfo=UTC)
HOST = "pages.example"


def page(*numbers: int, following: str = "", **changes: object) -> OfferPage:
    """A page of houses by their street numbers."""
    offers = tuple(
        Offer(
            source=Source.REDFIN,
            listing_id=str(number),
            url=f"https://{HOST}/{number}",
            address=Address.parse(f"{number} W Elm St, Glendale, AZ 85306"),
            facts=ListingFacts(list_price=400_000, standard_status="Active"),
        )
        for number in numbers
    )
    outcome = ListingOutcome.LISTED if offers else ListingOutcome.LISTED_EMPTY
    return replace(OfferPage(outcome=outcome, offers=offers, next=following), **changes)  # type: ignore[arg-type]  # named by each test


@dataclass(slots=True)
class Pages:
    """Search pages by what they are asked for: a place, or where another page led.

    If it `finds`, it takes one request more to find out where the page of a place is.
    """

    pages: Mapping[str, OfferPage]
    asked: list[str] = field(default_factory=list)
    finds: bool = False

    async def offers(
        self, criteria: Criteria, *, at: str = "", fetcher: Fetcher
    ) -> OfferPage:
        """Count the requests, then answer."""
        if self.finds and not at:
            await self._get("find", fetcher)
        where = (at or criteria.place).removeprefix(f"https://{HOST}/")
        await self._get(where, fetcher)
        self.asked.append(where)
        return self.pages[where]

    async def _get(self, path: str, fetcher: Fetcher) -> None:
        url = f"https://{HOST}/{path}"
        request = Request(url=url, source=Source.REDFIN, kind=RequestKind.PAGE)
        with pytest.raises(KeyError):
            await fetcher.get(request)


class Site(ListingSource):
    """A site that has search pages only."""

    page_hosts = (HOST,)
    photo_hosts = ()

    def __init__(
        self, source: Source, pages: Mapping[str, OfferPage], *, finds: bool = False
    ) -> None:
        self.source = source
        self.asked: list[str] = []
        self.listings = Pages(pages, self.asked, finds=finds)

    async def discover(self, house: Property, *, fetcher: Fetcher) -> Listing:
        """No search asks for a house's own page."""
        raise AssertionError(house, fetcher)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[StageContext]:
    with Deployment(tmp_path, {}) as made, made.context() as opened:
        yield replace(
            opened, clock=lambda: AT, open_fetcher=lambda _key: CannedFetcher({})
        )


def search(*zips: str, name: str = "west", **criteria: int) -> SavedSearch:
    asked = Criteria(zip_codes=zips or ("85306",), **criteria)  # type: ignore[arg-type]  # named by each test
    return SavedSearch(name=name, criteria=asked, created_at=AT)


def ask(
    context: StageContext, sites: list[Site], *searches: SavedSearch
) -> SearchReport:
    asked = replace(context, sources={site.source: site for site in sites})
    return asyncio.run(ask_searches(asked, searches))


def test_at_most_three_pages_are_asked_for_on_a_day(context: StageContext) -> None:
    pages = {"85306": page(1, following="b"), "b": page(2, following="c")}
    pages |= {"c": page(3, following="d"), "d": page(4)}
    site = Site(Source.REDFIN, pages)
    report = ask(context, [site], search())
    assert site.asked == ["85306", "b", "c"]
    assert [it.listing_id for it in report.proposed] == ["1", "2", "3"]
    assert ask(context, [site], search()).proposed == []
    assert len(site.asked) == 3

    tomorrow = replace(context, clock=lambda: AT + timedelta(days=1))
    (turn,) = ask(tomorrow, [site], search()).turns
    assert (turn.pages, turn.rows, turn.proposed) == (3, 3, 0)


@pytest.mark.parametrize("before", [(), (30,)], ids=["", "after a clock ahead"])
def test_each_place_comes_first_in_its_turn(
    context: StageContext, before: tuple[int, ...]
) -> None:
    zips = [f"8530{last}" for last in range(1, 6)]
    site = Site(Source.REDFIN, {it: page(following="more") for it in zips})
    context.catalog.searches.add(search(*zips))
    first = []
    for later in (*before, 1, 2, 3, 4, 5):
        on = replace(context, clock=lambda later=later: AT + timedelta(days=later))  # type: ignore[misc]
        site.asked.clear()
        ask(on, [site], search(*zips))
        assert len(set(site.asked)) == 3
        first += [site.asked[:3]]
    assert {it for asked in first[len(before) :] for it in asked} == set(zips)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_each_city_is_asked_for_in_its_turn_though_it_has_to_be_found(
    context: StageContext, most: int
) -> None:
    cities = ("Glendale", "Peoria", "Tempe")
    site = Site(Source.REDFIN, dict.fromkeys(cities, page(1)), finds=True)
    asked = Criteria(cities=cities)
    saved = SavedSearch(name="west", criteria=asked, created_at=AT)
    context.catalog.searches.add(saved)
    asking = replace(context, sources={site.source: site})
    for later in range(6 // most + 1):
        now = AT + timedelta(days=later)
        on = replace(asking, clock=lambda now=now: now)  # type: ignore[misc]
        asyncio.run(ask_searches(on, [saved], may_ask=within(on, most=most)))
    assert set(site.asked) == set(cities)
    counts = [site.asked.count(it) for it in cities]
    assert max(counts) - min(counts) <= 1
    assert context.catalog.searches.saved() == [saved]


@pytest.mark.parametrize(
    ("first", "goes_on"),
    [
        (page(1), True),
        (page(outcome=ListingOutcome.NOT_FOUND), True),
        (page(outcome=ListingOutcome.PAGE_CHANGED), True),
        (page(1, is_challenged=True), False),
        (page(outcome=ListingOutcome.BLOCKED, detail="no"), False),
        (page(outcome=ListingOutcome.RATE_LIMITED), False),
        (page(outcome=ListingOutcome.CIRCUIT_OPEN), False),
        (page(outcome=ListingOutcome.DISABLED), False),
        (page(outcome=ListingOutcome.FAILED), False),
    ],
)
def test_a_refusal_stops_a_source_for_all_searches(
    context: StageContext, first: OfferPage, *, goes_on: bool
) -> None:
    pages = dict.fromkeys(("85301", "85302", "85303"), page(7))
    site = Site(Source.REDFIN, pages | {"85306": first})
    other = Site(Source.ZILLOW, dict.fromkeys(("85306", "85301"), page()))
    report = ask(context, [site, other], search(), search("85301", name="east"))
    assert site.asked == (["85306", "85301"] if goes_on else ["85306"])
    assert other.asked == ["85306", "85301"]
    assert bool(first.offers) == any(it.listing_id == "1" for it in report.proposed)
    turns = {(it.search, it.source): it for it in report.turns}
    turn, later = (turns[it, Source.REDFIN] for it in ("west", "east"))
    assert (turn.outcome, turn.detail) == (first.outcome, first.detail)
    assert later.detail.startswith("not asked") is not goes_on
    assert (("east", Source.REDFIN) in report.asked) is goes_on
    assert len(turns) == 4


def test_what_rows_do_not_tell_is_a_doubt(context: StageContext) -> None:
    site = Site(Source.REDFIN, {"85306": page(1)})
    report = ask(context, [site], search(min_year=1980, max_price=400_000))
    (proposal,) = report.proposed
    assert proposal.doubt == "its row does not tell: built in 1980 or later"


def test_a_source_that_lacks_something_is_not_asked(context: StageContext) -> None:
    site = Site(Source.REDFIN, {})
    site.lacks = "it wants a token"
    (turn,) = ask(context, [site], search()).turns
    assert (site.asked, turn.pages) == ([], 0)
    assert (turn.outcome, turn.detail) == (ListingOutcome.DISABLED, site.lacks)
    away = replace(search(), sources=(Source.ZILLOW,))
    assert len(ask(context, [site], replace(away, name="east")).turns) == 0


def test_pages_are_counted_only_where_one_is_asked_for(context: StageContext) -> None:
    pages = {"85306": page(1, following="b"), "b": page(2, following="c")}
    site = Site(Source.REDFIN, pages | {"c": page(3, following="d")})
    asked = replace(context, sources={site.source: site})
    may_ask = within(context, most=9)

    def run() -> SearchReport:
        return asyncio.run(ask_searches(asked, [search()], may_ask=may_ask))

    def pages_of_day() -> int:
        return context.catalog.looks.pages(context.stamp().today).get(site.source, 0)

    policies = context.catalog.policies
    policies.disable(["redfin"])
    site.lacks = "a token, which is of no interest where it is off"
    (turn,) = run().turns
    site.lacks = ""
    assert (turn.outcome, turn.pages) == (ListingOutcome.DISABLED, 0)
    assert "phx sources enable redfin" in turn.detail
    policies.enable(["redfin"])
    policies.change("redfin", lambda state, now_s: (_opened(state, now_s), None))
    (turn,) = run().turns
    assert (turn.outcome, turn.pages) == (ListingOutcome.CIRCUIT_OPEN, 0)
    assert (site.asked, pages_of_day()) == ([], 0)

    policies.reset(["redfin"])
    run()
    report = run()  # its three pages are used up
    (turn,) = report.turns
    assert (report.asked, turn.detail[:15]) == (set(), "not asked again")
    assert (site.asked, turn.pages, pages_of_day()) == (["85306", "b", "c"], 3, 3)
    may_ask = within(context, most=3)
    east = search(name="east")
    (turn,) = asyncio.run(ask_searches(asked, [east], may_ask=may_ask)).turns
    assert (turn.outcome, turn.pages) == (ListingOutcome.RATE_LIMITED, 0)
    assert (len(site.asked), pages_of_day()) == (3, 3)


def _opened(state: SourceState, now_s: float) -> SourceState:
    return replace(state, opened_at=now_s, open_until=now_s + 300)
