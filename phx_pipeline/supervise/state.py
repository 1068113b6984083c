"""What of a supervisor's services answers now, seen from another process."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from phx_pipeline.settings import Settings
from phx_pipeline.supervise.lock import Part, Running, lives, running


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The supervisor of a data folder, and which of its parts answer, by name."""

    running: Running
    answers: Mapping[str, bool]


def state(settings: Settings) -> State | None:
    """What runs for the data folder; None if nothing does.

    Of another computer's nothing can be seen but what it says itself.
    """
    found = running(settings)
    if found is None:
        return None
    answers = {part.name: found.is_here and _answers(part) for part in found.parts}
    return State(running=found, answers=answers)


def _answers(part: Part) -> bool:
    at = Path(part.address) if isinstance(part.address, str) else part.address
    if at is None:
        return lives(part.pid)
    from phx_pipeline.supervise.addresses import (  # noqa: PLC0415 - psutil
        listens,
    )

    return listens(at, pid=part.pid)
