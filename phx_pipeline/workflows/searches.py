"""Saved searches: asking the sites, proposing what is new, following what is accepted.

How a site is asked is told in `sources`; what was proposed is kept by
`catalog.searches`. Dagster asks for this by a schedule and a sensor.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Final
from uuid import uuid4

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request
from phx_pipeline.fetch.circuits import pages_try_s
from phx_pipeline.model.job import PHX, JobRequest, Origin
from phx_pipeline.model.moments import moment
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.search import (
    MOST_OFFERS,
    MOST_PAGES,
    Criteria,
    LeftOut,
    Offer,
    OfferPage,
    PlaceAsked,
    Proposal,
    ProposalState,
    SavedSearch,
    SearchTurn,
    doubt_about,
    misfit,
    sift,
)
from phx_pipeline.model.source import Source
from phx_pipeline.model.states import doubt
from phx_pipeline.sources.base import ListingSource, SearchSource
from phx_pipeline.sources.registry import browsed_among
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.demo_stores import off_words
from phx_pipeline.workflows.houses import follow
from phx_pipeline.workflows.intake import Typed

logger = logging.getLogger(__name__)

LEASE: Final = "searches"
"""Held while sites are asked: two at once would ask for the same pages."""

MOST_AT_ONCE: Final = 100
"""Proposals that are accepted together; amid 10,000 houses that takes a second or two.

Other sensors wait for it.
"""

_WAIT_S: Final = 5.0
_SPENT: Final = (
    f"not asked again: the {MOST_PAGES} pages of today were asked for before"
)
_SHOWN: Final = (ListingOutcome.LISTED, ListingOutcome.LISTED_EMPTY)
# Of one place alone; the others may be asked for all the same.
_OF_PLACE: Final = (ListingOutcome.NOT_FOUND, ListingOutcome.PAGE_CHANGED)

MayAsk = Callable[[Source, date], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowLeft:
    """A row that was not proposed: where it stands, what it says, and why."""

    source: Source
    told: str
    why: LeftOut
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class SearchReport:
    """What asking for searches gave: counts by search and source, houses, rows left.

    Each search has a turn for each of its sources. `asked` are those searches and
    sources of which this run asked for a page; the turns of the others tell why not.
    """

    turns: list[SearchTurn] = field(default_factory=list)
    asked: set[tuple[str, Source]] = field(default_factory=set)
    proposed: list[Proposal] = field(default_factory=list)
    left: list[RowLeft] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A proposal that was accepted: its house, and the job that asks for its run.

    No job was asked for if the house had been accepted before.
    """

    proposal: Proposal
    slug: str
    job_id: str = ""


# --- asking ---------------------------------------------------------------------------


def named_search(catalog: Catalog, name: str) -> SavedSearch:
    """Return a search by its name.

    Raises:
        InputError: there is none; says which there are.
    """
    saved = {search.name: search for search in catalog.searches.saved()}
    if name in saved:
        return saved[name]
    told = did_you_mean(name, list(saved))
    raise InputError(
        f"there is no search {name[:40]!r}{told}: `phx search list` lists them"
    )


def always(_source: Source, _on: date) -> bool:
    """Whether a page more may be asked for: where nobody else counts, it may."""
    return True


def within(context: StageContext, *, most: int) -> MayAsk:
    """Count pages with those of looks, *most* of a source on a day."""

    def may_ask(source: Source, on: date) -> bool:
        return context.catalog.looks.take_page(source, on, most)

    return may_ask


