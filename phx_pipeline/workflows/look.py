"""The daily look: the houses that are due are looked at one by one, pages only.

A kill at any moment leaves all whole: answers are committed as they come, and the next
look goes on with what is left. What is due and when is decided in `model.look`, who
begins a look in `defs` and `cli`.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from uuid import uuid4

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.errors import (
    CatalogError,
    InputError,
    LeaseHeldError,
    RateLimitedError,
    StaleEpochError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.circuits import pages_try_s
from phx_pipeline.model.job import Origin
from phx_pipeline.model.look import (
    LOOK_LEASE,
    QUESTION_PAGES,
    SOON,
    DueHouse,
    Found,
    HouseLook,
    Looked,
    LookReport,
    Plan,
    Terms,
    Tries,
    calls_run,
    is_fresh,
    may_begin,
    plan,
)
from phx_pipeline.model.moments import moment
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.sources.registry import browsed_among
from phx_pipeline.sources.standing import standing_of
from phx_pipeline.stages.context import StageContext, working_on
from phx_pipeline.stages.look import look_at
from phx_pipeline.stages.surprise import known
from phx_pipeline.storage.demo_stores import ONLY_BY_DEMO, is_demo, off_words

logger = logging.getLogger(__name__)

_LEAST_S = 20.0  # a house takes as long at first sight
_LONGEST_TOLD = 300
_NONE = "no source is asked"


class Look:
    """One look, by a context whose run's name stands in the rows.

    Args:
        context: of the run.
        most_pages: what one source may be asked for on a day, by looks and searches.
        lasting: how long it may take; None for as long as it takes.
        ticks: seconds that pass, whatever the clock is set to.
    """

    def __init__(
        self,
        context: StageContext,
        *,
        most_pages: int,
        lasting: timedelta | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._used: Counter[Source] = Counter()
        opening = _counting(context.open_fetcher, self._count)
        # A house somebody works on is passed by, not waited for.
        self._context = replace(context, open_fetcher=opening, lease_wait_s=0)
        self._most = most_pages
        self._ticks = ticks
        self._ends_s = ticks() + lasting.total_seconds() if lasting else None
        self._longest_s = _LEAST_S
        self._day = context.stamp().today
        self._spent: set[Source] = set()
        self.report = LookReport()

    # --- what is to be looked at ---

    def all_due(self) -> Iterator[Looked]:
        """Look at all that is due, as long as there is time.

        Raises:
            LeaseHeldError: another look is at work; it goes on.
        """
        looks, now = self._context.catalog.looks, self._now()
        looks.begin_run(self._day, at=now, next_at=now + SOON)
        owner = process_owner(self._context.run_id)
        with self._context.catalog.leases.hold(LOOK_LEASE, owner=owner):
            found = self.plan()
            yield from self._judged(found.stale)
            for house in found.due:
                if ended := self._why_end():
                    self.report.ended = ended
                    break
                if not house.sources or self._askable(house):
                    yield self._one(house)
            self._end()

    def houses(self, slugs: Sequence[str]) -> Iterator[Looked]:
        """Look at these houses, due or not, one after the other."""
        terms, why_none = self.terms(), self._why_none()
        looks = self._context.catalog.looks
        try:
            for house in looks.seen(slugs):
                self._turn_day()
                asked = tuple(filter(terms.may_ask, terms.every_days))
                one = DueHouse(slug=house.slug, sources=asked, last=house.last)
                is_asked = asked and not why_none
                yield self._one(one) if is_asked else self._passed(one, why_none)
        finally:  # what was looked at until Ctrl-C counts
            looks.note(self._day, self._found(), at=self._now())
        left = self.report.counts[Found.PASSED_BY]
        told = "the others were passed by" if left else "all were looked at"
        self.report.ended = why_none or told

    def _why_none(self) -> str:
        """Why no source can be asked, whatever the house; empty if one can."""
        off = self._context.catalog.policies.switched_off()
        layout, told = self._context.layout, []
        for name, source in self._context.sources.items():
            standing = standing_of(source, is_named=True)
            if name not in off and standing.is_asked:
                return ""
            is_off = off_words(name.value, layout)
            told.append(f"{name} is {is_off if name in off else standing.sentence}")
        self.report.is_vain = True
        why = ONLY_BY_DEMO if is_demo(layout) else "; ".join(told)
        return f"no source is asked: {why}"

    def plan(self) -> Plan:
        """What is due now."""
        seen = self._context.catalog.looks.seen()
        return plan(seen, self.terms(), now=self._now())

    def note_waiting(self) -> None:
        """Have today's look go on with what waits, now that more may be asked for."""
        looks = self._context.catalog.looks
        today = looks.day(self._day)
        if today is None or not today.runs:
            return  # what begins the day plans it
        left = self.plan()
        next_at = self._now() if left.due else left.next_at
        waiting = left.waiting + len(left.due)
        looks.note_waiting(self._day, next_at=next_at, waiting=waiting)

    def terms(self) -> Terms:
        """What holds for all houses at this moment."""
        context = self._context
        among = every_days(context)
        asked = context.catalog.looks.pages(self._day)
        room = self._set_aside
        return Terms(
            day=self._day,
            every_days=among,
            lacking=context.lacking,
            rests=self._rests(),
            spent={it for it in among if asked.get(it, 0) + room > self._most},
        )

    # --- one house ---

    def _one(self, house: DueHouse) -> Looked:
        began_s = self._ticks()
        looked = self._looked(house, began=self._now())
        self._longest_s = max(self._longest_s, self._ticks() - began_s)
        self.report.add(looked)
        return looked

    def _passed(self, house: DueHouse, why_none: str) -> Looked:
        why = _NONE if why_none else self._why_not(house)
        passed = Looked(slug=house.slug, found=Found.PASSED_BY, detail=why)
        self.report.add(passed)
        return passed

    def _why_not(self, house: DueHouse) -> str:
        """Why none of the sources of a house can be asked now."""
        rests, most = self._rests(), self._most
        told = [
            f"{it} rests until {moment(rests[it].timestamp())}"
            if it in rests
            else f"{it} was asked for all {most} pages of today (PHX_DAILY_PAGES)"
            for it in every_days(self._context)
            if it in house.sources or not house.sources
        ]
        return "; ".join(told)

    def _looked(self, house: DueHouse, *, began: datetime) -> Looked:
        passed = Looked(slug=house.slug, found=Found.PASSED_BY)
        if worker := working_on(self._context, house.slug):
            return replace(passed, detail=f"{worker} works on it")
        asked = self._askable(house)
        try:
            sources = self._begin(house, asked, at=began)
        except InputError as error:
            return replace(passed, detail=str(error))
        if house.sources and not sources:
            return replace(passed, detail=self._why_not(house))
        try:
            seen = asyncio.run(self._in_time(house.slug, sources))
        except LeaseHeldError as error:
            self._put_back(house, sources)
            return replace(passed, detail=str(error))
        except Exception as error:  # noqa: BLE001 - the others are looked at
            return self._failed(house, error, sources, began=began)
        return self._ended(house, seen, sources, began=began)

    async def _in_time(self, slug: str, sources: Sequence[Source]) -> HouseLook:
        async with asyncio.timeout(self._left_s()):
            return await look_at(self._context, slug, sources)

    def _begin(
        self, house: DueHouse, asked: Sequence[Source], *, at: datetime
    ) -> tuple[Source, ...]:
        self._used.clear()
        if house.sources and not asked:
            return ()
        granted = self._context.catalog.looks.begin(
            house.slug,
            day=self._day,
            at=at,
            last=house.last,
            pages=dict.fromkeys(asked, self._set_aside),
            most=self._most,
        )
        self._spent |= {source for source in asked if source not in granted}
        return granted

    def _askable(self, house: DueHouse) -> list[Source]:
        """Its sources that neither rest nor gave all pages of today by now."""
        rests = self._rests()
        return [it for it in house.sources if it not in rests and it not in self._spent]

    def _ended(
        self,
        house: DueHouse,
        seen: HouseLook,
        sources: tuple[Source, ...],
        *,
        began: datetime,
    ) -> Looked:
        calls = calls_run(seen, last=house.last, day=self._day)
        called = calls and self._call(house.slug)
        fresh = self._news_of_fresh(house)
        self._end_house(
            house, seen.found, sources, began=began, called=calls, fresh=fresh
        )
        return Looked(
            slug=house.slug,
            found=seen.found,
            sources=sources,
            called=called,
            fresh=fresh,
            detail=", ".join(f"{it} {seen.outcomes[it]}" for it in seen.outcomes),
        )

    def _failed(
        self,
        house: DueHouse,
        error: Exception,
        sources: tuple[Source, ...],
        *,
        began: datetime,
    ) -> Looked:
        """Tell of one house; what ails the catalogue ails all, and is raised."""
        if isinstance(error, CatalogError) and not isinstance(error, StaleEpochError):
            raise error
        if not self._context.catalog.looks.seen([house.slug]):
            self._put_back(house, sources)
            passed = Looked(slug=house.slug, found=Found.PASSED_BY)
            return replace(passed, detail="it was removed meanwhile")
        told = printable(str(known(error) or error), most=_LONGEST_TOLD)
        told = told or type(error).__name__
        logger.warning("%s: the look failed: %s", house.slug, told)
        fresh = self._news_of_fresh(house)
        self._end_house(house, Found.FAILED, sources, began=began, fresh=fresh)
        return Looked(
            slug=house.slug,
            found=Found.FAILED,
            sources=sources,
            fresh=fresh,
            detail=told,
        )

    def _end_house(
        self,
        house: DueHouse,
        found: Found,
        sources: Sequence[Source],
        *,
        began: datetime,
        called: bool = False,
        fresh: bool | None = None,
    ) -> None:
        last = house.last
        before = last.tries if last and last.day == self._day else 0
        tries = Tries(
            day=self._day,
            tries=before + 1,
            began_at=began,
            found=found,
            called_on=self._day if called else (last.called_on if last else None),
            fresh=fresh if fresh is not None else (last.fresh if last else None),
        )
        looks, unused = self._context.catalog.looks, self._unused(sources)
        looks.end(house.slug, tries, day=self._day, unused=unused)

    def _put_back(self, house: DueHouse, sources: Sequence[Source]) -> None:
        """Forget that a look began: somebody else was first to work on the house."""
        looks, unused = self._context.catalog.looks, self._unused(sources)
        looks.end(house.slug, house.last, day=self._day, unused=unused)

    def _unused(self, sources: Sequence[Source]) -> dict[Source, int]:
        return {it: max(0, self._set_aside - self._used[it]) for it in sources}

    def _call(self, slug: str) -> bool:
        """Ask for a run of a house of its own, unless one waits."""
        job_id = f"look-{self._day:%Y%m%d}-{uuid4().hex[:12]}"
        at = self._context.stamp().at
        jobs = self._context.catalog.jobs
        return bool(jobs.call_on(job_id, [slug], at=at, origin=Origin.SENSOR))

    # --- the check `fresh` ---

    def _news_of_fresh(self, house: DueHouse) -> bool | None:
        seen = self._context.catalog.looks.seen([house.slug])
        if not seen:  # it was removed meanwhile
            return None
        fresh = is_fresh(seen[0].answers, self._judging)
        told = house.last.fresh if house.last else None
        return None if fresh is told else fresh

    @cached_property
    def _judging(self) -> Terms:
        return self.terms()

    def _judged(self, stale: Sequence[str]) -> Iterator[Looked]:
        for slug in stale:
            yield Looked(slug=slug, found=Found.UNCHANGED, fresh=False, judged=True)
            self._context.catalog.looks.note_fresh([slug], fresh=False)

    # --- besides ---

    def _end(self) -> None:
        left, now = self.plan(), self._now()
        was_cut = bool(self.report.ended)
        if left.due:  # passed by, where there was time for all
            next_at: datetime | None = now if was_cut else now + SOON
        else:
            next_at = left.next_at
        self.report.next_at = next_at
        self.report.waiting = left.waiting + len(left.due)
        self.report.ended = self.report.ended or self._why_none() or _ended(self.report)
        self._context.catalog.looks.end_run(
            self._day,
            self._found(),
            at=now,
            next_at=next_at,
            waiting=self.report.waiting,
        )

    def _found(self) -> list[Found]:
        return list(self.report.counts.elements())

    def _why_end(self) -> str:
        if self._context.stamp().today != self._day:  # it has a budget of its own
            return "its day is over"
        is_time = may_begin(self._left_s(), longest_s=self._longest_s)
        return "" if is_time else "time is up"

    def _left_s(self) -> float | None:
        return None if self._ends_s is None else self._ends_s - self._ticks()

    def _turn_day(self) -> None:
        """Have pages counted on the day they are asked for."""
        if (today := self._context.stamp().today) != self._day:
            self._day = today
            self._spent.clear()

    def _rests(self) -> dict[Source, datetime]:
        """Until when the pages of sources must not be asked for, by the run's clock."""
        context, now = self._context, self._now()
        now_s, rows = context.catalog.policies.source_states()
        states = {state.name: state for state in rows}
        browsed = () if context.lacks_browser else browsed_among(context.registered)
        found = {}
        for source in context.sources:
            at_s = pages_try_s(source, states, now_s=now_s, browsed=browsed)
            if at_s is not None and at_s > now_s:
                found[source] = now + timedelta(seconds=at_s - now_s)
        return found

    @property
    def _set_aside(self) -> int:
        return min(QUESTION_PAGES, self._most)

    def _now(self) -> datetime:
        return self._context.stamp().at

    def _count(self, request: Request) -> None:
        """Count a page before it is asked for; refuse it where the day has no more."""
        source, looks = request.source, self._context.catalog.looks
        if self._used[source] >= self._set_aside and not looks.take_page(
            source, self._day, self._most
        ):
            self._spent.add(source)
            told = f"all {self._most} pages of {source} of today are used up"
            raise RateLimitedError(f"{told} (PHX_DAILY_PAGES)", url=request.url)
        self._used[source] += 1


def _ended(report: LookReport) -> str:
    left = "all that may be looked at now was looked at"
    return left if report.waiting else "all that was due was looked at"


def every_days(context: StageContext) -> dict[Source, int]:
    """The sources that are asked, and how many days an answer of each counts."""
    off = context.catalog.policies.switched_off()
    return {
        name: source.look_every_days
        for name, source in context.sources.items()
        if name not in off
    }


class _Counting:
    """A fetcher that has each page counted before it is asked for."""

    def __init__(self, inner: Fetcher, count: Callable[[Request], None]) -> None:
        self._inner = inner
        self._count = count

    async def get(self, request: Request) -> Fetched:
        """As `Fetcher.get`, and what the counting raises."""
        if request.kind is not RequestKind.PHOTO:
            self._count(request)
        return await self._inner.get(request)

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


def _counting(
    inner: Callable[[str], Fetcher], count: Callable[[Request], None]
) -> Callable[[str], Fetcher]:
    return lambda slug: _Counting(inner(slug), count)
