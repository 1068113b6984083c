"""What our own processes tell those they start; nothing here is for people."""

from dataclasses import dataclass
from typing import Final

from phx_pipeline.settings.variables import Environment

SUPERVISOR_ID: Final = "PHX_SUPERVISOR_ID"  # marks what a supervisor starts
STANDINS: Final = "PHX_STANDINS"  # the demo's own processes ask stand-ins


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Processes:
    """Marks of processes that one of ours has started."""

    supervisor_id: str | None
    standins: str | None


def read_processes(given: Environment) -> Processes:
    """Read by whom this process was started."""
    return Processes(
        supervisor_id=given.get(SUPERVISOR_ID) or None,
        standins=given.get(STANDINS) or None,
    )
