"""Every change of a photo has its row, and the counters are those of a full count."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.door import Miscount, passing
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.leases import Lease, Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import CatalogError, ImageError
from phx_pipeline.model.change import RAW
from phx_pipeline.model.due import is_photo_due
from phx_pipeline.model.listing import EVERY_PHOTO, Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict, VerdictKind
from phx_pipeline.model.photo import Decision, Photo, PhotoKey
from phx_pipeline.model.quarantine import Reason, Suspicion
from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    TTL_S,
    Scene,
    blob_of,
    gallery,
    house_at,
    ref,
    ruling_on,
)

# What is in the catalogue of a house that a change row would tell of.
State = dict[tuple[str, str, str], str]
Told = tuple[str, str, str, str, str]

SOURCES = (Source.REDFIN, Source.ZILLOW)
KEYS = ("a", "b", "c")
FAILURES = [
    verdict
    for verdict in Verdict
    if verdict.kind in {VerdictKind.FAILED, VerdictKind.REJECTED}
    and verdict not in {Verdict.FOREIGN, Verdict.WITHDRAWN}
]
_numbers = count(10_000)

sources = st.sampled_from(SOURCES)
keys = st.sampled_from(KEYS)
days = st.integers(0, 40)
kills = st.none() | st.integers(0, 12)


class PowerCutError(Exception):
    """The process is gone between two statements."""


@contextmanager
def cut_after(engine: sa.Engine, statements: int | None) -> Iterator[None]:
    """Let the power fail before that many statements and one were executed."""
    left = count(statements or 0, -1)

    def fail(*call: Any) -> None:
        # What is undone without a statement must not fail to be undone by one.
        if not call[2].startswith("ROLLBACK") and next(left) <= 0:
            raise PowerCutError

    if statements is None:
        yield
        return
    sa.event.listen(engine, "before_cursor_execute", fail)
    try:
        with suppress(PowerCutError):
            yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", fail)
        # A process that is gone holds no lock; here its connections must be let go.
        gc.collect()
        engine.dispose()


def state_of(engine: sa.Engine, slug: str) -> State:
    photo, listing = tables.photo, tables.listing
    photos = sa.select(photo).where(photo.c.slug == slug)
    listings = sa.select(listing).where(listing.c.slug == slug)
    found: State = {}
    with reading(engine) as connection:
        for row in connection.execute(photos).all():
            found[row.source, row.photo_key, "verdict"] = row.verdict
            found[row.source, row.photo_key, "present"] = str(row.present).lower()
        for row in connection.execute(listings).all():
            found[row.source, "", "outcome"] = row.outcome
    return found


def changes_of(engine: sa.Engine, slug: str) -> list[Told]:
    change = tables.change
    # What else is noted tells of no row's state: `test_news`.
    ours = sa.and_(change.c.slug == slug, change.c.what.in_(RAW))
    query = sa.select(change).where(ours).order_by(change.c.id)
    with reading(engine) as connection:
        return [
            (row.source, row.photo_key, row.what, row.before, row.after)
            for row in connection.execute(query)
        ]


def differences(before: State, after: State) -> set[Told]:
    """What changed between two states; a new photo is there, so only judged."""
    return {
        (*key, before.get(key, ""), value)
        for key, value in after.items()
        if before.get(key, "") != value and (key in before or key[2] != "present")
    }


class AnyHistory(RuleBasedStateMachine):
    """One house, and whatever may happen to its photos, also power cuts."""

    engine: sa.Engine

    @initialize()
    def begin(self) -> None:
        self.catalog = Catalog(self.engine, leases=Leases(self.engine, ttl_s=TTL_S))
        self.scene = Scene.of(self.catalog, number=next(_numbers))
        self.slug = self.scene.slug
        self.lease: Lease = self.scene.lease
        self.before = state_of(self.engine, self.slug)
        self.told = 0

    def try_to(self, kill: int | None, do: Callable[[], object]) -> None:
        with cut_after(self.engine, kill):
            do()

    def stamp(self, day: int) -> Stamp:
        later = timedelta(days=day)
        return replace(STAMP, at=STAMP.at + later, today=STAMP.today + later)

    def may_be_asked_for(self) -> list[Photo]:
        photos = self.catalog.photos(self.slug)
        return [photo for photo in photos if photo.verdict is not Verdict.WITHDRAWN]

    @rule(
        source=sources,
        shown=st.sets(keys),
        large=st.booleans(),
        complete=st.booleans(),
        outcome=st.sampled_from(ListingOutcome),
        withdrawn=st.just(set()) | st.sets(st.sampled_from((*KEYS, EVERY_PHOTO))),
        kill=kills,
    )
    def list_photos(
        self,
        *,
        source: Source,
        shown: set[str],
        large: bool,
        complete: bool,
        outcome: ListingOutcome,
        withdrawn: set[str],
        kill: int | None,
    ) -> None:
        size = "large" if large else "small"
        photos = tuple(
            ref(key, source=source, url=f"https://photos.example/{key}-{size}.jpg")
            for key in sorted(shown)
        )
        listing: Listing = gallery(
            source=source,
            photos=photos,
            complete=complete,
            outcome=outcome,
            withdrawn=dict.fromkeys(withdrawn, "no licence"),
        )
        self.try_to(
            kill,
            lambda: self.catalog.record_listing(
                self.lease, self.slug, listing, stamp=STAMP
            ),
        )

    @rule(source=sources, key=keys, content=st.sampled_from("xyz"), kill=kills)
    def download(
        self, *, source: Source, key: str, content: str, kill: int | None
    ) -> None:
        for photo in self.may_be_asked_for():
            if photo.key == (source, key):
                self.try_to(
                    kill,
                    lambda photo=photo: self.catalog.record_download(  # type: ignore[misc]  # mypy cannot infer such a lambda
                        self.lease,
                        photo,
                        blob_of(content),
                        fetched_url=photo.ref.url,
                        stamp=STAMP,
                    ),
                )

    @rule(
        source=sources,
        key=keys,
        verdict=st.sampled_from(FAILURES),
        day=days,
        kill=kills,
    )
    def fail(
        self, *, source: Source, key: str, verdict: Verdict, day: int, kill: int | None
    ) -> None:
        for photo in self.may_be_asked_for():
            if photo.key == (source, key):
                self.try_to(
                    kill,
                    lambda photo=photo: self.catalog.record_failure(  # type: ignore[misc]  # as above
                        self.lease,
                        photo,
                        verdict,
                        detail="why",
                        stamp=self.stamp(day),
                    ),
                )

    @rule(content=st.sampled_from("xyz"), kill=kills)
    def find_no_picture(self, *, content: str, kill: int | None) -> None:
        fault = ImageError("half of it", verdict=Verdict.DAMAGED)
        self.try_to(
            kill,
            lambda: self.catalog.record_no_pictures(
                self.lease, self.slug, {blob_of(content).sha256: fault}, stamp=STAMP
            ),
        )

    @rule(kept=keys, kill=kills)
    def decide(self, *, kept: str, kill: int | None) -> None:
        decisions = {
            photo.key: Decision(
                verdict=Verdict.KEPT
                if photo.ref.photo_key == kept
                else Verdict.DUPLICATE,
                cluster_id=photo.ref.source.value,
            )
            for photo in self.may_be_asked_for()
            if photo.sha256 is not None and photo.verdict is not Verdict.FOREIGN
        }
        self.try_to(
            kill,
            lambda: self.catalog.record_decisions(
                self.lease, self.slug, decisions, stamp=STAMP
            ),
        )

    @rule(suspects=st.sets(st.tuples(sources, keys)), kill=kills)
    def hold(self, *, suspects: set[PhotoKey], kill: int | None) -> None:
        why = Suspicion(reason=Reason.LISTING_ID, detail="of another")
        self.try_to(
            kill,
            lambda: self.catalog.quarantine.hold(
                self.lease, self.slug, dict.fromkeys(suspects, why), stamp=STAMP
            ),
        )

    @rule(source=sources, key=keys, value=st.sampled_from(PhotoRuling), kill=kills)
    def rule_on(
        self, *, source: Source, key: str, value: PhotoRuling, kill: int | None
    ) -> None:
        ruling = ruling_on(self.scene, key, value, slug=self.slug, source=source)
        self.try_to(kill, lambda: self.catalog.rulings.record(self.lease, ruling))

    @rule(kill=kills)
    def remove_bytes(self, *, kill: int | None) -> None:
        book = self.catalog.withdrawn
        sha256s = book.to_remove(self.slug)
        self.try_to(
            kill,
            lambda: book.record_removed(self.lease, self.slug, sha256s, stamp=STAMP),
        )

    @rule(kill=kills)
    def rename(self, *, kill: int | None) -> None:
        address = house_at(next(_numbers)).address
        self.try_to(
            kill,
            lambda: self.catalog.houses.rename(
                self.lease, self.slug, address, at=STAMP.at
            ),
        )
        if self.catalog.property(address.slug) is not None:
            self.slug = address.slug

    @rule()
    def recount(self) -> None:
        self.catalog.door.recount(self.lease, self.slug)

    @invariant()
    def each_change_has_one_row(self) -> None:
        after = state_of(self.engine, self.slug)
        rows = changes_of(self.engine, self.slug)
        new = rows[self.told :]
        assert sorted(new) == sorted(differences(self.before, after))
        self.before, self.told = after, len(rows)

    @invariant()
    def a_withdrawn_photo_is_neither_there_nor_due(self) -> None:
        for photo in self.catalog.photos(self.slug):
            if photo.verdict is Verdict.WITHDRAWN:
                told = (photo.present, photo.cluster_id, photo.fault_days)
                assert told == (False, None, 0)
                assert not is_photo_due(photo, final_after_days=30)

    @invariant()
    def the_counters_are_those_of_a_full_count(self) -> None:
        assert self.catalog.door.miscounts(self.slug) == []


def test_any_history_is_noted_and_counted_whatever_is_killed(
    engine: sa.Engine, kind: str
) -> None:
    class OnThisDatabase(AnyHistory):
        pass

    OnThisDatabase.engine = engine

    gc.collect()
    gc.freeze()  # so that looking for what a cut left is a matter of moments
    try:
        run_state_machine_as_test(
            OnThisDatabase,
            settings=settings(
                max_examples=15 if kind == "sqlite" else 6,
                stateful_step_count=15,
                deadline=None,
            ),
        )
    finally:
        gc.unfreeze()


def test_a_change_tells_when_and_by_which_run(engine: sa.Engine, scene: Scene) -> None:
    scene.list_photos("a")

    table = tables.change
    with reading(engine) as connection:
        rows = connection.execute(sa.select(table).order_by(table.c.id)).all()

    assert [(row.what, row.before, row.after) for row in rows] == [
        ("outcome", "", "listed"),
        ("verdict", "", "pending"),
    ]
    assert {(row.at, row.run_id) for row in rows} == {(STAMP.at, STAMP.run_id)}


def test_what_changes_nothing_leaves_no_row(engine: sa.Engine, scene: Scene) -> None:
    scene.list_photos("a", "b")
    before = changes_of(engine, scene.slug)

    scene.list_photos("b", "a")

    assert changes_of(engine, scene.slug) == before


def test_a_photo_that_a_page_shows_twice_is_one(scene: Scene) -> None:
    twice = (ref("a", position=0), ref("a", url="https://photos.example/b.jpg"))

    for _ in range(2):
        scene.say(gallery(photos=twice))

    assert [photo.ref for photo in scene.catalog.photos(scene.slug)] == [twice[0]]
    assert scene.catalog.door.miscounts(scene.slug) == []


def test_a_photo_nobody_knows_cannot_be_changed(scene: Scene) -> None:
    scene.list_photos("a")
    photo = replace(scene.photo("a"), ref=ref("b"))

    with pytest.raises(CatalogError, match="no photo b of redfin"):
        scene.catalog.record_failure(
            scene.lease, photo, Verdict.GONE, detail="404", stamp=STAMP
        )

    assert scene.catalog.door.miscounts(scene.slug) == []


def test_wrong_counters_are_told_and_counted_anew(
    engine: sa.Engine, scene: Scene
) -> None:
    scene.list_photos("a", "b")
    counts = tables.photo_count
    with writing(engine) as connection:
        this = counts.c.kind == Verdict.PENDING.value
        connection.execute(sa.update(counts).where(this).values(photos=7))

    told = scene.catalog.door.miscounts(scene.slug)
    scene.catalog.door.recount(scene.lease, scene.slug)

    assert told == [Miscount(source=Source.REDFIN, kind="pending", counted=7, there=2)]
    assert scene.catalog.door.miscounts(scene.slug) == []


def test_presence_that_changes_is_noted(engine: sa.Engine, scene: Scene) -> None:
    scene.list_photos("a")
    with (
        writing(engine) as connection,
        passing(connection, scene.slug, stamp=STAMP) as door,
    ):
        door.change(door.row(Source.REDFIN, "a"), {"present": False})

    assert changes_of(engine, scene.slug)[-1][2:] == ("present", "true", "false")
