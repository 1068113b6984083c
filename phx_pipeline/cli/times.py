"""Times as the commands show them to people: in Phoenix, and never without the zone."""

from datetime import UTC, datetime

from phx_pipeline.model.moments import PHOENIX


def phoenix_text(at: object) -> str:
    """Date and time of a moment, of seconds since 1970, or of what `iso_s` gave.

    Nothing for None: there was no such moment.
    """
    moment = _in_phoenix(at)
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}" if moment else ""


def phoenix_minute(at: object) -> str:
    """As `phoenix_text`, but without seconds: for tables of many columns."""
    moment = _in_phoenix(at)
    return f"{moment:%Y-%m-%d %H:%M %Z}" if moment else ""


def _in_phoenix(at: object) -> datetime | None:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    elif isinstance(at, float):
        at = datetime.fromtimestamp(at, UTC)
    return at.astimezone(PHOENIX) if isinstance(at, datetime) else None
