"""The page "Automation" in a browser, and a backfill amid the look of its schedule.

The picture of it is kept in the folder that SHOTS_TO names, if it is set.
"""

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from playwright.sync_api import Page

from phx_pipeline.definitions import build_definitions
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.sources.redfin.standin import PAGE_HOST
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.automation_page import (
    SHOT,
    keep_shot,
    names,
    open_page,
    switch,
    tells_last_tick,
)
from phx_pipeline_tests.bench.screenshots import shrink
from phx_pipeline_tests.chromium import chromium_page, find_chromium
from phx_pipeline_tests.dagster_ui import launch_backfill
from phx_pipeline_tests.deployment import Deployment, slug_of, with_shots
from phx_pipeline_tests.served import Served, serving, wait_for

CHROMIUM = find_chromium()

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

_HOUSES = [with_shots(house, 0, 2, 4) for house in HOUSES]
_SLUGS = sorted(map(slug_of, _HOUSES))
_UP_S = 240  # until then all is up, the page was seen, and the schedules come
_PAGE_S = 8.0
_PATIENCE_S = 900.0


@dataclass(slots=True, kw_only=True)
class Slow:
    """A site whose pages take long until somebody says that it is enough."""

    pages: Handler
    is_enough: bool = False
    asked: Counter[str] = field(default_factory=Counter)

    def __call__(self, asked: Asked) -> Answer:
        self.asked[asked.target] += 1
        if not self.is_enough:
            time.sleep(_PAGE_S)
        return self.pages(asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Automated:
    """What runs, its browser, and the site that is asked."""

    running: Served
    page: Page
    site: Slow

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.running.instance

    def runs(self, **filters: object) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(**filters)))  # type: ignore[arg-type]  # by name

    def is_switched_on(self, name: str) -> bool:
        states = {it.name: it for it in self.instance.all_instigator_state()}
        return name not in states or states[name].is_running


@contextmanager
def automated(root: Path) -> Iterator[Automated]:
    """Houses, all schedules due in a moment, and a browser on Dagster's pages."""
    soon = datetime.now(PHOENIX) + timedelta(seconds=_UP_S)
    cron = f"{soon.minute} {soon.hour} * * *"
    sites = redfin_sites(_HOUSES)
    site = Slow(pages=sites[PAGE_HOST])
    crons = dict.fromkeys(("look_cron", "search_cron", "digest_cron"), cron)
    with Deployment(
        root / "stores", sites | {PAGE_HOST: site}, webserver_port=free_port(), **crons
    ) as made:
        made.add_houses(_HOUSES)
        with (
            serving(made) as running,
            chromium_page(str(CHROMIUM), profile=root / "profile") as page,
        ):
            yield Automated(running=running, page=page, site=site)


def test_all_tick_on_the_page_and_a_backfill_amid_a_look_harms_nothing(
    tmp_path: Path,
) -> None:
    with automated(tmp_path) as it:
        open_page(it.page, url=it.running.url)
        assert names(it.page) == _defined()
        toggle(it, "go_on_looking")

        (look,) = wait_for(lambda: looks_at_work(it), patience_s=_PATIENCE_S)
        backfill_id = launch_backfill(it.page, url=it.running.url, count=len(_SLUGS))
        tags = {"dagster/backfill": backfill_id}
        wait_for(lambda: begun(it, tags), patience_s=_PATIENCE_S)
        still_looks = not it.runs(run_ids=[look.run_id])[0].is_finished
        it.site.is_enough = True
        wait_for(lambda: all_ended(it, tags), patience_s=_PATIENCE_S)

        open_page(it.page, url=it.running.url)
        for name in sorted(_defined()):
            tells_last_tick(it.page, name)
        tells_last_tick(it.page, "daily_search", why="no search is saved")
        tells_last_tick(it.page, "repeat_lost_runs", why="no run was lost")
        keep_shot(it.page, tmp_path)

        assert still_looks
        assert look.tags["dagster/schedule_name"] == "daily_look"
        assert {run.status for run in it.runs()} == {dg.DagsterRunStatus.SUCCESS}
        assert sorted(run.tags["dagster/partition"] for run in it.runs(tags=tags)) == (
            _SLUGS
        )
        expect_whole(it)
    keep(tmp_path / SHOT)


def _defined() -> set[str]:
    """The schedules and sensors that there are."""
    defined = build_definitions().get_repository_def()
    schedules = {it.name for it in defined.schedule_defs}
    return schedules | {it.name for it in defined.sensor_defs}


def toggle(it: Automated, name: str) -> None:
    """Switch off and on again what goes on by itself."""
    assert it.is_switched_on(name)
    switch(it.page, name, on=False)
    assert not it.is_switched_on(name)
    switch(it.page, name, on=True)
    assert it.is_switched_on(name)


def looks_at_work(it: Automated) -> list[dg.DagsterRun] | None:
    """The look that the schedule has begun; None before."""
    return (
        it.runs(job_name="look_at_houses", statuses=[dg.DagsterRunStatus.STARTED])
        or None
    )


def begun(it: Automated, tags: dict[str, str]) -> bool | None:
    """Whether a run of the backfill works; None before."""
    return bool(it.runs(tags=tags, statuses=[dg.DagsterRunStatus.STARTED])) or None


def all_ended(it: Automated, tags: dict[str, str]) -> bool | None:
    """Whether the backfill and whatever else was asked for have ended; None before."""
    with it.running.deployment.context() as context:
        waiting = context.catalog.statistics.open_jobs().jobs
    runs = it.runs()
    are_all = len(it.runs(tags=tags)) == len(_SLUGS)
    return (are_all and not waiting and all(run.is_finished for run in runs)) or None


def expect_whole(it: Automated) -> None:
    """Each house is complete, and nobody was asked for more than was needed."""
    made = it.running.deployment
    with made.context() as context:
        assert [tally.slug for tally in context.tallies() if tally.is_complete] == (
            _SLUGS
        )
    verified = made.phx("verify")
    assert verified.returncode == 0, verified.stdout
    # A house is asked about once by the look, and once by its run.
    assert max(it.site.asked.values()) <= 2
    photos = Counter(made.photos_asked())
    assert set(photos.values()) == {1}


def keep(shot: Path) -> None:
    if folder := os.environ.get("SHOTS_TO"):
        shrink(Path(shutil.copy(shot, folder)))
