"""The wall clock; whatever needs a time is handed it."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The wall clock, as an aware UTC time."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock that is handed to others
