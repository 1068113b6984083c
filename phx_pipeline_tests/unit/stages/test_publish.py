"""Numbers are given once and for ever; a folder becomes what its rows say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.model.address import Address
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.photo import PhotoKey
from phx_pipeline.model.property import Property
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Subject
from phx_pipeline.settings import load_settings
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.publish import Plan, converge_folder, name_pictures
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.wiring.stores import initialise

HOUSE = Property.at(Address.parse("4732 W Davis Rd, Glendale, AZ 85306"))
AT = datetime(2025, 3, 10, 5, 30, tzinfo=UTC)
LISTED = date(2025, 3, 8)
RECIPE = "made-for-tests"


def plan(
    photo: str,
    *,
    subject: Subject = Subject.KITCHEN,
    others: Sequence[str] = (),
    confidence: int = 90,
    source: Source = Source.REDFIN,
    listed: date = LISTED,
    at: datetime = AT,
) -> Plan:
    """The kept photo of a cluster with *others*, ready to be named."""
    category = Category(
        location=subject.location, subject=subject, confidence=confidence
    )
    name = ImageName(
        folder=HOUSE.folder,
        location=category.location,
        subject=subject,
        confidence=confidence,
        source=source,
        date=listed,
    )
    unnumbered = Publication(
        slug=HOUSE.slug,
        location=category.location,
        subject=subject,
        sequence=1,
        active=True,
        source=source,
        photo_key=photo,
        file_name=str(name),
        sha256=sha_of(photo),
        recipe=RECIPE,
        processed_at=at,
        run_id=f"run at {at}",
    )
    members = frozenset((source, key) for key in (photo, *others))
    return Plan(category=category, name=name, members=members, unnumbered=unnumbered)


def sha_of(photo: str) -> str:
    return photo.encode().hex().rjust(64, "0")


def active(rows: Sequence[Publication]) -> dict[str, int]:
    """The number of each shown photo."""
    return {row.photo_key: row.sequence for row in rows if row.active}


def test_the_first_of_a_kind_has_no_sequence_and_the_second_is_02() -> None:
    rows = name_pictures([plan("a"), plan("b")], [])

    assert [row.file_name for row in rows] == [
        f"{HOUSE.folder}_int_kitchen_90_r_20250308.png",
        f"{HOUSE.folder}_int_kitchen_90_r_20250308_02.png",
    ]


def test_each_kind_counts_from_one() -> None:
    rows = name_pictures([plan("a"), plan("b", subject=Subject.POOL)], [])

    assert active(rows) == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"confidence": 12},
        {"listed": date(2026, 1, 15)},
        {"at": AT + timedelta(days=9)},
    ],
    ids=["confidence", "date", "time"],
)
def test_a_number_stays_when_something_else_changes(changed: dict[str, object]) -> None:
    before = name_pictures([plan("a"), plan("b"), plan("c")], [])

    after = name_pictures(
        [plan("a"), plan("b", **changed), plan("c")],  # type: ignore[arg-type]  # named above
        before,
    )

    assert active(after) == {"a": 1, "b": 2, "c": 3}


def test_a_number_stays_with_its_cluster_when_another_copy_is_elected() -> None:
    before = name_pictures([plan("a"), plan("b", others=["larger"])], [])

    after = name_pictures([plan("a"), plan("larger", others=["b"])], before)

    assert active(after) == {"a": 1, "larger": 2}
    assert len(after) == 2


def test_a_number_stays_when_a_copy_from_another_source_is_elected() -> None:
    before = name_pictures([plan("a"), plan("b")], [])
    elected = plan("z-b", source=Source.ZILLOW)
    elected = replace(elected, members=elected.members | {(Source.REDFIN, "b")})

    after = name_pictures([plan("a"), elected], before)

    assert active(after) == {"a": 1, "z-b": 2}
    assert ImageName.parse(after[1].file_name).source is Source.ZILLOW


def test_another_kind_is_another_number_and_the_old_one_is_not_given_away() -> None:
    before = name_pictures([plan("a"), plan("b")], [])

    moved = name_pictures([plan("a", subject=Subject.POOL), plan("b")], before)
    after = name_pictures(
        [plan("a", subject=Subject.POOL), plan("b"), plan("c")], moved
    )

    assert active(after) == {"a": 1, "b": 2, "c": 3}
    assert [(row.sequence, row.active) for row in after if row.photo_key == "a"] == [
        (1, True),
        (1, False),
    ]


def test_a_photo_that_is_of_its_old_kind_again_has_its_old_number_again() -> None:
    before = name_pictures([plan("a"), plan("b")], [])
    moved = name_pictures([plan("a"), plan("b", subject=Subject.POOL)], before)

    after = name_pictures([plan("a"), plan("b")], moved)

    assert active(after) == {"a": 1, "b": 2}


def test_a_number_nobody_holds_stays_as_an_inactive_row() -> None:
    before = name_pictures([plan("a"), plan("b")], [])

    after = name_pictures([plan("b")], before)

    assert [(row.photo_key, row.active) for row in after] == [
        ("a", False),
        ("b", True),
    ]
    assert name_pictures([plan("b")], after) == after


def test_two_published_clusters_that_merge_keep_one_number() -> None:
    before = name_pictures([plan("a"), plan("b"), plan("c")], [])

    after = name_pictures([plan("a", others=["b"]), plan("c")], before)

    assert active(after) == {"a": 1, "c": 3}
    assert len(after) == 3


def test_a_merge_does_not_rename_the_picture_that_goes_on_being_shown() -> None:
    before = name_pictures([plan("a"), plan("b")], [])

    merged = name_pictures([plan("b", others=["a"])], before)
    split = name_pictures([plan("a"), plan("b")], merged)

    assert active(merged) == {"b": 2}
    assert active(split) == {"a": 1, "b": 2}


def test_a_cluster_that_splits_leaves_its_number_to_the_photo_that_was_shown() -> None:
    before = name_pictures([plan("a", others=["b"]), plan("c")], [])

    after = name_pictures([plan("b"), plan("a"), plan("c")], before)

    assert active(after) == {"a": 1, "c": 2, "b": 3}


def test_naming_again_later_changes_no_row() -> None:
    before = name_pictures([plan("a"), plan("b")], [])
    later = AT + timedelta(days=400)

    after = name_pictures([plan("a", at=later), plan("b", at=later)], before)

    assert after == before


def test_a_file_with_other_content_has_the_time_of_the_change() -> None:
    before = name_pictures([plan("a"), plan("b")], [])
    later = AT + timedelta(days=1)

    changed = [plan("a", at=later), plan("b", confidence=5, at=later)]

    after = name_pictures(changed, before)

    assert [row.processed_at for row in after] == [AT, later]


# --- laws -----------------------------------------------------------------------------

_PHOTOS = "abcdef"
_SUBJECTS = (Subject.KITCHEN, Subject.POOL)


@st.composite
def publishes(draw: st.DrawFn) -> list[Plan]:
    """One publish: photos fall into clusters at will, each cluster shows something."""
    clusters: dict[int, list[str]] = {}
    for photo in draw(st.permutations(_PHOTOS)):
        group = draw(st.integers(0, 4))
        if group:  # 0: not kept this time
            clusters.setdefault(group, []).append(photo)
    return [
        plan(
            kept,
            others=others,
            subject=draw(st.sampled_from(_SUBJECTS)),
            confidence=draw(st.integers(0, 99)),
        )
        for kept, *others in clusters.values()
    ]


def _series(
    rounds: Sequence[Sequence[Plan]],
) -> Iterator[tuple[list[Publication], ...]]:
    """Each publish as (rows before, rows after)."""
    before: list[Publication] = []
    for plans in rounds:
        after = name_pictures(plans, before)
        yield before, after
        before = after


@given(st.lists(publishes(), min_size=1, max_size=6))
def test_every_shown_picture_has_one_file_name_of_its_own(
    rounds: list[list[Plan]],
) -> None:
    for plans, (_, after) in zip(rounds, _series(rounds), strict=True):
        shown = [row.file_name for row in after if row.active]

        assert len(set(shown)) == len(shown) == len(plans)


@given(st.lists(publishes(), min_size=1, max_size=6))
def test_no_number_is_ever_given_to_a_cluster_without_its_holder(
    rounds: list[list[Plan]],
) -> None:
    for plans, (before, after) in zip(rounds, _series(rounds), strict=True):
        members = {
            (photo.unnumbered.source, photo.unnumbered.photo_key): photo.members
            for photo in plans
        }
        now = {row.number: row for row in after}

        assert {row.number for row in before} <= set(now)
        for row in before:
            if now[row.number].active:
                assert row.holder in members[now[row.number].holder]


@given(st.lists(publishes(), min_size=2, max_size=6))
def test_a_picture_shown_before_and_after_keeps_its_number_within_its_kind(
    rounds: list[list[Plan]],
) -> None:
    for before, after in _series(rounds):
        now = {(row.holder, row.subject): row.sequence for row in after if row.active}
        then = {(row.holder, row.subject): row.sequence for row in before if row.active}

        assert {key: now[key] for key in then if key in now} == {
            key: number for key, number in then.items() if key in now
        }


@given(st.lists(publishes(), min_size=1, max_size=6))
def test_naming_the_same_twice_is_naming_it_once(rounds: list[list[Plan]]) -> None:
    *_, (_, after) = _series(rounds)

    assert name_pictures(rounds[-1], after) == after


@given(st.lists(publishes(), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_the_pictures_moves_no_number(
    rounds: list[list[Plan]], chance: Random
) -> None:
    *_, (before, after) = _series(rounds)
    shuffled = chance.sample(rounds[-1], len(rounds[-1]))

    again = name_pictures(shuffled, before)

    old = {row.number for row in before}
    assert [row for row in again if row.number in old] == [
        row for row in after if row.number in old
    ]
    assert {row.number for row in again} == {row.number for row in after}


# --- folders --------------------------------------------------------------------------


def own(photo: str) -> str:
    """A file name as we give them, for a photo of one letter."""
    return f"{HOUSE.folder}_int_kitchen_90_r_202503{ord(photo) - ord('a') + 1:02}.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A published folder, and what may be put there."""

    context: StageContext

    @property
    def folder(self) -> Path:
        return self.context.layout.folder(HOUSE.folder)

    def row(self, photo: str) -> Publication:
        """A publication whose picture is stored."""
        self.context.blobs.put_standardized(sha_of(photo), RECIPE, photo.encode())
        (row,) = name_pictures([plan(photo)], [])
        return replace(row, file_name=own(photo))

    def converge(self, *photos: str) -> tuple[int, int]:
        return converge_folder(self.context, HOUSE, [self.row(p) for p in photos])

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture
def shelf(tmp_path: Path, clock: Callable[[], datetime]) -> Iterator[Shelf]:
    settings = replace(load_settings({}), data_dir=tmp_path)
    initialise(settings)
    context = build_context(settings, run_id="test", clock=clock)
    yield Shelf(context=context)
    context.catalog.close()


