from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Decision, Photo
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    blob_of,
    gallery,
    is_due,
    ref,
)

SMALL = "https://photos.example/small.jpg"
LARGE = "https://photos.example/large.jpg"
# One of each sort: the tests of the model tell which are alike, those of the door write
# any of them. "foreign" is none: whose house a photo shows is no matter of bytes.
FAILURES = [Verdict.GONE, Verdict.DAMAGED, Verdict.TIMEOUT, Verdict.REFUSED]
PASSING = [verdict for verdict in FAILURES if verdict.is_passing]
NO_PICTURE = [verdict for verdict in FAILURES if verdict.gave_no_picture]


@pytest.fixture
def pending(scene: Scene) -> Scene:
    """A photo known by its small variant, not yet asked for."""
    scene.say(gallery(photos=(ref("a", url=SMALL),)))
    return scene


@pytest.fixture
def kept(pending: Scene) -> Scene:
    """The photo downloaded and kept."""
    pending.download("a", "small")
    _decide(pending, Verdict.KEPT)
    return pending


def _decide(scene: Scene, verdict: Verdict) -> None:
    decision = Decision(verdict=verdict, cluster_id="cluster")
    scene.catalog.record_decisions(
        scene.lease, scene.slug, {(Source.REDFIN, "a"): decision}, stamp=STAMP
    )


def _fail(
    scene: Scene, verdict: Verdict, *, detail: str = "why", day: int = 0
) -> Photo:
    """Record a failure, *day* days after the first."""
    stamp = replace(STAMP, today=STAMP.today + timedelta(days=day))
    scene.catalog.record_failure(
        scene.lease, scene.photo("a"), verdict, detail=detail, stamp=stamp
    )
    return scene.photo("a")


def _offer_large(scene: Scene) -> None:
    scene.say(gallery(photos=(ref("a", url=LARGE),)))


def _attempts(engine: sa.Engine) -> list[tuple[str, str, str]]:
    table = tables.attempt
    query = sa.select(table.c.url, table.c.result, table.c.detail).order_by(table.c.id)
    with reading(engine) as connection:
        return [(row.url, row.result, row.detail) for row in connection.execute(query)]


def test_a_downloaded_photo_waits_for_its_decision(pending: Scene) -> None:
    blob = pending.download("a", "small")

    photo = pending.photo("a")

    assert (photo.verdict, photo.sha256) == (Verdict.PENDING, blob.sha256)
    assert (photo.asked_url, photo.fetched_url) == (SMALL, SMALL)
    assert not is_due(photo)
    assert pending.catalog.blobs(pending.slug) == {blob.sha256: blob}


def test_a_fallback_that_was_fetched_does_not_hide_what_was_asked_for(
    pending: Scene,
) -> None:
    _offer_large(pending)

    pending.catalog.record_download(
        pending.lease,
        pending.photo("a"),
        blob_of("small"),
        fetched_url=SMALL,
        stamp=STAMP,
    )

    photo = pending.photo("a")
    assert (photo.asked_url, photo.fetched_url) == (LARGE, SMALL)
    assert not is_due(photo)


def test_equal_bytes_are_one_blob_of_both_photos(scene: Scene) -> None:
    scene.list_photos("a", "b")

    scene.download("a", "same")
    blob = scene.download("b", "same")

    assert scene.photo("a").sha256 == scene.photo("b").sha256
    assert scene.catalog.blobs(scene.slug) == {blob.sha256: blob}


def test_only_blobs_of_the_property_are_read(scene: Scene) -> None:
    other = Scene.of(scene.catalog, number=7)
    other.list_photos("a")
    other.download("a", "elsewhere")

    assert scene.catalog.blobs(scene.slug) == {}


@pytest.mark.parametrize("verdict", FAILURES)
def test_a_failure_without_bytes_is_the_verdict(
    pending: Scene, verdict: Verdict
) -> None:
    photo = _fail(pending, verdict)

    assert (photo.verdict, photo.sha256) == (verdict, None)
    assert is_due(photo) is (verdict is not Verdict.REFUSED)


@pytest.mark.parametrize("verdict", NO_PICTURE)
def test_what_gave_no_picture_is_final_after_failing_on_three_days(
    pending: Scene, verdict: Verdict
) -> None:
    found = [_fail(pending, verdict, day=day) for day in (0, 0, 1, 1, 5)]

    assert [photo.fault_days for photo in found] == [1, 1, 2, 2, 3]
    assert [is_due(photo) for photo in found] == [True, True, True, True, False]
    assert found[-1].faulted_on == STAMP.today + timedelta(days=5)


