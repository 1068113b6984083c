"""A fortnight of four houses at two sites, whose captured pages change day by day.

Searches, looks, runs, digests and alerts do the work; those of the days named in
`KILLS` are killed at some request, and begun again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.model.event import EventKind
from phx_pipeline.model.source import Source
from phx_pipeline.reads.history import find_events
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.days import Life
from phx_pipeline_tests.fortnight.expected import (
    SOURCES,
    news,
    slug_of,
    to_be_told,
    told,
)
from phx_pipeline_tests.fortnight.table import DAYS, FORTNIGHT, Story, date_of
from phx_pipeline_tests.fortnight.told import Mailbox, changes, matches
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.postgres import PostgresServer
from phx_pipeline_tests.web_hook import hooked

pytestmark = pytest.mark.soak

REDFIN_IS_DOWN = f"{FORTNIGHT} 4  *  redfin  down 7\n"
KILLS: Mapping[int, tuple[int, ...]] = {
    0: (1, 4),  # requests from the start of each look
    2: (4,),
    5: (2, 2),
    8: (3,),
    12: (2, 2),
}
SEARCH_KILLS: Mapping[int, int] = {3: 1, 5: 2}
RUN_KILLS: Mapping[int, int] = {0: 6, 2: 1}  # requests of the first run's photos
DIGEST_KILLS = (4, 9)  # days on which the sender dies with its message on the way
TRIES = (0, 6, 22, 83, 324)  # minutes after six
DIGEST = 60
MOST_TRIES = 3
MOST_PAGES = 40  # of a source on a day, of searches and looks
PAGES_PER_HOUSE = {Source.REDFIN: 2, Source.ZILLOW: 1}
NEW = "5544 W Acoma Dr, Glendale, AZ 85306"


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    ("table", "on_postgres"),
    [
        pytest.param(FORTNIGHT, False, id="told"),
        pytest.param(REDFIN_IS_DOWN, True, id="down-postgres"),
    ],
)
def test_each_change_is_told_once_whatever_is_killed_or_down(
    tmp_path: Path,
    shared_dir: Path,
    request: pytest.FixtureRequest,
    table: str,
    *,
    on_postgres: bool,
) -> None:
    story = Story.of(table, days=DAYS)
    town = Town(story=story, shared=shared_dir)
    given: dict[str, Any] = {
        "sources": SOURCES,
        "attempts": 1,
        "daily_pages": MOST_PAGES,
    }
    if on_postgres:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        given["catalog_url"] = server.create("fortnight")
    with (
        hooked() as hook,
        Deployment(tmp_path, town.sites(), webhook_url=hook.url, **given) as made,
    ):
        life, box = Life(made=made, town=town), Mailbox(hook=hook)
        life.follow("85306")
        for day in range(story.days):
            live_through(life, day, box)
        assert box.again == [f"digest:{date_of(day)}:{day + 1}" for day in DIGEST_KILLS]
        with made.context() as context:
            refresh_views(context)  # as the sensor does beside the work
            found = [
                problem
                for slug in context.catalog.slugs()
                for problem in verify_property(context, slug)
            ]
            assert [it.text for it in [*found, *verify_views(context)]] == []
        since = date_of(0).isoformat()
        printed = made.phx("changes", "--since", since, "--limit", "200", "--json")
        rows = json.loads(printed.stdout)
        assert len(rows) == len(to_be_told(story, until=DAYS)), printed.stderr


def live_through(life: Life, day: int, box: Mailbox) -> None:
    story = life.town.story
    silent = [it for it in SOURCES if story.is_silent(it, day=day)]
    life.wake_on(day)
    before = {source: life.shown_by(source) for source in silent}
    pass_day(life, day, box)

    with life.reads() as reads:
        events = list(find_events(reads))
    assert told(events) == to_be_told(story, until=day)
    assert len({event.key for event in events}) == len(events)
    assert life.filed() == {slug_of(it) for it in story.homes if it.since <= day}
    assert_told(life, day, box)
    for source in SOURCES:
        assert_asked_little(life, day, source)
    for source in silent:
        now = life.shown_by(source)
        assert {slug: now[slug] for slug in before[source]} == before[source]


def pass_day(life: Life, day: int, box: Mailbox) -> None:
    """What the daemons do from half past five on."""
    if day in SEARCH_KILLS:
        life.search_until_killed(SEARCH_KILLS[day])
    life.search()
    life.tell()
    for minutes in TRIES:
        if life.minutes < DIGEST < minutes:
            life.wait_until(DIGEST)
            life.book_digest()
            if day in DIGEST_KILLS:
                life.tell_until_killed(box.hook)
                life.wait_until(DIGEST + 2)
            life.tell()
        life.wait_until(minutes)
        for requests in KILLS.get(day, ()) if minutes == 0 else ():
            life.look_until_killed(requests)
        life.look(run_killed_at=RUN_KILLS.get(day, 0) if minutes == 0 else 0)
        life.tell()


def assert_told(life: Life, day: int, box: Mailbox) -> None:
    """One digest with all changes of the day; at once what is told at once."""
    expected, at_once = news(life.town.story, day=day), life.made.settings.told_at_once
    came = box.new()
    digest = came.pop(f"digest:{date_of(day)}:{day + 1}")
    offered = [NEW] * (day == 5)
    assert changes([digest]) == expected
    assert matches([digest]) == offered
    urgent = [it for it in expected if EventKind(it[1]).value in at_once]
    assert [it[:3] for it in changes(list(came.values()))] == [it[:3] for it in urgent]
    assert matches(list(came.values())) == offered


def assert_asked_little(life: Life, day: int, source: Source) -> None:
    story, asked = life.town.story, life.town.pages_asked(source, day=day)
    homes = sum(home.since <= day for home in story.homes)
    tries = MOST_TRIES if story.is_silent(source, day=day) else 1
    kills, searches = len(KILLS.get(day, ())), 1 + (day in SEARCH_KILLS)
    assert asked <= PAGES_PER_HOUSE[source] * (homes * tries + kills) + searches
    assert asked <= MOST_PAGES
