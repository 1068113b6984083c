"""What one run did to one property, told by its rows at the start and at the end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from phx_pipeline.model.job import JobCounts, JobItem, JobProperty, JobState, Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.source import Source, in_order

_SHOWN = frozenset({VerdictKind.KEPT, VerdictKind.DUPLICATE})


class RunOutcome(StrEnum):
    """How a run ended for one property.

    `INTERRUPTED` is never stored: it is a run without an end that a newer run of the
    property came after.
    """

    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    NOTHING = "nothing"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Change(StrEnum):
    """What a run did to a photo it saw or worked on; each falls into one bin."""

    NEW = "new"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    CONTENT_CHANGED = "content_changed"
    REJECTED = "rejected"
    FAILED = "failed"
    PENDING = "pending"


_OF_KIND: Mapping[VerdictKind, Change] = {
    VerdictKind.KEPT: Change.NEW,
    VerdictKind.DUPLICATE: Change.DUPLICATE,
    VerdictKind.REJECTED: Change.REJECTED,
    VerdictKind.FAILED: Change.FAILED,
    VerdictKind.PENDING: Change.PENDING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoState:
    """A photo row at one moment; of the start of a run only the first five are known.

    `run_id` is the run that touched it last, `image_id` the picture it shows.
    """

    source: Source
    photo_key: str
    verdict: Verdict
    present: bool
    sha256: str | None
    url: str = ""
    image_id: str | None = None
    detail: str = ""
    run_id: str = ""

    @property
    def key(self) -> PhotoKey:
        """The photo's identity within its property."""
        return (self.source, self.photo_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source last said of a property, when, and to which run."""

    source: Source
    outcome: ListingOutcome
    detail: str
    checked_at: datetime
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """What a run did with the photos of one source.

    `outcome` is None when the run did not ask the source; `removed` counts photos that
    are no longer in its gallery, and is not part of `discovered`. `seconds` is what
    asking for the listing took.
    """

    source: Source
    outcome: ListingOutcome | None = None
    detail: str = ""
    seconds: float | None = None
    counts: Mapping[Change, int] = field(default_factory=dict)
    removed: int = 0

    def count(self, change: Change) -> int:
        """Photos in one bin."""
        return self.counts.get(change, 0)

    @property
    def discovered(self) -> int:
        """Photos the run saw in the gallery or worked on: the sum of all bins."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What changed between the start and the end of a run, over all sources."""

    sources: tuple[SourceResult, ...] = ()
    new_image_ids: tuple[str, ...] = ()
    removed_urls: tuple[str, ...] = ()
    error_messages: tuple[str, ...] = ()

    def count(self, change: Change) -> int:
        """Photos in one bin, over all sources."""
        return sum(source.count(change) for source in self.sources)

    @property
    def discovered(self) -> int:
        """Photos the run saw or worked on."""
        return sum(source.discovered for source in self.sources)

    @property
    def removed(self) -> int:
        """Photos no longer in their galleries."""
        return sum(source.removed for source in self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run and one property; a running one has no result yet."""

    run_id: str
    slug: str
    address: str
    folder: str
    job_id: str | None
    mode: Mode
    started_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome
    error: str = ""
    result: RunResult = RunResult()

    @property
    def order(self) -> tuple[datetime, str]:
        """By start; the key breaks ties."""
        return (self.started_at, self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that is recorded of one run id: one property, or those of a command."""

    run_id: str
    records: tuple[RunRecord, ...]

    @property
    def started_at(self) -> datetime:
        """When it began with its first property."""
        return self.records[0].started_at

    @property
    def ended_at(self) -> datetime | None:
        """When its last property ended; None while one has no end."""
        ends = [record.ended_at for record in self.records]
        known = [end for end in ends if end is not None]
        return max(known) if len(known) == len(ends) else None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end."""
        ended = self.ended_at
        return (ended - self.started_at).total_seconds() if ended else None

    @property
    def outcome(self) -> RunOutcome:
        """The one outcome of all properties, else what keeps it from being whole."""
        found = {record.outcome for record in self.records}
        for outcome in (
            RunOutcome.RUNNING,
            RunOutcome.INTERRUPTED,
            RunOutcome.CANCELLED,
        ):
            if outcome in found:
                return outcome
        return found.pop() if len(found) == 1 else RunOutcome.PARTIAL


def runs_of(records: Iterable[RunRecord]) -> list[Run]:
    """Group records by run id; the run that began first comes first."""
    groups: dict[str, list[RunRecord]] = {}
    for record in sorted(records, key=lambda record: record.order):
        groups.setdefault(record.run_id, []).append(record)
    runs = [Run(run_id=run_id, records=tuple(rows)) for run_id, rows in groups.items()]
    return sorted(runs, key=lambda run: (run.started_at, run.run_id))


_ENDS: Mapping[RunOutcome, JobState] = {
    RunOutcome.COMPLETE: JobState.COMPLETED,
    RunOutcome.PARTIAL: JobState.PARTIAL,
    RunOutcome.NOTHING: JobState.FAILED,
}


def job_property(
    item: JobItem, *, address: str, folder: str, records: Sequence[RunRecord]
) -> JobProperty:
    """Tell where one property of a job is.

    Until its end is booked that follows from the newest run: one that failed or was
    told to end may be repeated, and one that was killed has no end of its own.

    Args:
        item: what is known of it apart from its runs.
        address: for display.
        folder: its folder.
        records: the runs made for it, the oldest first, of earlier attempts too.
    """
    newest = _deciding(item, [it for it in records if _is_of(item, it)])
    state = item.state or _state_of(item, newest)
    ended_at = item.ended_at or (newest.ended_at if newest else None)
    mine = [it for it in records if not _is_of_others(item, it)]
    times = [it.ended_at or it.started_at for it in mine]
    return JobProperty(
        slug=item.slug,
        address=address,
        folder=folder,
        state=state,
        run_id=newest.run_id if newest else item.run_id,
        error=item.error or (reason_of(newest, state) if newest else ""),
        counts=_job_counts(mine) if mine else JobCounts(),
        started_at=_began_at(records, ended_at if state.is_final else None),
        ended_at=ended_at if state.is_final else None,
        updated_at=max([*times, *([ended_at] if ended_at else [])], default=None),
        took_s=_took_s(newest, ended_at) if state.is_final else None,
    )


def _began_at(
    records: Sequence[RunRecord], ended_at: datetime | None
) -> datetime | None:
    """When the first run began; a run may begin behind the end that a cancel booked."""
    first = records[0].started_at if records else None
    return None if first and ended_at and first > ended_at else first


def _is_of_others(item: JobItem, record: RunRecord) -> bool:
    """Whether a run went on for other jobs when its item had been called off."""
    if item.state is not JobState.CANCELLED or item.ended_at is None:
        return False
    return record.ended_at is None or record.ended_at > item.ended_at


def _took_s(newest: RunRecord | None, ended_at: datetime | None) -> float | None:
    """Seconds of a run, to the end of its item where it has recorded none."""
    if newest is None or not (end := newest.ended_at or ended_at):
        return None
    return max(0.0, (end - newest.started_at).total_seconds())


def _is_of(item: JobItem, record: RunRecord) -> bool:
    """Whether a run is one of the item's present attempt."""
    return record.run_id == item.run_id or record.started_at >= item.requested_at


def _deciding(item: JobItem, records: Sequence[RunRecord]) -> RunRecord | None:
    """The newest run of an attempt, or the one that came to its end: that stays."""
    ended = (it for it in records if item.state is None and is_through(item, it))
    return next(ended, records[-1] if records else None)


def is_through(item: JobItem, record: RunRecord) -> bool:
    """Whether a run came to its end, and told so to everybody who looked.

    What fails or is cancelled behind that, as the pictures for Dagster's pages, takes
    nothing back, nor does a repetition of it. An item that shares the run may have been
    asked for later.
    """
    if record.outcome not in _ENDS or record.error or record.ended_at is None:
        return False
    return item.is_own or item.requested_at <= record.ended_at


def final_state(item: JobItem, record: RunRecord) -> JobState | None:
    """The end that a record tells, where it cannot change; None where it may.

    A run that was told to end is over only for who called it off: one that ended
    because the service was stopped is repeated.
    """
    if is_through(item, record):
        return _ENDS[record.outcome]
    is_ended = record.outcome is RunOutcome.CANCELLED and item.cancelled_at
    return JobState.CANCELLED if is_ended else None


def _state_of(item: JobItem, newest: RunRecord | None) -> JobState:
    if newest is None:
        return JobState.QUEUED if item.dispatched_at else JobState.PENDING
    if newest.outcome is RunOutcome.RUNNING:
        return JobState.IN_PROGRESS
    return final_state(item, newest) or JobState.RETRYING


def reason_of(record: RunRecord, state: JobState) -> str:
    """Why a property is in a state, by the record of its run; empty without a reason.

    What a run had met before somebody called it off did not end it.
    """
    if state is JobState.CANCELLED:
        return record.error if record.outcome is RunOutcome.CANCELLED else ""
    if state is JobState.COMPLETED:
        return ""
    return record.error or next(iter(record.result.error_messages), _not_asked(record))


def _not_asked(record: RunRecord) -> str:
    """Which sources could not be asked, and why, where that left a run with nothing."""
    if record.outcome is not RunOutcome.NOTHING:
        return ""
    off = ListingOutcome.DISABLED
    told = (it for it in record.result.sources if it.outcome is off)
    return "; ".join(
        it.detail if it.source.value in it.detail else _joined(it.source, it.detail)
        for it in told
    )


def _job_counts(records: Sequence[RunRecord]) -> JobCounts:
    return JobCounts(
        total=sum(_most_of_sources(records).values()),
        new=sum(record.result.count(Change.NEW) for record in records),
        duplicate=sum(record.result.count(Change.DUPLICATE) for record in records),
    )


def _most_of_sources(records: Sequence[RunRecord]) -> Mapping[Source, int]:
    """The most photos of each source that one run saw or worked on.

    Another attempt asks what is open alone, and sees nothing of what was settled.
    """
    most: dict[Source, int] = {}
    for source in (it for record in records for it in record.result.sources):
        most[source.source] = max(most.get(source.source, 0), source.discovered)
    return most


# --- telling what changed -------------------------------------------------------------


def compare(
    before: Iterable[PhotoState],
    now: Sequence[PhotoState],
    *,
    answers: Sequence[Answer],
    run_id: str,
    started_at: datetime,
) -> RunResult:
    """Return what a run did, from the rows of its property.

    Args:
        before: the photos when the run began.
        now: the photos at its end, in gallery order.
        answers: what each source last said.
        run_id: the run; an answer to another one was not asked for by it.
        started_at: when it began.
    """
    known = {photo.key: photo for photo in before}
    asked = [a for a in answers if a.run_id == run_id and a.checked_at >= started_at]
    seen = {answer.source for answer in asked if answer.outcome.saw_gallery}
    changes = [
        (photo, change)
        for photo in now
        if (change := _change(photo, known.get(photo.key), seen=seen, run_id=run_id))
    ]
    removed = [photo for photo in now if _is_removed(photo, known.get(photo.key))]
    return RunResult(
        sources=_by_source(asked, changes, removed, started_at=started_at),
        new_image_ids=tuple(
            str(photo.image_id) for photo, change in changes if change is Change.NEW
        ),
        removed_urls=tuple(photo.url for photo in removed),
        error_messages=(
            *(_open_answer(a) for a in asked if not a.outcome.is_settled),
            *(_failed_photo(p) for p, change in changes if change is Change.FAILED),
        ),
    )


def _change(
    now: PhotoState, before: PhotoState | None, *, seen: set[Source], run_id: str
) -> Change | None:
    """The bin of a photo; None if the run neither saw it nor did anything to it."""
    of_now = _OF_KIND[now.verdict.kind]
    was_shown = before is not None and before.verdict.kind in _SHOWN
    has_others = before is not None and now.sha256 not in {None, before.sha256}
    if was_shown and has_others:
        return Change.CONTENT_CHANGED
    if was_shown and now.verdict.kind in _SHOWN:
        # Kept or duplicate of another copy: the picture itself was there before.
        return _if_seen(now, Change.UNCHANGED, seen=seen)
    if before is None or before.verdict.kind is not now.verdict.kind:
        return of_now
    if now.verdict.kind is VerdictKind.FAILED and now.run_id == run_id:
        return of_now
    waits = now.verdict.kind is VerdictKind.PENDING
    return _if_seen(now, Change.PENDING if waits else Change.UNCHANGED, seen=seen)


def _if_seen(now: PhotoState, change: Change, *, seen: set[Source]) -> Change | None:
    return change if now.present and now.source in seen else None


def _is_removed(now: PhotoState, before: PhotoState | None) -> bool:
    return before is not None and before.present and not now.present


def _by_source(
    asked: Sequence[Answer],
    changes: Sequence[tuple[PhotoState, Change]],
    removed: Sequence[PhotoState],
    *,
    started_at: datetime,
) -> tuple[SourceResult, ...]:
    answers = {answer.source: answer for answer in asked}
    seconds = _seconds(asked, started_at=started_at)
    worked_on = {photo.source for photo, _ in changes} | {p.source for p in removed}
    return tuple(
        _result_of(
            source,
            answers.get(source),
            seconds=seconds.get(source),
            changes=[change for photo, change in changes if photo.source is source],
            removed=sum(photo.source is source for photo in removed),
        )
        for source in in_order({*answers, *worked_on})
    )


def _result_of(
    source: Source,
    answer: Answer | None,
    *,
    seconds: float | None,
    changes: Sequence[Change],
    removed: int,
) -> SourceResult:
    counts = {change: changes.count(change) for change in Change if change in changes}
    return SourceResult(
        source=source,
        outcome=answer.outcome if answer else None,
        detail=answer.detail if answer else "",
        seconds=seconds,
        counts=counts,
        removed=removed,
    )


def _seconds(asked: Sequence[Answer], *, started_at: datetime) -> dict[Source, float]:
    """What each source took: they are asked one after the other, from the start on."""
    found: dict[Source, float] = {}
    last = started_at
    for answer in sorted(asked, key=lambda answer: answer.checked_at):
        found[answer.source] = (answer.checked_at - last).total_seconds()
        last = answer.checked_at
    return found


def _open_answer(answer: Answer) -> str:
    return _joined(answer.source.value, answer.outcome.value, answer.detail)


def _failed_photo(photo: PhotoState) -> str:
    return _joined(photo.source.value, photo.verdict.value, photo.url, photo.detail)


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
