"""What goes in comes out, on both engines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Decision, PictureHashes
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.model.vote import Named
from phx_pipeline_tests.integration.conftest import STAMP, Scene, blob_of

KEY = (Source.REDFIN, "a")
POOL = Category(location=Location.EXTERIOR, subject=Subject.POOL, confidence=99)
NAMED = Named(category=POOL, probability=0.995)
FIRST, LAST = 0, 2**64 - 1
HIGH, BELOW = 2**63, 2**63 - 1


@pytest.fixture
def kept(scene: Scene) -> Scene:
    """Two kept photos, "a" and "b"."""
    scene.list_photos("a", "b")
    for key in ("a", "b"):
        scene.download(key, key)
        decision = Decision(verdict=Verdict.KEPT, cluster_id=key)
        scene.catalog.record_decisions(
            scene.lease, scene.slug, {(Source.REDFIN, key): decision}, stamp=STAMP
        )
    return scene


def _picture(content: str, *, recipe: str = "v1-1024") -> StandardPicture:
    return StandardPicture(
        sha256=blob_of(content).sha256,
        recipe=recipe,
        png_sha256="0" * 64,
        size_bytes=2**33,
        width=1024,
        height=683,
    )


def _publication(scene: Scene, *, sequence: int = 1) -> Publication:
    return Publication(
        slug=scene.slug,
        location=POOL.location,
        subject=POOL.subject,
        sequence=sequence,
        active=True,
        source=Source.REDFIN,
        photo_key="a",
        file_name=f"{sequence}.png",
        sha256=blob_of("a").sha256,
        recipe="v1-1024",
        processed_at=STAMP.at,
        run_id="run-1",
    )


def _publish(scene: Scene, *publications: Publication) -> None:
    scene.catalog.record_publications(scene.lease, scene.slug, publications)


@pytest.mark.parametrize(
    "hashes",
    [
        (FIRST, LAST, HIGH, BELOW),
        (LAST, FIRST, BELOW, HIGH),
        (HIGH, BELOW, LAST, FIRST),
    ],
)
def test_hashes_keep_all_64_bits(
    scene: Scene, hashes: tuple[int, int, int, int]
) -> None:
    scene.list_photos("a")
    names = ("phash", "dhash", "trimmed_phash", "trimmed_dhash")
    given = PictureHashes(**dict(zip(names, hashes, strict=True)))
    blob = replace(blob_of("bytes"), hashes=given)

    scene.catalog.record_download(
        scene.lease, scene.photo("a"), blob, fetched_url="https://x", stamp=STAMP
    )

    assert scene.catalog.blobs(scene.slug)[blob.sha256] == blob


@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5.5))]
)
def test_times_come_back_in_utc(kept: Scene, zone: timezone) -> None:
    at = datetime(2025, 3, 9, 22, 30, 0, 123456, tzinfo=zone)

    _publish(kept, replace(_publication(kept), processed_at=at))

    (read,) = kept.catalog.publications(kept.slug)
    assert read.processed_at.isoformat() == at.astimezone(UTC).isoformat()


def test_a_naive_time_is_refused_and_nothing_written(kept: Scene) -> None:
    naive = STAMP.at.replace(tzinfo=None)

    with pytest.raises(sa.exc.StatementError, match="naive time"):
        _publish(
            kept,
            _publication(kept),
            replace(_publication(kept, sequence=2), processed_at=naive),
        )

    assert kept.catalog.publications(kept.slug) == []


def test_pictures_are_known_by_bytes_and_recipe(kept: Scene) -> None:
    pictures = [_picture("a"), _picture("a", recipe="v2"), _picture("b")]
    for picture in pictures:
        kept.catalog.record_picture(kept.lease, picture)

    shas = [picture.sha256 for picture in pictures[:2]]

    assert kept.catalog.pictures(shas) == {
        (picture.sha256, picture.recipe): picture for picture in pictures[:2]
    }
    assert kept.catalog.pictures([]) == {}


def test_a_picture_made_again_replaces_the_first(kept: Scene) -> None:
    again = replace(_picture("a"), png_sha256="1" * 64, size_bytes=7)
    kept.catalog.record_picture(kept.lease, _picture("a"))

    kept.catalog.record_picture(kept.lease, again)

    assert list(kept.catalog.pictures([again.sha256]).values()) == [again]


def test_categories_are_replaced_as_a_whole(kept: Scene) -> None:
    other = Scene.of(kept.catalog, number=7)
    other.catalog.record_categories(other.lease, other.slug, {KEY: NAMED})
    second = (Source.REDFIN, "b")
    kept.catalog.record_categories(kept.lease, kept.slug, {KEY: Named()})

    kept.catalog.record_categories(kept.lease, kept.slug, {second: NAMED})

    assert kept.catalog.categories(kept.slug) == {second: POOL}
    assert kept.catalog.categories(other.slug) == {KEY: POOL}


def test_no_categories_leave_none(kept: Scene) -> None:
    kept.catalog.record_categories(kept.lease, kept.slug, {KEY: NAMED})

    kept.catalog.record_categories(kept.lease, kept.slug, {})

    assert kept.catalog.categories(kept.slug) == {}


def test_publications_are_read_by_number(kept: Scene) -> None:
    rows = [_publication(kept, sequence=sequence) for sequence in (10, 9, 100)]

    _publish(kept, *rows)

    assert kept.catalog.publications(kept.slug) == sorted(
        rows, key=lambda row: row.sequence
    )


def test_a_changed_publication_replaces_only_its_number(kept: Scene) -> None:
    first, second = _publication(kept), _publication(kept, sequence=2)
    _publish(kept, first, second)
    retired = replace(first, active=False, run_id="run-2")

    _publish(kept, retired)

    assert kept.catalog.publications(kept.slug) == [retired, second]


def test_a_published_image_tells_everything_the_views_show(kept: Scene) -> None:
    kept.catalog.record_picture(kept.lease, _picture("a"))
    _publish(kept, _publication(kept))

    (image,) = kept.catalog.published_images(kept.slug)

    assert image.property_address == str(kept.house.address)
    assert image.local_path == f"processed/{kept.house.folder}/1.png"
    assert image.source_url == kept.photo("a").fetched_url
    assert image.downloaded_at.isoformat() == STAMP.at.isoformat()
    assert image.processed_at.isoformat() == STAMP.at.isoformat()
    assert (image.phash, image.dhash) == (1, 2)
    assert (image.width, image.height) == (1024, 683)
    assert image.file_size_bytes == 2**33
    assert image.content_hash == "0" * 64


def test_published_images_are_active_ones_by_address_and_name(kept: Scene) -> None:
    other = Scene.of(kept.catalog, number=4731)
    other.list_photos("a")
    other.download("a", "a")
    kept.catalog.record_picture(kept.lease, _picture("a"))
    names = ["b_c.png", "bb.png", "B.png", "a.png"]
    for scene in (kept, other):
        rows = [
            replace(_publication(scene, sequence=number), file_name=name)
            for number, name in enumerate(names)
        ]
        _publish(scene, *rows, replace(_publication(scene, sequence=9), active=False))

    paths = [image.local_path for image in kept.catalog.published_images()]

    in_order = ["B.png", "a.png", "b_c.png", "bb.png"]
    assert paths == [
        f"processed/{folder}/{name}"
        for folder in (other.house.folder, kept.house.folder)
        for name in in_order
    ]
