"""How much a user may ask for.

Limits hold for who comes with a key, never for the local user: whoever asks for a job
for others says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from phx_pipeline.errors import QuotaError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.moments import span_text
from phx_pipeline.model.usage import Usage

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one user may ask for; 0 means that there is no limit."""

    jobs_per_hour: int = 0
    jobs_per_day: int = 0
    jobs_at_once: int = 0
    images_per_day: int = 0


def refuse_too_much(
    limits: Limits, usage: Usage, *, at: datetime, more: int = 1
) -> None:
    """Refuse jobs that would be more than a user may ask for.

    Args:
        limits: of the user.
        usage: of the last day, without the new jobs.
        at: now.
        more: how many new jobs are asked for.

    Raises:
        QuotaError: tells the limit, its setting, and when to ask again.
    """
    for most, within, name in (
        (limits.jobs_per_hour, _HOUR, "PHX_JOBS_PER_HOUR"),
        (limits.jobs_per_day, _DAY, "PHX_JOBS_PER_DAY"),
    ):
        _refuse_often(most, usage.asked_at, within=within, name=name, at=at, more=more)
    _refuse_many(limits.jobs_at_once, usage.open_jobs, more=more)
    if limits.images_per_day and usage.images >= limits.images_per_day:
        raise QuotaError(
            f"your jobs found {usage.images} new photos within a day, and "
            f"{limits.images_per_day} are allowed (PHX_IMAGES_PER_DAY): ask again "
            "later",
            retry_after_s=_HOUR.total_seconds(),
        )


def _refuse_many(most: int, open_jobs: int, *, more: int) -> None:
    if not most or open_jobs + more <= most:
        return
    told = f"{counted(open_jobs, 'job')} of yours have not ended, and "
    if more > 1:
        told += f"you ask for {more} more at once: "
    remedy = "ask for fewer" if more > most else "wait until one ends, or cancel one"
    raise QuotaError(f"{told}{most} may be open at once (PHX_JOBS_AT_ONCE): {remedy}")


def _refuse_often(
    most: int,
    asked_at: Sequence[datetime],
    *,
    within: timedelta,
    name: str,
    at: datetime,
    more: int,
) -> None:
    recent = sorted(each for each in asked_at if each > at - within)
    if not most or len(recent) + more <= most:
        return
    hours = counted(round(within / _HOUR), "hour")
    asked = f"you asked for {counted(len(recent), 'job')} within {hours}, and "
    if more > 1:
        asked += f"ask for {more} more at once: "
    if more > most:
        raise QuotaError(f"{asked}{most} are allowed ({name}): ask for fewer")
    frees_at = recent[len(recent) + more - most - 1] + within
    wait_s = max(1.0, (frees_at - at).total_seconds())
    raise QuotaError(
        f"{asked}{most} are allowed ({name}): ask again in {span_text(wait_s)}",
        retry_after_s=wait_s,
    )
