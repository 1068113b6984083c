"""What people are told of what sources said, day after day, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.model.event import Event, EventKind
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.history import find_events, read_events, with_photos
from phx_pipeline.reads.paging import cursor_of
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    blob_of,
    gallery,
    house_at,
)

SIX = ("a", "b", "c", "d", "e", "f")
NONE: dict[str, Any] = {"photos": (), "complete": False, "facts": None}
BLOCKED = NONE | {"outcome": ListingOutcome.BLOCKED}


def on_day(scene: Scene, day: int) -> Scene:
    later = timedelta(days=day)
    stamp = replace(STAMP, at=STAMP.at + later, today=STAMP.today + later)
    return replace(scene, stamp=stamp)


def say(
    scene: Scene, *keys: str, price: int = 450_000, status: str = "Active", **more: Any
) -> None:
    facts: dict[str, Any] = {
        "list_price": price,
        "standard_status": status,
        "days_on_market": scene.stamp.today.day,
    }
    facts |= more.pop("said", {})
    given: dict[str, Any] = {"facts": ListingFacts(**facts), "mls_id": "6001"}
    scene.say(gallery(*keys, **given | more))


def live_a_fortnight(scene: Scene) -> None:
    """Ten days of one house at one source, and one of another source."""
    say(on_day(scene, 0), *SIX, said={"bedrooms_total": 3.0})
    say(on_day(scene, 1), **BLOCKED)
    say(on_day(scene, 2), **BLOCKED)
    say(on_day(scene, 3), "a", price=440_000, complete=False)
    say(on_day(scene, 4), *SIX, "g", price=440_000, status="Pending")
    say(on_day(scene, 5), *SIX, "g", price=430_000, status="Pending")
    changed = {"bedrooms_total": 4.0, "roof": "tile"}
    say(on_day(scene, 5), *SIX, "g", price=440_000, status="Pending", said=changed)
    say(on_day(scene, 6), "a", price=440_000, status="Pending")
    say(on_day(scene, 7), **NONE | {"outcome": ListingOutcome.OFF_MARKET})
    say(on_day(scene, 8), **BLOCKED)
    say(on_day(scene, 9), "x", "y", price=460_000, mls_id="7002")
    say(on_day(scene, 9), "z", source=Source.ZILLOW)
    say(on_day(scene, 10), "x", "y", price=460_000, mls_id="7002")


LIVED = [
    (3, "price_cut", "$450,000", "$440,000", ()),
    (4, "photos_added", "6 photos", "7 photos", ("g",)),
    (4, "status", "Active", "Pending", ()),
    (5, "facts", "3", "4", ()),
    (6, "gallery_cut", "7 photos", "1 photo", ("b", "c", "d", "e", "f", "g")),
    (7, "off_market", "Pending", "Off Market", ()),
    (9, "back_on_market", "Off Market", "Active", ()),
    (9, "price_raised", "$440,000", "$460,000", ()),
    (9, "relisted", "6001", "7002", ("x", "y")),
]


@pytest.fixture
def later(reads: Reads) -> Reads:
    """The same catalogue, a month later."""
    return replace(reads, clock=lambda: STAMP.at + timedelta(days=30))


def told(events: Any) -> list[tuple[int, str, str, str, tuple[str, ...]]]:
    rows = [
        ((it.on - STAMP.today).days, it.kind, it.before, it.after, it.photo_keys)
        for it in events
    ]
    return sorted(rows, key=lambda it: it[:2])


def test_each_change_is_told_once_and_on_its_day(scene: Scene, later: Reads) -> None:
    live_a_fortnight(scene)
    whole = list(find_events(later))

    assert told(whole) == LIVED
    assert [it.on for it in whole] == sorted((it.on for it in whole), reverse=True)
    assert list(find_events(later, slug=scene.slug)) == whole
    for kind in (EventKind.RELISTED, EventKind.OFF_MARKET):
        assert list(find_events(later, kinds=[kind])) == [
            it for it in whole if it.kind is kind
        ]
    assert list(find_events(later, source=Source.ZILLOW)) == []

    relisted = next(it for it in whole if it.kind is EventKind.RELISTED)
    photos = with_photos(later, relisted).photos
    assert photos is not None
    assert (photos.old, photos.new) == (("a",), ("x", "y"))
    assert with_photos(later, whole[-1]).photos is None


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_gallery_that_a_merge_put_together_is_not_cut(
    catalog: Catalog, scene: Scene, later: Reads
) -> None:
    other = Scene.of(catalog, number=4740)
    say(on_day(scene, 0), "x", "y")
    say(on_day(other, 0), *SIX)
    leases = [scene.lease, other.lease]
    stamp = on_day(scene, 1).stamp
    catalog.houses.merge(leases, scene.slug, other.slug, stamp=stamp)
    say(on_day(scene, 2), "x", "y")
    say(on_day(scene, 3), "x", "y", "z")

    assert told(find_events(later)) == [
        (3, "photos_added", "2 photos", "3 photos", ("z",))
    ]


def test_pages_of_events_are_together_all_of_the_days_asked_for(
    catalog: Catalog, scene: Scene, later: Reads
) -> None:
    live_a_fortnight(scene)
    other = Scene.of(catalog, number=1)
    say(other, *SIX)
    say(on_day(other, 9), *SIX, price=400_000)
    gone = Scene.of(catalog, number=2)
    say(gone, *SIX)
    say(on_day(gone, 9), *SIX, price=1)
    catalog.houses.remove(gone.lease, gone.slug, at=STAMP.at)
    since, until = (STAMP.today + timedelta(days=day) for day in (5, 9))

    found: list[Event] = []
    cursor: str | None = None
    while cursor is not None or not found:
        page = read_events(later, since=since, until=until, limit=2, cursor=cursor)
        found += page.rows
        cursor = page.next

    whole = list(find_events(later))
    assert found == [it for it in whole if since <= it.on <= until]
    assert {it.slug for it in whole} == {house_at(n).slug for n in (4732, 1)}


def test_new_bytes_are_another_picture_or_only_another_size(
    scene: Scene, later: Reads, engine: sa.Engine
) -> None:
    scene.list_photos("a", "b")
    scene.download("a", "first")
    scene.download("b", "first")
    scene.download("a", "larger")
    photo, blob = scene.photo("b"), blob_of("another")
    hashes = replace(blob.hashes, phash=2**64 - 1)
    scene.catalog.record_download(
        scene.lease,
        photo,
        replace(blob, hashes=hashes),
        fetched_url=photo.ref.url,
        stamp=scene.stamp,
    )

    (event,) = find_events(later)
    assert (event.kind, event.photo_keys) == (EventKind.PHOTOS_REPLACED, ("b",))
    size = sa.select(tables.change.c.photo_key).where(tables.change.c.what == "size")
    with reading(engine) as connection:
        assert connection.execute(size).scalars().all() == ["a"]


def test_a_photo_that_left_tells_when_it_was_last_seen(
    scene: Scene, engine: sa.Engine
) -> None:
    on_day(scene, 0).list_photos("a", "b", "c")
    on_day(scene, 4).list_photos("a", "b")
    on_day(scene, 5).say(gallery("a", complete=False))
    on_day(scene, 6).list_photos("a")
    on_day(scene, 7).list_photos("a", "c")

    photo = tables.photo.c
    query = sa.select(photo.photo_key, photo.last_seen_on).order_by(photo.photo_key)
    with reading(engine) as connection:
        days = [day for _, day in connection.execute(query)]

    assert days == [None, STAMP.today + timedelta(days=4), None]


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    "cursor", ["é", cursor_of(["x"]), cursor_of(["2026-01-01", "x", "k"])]
)
def test_a_cursor_that_no_page_of_events_ended_with_is_refused(
    reads: Reads, cursor: str
) -> None:
    with pytest.raises(InputError, match="is none that a page ended with"):
        read_events(reads, cursor=cursor)
