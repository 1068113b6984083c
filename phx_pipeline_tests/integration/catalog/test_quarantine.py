"""Held photos and lookalikes on both databases."""

import pytest

from phx_pipeline.catalog.quarantine import QuarantineBook
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Decision, PhotoKey
from phx_pipeline.model.quarantine import (
    Likeness,
    Lookalike,
    PhotoAt,
    Reason,
    Suspicion,
)
from phx_pipeline.model.ruling import PhotoRuling
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    expire,
    is_due,
    ruling_on,
)

A, B = (Source.REDFIN, "a"), (Source.REDFIN, "b")
STRAY = Suspicion(reason=Reason.PHOTO_KEY, detail="on another house too")


@pytest.fixture
def other(catalog: Catalog, scene: Scene) -> Scene:
    """Another property, its lease held."""
    del scene
    return Scene.of(catalog, number=4734)


@pytest.fixture
def book(catalog: Catalog) -> QuarantineBook:
    return catalog.quarantine


@pytest.fixture
def decided(scene: Scene) -> Scene:
    """Two photos of one cluster, the first one kept."""
    scene.list_photos("a", "b")
    for key in "ab":
        scene.download(key, f"bytes of {key}")
    decide(scene)
    return scene


def decide(scene: Scene) -> None:
    decisions = {
        A: Decision(verdict=Verdict.KEPT, cluster_id="one"),
        B: Decision(verdict=Verdict.DUPLICATE, cluster_id="one"),
    }
    scene.catalog.record_decisions(scene.lease, scene.slug, decisions, stamp=STAMP)


def hold(scene: Scene, *keys: PhotoKey) -> bool:
    suspects = dict.fromkeys(keys, STRAY)
    return scene.catalog.quarantine.hold(scene.lease, scene.slug, suspects, stamp=STAMP)


def rule(scene: Scene, key: str, value: PhotoRuling) -> None:
    scene.catalog.rulings.record(scene.lease, ruling_on(scene, key, value))


def at(scene: Scene, key: str) -> PhotoAt:
    return PhotoAt(slug=scene.slug, source=Source.REDFIN, photo_key=key)


def alike(one: PhotoAt, other: PhotoAt, *, distance: int = 2) -> Lookalike:
    return Lookalike(
        one=one,
        other=other,
        likeness=Likeness.NEAR_IDENTICAL,
        phash_distance=distance,
        dhash_distance=distance,
    )


def test_a_held_photo_is_foreign_and_its_cluster_is_decided_anew(
    decided: Scene,
) -> None:
    changed = hold(decided, A)

    assert changed
    assert decided.photo("a").verdict is Verdict.FOREIGN
    assert decided.photo("a").cluster_id is None
    assert decided.photo("b").verdict is Verdict.PENDING
    assert decided.catalog.publications(decided.slug) == []
    (tally,) = decided.catalog.tallies([Source.REDFIN])
    assert (tally.discovered, tally.count(VerdictKind.REJECTED)) == (2, 1)


def test_holding_again_changes_nothing(decided: Scene, book: QuarantineBook) -> None:
    hold(decided, A)
    before = book.held()

    assert not hold(decided, A)
    assert book.held() == before


def test_an_undecided_photo_is_free_when_its_reason_is_gone(
    decided: Scene, book: QuarantineBook
) -> None:
    hold(decided, A)

    assert hold(decided)
    assert decided.photo("a").verdict is Verdict.PENDING
    assert book.held() == []


def test_a_released_photo_is_never_held_again(
    decided: Scene, book: QuarantineBook
) -> None:
    hold(decided, A)
    rule(decided, "a", PhotoRuling.RELEASED)

    assert hold(decided, A)
    assert not hold(decided, A)
    assert not hold(decided)
    assert decided.photo("a").verdict is Verdict.PENDING
    assert [held.ruling for held in book.held(decided.slug)] == [PhotoRuling.RELEASED]


def test_a_dropped_photo_stays_held_without_any_other_reason(
    decided: Scene, book: QuarantineBook
) -> None:
    rule(decided, "a", PhotoRuling.DROPPED)

    assert hold(decided)
    assert not hold(decided)
    assert decided.photo("a").verdict is Verdict.FOREIGN
    assert [held.ruling for held in book.held()] == [PhotoRuling.DROPPED]


