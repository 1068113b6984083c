"""Which version an executable is, without starting a page."""

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final

_PATIENCE_S: Final = 10.0
_MOST: Final = 200  # characters


@lru_cache
def version_line(executable: Path) -> str:
    """Return what `--version` prints, asked once per process; "" if nothing came."""
    try:
        done = subprocess.run(  # noqa: S603  # the executable the user chose
            [executable, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace")[:_MOST]
