"""The system's Chromium, driven by Playwright; it reaches nothing but this machine."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

PATIENCE_MS = 60_000

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SWITCHES = (
    "--no-sandbox",  # it refuses to run as root otherwise
    "--disable-gpu",
    "--disable-dev-shm-usage",  # small in containers
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_NOTHING_ELSE = "MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium_page(
    executable: str, *, profile: Path, names: Sequence[str] = ()
) -> Iterator[Page]:
    """A page of a browser of its own, without a window.

    Args:
        executable: The browser.
        profile: A folder that must be new.
        names: They lead to this machine too.
    """
    rules = [*(f"MAP {name} 127.0.0.1" for name in names), _NOTHING_ELSE]
    switches = [*_SWITCHES, f"--host-resolver-rules={' , '.join(rules)}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, headless=True, args=switches
        )
        browser.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        try:
            yield browser.pages[0]
        finally:
            browser.close()
