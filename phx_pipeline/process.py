"""When a process of this host began, which tells a reused id from the same process.

Who owns what under such a name belongs to whoever writes the name.
"""

from pathlib import Path


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
