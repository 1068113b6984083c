"""Whether this machine has a browser to ask by; none is started here."""

from importlib.util import find_spec

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.settings import Settings


def lacking_browser(settings: Settings) -> str:
    """Return why no browser can be asked here, for people; empty if one can."""
    if settings.browser == "off":
        return (
            "the browser is switched off (PHX_BROWSER); unset PHX_BROWSER, or set it "
            "to auto"
        )
    if not _has_nodriver():
        return "there is no browser to ask: the package nodriver is not installed"
    try:
        executable = find_chromium(settings.chromium)
    except BrowserError as error:
        return f"there is no browser to ask: {error}"
    if executable is None:
        return (
            "there is no browser to ask: install Chromium, or name its executable by "
            "PHX_CHROMIUM"
        )
    return ""


def _has_nodriver() -> bool:
    try:
        return find_spec("nodriver") is not None
    except (ImportError, ValueError):  # as who blocks imports would have it
        return False
