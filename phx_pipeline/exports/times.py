"""Times as the predecessor wrote them: ISO 8601, microseconds, Phoenix's offset."""

from datetime import datetime

from phx_pipeline.model.moments import PHOENIX


def phoenix_time(at: datetime) -> str:
    """Return *at* as text.

    Raises:
        ValueError: a time without a UTC offset.
    """
    # A naive time would be read in the zone of the machine: other bytes elsewhere.
    if at.utcoffset() is None:
        raise ValueError(f"time {at} has no UTC offset; pass aware times")
    return at.astimezone(PHOENIX).isoformat(timespec="microseconds")


def phoenix_time_or_none(at: datetime | None) -> str | None:
    """Return *at* as text, or None where there is no time."""
    return None if at is None else phoenix_time(at)


def phoenix_digits(at: datetime) -> str:
    """Return *at* as `YYYYMMDD_HHMMSS`, as names of files have it."""
    seconds = phoenix_time(at)[: len("2025-12-04T20:39:49")]
    return seconds.replace("-", "").replace(":", "").replace("T", "_")
