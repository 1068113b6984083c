"""A fortnight of four houses at two sites, whose captured pages change day by day.

Each look of the days named in `KILLS` is killed at some request, and begun again.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.model.source import Source
from phx_pipeline.reads.history import find_events
from phx_pipeline.workflows.verify import verify_property, verify_views
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.days import Life
from phx_pipeline_tests.fortnight.expected import SOURCES, to_be_told, told
from phx_pipeline_tests.fortnight.table import DAYS, FORTNIGHT, Story, date_of
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.postgres import PostgresServer

pytestmark = pytest.mark.soak

REDFIN_IS_DOWN = f"{FORTNIGHT} 4  *  redfin  down 7\n"
KILLS: Mapping[int, tuple[int, ...]] = {
    0: (1, 7, 20),  # requests of pages and photos, from the start of each look
    2: (4,),
    5: (2, 6),
    8: (3,),
    12: (2, 3),
}
PAUSES = (0, 15, 60)  # minutes before each try of a day
PAGES_PER_HOUSE = {Source.REDFIN: 2, Source.ZILLOW: 1}


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
    given: dict[str, Any] = {"sources": SOURCES, "attempts": 1}
    if on_postgres:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        given["catalog_url"] = server.create("fortnight")
    with Deployment(tmp_path, town.sites(), **given) as made:
        life = Life(made=made, town=town)
        for day in range(story.days):
            live_through(life, day)
        with made.context() as context:
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


def live_through(life: Life, day: int) -> None:
    story, kills = life.town.story, KILLS.get(day, ())
    life.wake_on(day)
    silent = [it for it in SOURCES if story.is_silent(it, day=day)]
    before = {source: life.shown_by(source) for source in silent}
    for requests in kills:
        life.look_until_killed(requests)
    for pause in PAUSES:
        life.wait(pause)
        life.look()

    with life.reads() as reads:
        events = list(find_events(reads))
    assert told(events) == to_be_told(story, until=day)
    assert len({event.key for event in events}) == len(events)
    for source in SOURCES:
        is_silent = story.is_silent(source, day=day)
        homes = sum(home.since <= day for home in story.homes)
        tries = len(PAUSES) if is_silent else 1
        most = PAGES_PER_HOUSE[source] * (homes * tries + len(kills))
        assert life.town.pages_asked(source, day=day) <= most
        if is_silent:
            now = life.shown_by(source)
            assert {slug: now[slug] for slug in before[source]} == before[source]