async def ask_searches(
    context: StageContext,
    searches: Sequence[SavedSearch],
    *,
    may_ask: MayAsk = always,
) -> SearchReport:
    """Ask the sources of each search for their pages, and propose what is new.

    A source that refuses, rests, or shows a challenge is not asked again; what it
    showed until then counts. Each page is recorded as it comes, so one that is killed
    has lost at most the page under way, and goes on with the pages left for the day.

    Args:
        context: of the run.
        searches: paused ones too, if they are named.
        may_ask: asked before each request, whether the source may be asked once more.

    Raises:
        LeaseHeldError: another process asks.
    """
    report = SearchReport()
    owner = process_owner(context.run_id)
    with context.catalog.leases.hold(LEASE, owner=owner, wait_s=_WAIT_S):
        stopped: dict[Source, tuple[ListingOutcome, str]] = {}
        for search in searches:
            for name, source in _searched(context, search).items():
                asking = _Asking(context, search, source, report, may_ask)
                if name in stopped:
                    asking.pass_by(*stopped[name])
                elif await asking.is_stopped():
                    stopped[name] = asking.ended
    names = {search.name for search in searches}
    turns = context.catalog.searches.turns(on=context.stamp().today)
    report.turns = [_of_run(it, report) for it in turns if it.search in names]
    return report


def _of_run(turn: SearchTurn, report: SearchReport) -> SearchTurn:
    """Tell of a turn of the day that this run added no page to it."""
    is_asked = (turn.search, turn.source) in report.asked
    if is_asked or turn.outcome not in (None, *_SHOWN, *_OF_PLACE):
        return turn
    return replace(turn, detail=_SPENT)


def searchable(sources: Mapping[Source, ListingSource]) -> list[Source]:
    """Return the sources that have search pages."""
    return [name for name, it in sources.items() if it.listings is not None]


def _searched(
    context: StageContext, search: SavedSearch
) -> dict[Source, ListingSource]:
    return {
        name: source
        for name, source in context.sources.items()
        if source.listings is not None
        and (not search.sources or name in search.sources)
    }


def _severity(page: OfferPage) -> int:
    """Which outcome is told of several pages: what a person should know goes first."""
    if page.outcome in _SHOWN:
        return [*reversed(_SHOWN)].index(page.outcome)
    return len(_SHOWN) + (page.outcome not in _OF_PLACE)


class _SpentError(Exception):
    """All pages of the day were asked for."""


class _Metered:
    """A fetcher that counts each request before it is made.

    `wanted` are the URLs that were asked for, also one for which no request was left.
    """

    def __init__(self, inner: Fetcher, *, take: Callable[[], bool]) -> None:
        self._inner = inner
        self._take = take
        self.wanted: list[str] = []

    async def get(self, request: Request) -> Fetched:
        """Return the answer; `_SpentError` where no request is left."""
        self.wanted.append(request.url)
        if not self._take():
            raise _SpentError
        return await self._inner.get(request)

    async def aclose(self) -> None:
        """Close the fetcher inside."""
        await self._inner.aclose()


