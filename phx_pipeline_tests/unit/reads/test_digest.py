"""What sources say together is told once; the whole of a digest fits its schema."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.source import Source
from phx_pipeline.reads.digest import (
    BlockedSource,
    Digest,
    FailedRun,
    Feeds,
    NewMatch,
    ToldHouse,
    fold,
    read_news,
)
from phx_pipeline.reads.documents import digest_document
from phx_pipeline.reads.schemas import schema_of

DAY = date(2026, 11, 20)
SLUG = "4732-w-davis-rd-glendale-az-85306"


def event(
    kind: EventKind = EventKind.PRICE_CUT,
    *,
    day: int = 0,
    source: Source = Source.REDFIN,
    **changes: Any,
) -> Event:
    at = datetime(2026, 11, 20, 14, tzinfo=UTC) + timedelta(days=day)
    given: dict[str, Any] = {
        "key": f"{kind}:{SLUG}:{source}:{at.date()}",
        "slug": SLUG,
        "source": source,
        "kind": kind,
        "on": at.date(),
        "at": at,
        "before": "$450,000",
        "after": "$440,000",
    }
    return Event(**given | changes)


ZILLOW: dict[str, Any] = {"source": Source.ZILLOW}
ADDED = EventKind.PHOTOS_ADDED
OFF = EventKind.OFF_MARKET
RAISED = EventKind.PRICE_RAISED
RETURN = EventKind.BACK_ON_MARKET
BACK: dict[str, Any] = {"before": "$440,000", "after": "$450,000"}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([event(), event(**ZILLOW)], ["redfin+zillow"]),
        ([event(), event(**ZILLOW, day=3, before="$455,000")], ["redfin+zillow"]),
        ([event(), event(**ZILLOW, day=20)], ["redfin", "zillow"]),
        ([event(), event(**ZILLOW, after="$435,000")], ["redfin", "zillow"]),
        ([event(), event(day=5)], ["redfin", "redfin"]),
        ([event(OFF), event(OFF, **ZILLOW, after="Not Found")], ["redfin+zillow"]),
        (
            [event(), event(RAISED, day=1, **BACK), event(**ZILLOW, day=2)],
            ["redfin", "redfin", "zillow"],
        ),
        (
            [event(OFF), event(RETURN, day=1), event(OFF, **ZILLOW, day=2)],
            ["redfin", "redfin", "zillow"],
        ),
        ([event(ADDED), event(ADDED, **ZILLOW)], ["redfin", "zillow"]),
        ([event(), event(slug="1-n-elm-st-mesa-az-85201")], ["redfin", "redfin"]),
    ],
)
def test_sources_that_say_the_same_within_a_fortnight_are_one(
    events: list[Event], told: list[str]
) -> None:
    folded = fold(events)

    assert ["+".join(it.sources) for it in folded] == told
    assert len({it.key for it in folded}) == len(told)
    assert {it.key for it in fold(events[::-1])} == {it.key for it in folded}


def test_what_a_source_repeats_of_another_days_before_is_no_news() -> None:
    match = NewMatch(
        key="new_match:1",
        on=DAY,
        address="1 N Elm St",
        search="s",
        source=Source.ZILLOW,
    )
    events = [event(day=-2), event(**ZILLOW), event(OFF)]

    feeds = Feeds(
        events=lambda *, since, until, kinds=(): [
            it for it in events if since <= it.on <= until and it.kind in kinds
        ],
        matches=lambda since, day: [match, match] if since <= DAY <= day else [],
    )

    news = read_news(feeds, since=DAY, day=DAY)
    assert [it.event.kind for it in news.told] == [OFF]
    assert news.matches == (match,)
    assert read_news(feeds, since=DAY, day=DAY, kinds=["price_cut"]).keys == []
    earlier = read_news(feeds, since=DAY - timedelta(days=2), day=DAY)
    assert earlier.without(news.keys).keys == [earlier.told[0].key]


def test_a_digest_with_something_of_everything_fits_its_schema() -> None:
    digest = Digest(
        since=DAY,
        day=DAY,
        told=tuple(fold([event(), event(ADDED, photo_keys=("a", "b"))])),
        matches=(
            NewMatch(
                key="new_match:1",
                on=DAY,
                address="1 N Elm St",
                search="s",
                source=Source.ZILLOW,
                price=1,
            ),
        ),
        houses={
            SLUG: ToldHouse(
                slug=SLUG,
                address="4732 W Davis Rd",
                price=440_000,
                urls={},
                picture=None,
            )
        },
        open=("open: one",),
        blocked=(BlockedSource(name="zillow", word="open", why="", next_try_s=1e9),),
        failures=(FailedRun(slug=SLUG, at=event().at, error="no"),),
        drift=("drift: one",),
        undelivered=("smtp: one",),
    )
    document = digest_document(digest)
    checker = Draft202012Validator.FORMAT_CHECKER
    validator = Draft202012Validator(schema_of("digest"), format_checker=checker)

    assert [it.message for it in validator.iter_errors(document)] == []
    changes = document["changes"]
    assert isinstance(changes, list)
    assert {it["photos"] for it in changes} == {0, 2}
