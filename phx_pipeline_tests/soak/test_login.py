"""The UI behind the login in a browser: what a person sees, and what no page can do.

The pictures of it are kept in the folder that SHOTS_TO names, if it is set.
"""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.access import (
    ApiKey,
    AuditEntry,
    Role,
    digest_of,
    key_id_of,
    new_key,
)
from phx_pipeline.model.counted import counted
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline_tests.chromium import chromium_page, find_chromium
from phx_pipeline_tests.dagster_ui import SHOTS, Seen, backfill_by_hand
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots
from phx_pipeline_tests.hostile_page import (
    NAMES,
    REPORTED,
    attacks,
    changed_by_itself,
)
from phx_pipeline_tests.served import Served, served

CHROMIUM = find_chromium()

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

_HOUSES = [with_shots(HOUSES[0], 0, 2), with_shots(HOUSES[1], 2, 4, 6)]
_SLUGS = sorted(map(slug_of, _HOUSES))
_LOGIN_SHOTS = ("login.png", "login-refused.png", "logged-in.png", "reader.png")
_SOON_S = 5.0
# What Dagster itself lets who is logged in do, and the answer to doing it all the same.
_READER = """async () => {
  const ask = (query) => fetch('/graphql', {
    method: 'POST', headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query}),
  });
  const told = await (await ask('{permissions {permission value}}')).json();
  const wiped = await ask(
    'mutation {wipeAssets(assetPartitionRanges: []) {__typename}}');
  return [told.data.permissions.filter((it) => it.value), wiped.status];
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What somebody with a key saw, what strangers learned, and what was noted.

    `ended_s` is how long after its revocation the key still opened something.
    """

    running: Served
    seen: Seen
    shots: Path
    learned: dict[str, dict[str, object]]
    changed: object
    ended_s: float
    deeds: list[AuditEntry]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """A backfill clicked by an admin, attacks in the same browser, then the end."""
    root = tmp_path_factory.mktemp("visit")
    with served(root / "stores", redfin_sites(_HOUSES), houses=_HOUSES) as running:
        url, key = running.url, added(running.deployment, "ana", Role.ADMIN)
        reader = added(running.deployment, "eve", Role.READER)
        with chromium_page(
            str(CHROMIUM), profile=root / "profile", names=NAMES
        ) as page:
            log_in(page, url=url, key=key, shots=root)
            seen = backfill_by_hand(page, url=url, partitions=_SLUGS, shots=root)
            learned = attacks(page, url=url, partitions=_SLUGS)
            changed = changed_by_itself(page, url=url, partitions=_SLUGS)
            look_only(page, url=url, key=reader, shots=root)
            ended_s = shut_out(page, running.deployment, url=url)
        with running.deployment.context() as context:
            deeds = list(context.catalog.audit.entries(limit=100))
        keep(root)
        yield Visit(
            running=running,
            seen=seen,
            shots=root,
            learned=learned,
            changed=changed,
            ended_s=ended_s,
            deeds=deeds,
        )


def added(deployment: Deployment, name: str, role: Role) -> str:
    """Add a key; return its text."""
    text = new_key()
    digest = digest_of(text)
    key = ApiKey(
        id=key_id_of(digest), name=name, role=role, digest=digest, created_at=utc_now()
    )
    with deployment.context() as context:
        assert context.catalog.access.add(key)
    return text


def log_in(page: Page, *, url: str, key: str, shots: Path) -> None:
    """Go to a page, be sent to the login, mistype the key, then get to that page."""
    page.set_viewport_size({"width": 1280, "height": 620})
    expect_login(page, f"{url}/assets?view=a%20b")
    page.screenshot(path=shots / "login.png")
    page.get_by_label("Your key").fill(f"{key}x")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("This key is not known here.")
    page.screenshot(path=shots / "login-refused.png")
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/assets?view=a%20b")
    page.goto(f"{url}/login")
    expect(page.get_by_text("You are logged in as ana (admin).")).to_be_visible()
    page.screenshot(path=shots / "logged-in.png")


def expect_login(page: Page, url: str) -> None:
    """Open a page until the keys that were made a moment ago count."""
    expect(page.get_by_label("Your key")).to_have_count(0)
    deadline = time.monotonic() + _SOON_S
    while "/login?next=" not in page.url and time.monotonic() < deadline:
        page.goto(url)
    expect(page.get_by_label("Your key")).to_be_focused()


def look_only(page: Page, *, url: str, key: str, shots: Path) -> None:
    """Log out, come in as a reader, and learn what Dagster's pages learn of that."""
    page.goto(f"{url}/login")
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Your key").fill(key)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda at: "/login" not in at)
    page.goto(f"{url}/asset-groups")
    expect(page.get_by_role("button", name="Materialize all")).to_be_disabled()
    page.screenshot(path=shots / "reader.png")
    allowed, wiped = page.evaluate(_READER)
    assert allowed == []
    assert wiped == 403


def shut_out(page: Page, deployment: Deployment, *, url: str) -> float:
    """Revoke the key of who is in; return after how many seconds that counts."""
    with deployment.context() as context:
        context.catalog.access.revoke("eve", at=utc_now())
    began = time.monotonic()
    while "/login?next=" not in page.url:
        page.goto(f"{url}/runs")
    return time.monotonic() - began


def keep(shots: Path) -> None:
    if folder := os.environ.get("SHOTS_TO"):
        for name in (*_LOGIN_SHOTS, *SHOTS):
            shutil.copy(shots / name, folder)


def test_the_pages_show_what_they_show_without_a_login(visit: Visit) -> None:
    seen = visit.seen

    assert len(seen.completed) == 5
    assert min(seen.sheet_px) > 50
    assert seen.linked_px[0] > 2 * 240
    assert int(seen.metadata["discovered"]) == 3
    assert seen.hosts == {"127.0.0.1"}


def test_what_is_launched_by_clicks_is_told_with_its_user(visit: Visit) -> None:
    tags = {"dagster/backfill": visit.seen.backfill_id}
    runs = visit.running.instance.get_runs(dg.RunsFilter(tags=tags))

    assert [run.tags["phx/user"] for run in runs] == ["ana"] * len(_SLUGS)
    (launch,) = [it for it in visit.deeds if it.action == "ui.launch"]
    houses = counted(len(_SLUGS), "house")
    assert launch.user == "ana"
    assert launch.detail.startswith(f"launchPartitionBackfill: {houses}, 5 assets (")
    assert sorted(launch.target.split(", ")) == sorted(_SLUGS)
    actions = {it.action for it in visit.deeds}
    assert {"login", "login.refused", "ui.launch"} <= actions
    assert {it.user for it in visit.deeds} == {"", "ana", "eve"}


def test_pages_of_others_change_nothing_for_who_is_logged_in(visit: Visit) -> None:
    instance = visit.running.instance

    assert visit.changed == {
        "status": 200,
        "answer": {"data": {"mark": True}},
        "socket": True,
    }
    assert instance.event_log_storage.get_concurrency_keys() == {"own page"}
    assert len(instance.get_backfills()) == 1
    assert set(_SLUGS) <= set(instance.get_dynamic_partitions("property"))
    assert not instance.has_asset_key(dg.AssetKey(REPORTED))
    fetched = {
        told
        for learned in visit.learned.values()
        for way, told in learned.items()
        if way.startswith("fetch")
    }
    assert fetched <= {"TypeError", "error", "basic 421"}


def test_a_revoked_key_is_out_within_seconds(visit: Visit) -> None:
    assert visit.ended_s < _SOON_S
