"""The daily look: which houses are due, in which order, and when again after a failure.

Decisions alone: nothing here asks a site, reads a table or knows Dagster. Days are
those of Phoenix. What a site said is told by `model.outcome`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.due import is_source_due
from phx_pipeline.model.moments import day_start, has_been, moment
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import SourceTally

LOOK_LEASE: Final = "look"
"""Held by who looks at all that is due: one look at a time."""
MOST_TRIES: Final = 3
"""How often a day a house is looked at."""
PAUSES: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
"""After the first, second and third look of a day that ended open."""
SOON: Final = timedelta(minutes=5)
"""When to come back to a house somebody works on, and after a look that was killed."""
QUESTION_PAGES: Final = 8
"""The most pages that asking one source for one house takes; set aside before."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Found(StrEnum):
    """How the look at one house ended."""

    UNDER_WAY = "under_way"  # or killed
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    OPEN = "open"
    FAILED = "failed"
    PASSED_BY = "passed_by"

    @property
    def is_to_repeat(self) -> bool:
        """Whether another look today may tell more, after a pause."""
        return self in {Found.UNDER_WAY, Found.OPEN, Found.FAILED}


# Of these the source itself is the reason: it rests, or refuses whatever house.
_OF_SOURCE: Final = frozenset(
    {
        ListingOutcome.BLOCKED,
        ListingOutcome.RATE_LIMITED,
        ListingOutcome.CIRCUIT_OPEN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The looks at one house on the last day it was looked at.

    `called_on` is when a look last asked for a run of its own; `fresh` what the check
    of that name was last told, None if nothing.
    """

    day: date
    tries: int
    began_at: datetime
    found: Found
    called_on: date | None = None
    fresh: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenHouse:
    """What the catalogue knows of a house: the last answers, and the last looks."""

    slug: str
    answers: Mapping[Source, SourceTally] = field(default_factory=dict)
    last: Tries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What holds for all houses of a look.

    Attributes:
        day: of the look.
        every_days: by source to be asked, how many days its answer counts.
        lacking: those of them that are asked for a part, for want of something.
        rests: until when sources must not be asked.
        spent: sources that may be asked for no more pages today.
    """

    day: date
    every_days: Mapping[Source, int]
    lacking: Collection[Source] = ()
    rests: Mapping[Source, datetime] = field(default_factory=dict)
    spent: Collection[Source] = ()

    def oldest(self, source: Source) -> datetime:
        """Answers of *source* from before that moment do not count."""
        return day_start(self.day - timedelta(days=self.every_days[source] - 1))

    def may_ask(self, source: Source) -> bool:
        """Whether the source may be asked at this moment."""
        return source not in self.rests and source not in self.spent


@dataclass(frozen=True, slots=True, kw_only=True)
class DueHouse:
    """A house to look at now; no sources where only a killed look is to be ended."""

    slug: str
    sources: tuple[Source, ...]
    last: Tries | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is due: now in order, and how many houses wait for how long.

    Attributes:
        due: to be looked at now, the first first.
        waiting: houses that are due today and cannot be looked at now.
        next_at: when the first of these may be; None if none may today.
        stale: houses whose check `fresh` is green, and whose answers got too old.
    """

    due: tuple[DueHouse, ...] = ()
    waiting: int = 0
    next_at: datetime | None = None
    stale: tuple[str, ...] = ()


def plan(houses: Iterable[SeenHouse], terms: Terms, *, now: datetime) -> Plan:
    """Decide which houses are looked at now, and when to come back.

    Houses without a look today come first, among them those whose answers are oldest:
    so who was not reached yesterday is first today.
    """
    oldest = {source: terms.oldest(source) for source in terms.every_days}
    due: list[tuple[int, datetime, DueHouse]] = []
    later: list[datetime] = []
    waiting, stale = 0, []
    for house in houses:
        if house.last and house.last.fresh and not is_fresh(house.answers, terms):
            stale.append(house.slug)
        wanted = sources_due(house.answers, terms, oldest=oldest, now=now)
        at = _when(house, wanted, terms, now=now)
        if at is not None and at <= now:
            asked = tuple(source for source in wanted if terms.may_ask(source))
            one = DueHouse(slug=house.slug, sources=asked, last=house.last)
            due.append((_tries_on(house, terms.day), _age(house, wanted), one))
        elif wanted:
            waiting += 1
            later += [at] if at else []
    due.sort(key=lambda it: (it[0], it[1], it[2].slug))
    return Plan(
        due=tuple(one for _, _, one in due),
        waiting=waiting,
        next_at=min(later, default=None),
        stale=tuple(stale),
    )


def sources_due(
    answers: Mapping[Source, SourceTally],
    terms: Terms,
    *,
    oldest: Mapping[Source, datetime],
    now: datetime,
) -> list[Source]:
    """The sources whose last settled answer is older than the look's day."""
    return [
        source
        for source in terms.every_days
        if is_source_due(
            answers.get(source),
            oldest=oldest[source],
            now=now,
            is_off=False,
            is_lacking=source in terms.lacking,
        )
    ]


def when_again(last: Tries | None, *, day: date, now: datetime) -> datetime | None:
    """When a house may be looked at on *day*; None if not on that day any more."""
    if last is None or not has_been(last.began_at, now=now):
        return _LONG_AGO
    if last.day >= day and last.tries >= MOST_TRIES:
        return None
    if not last.found.is_to_repeat or not last.tries:
        return _LONG_AGO
    return last.began_at + PAUSES[min(last.tries, len(PAUSES)) - 1]


def _when(
    house: SeenHouse, wanted: Sequence[Source], terms: Terms, *, now: datetime
) -> datetime | None:
    """When to look at a house: None if not today, or not before something changes."""
    was_killed = house.last is not None and house.last.found is Found.UNDER_WAY
    if not wanted and not was_killed:
        return None
    at = when_again(house.last, day=terms.day, now=now)
    if at is None or was_killed or any(map(terms.may_ask, wanted)):
        return at
    unspent = (terms.rests[it] for it in wanted if it not in terms.spent)
    return max(at, ends) if (ends := min(unspent, default=None)) else None


def _tries_on(house: SeenHouse, day: date) -> int:
    return house.last.tries if house.last and house.last.day == day else 0


def _age(house: SeenHouse, wanted: Iterable[Source]) -> datetime:
    known = (house.answers.get(source) for source in wanted)
    times = (it.checked_at if it else None for it in known)
    return min((at or _LONG_AGO for at in times), default=_LONG_AGO)


def is_fresh(answers: Mapping[Source, SourceTally], terms: Terms) -> bool:
    """Whether each source that is asked gave a settled answer, and none is overdue.

    An answer may be one day older than looks are apart: the next look is under way.
    """
    spare = timedelta(days=1)
    too_late = day_start(terms.day + 2 * spare)  # of a clock that was ahead
    return all(
        (said := answers.get(source)) is not None
        and said.outcome is not None
        and said.outcome.is_settled
        and said.checked_at is not None
        and terms.oldest(source) - spare <= said.checked_at < too_late
        for source in terms.every_days
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the sources say of a house, but for its facts.

    `rows` are where the listings are, and their photos; only whether they are the same
    is asked of them.
    """

    outcomes: Mapping[Source, ListingOutcome]
    rows: frozenset[tuple[object, ...]]

    def differs_from(self, before: "Said") -> bool:
        """Whether anything changed; that a source refuses, or does no more, is none."""
        if self.rows != before.rows:
            return True
        return any(
            _is_news(before.outcomes.get(source), after)
            for source, after in self.outcomes.items()
        )


def _is_news(before: ListingOutcome | None, after: ListingOutcome) -> bool:
    if after == before or after in _OF_SOURCE:
        return False
    return before not in _OF_SOURCE or not after.saw_gallery


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseLook:
    """What a look at one house saw.

    `outcomes` are those of all its sources, asked now or before; `wanting` counts
    photos that a run would ask for. `is_shown` tells that folder and views show all
    rows.
    """

    changed: bool
    outcomes: Mapping[Source, ListingOutcome]
    wanting: int
    is_shown: bool

    @property
    def is_open(self) -> bool:
        """Whether something is left to do for the house."""
        settled = all(it.is_settled for it in self.outcomes.values())
        return not settled or self.wanting > 0 or not self.is_shown

    @property
    def found(self) -> Found:
        """The same in one word; what a run does is no reason to look again."""
        if any(not it.is_settled for it in self.outcomes.values()):
            return Found.OPEN
        return Found.CHANGED if self.changed else Found.UNCHANGED


def calls_run(look: HouseLook, *, last: Tries | None, day: date) -> bool:
    """Whether a house gets a run of its own.

    It does when something changed, and once a day while it is open. A source that
    refuses or rests as a whole is no matter of one house: the looks try it again.
    """
    if look.changed:
        return True
    if last is not None and last.called_on == day:
        return False
    of_house = {
        it
        for it in look.outcomes.values()
        if not it.is_settled and it not in _OF_SOURCE
    }
    return bool(of_house) or look.wanting > 0 or not look.is_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What became of one house in a look.

    `called` tells that a run of its own was asked for. `fresh` is what the check of
    that name is to be told; None if it knows. A house that was `judged` alone was not
    looked at: its answers got too old.
    """

    slug: str
    found: Found
    sources: tuple[Source, ...] = ()
    called: bool = False
    fresh: bool | None = None
    detail: str = ""
    judged: bool = False


@dataclass(slots=True, kw_only=True)
class LookReport:
    """What a look did, growing while it goes on; `ended` tells why it ended.

    It `is_vain` where no source can be asked, whatever the house.
    """

    counts: Counter[Found] = field(default_factory=Counter)
    called: int = 0
    waiting: int = 0
    next_at: datetime | None = None
    ended: str = ""
    is_vain: bool = False

    def add(self, looked: Looked) -> None:
        """Count one house."""
        if not looked.judged:
            self.counts[looked.found] += 1
            self.called += looked.called

    @property
    def looked(self) -> int:
        """Houses that were looked at."""
        return self.counts.total() - self.counts[Found.PASSED_BY]


def may_begin(left_s: float | None, *, longest_s: float) -> bool:
    """Whether there is time for one more house, if it takes as long as any before.

    None is all the time there is.
    """
    return left_s is None or longest_s <= left_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LookDay:
    """What the looks of one day did together, those at named houses too.

    `runs` counts those at all that is due; `ended_at` is the end of the last one that
    looked at any house, and `next_at` when the next one is to go on,
    None if there is nothing to do until tomorrow. `waiting` are houses still to be
    looked at.
    """

    day: date
    runs: int
    began_at: datetime
    ended_at: datetime | None = None
    next_at: datetime | None = None
    looked: int = 0
    changed: int = 0
    open: int = 0
    failed: int = 0
    waiting: int = 0


def why_not_on(today: LookDay | None, *, now: datetime, is_at_work: bool) -> str:
    """Why no look is to go on now, for people; empty if one is."""
    if today is None or not today.runs:
        return "today's look has not begun: its schedule begins it"
    if is_at_work:
        return "a look is at work"
    if today.next_at is None:
        return "no house waits for a look today"
    return "" if today.next_at <= now else "the houses that wait are due later"


def told_waiting(waiting: int, *, next_at: datetime | None) -> str:
    """Tell how many houses wait for another look, and for how long."""
    if not waiting:
        return "none waits"
    when = f"from {moment(next_at.timestamp())} on" if next_at else "on the next day"
    return f"{counted(waiting, 'house')} still to be looked at, {when}"


def run_key(day: date, number: int) -> str:
    """The name of a day's look by which Dagster starts it once."""
    return f"look:{day.isoformat()}:{number}"


def next_number(cursor: str, *, today: LookDay) -> int:
    """The number of the next look of a day, by those that began and were asked for.

    *cursor* is what `cursor_of` gave the last time; empty at first.
    """
    day, _, number = cursor.partition(" ")
    asked = int(number) if day == today.day.isoformat() and number.isdecimal() else 0
    return max(asked, today.runs, 1) + 1


def cursor_of(day: date, number: int) -> str:
    """What a sensor remembers of the look it asked for."""
    return f"{day.isoformat()} {number}"


def summed(day: LookDay, found: Iterable[Found]) -> Iterator[tuple[str, int]]:
    """The counts of a day with those of one more look, by their names."""
    told = list(found)
    yield "looked", day.looked + sum(it is not Found.PASSED_BY for it in told)
    for name in (Found.CHANGED, Found.OPEN, Found.FAILED):
        yield name.value, getattr(day, name.value) + told.count(name)
