"""Rows of looks on both databases: tries, days, pages, and what is still shown."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.look import Found, LookDay, Tries
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import STAMP, Scene, gallery

DAY, AT = STAMP.today, STAMP.at
LATER = AT + timedelta(minutes=20)
PAGES = {Source.REDFIN: 8}


def begin(scene: Scene, *, last: Tries | None = None, most: int = 100) -> Tries:
    """Begin a look at the house; return what is known of it then."""
    looks = scene.catalog.looks
    looks.begin(scene.slug, day=DAY, at=AT, last=last, pages=PAGES, most=most)
    return tries(scene)


def tries(scene: Scene) -> Tries:
    (seen,) = scene.catalog.looks.seen([scene.slug])
    assert seen.last is not None
    return seen.last


def test_a_look_counts_from_its_beginning_on(scene: Scene) -> None:
    first = begin(scene)
    second = begin(scene, last=replace(first, called_on=DAY, fresh=True))

    assert first == Tries(day=DAY, tries=1, began_at=AT, found=Found.UNDER_WAY)
    assert second == replace(first, tries=2, called_on=DAY, fresh=True)
    tomorrow = replace(second, day=DAY - timedelta(days=1))
    assert begin(scene, last=tomorrow).tries == 1


def test_a_house_that_is_no_more_has_no_look(scene: Scene) -> None:
    looks, gone = scene.catalog.looks, "gone-a-moment-ago"

    with pytest.raises(InputError, match="renamed or removed"):
        looks.begin(gone, day=DAY, at=AT, last=None, pages=PAGES, most=100)
    looks.end(gone, begin(scene), day=DAY, unused={})

    assert [it.slug for it in looks.seen()] == [scene.slug]


def test_pages_are_set_aside_and_those_not_asked_for_given_back(scene: Scene) -> None:
    looks, ended = scene.catalog.looks, replace(begin(scene), found=Found.OPEN)
    assert looks.pages(DAY) == {Source.REDFIN: 8}

    looks.end(scene.slug, ended, day=DAY, unused={Source.REDFIN: 6})

    assert looks.pages(DAY) == {Source.REDFIN: 2}
    assert tries(scene) == ended
    looks.end(scene.slug, None, day=DAY, unused={})
    assert looks.seen()[0].last is None


def test_a_house_whose_sources_gave_all_pages_is_not_tried(scene: Scene) -> None:
    looks = scene.catalog.looks

    granted = looks.begin(scene.slug, day=DAY, at=AT, last=None, pages=PAGES, most=7)

    assert granted == ()
    assert looks.pages(DAY).get(Source.REDFIN, 0) == 0
    assert looks.seen()[0].last is None


def test_who_takes_pages_at_once_takes_no_more_than_there_are(catalog: Catalog) -> None:
    def take(_: int) -> bool:
        return catalog.looks.take_page(Source.ZILLOW, DAY, 10)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(16)))

    assert sum(taken) == 10
    assert catalog.looks.pages(DAY) == {Source.ZILLOW: 10}
    assert catalog.looks.take_page(Source.ZILLOW, DAY + timedelta(days=1), 1)


def test_houses_come_with_their_answers_and_without_removed_ones(scene: Scene) -> None:
    scene.say(gallery("a"))
    gone = Scene.of(scene.catalog, number=4733)
    scene.catalog.houses.remove(gone.lease, gone.slug, at=AT)

    (seen,) = scene.catalog.looks.seen()

    assert (seen.slug, seen.last) == (scene.slug, None)
    answer = seen.answers[Source.REDFIN]
    assert (answer.outcome, answer.checked_at) == (ListingOutcome.LISTED, AT)


def test_a_day_sums_what_its_looks_found(catalog: Catalog) -> None:
    looks = catalog.looks
    assert looks.last_day() is None
    looks.begin_run(DAY, at=AT, next_at=LATER)
    looks.end_run(
        DAY,
        [Found.CHANGED, Found.OPEN, Found.PASSED_BY],
        at=LATER,
        next_at=LATER,
        waiting=2,
    )
    looks.begin_run(DAY, at=LATER, next_at=None)
    looks.end_run(DAY, [Found.FAILED], at=LATER, next_at=None, waiting=0)

    assert (
        looks.day(DAY)
        == looks.last_day()
        == LookDay(
            day=DAY,
            runs=2,
            began_at=AT,
            ended_at=LATER,
            looked=3,
            changed=1,
            open=1,
            failed=1,
        )
    )


def test_only_who_worked_alone_says_that_all_is_still_shown(scene: Scene) -> None:
    catalog, slug = scene.catalog, scene.slug
    assert catalog.looks.shown_epoch(slug) is None
    catalog.record_published(scene.lease, slug)
    epoch = catalog.looks.shown_epoch(slug)
    assert epoch == scene.lease.epoch
    catalog.leases.release(scene.lease)
    look = catalog.leases.acquire(scene.lease.name, owner="look")

    assert not catalog.looks.still_shown(slug, epoch=epoch - 1)
    assert catalog.looks.still_shown(slug, epoch=epoch)

    assert catalog.looks.shown_epoch(slug) == look.epoch
    catalog.leases.release(look)
    for _ in range(2):
        lease = catalog.leases.acquire(scene.lease.name, owner="others")
        catalog.leases.release(lease)
    assert not catalog.looks.still_shown(slug, epoch=look.epoch)


def test_what_was_said_differs_by_what_runs_would_do_otherwise(scene: Scene) -> None:
    looks, blocked = scene.catalog.looks, ListingOutcome.BLOCKED
    scene.say(gallery("a", "b"))
    before = looks.said(scene.slug)

    scene.say(gallery("a", "b"))
    assert not looks.said(scene.slug).differs_from(before)
    scene.say(Listing(source=Source.REDFIN, outcome=blocked))
    refused = looks.said(scene.slug)
    assert not refused.differs_from(before)
    scene.say(Listing(source=Source.REDFIN, outcome=ListingOutcome.OFF_MARKET))
    assert looks.said(scene.slug).differs_from(refused)
    scene.say(gallery("a", "b"))
    assert not looks.said(scene.slug).differs_from(refused)
    scene.say(gallery("b"))
    assert looks.said(scene.slug).differs_from(before)
