"""The first thing each server runs: it makes the server end with its supervisor.

Started as a file, alone and without site-packages, it then becomes the server.
Nothing else belongs here: every start of a server waits for it.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become *command*, which is killed when the thread that started it ends."""
    # Dagster maps SIGTERM to whatever SIGINT does; a shell's `&` sets it to ignore,
    # and then the server could not be stopped. The new program starts with defaults.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before its end could be heard of
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - the supervisor's own commands


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
