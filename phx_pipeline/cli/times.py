"""Times as the commands show them to people: in Phoenix."""

from datetime import UTC, datetime

from phx_pipeline.model.moments import PHOENIX


def phoenix_text(at: object) -> str:
    """Date and time in Phoenix of seconds since 1970, or of what `iso_s` gave.

    Nothing for None: there was no such moment.
    """
    if isinstance(at, str):
        moment = datetime.fromisoformat(at)
    elif isinstance(at, float):
        moment = datetime.fromtimestamp(at, UTC)
    else:
        return ""
    return f"{moment.astimezone(PHOENIX):%Y-%m-%d %H:%M:%S}"


def zoned_text(at: object) -> str:
    """As `phoenix_text`, with the zone."""
    told = phoenix_text(at)
    return f"{told} MST" if told else ""
