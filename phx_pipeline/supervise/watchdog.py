"""Ends what a supervisor started, once that is gone without a goodbye.

A process of its own, `python -P -m phx_pipeline.supervise.watchdog`: the other end of
its standard input is held by the supervisor alone, so the kernel tells of its end
however it comes.
"""

import os
import sys
import time
from datetime import UTC, datetime

from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.supervise.strays import end, strays

GOODBYE = b"\n"


def watch(settings: Settings, *, pipe: int) -> list[int]:
    """Wait for a word or the end of *pipe*; return the processes that were ended."""
    if os.read(pipe, 1):
        return []
    ended: list[int] = []
    while found := strays(settings, of=settings.supervisor_id):
        ended += end(found)
    return ended


def main() -> None:
    """Watch for the supervisor that the environment names."""
    settings = load_settings()
    if settings.supervisor_id is None:  # else every supervisor's were ended
        sys.exit("PHX_SUPERVISOR_ID is not set: `phx up` starts this")
    if ended := watch(settings, pipe=sys.stdin.fileno()):
        at = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
        sys.stdout.write(f"{at} phx up was killed; ended what it left: {ended}\n")


if __name__ == "__main__":
    main()
