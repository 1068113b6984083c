import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading
from phx_pipeline.catalog.store import Decision
from phx_pipeline.model.outcome import Verdict, VerdictKind
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.source import Source
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    Scene,
    blob_of,
    gallery,
    ref,
)

SMALL = "https://photos.example/small.jpg"
LARGE = "https://photos.example/large.jpg"
FAILURES = [  # "foreign" is not one: whose house a photo shows is no matter of bytes
    verdict
    for verdict in Verdict
    if verdict.kind in {VerdictKind.REJECTED, VerdictKind.FAILED}
    and verdict is not Verdict.FOREIGN
]
PASSING = [verdict for verdict in FAILURES if verdict.wants_download]
LASTING = [verdict for verdict in FAILURES if not verdict.wants_download]


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
        scene.lease, scene.slug, {(Source.REDFIN, "a"): decision}
    )


def _fail(scene: Scene, verdict: Verdict, *, detail: str = "why") -> Photo:
    scene.catalog.record_failure(
        scene.lease, scene.photo("a"), verdict, detail=detail, stamp=scene.stamp
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
    assert not photo.wants_download
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
    assert not photo.wants_download


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
    assert photo.wants_download is verdict.wants_download


@pytest.mark.parametrize("verdict", LASTING)
def test_a_lasting_failure_asks_again_for_another_variant_only(
    pending: Scene, verdict: Verdict
) -> None:
    _fail(pending, verdict)

    _offer_large(pending)

    assert pending.photo("a").wants_download


@pytest.mark.parametrize("verdict", FAILURES)
def test_a_download_ends_a_failure(pending: Scene, verdict: Verdict) -> None:
    _fail(pending, verdict)

    pending.download("a", "small")

    photo = pending.photo("a")
    assert photo.verdict is Verdict.PENDING
    assert not photo.wants_download


def test_a_larger_variant_is_wanted(kept: Scene) -> None:
    assert not kept.photo("a").wants_download

    _offer_large(kept)

    assert kept.photo("a").wants_download


@pytest.mark.parametrize("verdict", FAILURES)
def test_a_failed_upgrade_loses_nothing(kept: Scene, verdict: Verdict) -> None:
    before = kept.photo("a")
    _offer_large(kept)

    photo = _fail(kept, verdict)

    assert photo.verdict is Verdict.KEPT
    assert (photo.sha256, photo.cluster_id) == (before.sha256, before.cluster_id)
    assert photo.fetched_url == SMALL
    assert photo.wants_download is (verdict in PASSING)


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
    assert not photo.wants_download


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