class _Asking:
    """One search at one source on one day."""

    def __init__(
        self,
        context: StageContext,
        search: SavedSearch,
        source: ListingSource,
        report: SearchReport,
        may_ask: MayAsk,
    ) -> None:
        self._context = context
        self._search = search
        self._source = source
        self._report = report
        self._may_ask = may_ask
        self._on = context.stamp().today
        self._worst = OfferPage(outcome=ListingOutcome.LISTED_EMPTY)
        self.ended = (self._worst.outcome, self._worst.detail)

    def pass_by(self, outcome: ListingOutcome, detail: str) -> None:
        """Note that the source is not asked, since it ended so for another search."""
        if outcome in _SHOWN:  # it showed a list, under a challenge
            outcome = ListingOutcome.BLOCKED
        told = f" ({detail})" if detail else ""
        because = f"not asked, since another search ended so{told}"
        self._end(*(self._rest() or (outcome, because)))

    async def is_stopped(self) -> bool:
        """Ask; return whether the source must not be asked again for now."""
        if rest := self._rest():
            self._end(*rest)
            return True
        key = f"search-{self._search.name}"
        async with aclosing(self._context.open_fetcher(key)) as fetcher:
            try:
                return await self._pages(_Metered(fetcher, take=self._take))
            except _SpentError:
                return False

    def _rest(self) -> tuple[ListingOutcome, str] | None:
        """Return why the source is not to be asked, before any page is counted."""
        name, policies = self._source.source, self._context.catalog.policies
        if name in policies.switched_off():
            told = off_words(name.value, self._context.layout)
            return ListingOutcome.DISABLED, f"it is {told}"
        if self._source.lacks:
            return ListingOutcome.DISABLED, self._source.lacks
        now_s, rows = policies.source_states()
        states = {state.name: state for state in rows}
        lacks_browser = self._context.lacks_browser
        browsed = () if lacks_browser else browsed_among(self._context.registered)
        until_s = pages_try_s(name, states, now_s=now_s, browsed=browsed)
        if until_s is None or until_s <= now_s:
            return None
        return ListingOutcome.CIRCUIT_OPEN, f"it rests until {moment(until_s)}"

    async def _pages(self, fetcher: _Metered) -> bool:
        """Ask for the first page of each place, then for those that follow."""
        listings, waiting = self._listings, deque(self._places())
        first = len(waiting)
        while waiting:
            criteria, at = waiting.popleft()
            if first > 0:
                page = await self._first_page(criteria, at, fetcher)
            else:
                page = await listings.offers(criteria, at=at, fetcher=fetcher)
            first -= 1
            self._record(page)
            self._worst = max(self._worst, page, key=_severity)
            self._end(self._worst.outcome, self._worst.detail)
            if page.is_challenged or page.outcome not in (*_SHOWN, *_OF_PLACE):
                return True
            if page.has_more:
                waiting.append((criteria, page.next))
        return False

    @property
    def _listings(self) -> SearchSource:
        if self._source.listings is None:
            raise InputError(f"{self._source.source.value} has no search pages")
        return self._source.listings

    def _places(self) -> list[tuple[Criteria, str]]:
        """The places; the one that was asked for longest ago comes first."""
        book, never = self._context.catalog.searches, PlaceAsked()
        asked = book.asked(self._search.name, self._source.source)
        places = list(self._search.criteria.each_place())
        now = self._context.stamp().at
        places.sort(key=lambda it: asked.get(it.place, never).known_at(now))
        return [(it, asked.get(it.place, never).url) for it in places]

    async def _first_page(
        self, criteria: Criteria, at: str, fetcher: _Metered
    ) -> OfferPage:
        """Ask for a place, and note when; where, if it took a request to find out."""
        fetcher.wanted.clear()
        try:
            page = await self._listings.offers(criteria, at=at, fetcher=fetcher)
        except _SpentError:
            if len(fetcher.wanted) > 1:
                self._note_asked(criteria, PlaceAsked(url=fetcher.wanted[-1]))
            raise
        if len(fetcher.wanted) > 1:
            at = fetcher.wanted[-1]
        is_there = page.outcome not in _OF_PLACE
        now, url = self._context.stamp().at.isoformat(), at if is_there else ""
        self._note_asked(criteria, PlaceAsked(asked_at=now, url=url))
        return page

    def _note_asked(self, criteria: Criteria, asked: PlaceAsked) -> None:
        book, source = self._context.catalog.searches, self._source.source
        book.note_asked(self._search.name, source, criteria.place, asked)

    def _take(self) -> bool:
        # The lease is held: nobody else takes a page of this search meanwhile. So the
        # day's pages, which others share, are asked for only if one will be used.
        source, book = self._source.source, self._context.catalog.searches
        if self._asked >= MOST_PAGES:
            return False
        if not self._may_ask(source, self._on):
            told = "the pages of the day are used up (PHX_DAILY_PAGES)"
            self._end(ListingOutcome.RATE_LIMITED, told)
            return False
        name = self._search.name
        is_taken = book.take_page(name, source, self._on, most=MOST_PAGES)
        if is_taken:
            self._report.asked.add((name, source))
        return is_taken

    @property
    def _asked(self) -> int:
        """How many pages of the source this search has asked for on this day."""
        book, name = self._context.catalog.searches, self._search.name
        turns = book.turns(on=self._on, search=name)
        return next((it.pages for it in turns if it.source is self._source.source), 0)

    def _record(self, page: OfferPage) -> None:
        found, misfits, left_out = [], [], Counter[LeftOut]()
        for offer in page.offers[:MOST_OFFERS]:
            why, detail = sift(offer, self._search.criteria)
            if why is None:
                found.append(self._candidate(offer))
                continue
            left_out[why] += 1
            self._leave(str(offer.address or offer.told), why, detail)
            if offer.address:
                misfits.append(self._candidate(offer))
        done = self._context.catalog.searches.record(
            self._turn(), found, left_out=left_out, misfits=misfits
        )
        self._report.proposed += done.proposed
        for address, why in done.left:
            self._leave(str(address), why)

    def _leave(self, told: str, why: LeftOut, detail: str = "") -> None:
        source = self._source.source
        self._report.left.append(
            RowLeft(source=source, told=told, why=why, detail=detail)
        )

    def _candidate(self, offer: Offer) -> Proposal:
        address = offer.address
        if address is None:
            raise InputError("a row without an address is no candidate")
        told = doubt_about(offer.facts, self._search.criteria)
        where = doubt(address.state, address.zip_code) or ""
        return Proposal(
            match_key=address.match_key,
            address=address,
            search=self._search.name,
            source=offer.source,
            listing_id=offer.listing_id,
            url=offer.url,
            photo_url=offer.photo_url,
            facts=offer.facts,
            doubt="; ".join(filter(None, (told, where))),
            first_seen_on=self._on,
        )

    def _turn(
        self, outcome: ListingOutcome | None = None, detail: str = ""
    ) -> SearchTurn:
        return SearchTurn(
            search=self._search.name,
            source=self._source.source,
            on=self._on,
            outcome=outcome,
            detail=detail,
        )

    def _end(self, outcome: ListingOutcome, detail: str) -> None:
        self.ended, at = (outcome, detail), self._context.stamp().at
        self._context.catalog.searches.end(self._turn(outcome, detail), at=at)
        told = f" ({detail})" if detail else ""
        name, source = self._search.name, self._source.source.value
        logger.info("search %s, %s: %s%s", name, source, outcome.value, told)


