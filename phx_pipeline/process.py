"""Processes of this host: when one began, and what each does once.

When it began tells a reused id from the same process. Who owns what under such a name
belongs to whoever writes the name.
"""

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper


def start_ticks(pid: int) -> int | None:
    """Clock ticks from boot to the start of *pid*; None if no such process lives.

    It is field 22 of /proc/PID/stat.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def once_a_process(tell: Callable[..., None]) -> "_lru_cache_wrapper[None]":
    """Call *tell* once for the same arguments, and anew in a process forked meanwhile.

    What its parent has told stands in the log of other runs.
    """
    told = lru_cache(tell)
    os.register_at_fork(after_in_child=told.cache_clear)
    return told
