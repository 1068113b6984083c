"""A backfill done by hand: what a user clicks in Dagster's UI, and what is seen there.

What is clicked is found by its text, as a person finds it, and every step waits for
what it needs. Written for the UI of Dagster 1.13.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import FloatRect, Locator, Page, Request, expect

BACKFILL_PATIENCE_MS = 300_000
"""The daemon looks for new backfills only every 30 s, then the runs take their time."""

ASSETS = (
    "discovered_urls",
    "raw_images",
    "deduped_images",
    "categorized_images",
    "manifest",
)
_ENDED = re.compile("Succeeded|Failed|Canceled")
_ALL_PASSED = re.compile(r"(\d+) / \1 Passed")
_RESULTS = ("Failed", "Passed")
SHOTS = ("asset-graph.png", "backfill.png", "contact-sheet.png")
_CHECKED_ASSETS = 2  # of which the graph tells how many checks passed
_MARGIN = 24  # pixels left around what a picture shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the browser showed.

    Attributes:
        backfill_id: of the backfill the clicks made.
        completed: the rows of the backfill page, each an asset's name and counts.
        metadata: of the partition, by label; markdown as the text it renders to.
        sheet_px: width and height the browser decoded the contact sheet to.
        linked_px: the same of the picture that a click on its link opened.
        source: where the link to the code of `raw_images` leads.
        hosts: what the pages asked, such as `127.0.0.1`.
    """

    backfill_id: str
    completed: tuple[str, ...]
    metadata: dict[str, str]
    sheet_px: tuple[int, int]
    linked_px: tuple[int, int]
    source: str
    hosts: frozenset[str]


def backfill_by_hand(
    page: Page, *, url: str, partitions: Sequence[str], shots: Path
) -> Seen:
    """Materialize all assets for all *partitions*, and look at what came of it.

    Args:
        page: of a fresh browser.
        url: of the UI, without a path.
        partitions: all keys there are; the first one's results are opened.
        shots: folder for the pictures named in `SHOTS`.
    """
    hosts: set[str] = set()

    def note(asked: Request) -> None:
        if not asked.url.startswith("data:"):
            hosts.add(urlsplit(asked.url.removeprefix("blob:")).hostname or "")

    page.on("request", note)
    backfill_id = launch_backfill(page, url=url, count=len(partitions))
    completed = _completed(page, shot=shots / "backfill.png")
    _show_graph(page, url=url, count=len(partitions), shot=shots / "asset-graph.png")
    metadata = _metadata(page, url=url, partition=partitions[0])
    linked_px = _linked_sheet(page)
    sheet_px = _contact_sheet(page, shot=shots / "contact-sheet.png")
    return Seen(
        backfill_id=backfill_id,
        completed=completed,
        metadata=metadata,
        sheet_px=sheet_px,
        linked_px=linked_px,
        source=_source(page, url=url),
        hosts=frozenset(hosts),
    )


def houses_by_result(
    page: Page, *, url: str, check: str, partitions: Sequence[str]
) -> dict[str, list[str]]:
    """The partitions that the page of a check of `manifest` shows for each result.

    Args:
        page: of any browser.
        url: of the UI, without a path.
        check: its name.
        partitions: all keys there are; some have failed, all others passed.
    """
    page.set_viewport_size({"width": 1500, "height": 800})
    page.goto(f"{url}/assets/manifest?view=checks&checkDetail={check}")
    expect(page.get_by_text("Automation history")).to_be_visible()
    page.get_by_role("tab", name="Partitions").last.click()
    expect(_shown(page, partitions)).to_have_count(len(partitions))
    boxes = {result: page.get_by_text(_result(result)) for result in _RESULTS}
    counts = {result: _number(box.inner_text()) for result, box in boxes.items()}
    found = {}
    for result, other in (_RESULTS, reversed(_RESULTS)):
        boxes[other].click()  # those of the other result are hidden
        expect(_shown(page, partitions)).to_have_count(counts[result])
        listed = _shown(page, partitions).all()
        found[result] = sorted(str(one.get_attribute("title")) for one in listed)
        boxes[other].click()
        expect(_shown(page, partitions)).to_have_count(len(partitions))
    return found


def _result(name: str) -> re.Pattern[str]:
    # Until the results are there, all have none.
    return re.compile(rf"^{name} \([1-9]\d*\)$")


def _number(text: str) -> int:
    return int("".join(filter(str.isdigit, text)))


def _shown(page: Page, partitions: Sequence[str]) -> Locator:
    """The lines of the list with a filter; a page may name its partitions elsewhere."""
    keys = " or ".join(f"@title='{key}'" for key in partitions)
    listed = page.get_by_placeholder("Filter by partition").locator(
        f"xpath=ancestor::div[.//*[{keys}]][1]"
    )
    return listed.locator(f"xpath=.//*[{keys}]")