def test_the_newest_ruling_counts(decided: Scene) -> None:
    rule(decided, "a", PhotoRuling.DROPPED)
    hold(decided)

    rule(decided, "a", PhotoRuling.RELEASED)

    assert hold(decided)
    assert decided.photo("a").verdict is Verdict.PENDING


def test_a_ruling_taken_back_leaves_the_reason_alone_to_decide(
    decided: Scene, book: QuarantineBook
) -> None:
    rule(decided, "a", PhotoRuling.DROPPED)
    hold(decided)

    rule(decided, "a", PhotoRuling.OPEN)

    assert hold(decided)
    assert decided.photo("a").verdict is Verdict.PENDING
    assert book.held() == []
    assert hold(decided, A)


def test_bytes_and_failures_that_come_later_do_not_free_a_photo(scene: Scene) -> None:
    scene.list_photos("a", "b")
    hold(scene, A, B)

    scene.download("a", "bytes")
    scene.catalog.record_failure(
        scene.lease, scene.photo("b"), Verdict.GONE, detail="404", stamp=STAMP
    )

    assert scene.photo("a").verdict is Verdict.FOREIGN
    assert scene.photo("a").sha256
    assert scene.photo("b").verdict is Verdict.FOREIGN
    assert not is_due(scene.photo("a"))
    assert not is_due(scene.photo("b"))


def test_a_key_of_two_properties_is_shared_until_one_drops_it(
    scene: Scene, other: Scene, book: QuarantineBook
) -> None:
    scene.list_photos("a", "b")
    other.list_photos("a", "c")
    shared = [book.shared_keys(it.slug) for it in (scene, other)]

    rule(other, "a", PhotoRuling.DROPPED)

    assert shared == [[(A, at(other, "a"))], [(A, at(scene, "a"))]]
    assert [book.shared_keys(it.slug) for it in (scene, other)] == [[], []]
    assert book.partners(scene.slug) == [other.slug]


def test_the_same_key_of_another_source_is_another_photo(
    scene: Scene, other: Scene, book: QuarantineBook
) -> None:
    scene.list_photos("a")
    other.list_photos("a", source=Source.ZILLOW)

    assert book.shared_keys(scene.slug) == []
    assert book.partners(scene.slug) == []


def test_a_pair_keeps_when_it_was_first_seen_and_goes_when_it_is_gone(
    scene: Scene, other: Scene, book: QuarantineBook
) -> None:
    pair = alike(at(scene, "a"), at(other, "a"))
    book.record_lookalikes(scene.lease, scene.slug, [pair], at=STAMP.at)
    nearer = alike(at(scene, "a"), at(other, "a"), distance=0)
    later = STAMP.at.replace(year=2026)

    book.record_lookalikes(other.lease, other.slug, [nearer], at=later)

    (seen,) = book.lookalikes()
    assert (seen.pair, seen.first_seen_at) == (nearer, STAMP.at)
    assert book.lookalikes(scene.slug) == book.lookalikes(other.slug) == [seen]
    book.record_lookalikes(scene.lease, scene.slug, [], at=later)
    assert book.lookalikes() == []


def test_only_kept_and_duplicate_photos_are_found_by_their_bytes(
    decided: Scene, book: QuarantineBook
) -> None:
    shas = {str(decided.photo(key).sha256) for key in "ab"}
    before = book.shown_with(shas)

    hold(decided, A)

    assert {photo for _, photo in before} == {at(decided, "a"), at(decided, "b")}
    assert book.shown_with(shas) == []
    assert book.shown_with([]) == []


def test_a_lost_lease_holds_and_rules_nothing(
    decided: Scene, book: QuarantineBook, catalog: Catalog
) -> None:
    expire(catalog._engine, decided.lease)
    catalog.leases.acquire(decided.lease.name, owner="successor")

    with pytest.raises(StaleEpochError):
        hold(decided, A)
    with pytest.raises(StaleEpochError):
        rule(decided, "a", PhotoRuling.DROPPED)
    with pytest.raises(StaleEpochError):
        book.record_lookalikes(decided.lease, decided.slug, [], at=STAMP.at)

    assert decided.photo("a").verdict is Verdict.KEPT
    assert book.held() == []
