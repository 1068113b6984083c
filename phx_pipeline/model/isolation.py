"""How a browser is kept out of the way of whoever sits at the machine."""

from enum import StrEnum


class IsolationMode(StrEnum):
    """Where the browser's window is; the value is its name in the CLI and settings."""

    VIRTUAL = "virtual"  # on a display of its own in memory (Xvfb)
    SECONDARY = "secondary"  # on another screen or monitor than the first
    OFF_SCREEN = "off_screen"  # on this display, outside what is shown
    MINIMIZE = "minimize"  # as an icon; pages are not drawn, so lazy parts may not load
    NONE = "none"  # in sight
