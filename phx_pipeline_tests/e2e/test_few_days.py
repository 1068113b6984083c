"""A few days of two houses at two sites: the short form of the simulated fortnight."""

from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.demo.loopback import Asked
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.source import Source
from phx_pipeline.reads.history import find_events
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.redfin.standin import PAGE_HOST as REDFIN_PAGES
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.standin import PAGE_HOST as ZILLOW_PAGES
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.fortnight.days import Life
from phx_pipeline_tests.fortnight.expected import SOURCES, news, to_be_told, told
from phx_pipeline_tests.fortnight.table import (
    FEW_DAYS,
    FORTNIGHT,
    HOMES,
    Story,
    date_of,
)
from phx_pipeline_tests.fortnight.told import Mailbox, changes
from phx_pipeline_tests.fortnight.town import Town
from phx_pipeline_tests.web_hook import hooked

STORY = Story.of(FEW_DAYS, HOMES[:2], days=3)
PAGES_PER_HOUSE = {Source.REDFIN: 2, Source.ZILLOW: 1}


@pytest.mark.usefixtures("quick_retries")
def test_each_change_is_told_once_on_the_day_it_is_seen(
    tmp_path: Path, shared_dir: Path
) -> None:
    town = Town(story=STORY, shared=shared_dir)
    given: dict[str, Any] = {"sources": SOURCES, "attempts": 1}
    with (
        hooked() as hook,
        Deployment(tmp_path, town.sites(), webhook_url=hook.url, **given) as made,
    ):
        life, box = Life(made=made, town=town), Mailbox(hook=hook)
        life.follow()
        for day in range(STORY.days):
            life.wake_on(day)
            life.look()
            life.look()  # again on the same day: there is nothing to ask
            life.book_digest()
            life.tell()
            life.tell()
            with life.reads() as reads:
                events = list(find_events(reads))

            assert told(events) == to_be_told(STORY, until=day)
            assert len({event.key for event in events}) == len(events)
            digest = box.new()[f"digest:{date_of(day)}:{day + 1}"]
            assert changes([digest]) == news(STORY, day=day)
            for source in SOURCES:
                most = PAGES_PER_HOUSE[source] * len(STORY.homes)
                assert town.pages_asked(source, day=day) <= most
    assert box.again == []


@pytest.mark.parametrize(
    ("day", "lines"),
    [
        (2, ["6120 W Monte Cristo Ave"]),
        (5, ["6120 W Monte Cristo Ave", "5544 W Acoma Dr"]),
    ],
)
def test_a_search_finds_a_new_house_from_its_first_day_on(
    shared_dir: Path, day: int, lines: list[str]
) -> None:
    town = Town(story=Story.of(FORTNIGHT, days=14), shared=shared_dir)
    town.day = day

    redfin = page_of(town, REDFIN_PAGES, "/zipcode/85306/filter/min-beds=3").decode()
    answer = EmbeddedAnswers(redfin).payload("gis")
    zillow = page_of(town, ZILLOW_PAGES, "/homes/85306_rb/?searchQueryState=%7B%7D")
    search = read_page(Fetched(url="", status=200, headers={}, body=zillow)).search

    assert answer is not None
    assert search is not None
    homes = [it for it in answer["homes"] if it["state"] == "AZ"]
    rows = search["cat1"]["searchResults"]["listResults"]
    assert [it["streetLine"]["value"] for it in homes] == lines
    assert [it["addressStreet"] for it in rows if it["addressState"] == "AZ"] == lines


def page_of(town: Town, host: str, target: str) -> bytes:
    asked = Asked(host=host, method="GET", target=target, headers={}, at=0.0)
    return town.sites()[host](asked).body