# --- deciding -------------------------------------------------------------------------


def ready(catalog: Catalog, *, today: date) -> list[Proposal]:
    """Return what searches may accept by themselves today, within their limits.

    One that does not fit any more, or that another house is like by now, is given this
    doubt, and a later row may settle it. So many are looked at as one tick can accept.
    """
    waiting = list(islice(_waiting(catalog, today=today), MOST_AT_ONCE))
    near = catalog.searches.near_houses([it.address for it, _ in waiting])
    found = []
    for proposal, criteria in waiting:
        told = misfit(proposal, criteria) or near.get(proposal.match_key)
        if told:
            catalog.searches.note_doubt(proposal.match_key, told)
        else:
            found.append(proposal)
    return found


def _waiting(catalog: Catalog, *, today: date) -> Iterator[tuple[Proposal, Criteria]]:
    """Yield what has no doubt yet, with what its search asks for."""
    book = catalog.searches
    for it in book.saved():
        if it.accept_per_day and not it.is_paused:
            for proposal in book.ready(it.name, on=today, per_day=it.accept_per_day):
                yield proposal, it.criteria


def accept_ready(catalog: Catalog, *, at: datetime, today: date) -> list[Accepted]:
    """Follow what searches accept by themselves, and ask for the run of each house.

    At most `MOST_AT_ONCE`: called again, it goes on. Killed half-way, too: a house is
    added once, its job is written once, and the proposal is decided last.
    """
    if not (proposals := ready(catalog, today=today)):
        return []
    done, slugs = [], _followed(catalog, proposals, at=at)
    for proposal, slug in zip(proposals, slugs, strict=True):
        job_id = _asked(catalog, slug, proposal, user=PHX, at=at) if slug else ""
        is_decided = catalog.searches.decide(
            proposal.match_key,
            # Removed since it was proposed: it stays so.
            ProposalState.ACCEPTED if slug else ProposalState.REJECTED,
            at=at,
            on=today,
            by_itself=True,
            house=slug,
        )
        if is_decided and slug:
            done.append(Accepted(proposal=proposal, slug=slug, job_id=job_id))
    return done


