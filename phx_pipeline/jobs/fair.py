"""Whose turn it is: which waiting items come next into Dagster's queue, and how near.

Pure. The queue itself is Dagster's; what waits for it is `catalog.dispatch`'s.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

from phx_pipeline.model.dispatch import Candidate
from phx_pipeline.model.job import JobItem, JobState, Priority
from phx_pipeline.model.run_queue import HASTENED, SeenRun

WAITING_PER_SLOT: Final = 2
"""Runs of jobs that wait in Dagster's queue for each run that may be at work.

One takes the place of a run that ends, one more waits for the case that two end between
two looks of the dispatcher. What waits there keeps its place until it is late, or
somebody more urgent shares it.
"""

# A run that no job asked for, as of a backfill, has 0: it stands behind jobs of normal
# priority, and before those of low.
BASE: Final = {Priority.LOW: -100, Priority.NORMAL: 100, Priority.HIGH: 300}
_MOST_STEPS: Final = 99  # down from the base, so that the next lower one is not reached

LATE_AFTER: Final = timedelta(minutes=30)
"""How long more urgent ones may overtake what waits."""
_CLASSES: Final = (0, 1, 201)
"""The lowest numbers of runs without a job, and of those of normal and high jobs."""


def choose(
    candidates: Iterable[Candidate],
    *,
    room: int,
    busy: Collection[str],
    places: Mapping[str, int] | None = None,
    late: "Overtaken | None" = None,
) -> list[Candidate]:
    """Return at most *room* items whose turn it is, in order.

    The most urgent first; of these the user who was served longest ago, of his jobs the
    one that was, and in it the item that was named first. A run that two jobs share
    comes once.

    Args:
        candidates: what waits.
        room: how many there is room for.
        busy: properties with a run at work or in the queue. Dagster would not run two
            at once, and the second would only take a place in the queue.
        places: how many more runs of a user may wait; if not told, as many as there is
            room for.
        late: who may come first though more urgent ones wait; nobody if not told.
    """
    left = Counter(places or {})
    queues: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda it: it.position, reverse=True):
        queues.setdefault(candidate.job_id, []).append(candidate)
    turns = _Turns.of([queue[-1] for queue in queues.values()])
    taken = set(busy)
    chosen: list[Candidate] = []
    while len(chosen) < room:
        heads = [
            head
            for queue in queues.values()
            if (head := _head(queue, taken)) and (places is None or left[head.user] > 0)
        ]
        if not heads:
            break
        best = _late(heads, late, turns) if late and not chosen else None
        best = best or min(heads, key=turns.rank)
        left[best.user] -= 1
        taken.add(best.slug)
        turns.serve(best)
        chosen.append(best)
    return chosen


def _head(queue: list[Candidate], taken: Collection[str]) -> Candidate | None:
    """The first item of a job, the last of *queue*, whose property is not taken."""
    while queue and queue[-1].slug in taken:
        queue.pop()
    return queue[-1] if queue else None


def _late(
    heads: Sequence[Candidate], late: "Overtaken", turns: "_Turns"
) -> Candidate | None:
    """Of the late ones that others would overtake the one whose turn it is."""
    most = max(head.priority.rank for head in heads)
    found = [
        head for head in heads if head.priority.rank < most and late.has_turn(head)
    ]
    best = min(found, key=turns.rank_of_equals, default=None)
    return best and replace(best, is_late=True)


@dataclass(slots=True)
class _Turns:
    """When users and jobs were last served: the greater, the later."""

    of_user: dict[str, int] = field(default_factory=dict)
    of_job: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, heads: Iterable[Candidate]) -> "_Turns":
        turns = cls()
        for head in heads:
            turns.of_user[head.user] = head.user_turn
            turns.of_job[head.job_id] = head.job_turn
        return turns

    def rank(self, candidate: Candidate) -> tuple[object, ...]:
        return (-candidate.priority.rank, *self.rank_of_equals(candidate))

    def rank_of_equals(self, candidate: Candidate) -> tuple[object, ...]:
        return (
            self.of_user[candidate.user],
            self.of_job[candidate.job_id],
            candidate.created_at,
            candidate.job_id,
        )

    def serve(self, candidate: Candidate) -> None:
        turn = max(*self.of_user.values(), *self.of_job.values()) + 1
        self.of_user[candidate.user] = self.of_job[candidate.job_id] = turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """What has waited for so long that it comes next, whatever is more urgent.

    One run at a time: of several slots the others are for the urgent all the same, and
    where there is one slot late and urgent ones come in turn.

    Attributes:
        before: What was asked for until then is late; None if no more may come.
        queued: Jobs that have runs in Dagster's queue, which come first.
        hasten: The ids of the runs there that are to go before all others.
    """

    before: datetime | None = None
    queued: frozenset[str] = frozenset()
    hasten: tuple[str, ...] = ()

    def has_turn(self, candidate: Candidate) -> bool:
        """Whether an item that waits in the catalogue is late."""
        is_late = self.before is not None and candidate.requested_at <= self.before
        return is_late and candidate.job_id not in self.queued


def overtaken(
    runs: Sequence[SeenRun], *, candidates: Iterable[Candidate] = (), at: datetime
) -> Overtaken:
    """Tell what is late; nothing as long as one that was late waits or is at work.

    Args:
        runs: those that have not ended, the newest first.
        candidates: what waits in the catalogue.
        at: now.
    """
    before = at - LATE_AFTER
    waiting = [run for run in runs if run.state is JobState.QUEUED]
    ours = [run for run in waiting if run.job_id is not None]
    if any(run.job_id is not None and run.priority == HASTENED for run in runs):
        return Overtaken()
    urgent = _Urgent.of(waiting, candidates)
    late = [run for run in ours if run.created_at <= before and urgent.overtake(run)]
    if late:
        return Overtaken(hasten=(late[-1].run_id,))
    return Overtaken(before=before, queued=frozenset(it.job_id or "" for it in ours))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Urgent:
    """The most urgent that wait: the class of those of jobs, the number of others.

    Jobs of one class take turns; a run that no job asked for has no turn to wait for.
    """

    best_class: int
    best_number: int | None

    @classmethod
    def of(cls, waiting: Iterable[SeenRun], candidates: Iterable[Candidate]) -> Self:
        ours = [BASE[each.priority] for each in candidates]
        others: list[int] = []
        for run in waiting:
            (ours if run.job_id is not None else others).append(run.priority)
        return cls(
            best_class=max(map(_class_of, ours), default=0),
            best_number=max(others, default=None),
        )

    def overtake(self, run: SeenRun) -> bool:
        """Whether one of them comes before a run of a job that was there first."""
        is_passed = self.best_number is not None and run.priority < self.best_number
        return is_passed or _class_of(run.priority) < self.best_class


def brought_forward(
    runs: Iterable[SeenRun], items: Iterable[JobItem]
) -> dict[str, int]:
    """The new numbers of queued runs that somebody more urgent has come to share.

    Args:
        runs: those that have not ended.
        items: those that got them.
    """
    most: dict[str, int] = {}
    for item in items:
        if item.state is None and item.cancelled_at is None:
            number = BASE[item.priority]
            most[item.run_key] = max(number, most.get(item.run_key, number))
    return {
        run.run_id: number
        for run in filter(_waits, runs)
        if (number := most.get(run.run_key or "", run.priority))
        and _class_of(number) > _class_of(run.priority)
    }


def _class_of(number: int) -> int:
    return bisect_right(_CLASSES, number)


def room_for(runs: Iterable[SeenRun], *, asked: int, slots: int) -> int:
    """How many more runs of jobs Dagster's queue may get.

    Args:
        runs: those that have not ended.
        asked: runs that were asked for and are not seen yet.
        slots: how many runs work at once.
    """
    waiting = sum(
        run.job_id is not None and run.state is JobState.QUEUED for run in runs
    )
    return max(0, WAITING_PER_SLOT * slots - waiting - asked)


def places_of(
    users: Iterable[str],
    runs: Iterable[SeenRun],
    *,
    asked: Iterable[str],
    slots: int,
) -> dict[str, int]:
    """How many more runs of each user may wait in Dagster's queue.

    Nobody gets its last place beside runs of his own: so who comes when all slots are
    taken is in the queue before the next of them is free.

    Args:
        users: who asks.
        runs: those that have not ended.
        asked: the users of runs that were asked for and are not seen yet.
        slots: how many runs work at once.
    """
    most = WAITING_PER_SLOT * slots - 1
    waiting = Counter(
        run.user for run in runs if run.job_id and run.state is JobState.QUEUED
    )
    waiting.update(asked)
    return {user: most - waiting[user] for user in users}


def busy_houses(runs: Iterable[SeenRun]) -> set[str]:
    """The properties for which another run could not begin, or would only wait.

    Those of a backfill that wait are behind all jobs. A run that was only created is
    asked for again.
    """
    return {
        run.slug
        for run in runs
        if run.state is JobState.IN_PROGRESS
        or (run.job_id and run.state is JobState.QUEUED)
    }


def _waits(run: SeenRun) -> bool:
    """Whether a run of a job is in Dagster's queue."""
    return run.job_id is not None and run.state is JobState.QUEUED


@dataclass(frozen=True, slots=True)
class Priorities:
    """Dagster's number for each run that is launched: the greater comes first.

    It falls with the number of runs its user has: so of two users in turn one does not
    wait until the other has got all his. Runs of a job never overtake one another.
    """

    of_user: Counter[str]
    of_job: dict[str, int]

    @classmethod
    def of(cls, runs: Sequence[SeenRun]) -> "Priorities":
        """Take into account the *runs* that have not ended."""
        of_job: dict[str, int] = {}
        for run in runs:
            if _waits(run) and run.job_id is not None:
                lowest = of_job.get(run.job_id, run.priority)
                of_job[run.job_id] = min(lowest, run.priority)
        return cls(Counter(run.user for run in runs if run.user), of_job)

    def next(self, item: JobItem) -> int:
        """The number for the next run of a user and job, which counts from now on."""
        steps = min(self.of_user[item.user], _MOST_STEPS)
        number = BASE[item.priority] - steps
        self.of_user[item.user] += 1
        if item.is_own:  # who shares the run of another's job comes as himself
            number = min(number, self.of_job.get(item.job_id, number))
            self.of_job[item.job_id] = number
        return number
