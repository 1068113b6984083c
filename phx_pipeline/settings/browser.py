"""Whether there is a browser, which, and where its window is."""

from dataclasses import dataclass
from pathlib import Path

from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.settings.variables import Environment, choice, file

_BROWSERS = ("auto", "off")
_ISOLATIONS = tuple(mode.value for mode in IsolationMode)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Browser:
    """The browser that pages are asked for in."""

    browser: str
    chromium: Path | None
    isolation: IsolationMode


def read_browser(given: Environment) -> Browser:
    """Read which browser is used."""
    return Browser(
        browser=choice(given, "BROWSER", among=_BROWSERS),
        chromium=file(given, "CHROMIUM"),
        isolation=IsolationMode(choice(given, "ISOLATION", among=_ISOLATIONS)),
    )
