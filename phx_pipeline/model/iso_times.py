"""Times for machines: ISO 8601 to the second. For people see `moments`."""

from datetime import UTC, datetime


def iso(at: datetime | None) -> str | None:
    """ISO 8601 with its zone; None stays None."""
    return at.isoformat(timespec="seconds") if at else None


def iso_s(at_s: float | None) -> str | None:
    """ISO 8601 in UTC of seconds since 1970; None stays None."""
    return None if at_s is None else iso(datetime.fromtimestamp(at_s, UTC))
