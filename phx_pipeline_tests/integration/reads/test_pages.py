"""Lists come a page at a time: together the whole list, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import images
from phx_pipeline.catalog.images import EVERYTHING
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError
from phx_pipeline.model.change import NotedChange
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.image_search import Wanted
from phx_pipeline.model.search import Proposal, SearchTurn
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.changes import read_changes
from phx_pipeline.reads.houses import read_houses
from phx_pipeline.reads.images import find_images, read_images
from phx_pipeline.reads.paging import MOST, Page, cursor_of
from phx_pipeline.reads.searches import read_proposals
from phx_pipeline_tests.bench.growth import fill_rows
from phx_pipeline_tests.integration.conftest import STAMP, Scene, house_at

Row = TypeVar("Row")
TURN = SearchTurn(search="west", source=Source.REDFIN, on=STAMP.today)


def pages(page_after: Callable[[str | None], Page[Row]]) -> list[tuple[Row, ...]]:
    """The rows of one page after the other, until none is left."""
    cursor: str | None = None
    found: list[tuple[Row, ...]] = []
    while True:
        page = page_after(cursor)
        found.append(page.rows)
        assert len(found) < 99, "the pages have no end"
        cursor = page.next
        if cursor is None:
            return found


def test_pages_of_pictures_are_together_all_that_are_wanted(
    engine: sa.Engine, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_HOUSES", 2)
    first, *_ = fill_rows(engine, 3, recipe="made-for-tests")
    kitchens = Wanted(subject=Subject.KITCHEN)
    whole = list(find_images(reads, EVERYTHING))

    found = pages(lambda it: read_images(reads, EVERYTHING, limit=50, cursor=it))
    exact = pages(lambda it: read_images(reads, kitchens, limit=15, cursor=it))
    of_one = pages(
        lambda it: read_images(reads, EVERYTHING, slug=first, limit=39, cursor=it)
    )

    assert [len(rows) for rows in found] == [50, 50, 20]
    assert [row for rows in found for row in rows] == whole
    assert [len(rows) for rows in exact] == [15, 15]  # and no empty one after them
    assert [len(rows) for rows in of_one] == [39, 1]


def test_pages_of_houses_leave_removed_ones_out(catalog: Catalog, reads: Reads) -> None:
    scenes = [Scene.of(catalog, number=number) for number in (1, 2, 3, 4)]
    catalog.houses.remove(scenes[1].lease, scenes[1].slug, at=STAMP.at)

    found = pages(lambda it: read_houses(reads, limit=2, cursor=it))

    assert found == [(house_at(1), house_at(3)), (house_at(4),)]


def proposal(number: int) -> Proposal:
    house = house_at(number)
    return Proposal(
        match_key=house.address.match_key,
        address=house.address,
        search=TURN.search,
        source=TURN.source,
        listing_id=str(number),
        url=f"https://www.redfin.com/{number}",
        facts=ListingFacts(),
        first_seen_on=TURN.on + timedelta(days=number // 3),
    )


def test_pages_of_proposals_are_together_all_those_first_seen_last_first(
    catalog: Catalog, reads: Reads
) -> None:
    rows = [proposal(number) for number in range(1, 6)]
    catalog.searches.record(TURN, rows, left_out={})

    found = pages(lambda it: read_proposals(reads, limit=2, cursor=it))

    days = [[it.first_seen_on.day - TURN.on.day for it in page] for page in found]
    assert days == [[1, 1], [1, 0], [0]]
    assert len({it.match_key for page in found for it in page}) == len(rows)


def test_changes_are_told_the_newest_first_and_since_a_time(
    catalog: Catalog, reads: Reads
) -> None:
    one, other = (Scene.of(catalog, number=number) for number in (1, 2))
    one.list_photos("a")
    other.list_photos("b")
    days_later = replace(STAMP, at=STAMP.at + timedelta(days=3), run_id="run-2")
    later = replace(one, stamp=days_later)
    later.list_photos("c")  # and a is there no more

    def some(cursor: str | None) -> Page[NotedChange]:
        return read_changes(reads, limit=2, cursor=cursor)

    whole = [row for rows in pages(some) for row in rows]
    lately = read_changes(reads, since=days_later.at).rows
    of_other = read_changes(reads, slug=other.slug).rows

    assert whole == list(read_changes(reads).rows)
    assert [it.id for it in lately] == sorted((it.id for it in lately), reverse=True)
    assert {(it.photo_key, it.what, it.after) for it in lately} == {
        ("a", "present", "false")
    } | {(it.photo_key, it.what, it.after) for it in whole if it.photo_key == "c"}
    assert {it.run_id for it in lately} == {"run-2"}
    assert {it.slug for it in of_other} == {other.slug}
    assert {("", "outcome", "listed")} <= {
        (it.photo_key, it.what, it.after) for it in of_other
    }


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("limit", [0, -1, MOST + 1])
def test_a_page_has_bounds(reads: Reads, limit: int) -> None:
    for read in (read_houses, read_changes):
        with pytest.raises(InputError, match=f"limit {limit} is not 1 to {MOST}"):
            read(reads, limit=limit)
    with pytest.raises(InputError, match=f"limit {limit} is not 1 to {MOST}"):
        read_images(reads, EVERYTHING, limit=limit)


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    "cursor",
    ["7", "é", "%00", "a" * 3000, cursor_of(["1", "2"]), cursor_of(["-1"])]
    + [cursor_of([text]) for text in ("x", "9" * 40, "²", "1.5")],
)
def test_a_cursor_that_no_page_ended_with_is_refused(reads: Reads, cursor: str) -> None:
    with pytest.raises(InputError, match="is none that a page ended with"):
        read_changes(reads, cursor=cursor)
    with pytest.raises(InputError, match="is none that a page ended with"):
        read_proposals(reads, cursor=cursor)