@pytest.mark.parametrize("verdict", PASSING)
def test_a_passing_failure_is_no_day_of_failing(
    pending: Scene, verdict: Verdict
) -> None:
    before = _fail(pending, Verdict.GONE)

    photo = _fail(pending, verdict, day=1)

    assert photo.fault_days == before.fault_days == 1
    assert photo.faulted_on == before.faulted_on
    assert is_due(photo)


def test_days_are_counted_as_far_as_anybody_asks(pending: Scene) -> None:
    found = [_fail(pending, Verdict.GONE, day=day) for day in range(32)]

    assert [photo.fault_days for photo in found[-3:]] == [30, 30, 30]


@pytest.mark.parametrize("verdict", [*NO_PICTURE, Verdict.REFUSED])
def test_a_final_failure_asks_again_for_another_variant_only(
    pending: Scene, verdict: Verdict
) -> None:
    failed = [_fail(pending, verdict, day=day) for day in range(3)]
    assert not is_due(failed[-1])

    pending.say(gallery(photos=(ref("a", url=SMALL, caption="new words"),)))
    assert not is_due(pending.photo("a"))
    _offer_large(pending)

    photo = pending.photo("a")
    assert is_due(photo)
    assert (photo.fault_days, photo.faulted_on) == (0, None)


@pytest.mark.parametrize("verdict", FAILURES)
def test_a_download_ends_a_failure(pending: Scene, verdict: Verdict) -> None:
    _fail(pending, verdict)

    pending.download("a", "small")

    photo = pending.photo("a")
    assert photo.verdict is Verdict.PENDING
    assert not is_due(photo)
    assert (photo.fault_days, photo.faulted_on) == (0, None)


def test_a_larger_variant_is_wanted(kept: Scene) -> None:
    assert not is_due(kept.photo("a"))

    _offer_large(kept)

    assert is_due(kept.photo("a"))


@pytest.mark.parametrize("verdict", FAILURES)
def test_a_failed_upgrade_loses_nothing(kept: Scene, verdict: Verdict) -> None:
    before = kept.photo("a")
    _offer_large(kept)

    photo = _fail(kept, verdict)

    assert photo.verdict is Verdict.KEPT
    assert (photo.sha256, photo.cluster_id) == (before.sha256, before.cluster_id)
    assert photo.fetched_url == SMALL
    assert is_due(photo) is (verdict is not Verdict.REFUSED)


@pytest.mark.parametrize("verdict", NO_PICTURE)
def test_a_failed_upgrade_is_given_up_after_three_days(
    kept: Scene, verdict: Verdict
) -> None:
    _offer_large(kept)

    found = [_fail(kept, verdict, day=day) for day in range(3)]

    assert [is_due(photo) for photo in found] == [True, True, False]
    assert found[-1].verdict is Verdict.KEPT


@pytest.mark.parametrize("verdict", [Verdict.KEPT, Verdict.DUPLICATE])
def test_an_upgrade_with_other_bytes_is_decided_anew(
    kept: Scene, verdict: Verdict
) -> None:
    _decide(kept, verdict)
    _offer_large(kept)

    blob = kept.download("a", "large")

    photo = kept.photo("a")
    assert (photo.verdict, photo.cluster_id) == (Verdict.PENDING, None)
    assert (photo.sha256, photo.fetched_url) == (blob.sha256, LARGE)


@pytest.mark.parametrize("verdict", [Verdict.KEPT, Verdict.DUPLICATE])
def test_an_upgrade_with_the_same_bytes_stays_decided(
    kept: Scene, verdict: Verdict
) -> None:
    _decide(kept, verdict)
    _offer_large(kept)

    kept.download("a", "small")

    photo = kept.photo("a")
    assert (photo.verdict, photo.cluster_id) == (verdict, "cluster")
    assert not is_due(photo)


def test_a_decision_touches_only_its_photo(scene: Scene) -> None:
    scene.list_photos("a", source=Source.REDFIN)
    scene.say(gallery("a", source=Source.ZILLOW))

    _decide(scene, Verdict.KEPT)

    assert {
        photo.ref.source: (photo.verdict, photo.cluster_id)
        for photo in scene.catalog.photos(scene.slug)
    } == {
        Source.REDFIN: (Verdict.KEPT, "cluster"),
        Source.ZILLOW: (Verdict.PENDING, None),
    }


def test_every_attempt_is_noted_in_order(engine: sa.Engine, pending: Scene) -> None:
    _fail(pending, Verdict.TIMEOUT, detail="30 s")
    pending.download("a", "small")

    assert _attempts(engine) == [
        (SMALL, Verdict.TIMEOUT, "30 s"),
        (SMALL, "ok", ""),
    ]
