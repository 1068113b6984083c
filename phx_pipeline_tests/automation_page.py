"""Dagster's page "Automation" as a person sees it: rows, last ticks and switches.

Written for the UI of Dagster 1.13. A row is found by where its name leads.
"""

from pathlib import Path

from playwright.sync_api import Error, Locator, Page, Request, expect

from phx_pipeline_tests.served import PATIENCE_S

SHOT = "automation.png"
_PATIENCE_MS = PATIENCE_S * 1000
_CLICKS, _CLICK_MS = 3, 20_000


def open_page(page: Page, *, url: str) -> None:
    """Open it, so high that all rows are there."""
    page.set_viewport_size({"width": 1280, "height": 920})
    page.goto(f"{url}/automation")
    expect(page.get_by_text("Select all")).to_be_visible(timeout=_PATIENCE_MS)


def names(page: Page) -> set[str]:
    """The schedules and sensors that have a row."""
    rows = page.locator("[data-index] a[href*='/phx_pipeline/s']").all()
    return {str(row.get_attribute("href")).rpartition("/")[2] for row in rows}


def row(page: Page, name: str) -> Locator:
    """The row of a schedule or sensor."""
    named = page.locator(f"a[href$='/schedules/{name}'], a[href$='/sensors/{name}']")
    return page.locator("[data-index]").filter(has=named)


def tells_last_tick(page: Page, name: str, *, why: str = "") -> None:
    """Wait until the row tells when its last tick was, and *why* it asked for nothing.

    The mouse stays over its mark. Before the first tick it tells that there is none.
    """
    told = page.get_by_text("Latest tick")
    page.mouse.move(0, 0)
    expect(told).to_have_count(0)
    row(page, name).locator("button[aria-haspopup='menu']").last.hover()
    expect(told).to_be_visible()
    expect(page.get_by_text(why).last).to_be_visible()


def switch(page: Page, name: str, *, on: bool) -> None:
    """Toggle a row, and wait until a page that is loaded anew shows it so."""
    box = row(page, name).get_by_role("checkbox").last
    expect(box).to_be_enabled()  # before, it shows nothing
    expect(box).to_be_checked(checked=not on)
    _click(page, row(page, name).locator("label").last)
    expect(box).to_be_checked(checked=on)
    expect(box).to_be_enabled()
    page.reload()
    expect(box).to_be_enabled()
    expect(box).to_be_checked(checked=on)


def _click(page: Page, switch: Locator) -> None:
    """Click until the page asks the server: a click amid a redraw is lost."""
    for _ in range(_CLICKS):
        try:
            with page.expect_request(_is_change, timeout=_CLICK_MS):
                switch.click()
        except Error:
            continue
        return


def _is_change(asked: Request) -> bool:
    return "mutation" in (asked.post_data or "")


def keep_shot(page: Page, folder: Path) -> None:
    """Save a picture of the page as it is."""
    page.screenshot(path=folder / SHOT, animations="disabled")
