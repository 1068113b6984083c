"""The system's Chromium, driven by Playwright; it reaches nothing but this machine."""

import shutil
from collections.abc import Iterator
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
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium_page(executable: str, *, profile: Path) -> Iterator[Page]:
    """A page of a browser of its own, without a window; *profile* must be new."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, headless=True, args=list(_SWITCHES)
        )
        browser.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        try:
            yield browser.pages[0]
        finally:
            browser.close()