def _followed(
    catalog: Catalog, proposals: Sequence[Proposal], *, at: datetime
) -> list[str | None]:
    """Return the keys of the houses, all new ones added; None for those removed.

    Of a new one nothing is known: a run of it publishes the views.
    """
    slugs = catalog.searches.slugs_of([it.address for it in proposals])
    known = {slug: catalog.houses.find(slug) for slug in slugs if slug}
    removed = {slug for slug, it in known.items() if it and it.removed_at}
    new = [
        Property.at(it.address)
        for it, slug in zip(proposals, slugs, strict=True)
        if slug is None
    ]
    keys = _added(catalog, new, at=at) if new else {}
    return [
        None if slug in removed else slug or keys[it.match_key]
        for it, slug in zip(proposals, slugs, strict=True)
    ]


def _added(
    catalog: Catalog, houses: Sequence[Property], *, at: datetime
) -> dict[str, str]:
    """Add houses together; return their keys by match key."""
    done = catalog.houses.add(houses, at=at)
    keys = {it.address.match_key: it.slug for it in (*done.added, *done.revived)}
    return keys | {address.match_key: house.slug for address, house in done.known}


def _asked(
    catalog: Catalog, slug: str, proposal: Proposal, *, user: str, at: datetime
) -> str:
    """Ask for the run of a house; once for each time its proposal is decided."""
    last = proposal.decided_at or proposal.first_seen_on
    request = JobRequest(
        slugs=(slug,),
        user=user,
        origin=Origin.SEARCH,
        idempotency_key=f"proposal {slug} {last}"[:200],
    )
    return request_run(catalog, request, at=at)


def request_run(catalog: Catalog, request: JobRequest, *, at: datetime) -> str:
    """Write a job that asks for runs; return its id."""
    job_id = uuid4().hex[:12]
    return catalog.jobs.submit(job_id, request, at=at).job_id


def accept(context: StageContext, proposals: Sequence[Proposal]) -> list[Accepted]:
    """Follow houses that a person chose, whatever was doubted, and ask for their runs.

    One that was rejected or removed before is followed all the same. Of one that is
    followed nothing is asked.
    """
    stamp, done = context.stamp(), []
    for proposal in proposals:
        if proposal.state is ProposalState.ACCEPTED:
            slug = proposal.slug or proposal.address.slug
            done.append(Accepted(proposal=proposal, slug=slug))
            continue
        typed = Typed(text=str(proposal.address), house=Property.at(proposal.address))
        report = follow(context, [typed]).report
        houses = (*report.added, *report.revived, *(it.house for it in report.known))
        slug = houses[0].slug
        job_id = _asked(context.catalog, slug, proposal, user=context.who, at=stamp.at)
        context.catalog.searches.decide(
            proposal.match_key,
            ProposalState.ACCEPTED,
            at=stamp.at,
            on=stamp.today,
            house=slug,
        )
        done.append(Accepted(proposal=proposal, slug=slug, job_id=job_id))
    return done


def reject(context: StageContext, proposals: Sequence[Proposal]) -> list[Proposal]:
    """Reject houses for good; return those that waited until now."""
    stamp = context.stamp()
    return [
        it
        for it in proposals
        if context.catalog.searches.decide(
            it.match_key, ProposalState.REJECTED, at=stamp.at, on=stamp.today
        )
    ]
