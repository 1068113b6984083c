"""Which version an executable is, without starting a page."""

import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Final

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser import keeper

_PATIENCE_S: Final = 10.0
_MOST: Final = 200  # characters
_VERSION: Final = re.compile(r"\d+(?:\.\d+){3}")


@lru_cache
def version_line(executable: Path) -> str:
    """Return what `--version` prints, asked once per process; "" if nothing came."""
    try:
        return _asked(executable)
    except (OSError, subprocess.SubprocessError):
        return ""


def version_of(executable: Path) -> str:
    """Ask a Chromium for its version, such as `156.0.8078.79`; blocks.

    Raises:
        BrowserError: it does not say.
    """
    try:
        told = _asked(executable)
    except (OSError, subprocess.SubprocessError) as error:
        raise BrowserError(f"{executable} --version fails: {error}") from error
    if (found := _VERSION.search(told)) is None:
        raise BrowserError(f"{executable} is no Chromium: it does not tell a version")
    return found[0]


def _asked(executable: Path) -> str:
    """Run it without our settings, some of which hold passwords."""
    done = subprocess.run(  # noqa: S603 - the executable the user chose
        [str(executable), "--version"],
        env=keeper.inherited("PATH"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    return done.stdout.decode(errors="replace")[:_MOST]