def _source(page: Page, *, url: str) -> str:
    """Where the link to the code of `raw_images` leads."""
    page.goto(f"{url}/assets/raw_images")
    link = page.get_by_role("link").filter(has_text="in editor")
    return str(link.get_attribute("href"))


def _of_houses(url: str) -> str:
    """Where the assets of each house are, without those that have no partitions."""
    return f"{url}/locations/phx_pipeline/asset-groups/property"


def launch_backfill(page: Page, *, url: str, count: int) -> str:
    """Click a backfill of all houses, of which there are *count*; return its id."""
    page.set_viewport_size({"width": 1280, "height": 620})
    page.goto(_of_houses(url))
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog").filter(has_text="Launch runs to materialize")
    dialog.get_by_role("button", name="All", exact=True).click()
    expect(dialog.get_by_text(f"{count} partitions").first).to_be_visible()
    dialog.get_by_role("button", name="Launch backfill").click()
    page.get_by_role("link", name="View", exact=True).click()
    page.wait_for_url("**/runs/b/*")
    page.mouse.move(0, 0)  # a message under the mouse stays for ever
    return page.url.rpartition("/")[2]


def _completed(page: Page, *, shot: Path) -> tuple[str, ...]:
    """Wait on the backfill's page until it tells of the end; return its rows."""
    status = page.get_by_text("Status", exact=True).locator("xpath=..")
    expect(status).to_contain_text(_ENDED, timeout=BACKFILL_PATIENCE_MS)
    expect(status).to_contain_text("Succeeded")
    expect(page.get_by_text("100% completed")).to_have_count(len(ASSETS))
    rows = [_row(page, asset) for asset in ASSETS]
    expect(page.get_by_text("Created backfill")).to_be_hidden()
    page.screenshot(path=shot)
    return tuple(rows)


def _row(page: Page, asset: str) -> str:
    """An asset's row of the backfill's page on one line, such as `x 100% completed 4`.

    The name is there twice, once cut to the room it has.
    """
    named = page.get_by_role("link", name=asset)
    row = named.locator("xpath=ancestor::*[contains(., '% completed')][3]")
    told = row.inner_text().split()
    return " ".join([asset, *(word for word in told if word != asset)])


def _show_graph(page: Page, *, url: str, count: int, shot: Path) -> None:
    """Go to the lineage of houses, so wide that its nodes tell their counts."""
    page.set_viewport_size({"width": 2200, "height": 620})
    page.goto(_of_houses(url))
    page.get_by_role("button", name="Hide navigation").click()
    for told in (f"{count} partitions", "100% filled"):
        expect(page.get_by_text(told, exact=True)).to_have_count(len(ASSETS))
    expect(page.get_by_text(_ALL_PASSED)).to_have_count(_CHECKED_ASSETS)
    page.screenshot(path=shot, clip=_around(page.locator("foreignObject")))


def _around(found: Locator) -> FloatRect:
    """The part of the page that holds all of *found*, with a margin."""
    boxes = [box for each in found.all() if (box := each.bounding_box())]
    left = min(box["x"] for box in boxes) - _MARGIN
    top = min(box["y"] for box in boxes) - _MARGIN
    right = max(box["x"] + box["width"] for box in boxes) + _MARGIN
    bottom = max(box["y"] + box["height"] for box in boxes) + _MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _metadata(page: Page, *, url: str, partition: str) -> dict[str, str]:
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{url}/assets/manifest?view=partitions")
    page.get_by_title(partition, exact=True).first.click()
    expect(page.get_by_text("[Show Markdown]")).to_be_visible()
    rows = page.get_by_role("row").filter(has=page.get_by_role("cell"))
    cells = [row.get_by_role("cell").all_inner_texts() for row in rows.all()]
    return {row[0].strip(): row[1].strip() for row in cells if len(row) > 1}


def _contact_sheet(page: Page, *, shot: Path) -> tuple[int, int]:
    """Open the sheet; return its size in pixels once the browser has decoded it."""
    page.get_by_text("[Show Markdown]").click()
    sheet = page.get_by_role("dialog").locator("img[src^='data:image/jpeg;base64,']")
    size = _decoded(sheet)
    page.screenshot(path=shot, animations="disabled")
    return size


def _linked_sheet(page: Page) -> tuple[int, int]:
    """Click the link to the large sheet; return the size of what a new tab shows."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="/sheets/").click()
    size = _decoded(opened.value.locator("img"))
    opened.value.close()
    return size


def _decoded(picture: Locator) -> tuple[int, int]:
    width, height = picture.evaluate(
        "async (e) => { await e.decode(); return [e.naturalWidth, e.naturalHeight]; }"
    )
    return width, height
