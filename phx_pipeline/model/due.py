"""When a photo or a source is due: the one rule, asked by all that starts work.

`catalog.tables` says the same of a photo in SQL, in the same two parts; a test compares
them.
"""

from datetime import date, datetime, timedelta

from phx_pipeline.model.fault_days import MOST_FAULT_DAYS
from phx_pipeline.model.job import Mode
from phx_pipeline.model.moments import has_been
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.tally import SourceTally


def is_photo_due(photo: Photo, *, final_after_days: int) -> bool:
    """Whether a photo is to be asked for: its bytes, or better ones, may be had.

    Asking that gave no picture counts as a bad minute of the host until it has done so
    on *final_after_days* different days.
    """
    return is_due_anyway(photo) or 0 < open_fault_days(photo) < final_after_days


def is_due_anyway(photo: Photo) -> bool:
    """Whether a photo is due on however many days asking for it failed.

    A variant never asked for is; after that a held photo is not, nor one whose bytes
    are a card: asking again would give it again. One whose licence was withdrawn is
    never, until its source shows it again.
    """
    if photo.verdict is Verdict.WITHDRAWN:
        return False
    if photo.ref.url != photo.asked_url:
        return True
    if photo.verdict is Verdict.PENDING:
        return photo.sha256 is None
    lacks_picture = photo.verdict.gave_no_picture and photo.sha256 is None
    return photo.verdict.is_passing or (lacks_picture and photo.fault_days == 0)


def open_fault_days(photo: Photo) -> int:
    """On how many days asking gave no picture; 0 for a held photo, or without faults.

    The bytes of a smaller variant may be held.
    """
    return 0 if photo.verdict is Verdict.FOREIGN else photo.fault_days


def is_photo_asked(
    photo: Photo, *, mode: Mode, run_id: str, final_after_days: int
) -> bool:
    """Whether a run asks for a photo: when it is due, or the run is fresh.

    A fresh run asks once for every photo without bytes, final ones too, but for those
    of another house and those whose licence was withdrawn.
    """
    if photo.verdict is Verdict.WITHDRAWN:
        return False
    if is_photo_due(photo, final_after_days=final_after_days):
        return True
    again = mode is Mode.FRESH and photo.run_id != run_id
    return again and photo.sha256 is None and photo.verdict is not Verdict.FOREIGN


def faults_after(
    photo: Photo, verdict: Verdict, *, today: date
) -> tuple[int, date | None]:
    """Return `fault_days` and `faulted_on` after asking for *photo* ended so.

    Failures of one day count once, however many runs asked.
    """
    if verdict.is_passing or photo.verdict is Verdict.FOREIGN:
        return photo.fault_days, photo.faulted_on
    if not verdict.gave_no_picture:  # refused by our own guard: nothing was asked
        return 0, None
    if photo.faulted_on == today:
        return photo.fault_days, today
    return min(photo.fault_days + 1, MOST_FAULT_DAYS), today


def next_day(faulted_on: date | None, *, today: date) -> date:
    """The first day on which asking again counts, after photos failed on *faulted_on*.

    None is a day before days were noted; a day to come is one of a clock ahead.
    """
    return today + timedelta(days=1) if faulted_on == today else today


def is_source_due(
    tally: SourceTally | None,
    *,
    oldest: datetime,
    now: datetime,
    is_off: bool,
    is_lacking: bool = False,
) -> bool:
    """Whether a source is to be asked about a property.

    Args:
        tally: what it gave; None if it was never asked.
        oldest: final answers before that moment do not count.
        now: nor do those of a clock that was ahead.
        is_off: whether the user has switched it off.
        is_lacking: whether this machine lacks what it takes to ask it, such as a token.
    """
    if tally is None or tally.outcome is None:
        return True
    if tally.outcome is ListingOutcome.DISABLED and (is_off or not is_lacking):
        return not is_off
    if not tally.outcome.is_settled:
        return True
    at = tally.checked_at
    return at is None or at < oldest or not has_been(at, now=now)
