"""A moment as people read it in a sentence: in the time of Phoenix, which it names."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_PHOENIX = ZoneInfo("America/Phoenix")


def moment_text(at_s: float) -> str:
    """Date and time of seconds since 1970, such as `2026-11-27 13:51:18 in Phoenix`."""
    moment = datetime.fromtimestamp(at_s, UTC).astimezone(_PHOENIX)
    return f"{moment:%Y-%m-%d %H:%M:%S} in Phoenix"
