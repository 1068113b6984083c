"""One look of the dispatcher: what ended is booked, what waits gets its turn.

Dagster is asked a fixed number of times, however many items there are. Whatever is
killed in between, and if two dispatchers look at once: each run key is launched once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from phx_pipeline.catalog.dispatch import CLAIM, DispatchBook
from phx_pipeline.jobs.fair import (
    Overtaken,
    Priorities,
    brought_forward,
    busy_houses,
    choose,
    overtaken,
    places_of,
    room_for,
)
from phx_pipeline.jobs.fates import (
    Runs,
    blocked,
    fate_of,
    is_left,
    is_to_be_made,
    is_unwanted,
    reopened,
)
from phx_pipeline.model.dispatch import Candidate, Claimed
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.job import JobItem, JobState, Mode
from phx_pipeline.model.run_queue import HASTENED, RunStates, SeenRun
from phx_pipeline.model.source import Source

_MOST_LOOKED_UP: Final = 500  # ended runs in one look: the others are for the next
_MOST_CLAIMS: Final = 50  # as many questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A run to ask Dagster for; `job_id` and `attempt` are those of its run key."""

    run_key: str
    job_id: str
    attempt: int
    slug: str
    user: str
    sources: tuple[Source, ...]
    mode: Mode
    isolation: IsolationMode | None
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What is to be done now: runs to launch, and the ids of runs that are there.

    `put` were created and are to come into the queue. `hasten` are to come sooner there
    than they would, with the numbers they get.
    """

    launches: tuple[Launch, ...] = ()
    cancel: tuple[str, ...] = ()
    put: tuple[str, ...] = ()
    hasten: Mapping[str, int] = field(default_factory=dict)
    cursor: str = ""


def tick(
    book: DispatchBook, states: RunStates, *, slots: int, cursor: str, at: datetime
) -> Ticked:
    """Look once at all jobs and runs.

    Args:
        book: the rows.
        states: Dagster's runs.
        slots: how many runs work at once.
        cursor: of the last look; empty at first.
        at: now.
    """
    # Dagster first: a run that is there now is there for every row read after.
    backfills = states.backfills()
    runs = states.open_runs()
    made, cursor = states.since(cursor)
    elsewhere = book.strangers(list({it.run_id: it for it in (*made, *runs)}.values()))
    book.adopt_backfills(backfills, at=at)
    book.adopt(elsewhere, at=at)
    under_way = {backfill.backfill_id for backfill in backfills}
    settle(book, states, runs=runs, backfills=under_way, at=at)
    _reopen(book, runs, at=at)
    cancel = unwanted(book, runs)
    left = [it for it in runs if is_left(it, backfills=under_way, at=at)]
    begun = {it.run_id for it in elsewhere if not it.is_repetition}
    cancel += [it.run_id for it in left if it.run_id in begun]
    put = [it.run_id for it in left if it.is_repetition and it.run_id not in cancel]
    launches, late = _next(book, runs, slots=slots, at=at)
    return Ticked(
        launches=tuple(launches),
        cancel=tuple(cancel),
        put=tuple(put),
        hasten=_forward(book, runs) | dict.fromkeys(late.hasten, HASTENED),
        cursor=cursor,
    )


def _forward(book: DispatchBook, runs: Sequence[SeenRun]) -> dict[str, int]:
    waiting = [run for run in runs if run.job_id and run.state is JobState.QUEUED]
    return brought_forward(waiting, book.of_runs(waiting))


def settle(
    book: DispatchBook,
    states: RunStates,
    *,
    runs: Sequence[SeenRun],
    backfills: Collection[str],
    at: datetime,
) -> None:
    """Book what became of the items whose runs were asked for.

    Args:
        book: the rows.
        states: asked for runs that are not among *runs*.
        runs: all that have not ended.
        backfills: the ids of those under way, asked for before *runs*.
        at: now.
    """
    items = [it for it in book.under_way() if not is_to_be_made(it, backfills)]
    there = Runs(runs)
    missing = [item for item in items if there.of(item) is None]
    unmade = [item for item in missing if item.is_to_be_made]
    missing = [item for item in missing if not item.is_to_be_made][:_MOST_LOOKED_UP]
    ended = _look_up(states, missing)
    looked_up = {item.run_key for item in (*missing, *unmade)}
    all_runs = Runs([*runs, *ended])
    before = [it for it in items if (run := there.of(it)) and run.run_id != it.run_id]
    # Dagster may lose it, or repeat what failed behind its end.
    last_seen = {item.run_id for item in (*missing, *before) if item.run_id}
    told = {run.run_id for run in ended if run.state.is_final}
    records = book.records(told | last_seen)
    fates = (
        fate_of(item, all_runs, records=records, backfills=backfills, at=at)
        for item in items
        if item.run_key in looked_up or there.of(item)
    )
    taken = _taken(states, [it for it in missing if all_runs.of(it) is None], at=at)
    ends = [blocked(item, at=at) for item in items if item.run_key in taken]
    book.book([*(fate for fate in fates if fate is not None), *ends], at=at)


def _look_up(states: RunStates, items: Sequence[JobItem]) -> list[SeenRun]:
    """The runs of items that are not among those that go on."""
    launched = [item for item in items if not item.is_adopted]
    adopted = {item.run_id for item in items if item.is_adopted and item.run_id}
    found: list[SeenRun] = []
    if launched:
        jobs = {item.run_job for item in launched}
        found += states.of_jobs(jobs, slugs={item.slug for item in launched})
    there = Runs(found)
    # A run of a property that was renamed since is known by its id alone.
    renamed = {it.run_id for it in launched if it.run_id and there.of(it) is None}
    if by_id := adopted | renamed:
        found += states.by_id(by_id)
    return found


def _taken(
    states: RunStates, items: Sequence[JobItem], *, at: datetime
) -> Collection[str]:
    """Of items without a run the run keys under which none can be launched.

    Only a claim that ran out tells so: until then the run may be about to be made.
    """
    overdue = {
        item.run_key
        for item in items
        if item.dispatched_at is None and item.asked_at and item.asked_at + CLAIM <= at
    }
    return states.taken(sorted(overdue)[:_MOST_CLAIMS]) if overdue else ()


def unwanted(book: DispatchBook, runs: Sequence[SeenRun]) -> list[str]:
    """Return the ids of those of *runs*, none of which has ended, that nobody wants."""
    items_of = _items_of(book, runs)
    return [run.run_id for run in runs if is_unwanted(_with(items_of, run), run)]


def _reopen(book: DispatchBook, runs: Sequence[SeenRun], *, at: datetime) -> None:
    """Open items again whose runs are repeated after their ends were booked."""
    items_of = _items_of(book, runs)
    fates = [reopened(_with(items_of, run), run) for run in runs]
    book.book([fate for fate in fates if fate is not None], at=at)


def _with(items_of: Mapping[str, list[JobItem]], run: SeenRun) -> list[JobItem]:
    """Its job may have been forgotten, or its property renamed."""
    return items_of.get(run.run_key or "") or items_of.get(run.run_id, [])


def _items_of(book: DispatchBook, runs: Sequence[SeenRun]) -> dict[str, list[JobItem]]:
    """The items by the key of their run; by its id if no job of ours asked for it."""
    found: dict[str, list[JobItem]] = {}
    for item in book.of_runs(runs):
        found.setdefault(item.run_key, []).append(item)
    for item in book.under_way():
        if item.run_id:  # of a run whose property has another key now there is no other
            found.setdefault(item.run_id, []).append(item)
    return found


def _next(
    book: DispatchBook,
    runs: Sequence[SeenRun],
    *,
    slots: int,
    at: datetime,
) -> tuple[list[Launch], Overtaken]:
    """Whose runs come next, and what is late of those in Dagster's queue."""
    late = overtaken(runs, at=at)
    most = room_for(runs, asked=0, slots=slots)
    if not most or not book.has_waiting():
        return [], late
    busy = busy_houses(runs)

    def chosen(
        waiting: Sequence[Candidate], asked: Sequence[Candidate]
    ) -> list[Candidate]:
        nonlocal late
        late = overtaken(runs, candidates=waiting, at=at)
        users = {each.run_key: each.user for each in asked}
        return choose(
            waiting,
            room=room_for(runs, asked=len(users), slots=slots),
            busy=busy | {each.slug for each in asked},
            places=places_of(
                {each.user for each in waiting},
                runs,
                asked=users.values(),
                slots=slots,
            ),
            late=None if asked else late,
        )

    claimed = book.claim(chosen, most=2 * most + len(busy), at=at)
    priorities = Priorities.of(runs)
    return [_launch(each, priorities) for each in claimed], late


def _launch(claimed: Claimed, priorities: Priorities) -> Launch:
    item = claimed.item
    return Launch(
        run_key=item.run_key,
        job_id=item.run_job,
        attempt=item.run_attempt,
        slug=item.slug,
        user=item.user,
        sources=claimed.sources,
        mode=claimed.mode,
        isolation=claimed.isolation,
        priority=HASTENED if claimed.is_late else priorities.next(item),
    )
