"""`phx changes`, and what `phx images` says of pictures that are shown no more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from phx_pipeline.cli import console as consoles
from phx_pipeline.model.event import EventKind
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.source import Source
from phx_pipeline.settings import Settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline_tests.commands import Phx, UseSettings
from phx_pipeline_tests.unit.reads.test_documents import complaints

SOURCE = Source.REDFIN


@pytest.fixture
def run(
    phx: Phx, collected: StageContext, healthy: Settings, use_settings: UseSettings
) -> Phx:
    """Run a command line on a copy of the store."""
    use_settings(replace(healthy, data_dir=collected.layout.catalogue.parent))
    return phx


def answer(context: StageContext, slug: str, *, keys: set[str], number: str) -> None:
    """Let the source show only some photos, under a number of a listing."""
    photos = [it.ref for it in context.catalog.photos(slug) if it.ref.source is SOURCE]
    listing = Listing(
        source=SOURCE,
        outcome=ListingOutcome.LISTED,
        mls_id=number,
        facts=ListingFacts(list_price=1_000_000, roof="tile"),
        photos=tuple(ref for ref in photos if ref.photo_key in keys),
        complete=True,
    )
    with context.holding(slug) as lease:
        context.catalog.record_listing(lease, slug, listing, stamp=context.stamp())


def test_changes_and_pictures_shown_no_more_are_told_to_people_and_programs(
    run: Phx, collected: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consoles.console, "_width", 80)
    (slug,) = collected.catalog.slugs()
    keys = [
        it.ref.photo_key
        for it in collected.catalog.photos(slug)
        if it.ref.source is SOURCE
    ]
    nothing = run("changes")
    whole = {it["file"]: it for it in run("images", "--json").json}
    assert all(it["shown_now"] and it["last_seen_on"] for it in whole.values())

    answer(collected, slug, keys={*keys}, number="6001")
    answer(collected, slug, keys={keys[0]}, number="7002")
    shown = run("changes", "--since", "1d", "--house", slug)
    plain = run("changes", "--json").json
    pictures = run("images", "--json").json

    assert "nothing changed so far; changes are noted from the second" in nothing.out
    lines = shown.out.splitlines()
    assert lines[:2] == [str(collected.stamp().today), f"  {slug}"]
    assert max(map(len, lines)) <= 80
    assert "    redfin: relisted under another number: 7002, before 6981407" in lines
    told = f"      {len(keys)} photos before, 1 now, 1 of them in both"
    assert told in map(str.rstrip, lines)
    assert [complaints("event", it) for it in plain] == [[] for _ in plain]
    (relisted,) = (it for it in plain if it["kind"] == EventKind.RELISTED)
    assert (sorted(keys), [keys[0]]) == (relisted["old_photos"], relisted["new_photos"])
    gone = [it for it in pictures if not it["shown_now"]]
    assert gone
    assert {it["last_seen_on"] for it in gone} == {str(collected.stamp().today)}
    assert "no source shows any more" in run("images").out


def test_pictures_of_a_listing_that_is_over_say_so_whoever_refuses_us_then(
    run: Phx, collected: StageContext
) -> None:
    (slug,) = collected.catalog.slugs()
    before = {it["last_seen_on"] for it in run("images", "--json").json}
    for outcome in (ListingOutcome.NOT_FOUND, ListingOutcome.BLOCKED):
        with collected.holding(slug) as lease:
            for source in {it.ref.source for it in collected.catalog.photos(slug)}:
                answer = Listing(source=source, outcome=outcome)
                collected.catalog.record_listing(
                    lease, slug, answer, stamp=collected.stamp()
                )

        pictures = run("images", "--json").json

        assert {it["shown_now"] for it in pictures} == {False}
        assert {it["last_seen_on"] for it in pictures} == before != {None}


def test_changes_are_chosen_and_none_is_told_kindly(
    run: Phx, collected: StageContext
) -> None:
    (slug,) = collected.catalog.slugs()
    day = str(collected.stamp().today + timedelta(days=1))

    assert run("changes", "--kind", "relisted", "--json").json == []
    assert "no such change so far" in run("changes", "--source", SOURCE).out
    for command in ("changes", "images", "search proposed", "audit"):
        refused = run(*command.split(), "--since", day)
        assert (refused.code, f"{day} is to come" in refused.err) == (2, True)
    misspelt = run("changes", "--kind", "relistd")
    assert misspelt.code == 2
    assert "did you mean relisted" in misspelt.err.lower()
    assert run("changes", "--house", slug[:-1]).code == 2
