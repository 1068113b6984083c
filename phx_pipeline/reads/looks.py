"""The line of the daily look: when the last one was, what waits, and that none came.

Whether Dagster has the schedule switched on is not asked: it shows where a look that
was due did not begin.
"""

from datetime import datetime, timedelta
from typing import Final

from phx_pipeline.model.counted import counted
from phx_pipeline.model.cron import last_due
from phx_pipeline.model.look import LOOK_LEASE, LookDay, told_waiting
from phx_pipeline.model.moments import PHOENIX, moment
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.open_lines import why_none_asked

_NEXT: Final = "`phx up` begins one every morning, and `phx look` does it now"
_PATIENCE: Final = timedelta(minutes=15)
"""A run may wait for its turn, and the machine may have just started."""


def daily_look_line(reads: Reads, *, cron: str | None) -> str:
    """Tell of the looks of the last day that had any, and whether one is missing.

    Args:
        reads: what was looked at.
        cron: when a look begins by itself; None if it never does.
    """
    off = "" if cron else "off (PHX_LOOK_CRON); "
    return f"daily look: {off}{'; '.join(_told(reads, cron=cron))}"


def _told(reads: Reads, *, cron: str | None) -> list[str]:
    looks = reads.catalog.looks
    day, told = looks.last_day(), [_last(looks.last_day(with_houses=True))]
    if _is_at_work(reads):
        return [*told, "one is at work now"]
    if why_none_asked(reads):
        return [*told, "no house is looked at, since no source is asked, as told below"]
    if day is None:
        return [*told, _NEXT] if cron else told
    if cron and (missing := _missing(reads, day, cron=cron)):
        return [*told, missing]
    if day.runs:
        told.append(told_waiting(day.waiting, next_at=day.next_at))
    return told


def _last(day: LookDay | None) -> str:
    if day is None:
        return "there was none yet"
    at = moment((day.ended_at or day.began_at).timestamp())
    told = f"last on {at}, {counted(day.looked, 'look')} at houses that day"
    changes = f"{day.changed} of them found a change"
    return f"{told}, {changes}" if day.changed else told


def _is_at_work(reads: Reads) -> bool:
    lease = reads.catalog.leases.state(LOOK_LEASE)
    return lease is not None and lease.is_live


def _missing(reads: Reads, day: LookDay, *, cron: str) -> str:
    """Tell of a look that was due and did not begin; empty if there is none."""
    by = (reads.now() - _PATIENCE).astimezone(PHOENIX)
    due, since = last_due(cron, by=by), reads.catalog.looks.followed_since()
    had_one = day.runs and due and day.day >= due.date()
    if due and since and since < due and not had_one:
        return _did_not_begin(due, "daily_look")
    if day.next_at and day.next_at <= by and day.day == by.date():
        return _did_not_begin(day.next_at, "go_on_looking")
    return ""


def _did_not_begin(due: datetime, by: str) -> str:
    return (
        f"none began at {moment(due.timestamp())}, when it was due: is `phx up` "
        f"running, and `{by}` switched on, on Dagster's page Automation? `phx look` "
        "does it now"
    )
