"""A bad minute of a photo host is never a verdict; what is final can be asked anew."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.job import Mode
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.model.tally import PropertyTally
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.wiring.runs import build_context
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.corpus.cards import card
from phx_pipeline_tests.deployment import (
    PHOTO_HOST,
    SMALLEST,
    Deployment,
    slug_of,
    with_shots,
)

HOUSE = with_shots(SMALLEST, 0, 1, 2)
SLUG = slug_of(HOUSE)
NOON = datetime(2026, 3, 9, 19, tzinfo=UTC)
GONE = Answer(status=404, body=b"")
BLOCK_PAGE = Answer(
    status=200,
    body=b"<!DOCTYPE html><title>Access denied</title>",
    headers={"content-type": "text/html"},
)
EMPTY = Answer(status=200, body=b"", headers={"content-type": "image/jpeg"})


@dataclass(slots=True, kw_only=True)
class Host:
    """A photo host that answers *instead* while that is set."""

    photos: Handler
    instead: Answer | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        self.asked.append(asked.target)
        return self.instead or self.photos(asked)


@pytest.fixture
def host() -> Host:
    return Host(photos=redfin_sites([HOUSE])[PHOTO_HOST])


@pytest.fixture
def made(host: Host, tmp_path: Path) -> Iterator[Deployment]:
    sites = redfin_sites([HOUSE]) | {PHOTO_HOST: host}
    with Deployment(tmp_path, sites, final_after_days=3) as made:
        made.add_houses([HOUSE])
        yield made


@contextmanager
def opened(made: Deployment, *, day: int, run_id: str) -> Iterator[StageContext]:
    at = NOON + timedelta(days=day)
    context = build_context(made.settings, run_id=run_id, clock=lambda: at)
    with closing(context.catalog):
        yield context


def run(
    made: Deployment, *, day: int = 0, mode: Mode = Mode.RESUME, run_id: str = ""
) -> PropertyTally:
    """Extract the house once, with every source and host willing to be asked."""
    name = run_id or f"day-{day}"
    with opened(made, day=day, run_id=name) as context:
        states = context.catalog.policies.source_states()[1]
        context.catalog.policies.reset([state.name for state in states])
        return asyncio.run(extract(context, SLUG, mode=mode))


def verdicts(made: Deployment) -> set[Verdict]:
    with made.context() as context:
        return {photo.verdict for photo in context.catalog.photos(SLUG)}


@pytest.mark.parametrize("answer", [GONE, BLOCK_PAGE, EMPTY], ids=["404", "page", "0"])
def test_photos_that_did_not_come_in_a_bad_minute_come_later_that_day(
    made: Deployment, host: Host, answer: Answer
) -> None:
    host.instead = answer
    before = run(made)
    host.instead = None

    after = run(made, run_id="an hour later")

    assert (before.is_complete, before.count(VerdictKind.KEPT)) == (False, 0)
    assert (after.is_complete, after.count(VerdictKind.KEPT)) == (True, 3)


def test_one_picture_for_all_photos_is_none_of_them(tmp_path: Path) -> None:
    house = with_shots(SMALLEST, *range(6))
    slug = slug_of(house)
    sites = redfin_sites([house])
    host = Host(photos=sites[PHOTO_HOST])
    host.instead = Answer(
        body=card(5, seed=1).body, headers={"content-type": "image/jpeg"}
    )
    asking = {"attempts": 1, "final_after_days": 3}
    with Deployment(tmp_path, sites | {PHOTO_HOST: host}, **asking) as made:
        made.add_houses([house])
        told = []
        for run_id in ("bad", "good"):
            with opened(made, day=0, run_id=run_id) as context:
                asyncio.run(extract(context, slug))
                tally = context.tally(slug)
                told.append((tally.is_complete, tally.count(VerdictKind.KEPT)))
                assert tally.count(VerdictKind.DUPLICATE) == 0
                states = context.catalog.policies.source_states()[1]
                context.catalog.policies.reset([state.name for state in states])
            host.instead = None

    assert told == [(False, 0), (True, 6)]


def test_photos_gone_on_three_days_are_final(made: Deployment, host: Host) -> None:
    host.instead = GONE

    complete = [run(made, day=day).is_complete for day in (0, 0, 1, 5)]
    host.asked.clear()
    run(made, day=5, run_id="again")

    assert complete == [False, False, False, True]
    assert verdicts(made) == {Verdict.GONE}
    assert host.asked == []


def test_a_fresh_run_asks_once_more_for_what_is_final(
    made: Deployment, host: Host
) -> None:
    host.instead = GONE
    for day in range(3):
        run(made, day=day)
    host.asked.clear()

    still = run(made, day=2, mode=Mode.FRESH, run_id="fresh")
    asked = len(set(host.asked))
    run(made, day=2, mode=Mode.FRESH, run_id="fresh")
    host.instead = None
    back = run(made, day=3, mode=Mode.FRESH)

    assert (still.is_complete, asked) == (True, len(set(host.asked)))
    assert (back.is_complete, back.count(VerdictKind.KEPT)) == (True, 3)


def test_the_commands_say_what_is_to_be_asked_again_and_when(
    made: Deployment, host: Host, phx_on: Phx
) -> None:
    host.instead = GONE

    ended = phx_on(made, "extract", "--all", "--sync")
    status = phx_on(made, "status")
    (row,) = phx_on(made, "status", "--json").json

    with made.context() as context:
        tomorrow = context.stamp().today + timedelta(days=1)
    assert ended.code == 4
    for out in (ended.out, status.out):
        assert "listed, 3 photos without a picture so far (failed:gone: " in out
        assert out.count("retries it ") == 1
        assert f"retries it not before {tomorrow}" in out
    assert (row["complete"], row["sources"]["redfin"]["faulted"]) == (False, 3)


def test_a_source_that_was_switched_off_is_asked_once_it_is_on(
    made: Deployment, phx_on: Phx
) -> None:
    phx_on(made, "sources", "disable", "redfin")
    off = phx_on(made, "extract", "--all", "--sync")
    with made.context() as context:
        (tally,) = context.tally(SLUG).sources
    asked = len(made.standin.asked)

    still_off = phx_on(made, "extract", "--all", "--sync")
    phx_on(made, "sources", "enable", "redfin")
    on = phx_on(made, "extract", "--all", "--sync")

    assert tally.outcome is ListingOutcome.DISABLED
    assert tally.is_settled
    assert (off.code, still_off.code, on.code) == (4, 4, 0)
    assert asked == 0
    assert "1 property left out: complete" in still_off.out
    with made.context() as context:
        (tally,) = context.tally(SLUG).sources
    assert (tally.source, tally.outcome) == (Source.REDFIN, ListingOutcome.LISTED)


def test_a_photo_that_fails_to_get_larger_stays_what_it_was(
    made: Deployment, host: Host
) -> None:
    run(made)
    with opened(made, day=0, run_id="small before") as context:
        (first, *_) = context.catalog.photos(SLUG)
        small = replace(first, asked_url="https://ssl.cdn-redfin.com/small.jpg")
        with context.holding(SLUG) as lease:
            blob = context.catalog.blobs(SLUG)[str(first.sha256)]
            context.catalog.record_download(
                lease,
                replace(small, ref=replace(first.ref, url=str(small.asked_url))),
                blob,
                fetched_url=str(small.asked_url),
                stamp=context.stamp(),
            )
    host.instead = GONE

    complete = [run(made, day=day).is_complete for day in range(3)]

    assert complete == [False, False, True]
    assert verdicts(made) == {Verdict.KEPT}
