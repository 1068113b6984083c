"""Which Chromium of this machine is asked; starting it is `launch`'s."""

import os
import shutil
from pathlib import Path

from phx_pipeline.errors import BrowserError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium(named: Path | None) -> Path | None:
    """Return the executable *named*, else the first of the usual names on the path.

    A snap is passed over: it runs apart from who started it, and could be left behind.

    Raises:
        BrowserError: the one named is no program, or a snap.
    """
    if named is not None:
        if not (named.is_file() and os.access(named, os.X_OK)):
            raise BrowserError(f"PHX_CHROMIUM: {named} is no program that can be run")
        if _is_snap(named):
            raise BrowserError(
                f"PHX_CHROMIUM: {named} is a snap, which may outlive the run that "
                "started it: name another one, such as Google's Chrome"
            )
        return named
    found = map(Path, filter(None, map(shutil.which, _NAMES)))
    return next((path for path in found if not _is_snap(path)), None)


def _is_snap(path: Path) -> bool:
    """Whether it is a snap's link, or Ubuntu's script that starts one."""
    if path.resolve().name == "snap":
        return True
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:  # a program that may be run, not read
        return False
    return start.startswith(b"#!") and b"/snap/bin/" in start