def test_a_missing_folder_is_made_with_its_files(shelf: Shelf) -> None:
    assert shelf.converge("a", "b") == (2, 0)
    assert shelf.content() == {own("a"): b"a", own("b"): b"b"}


def test_a_folder_that_is_right_is_left_alone(shelf: Shelf) -> None:
    shelf.converge("a")

    assert shelf.converge("a") == (0, 0)


def test_a_file_with_other_bytes_is_replaced(shelf: Shelf) -> None:
    shelf.converge("a")
    (shelf.folder / own("a")).unlink()
    (shelf.folder / own("a")).write_bytes(b"x")

    assert shelf.converge("a") == (1, 0)
    assert shelf.content() == {own("a"): b"a"}


def test_what_nobody_lists_is_removed(shelf: Shelf) -> None:
    shelf.converge("a", "b")
    (shelf.folder / ".b.png.0815.tmp").write_bytes(b"left by a kill")

    assert shelf.converge("a") == (0, 2)
    assert shelf.content() == {own("a"): b"a"}


@pytest.mark.parametrize("name", ["mine.png", own("a").replace("_int_", "_in_")])
def test_a_picture_of_somebody_else_is_moved_aside(shelf: Shelf, name: str) -> None:
    shelf.converge("a")
    (shelf.folder / name).write_bytes(b"mine")

    assert shelf.converge("a") == (0, 1)
    (aside,) = shelf.folder.glob("*.aside-*")
    assert (aside.name.startswith(f"{name}."), aside.read_bytes()) == (True, b"mine")
    assert shelf.converge("a") == (0, 0)


def test_foreign_files_of_other_types_stay(shelf: Shelf) -> None:
    shelf.converge("a")
    (shelf.folder / "notes.txt").write_bytes(b"too dark")
    (shelf.folder / "mine").mkdir()

    assert shelf.converge() == (0, 1)
    assert {path.name for path in shelf.folder.iterdir()} == {"notes.txt", "mine"}


def test_a_folder_nobody_published_to_is_not_made(shelf: Shelf) -> None:
    assert shelf.converge() == (0, 0)
    assert not shelf.folder.exists()


def test_photo_keys_are_told_apart_by_source() -> None:
    ours: PhotoKey = (Source.REDFIN, "1")
    rows = name_pictures([plan("1")], [])

    after = name_pictures([plan("1", source=Source.ZILLOW)], rows)

    assert {row.holder: row.active for row in after} == {
        ours: False,
        (Source.ZILLOW, "1"): True,
    }
