"""Several processes write at once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, reading, writing
from phx_pipeline.catalog.leases import Leases, process_owner
from phx_pipeline.catalog.rows import blob_values
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.identity import property_lease
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Decision
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline_tests.integration.conftest import (
    STAMP,
    TTL_S,
    Scene,
    blob_of,
    gallery,
    house_at,
    ref,
)

KEYS = [f"photo-{number}" for number in range(8)]
ROUNDS = 6


def _open(url: str) -> Catalog:
    engine = open_engine(url)
    return Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))


def _picture(blob: Blob) -> StandardPicture:
    return StandardPicture(
        sha256=blob.sha256,
        recipe="v1-1024",
        png_sha256="0" * 64,
        size_bytes=1,
        width=1,
        height=1,
    )


def _tell_whole_property(url: str, number: int) -> None:
    """Write every kind of row; all properties show the same pictures."""
    catalog = _open(url)
    scene = Scene.of(catalog, number=number)
    scene.list_photos(*KEYS)
    for key in KEYS:
        blob = scene.download(key, key)
        catalog.record_picture(scene.lease, _picture(blob))
        (photo,) = (p for p in catalog.photos(scene.slug) if p.ref.photo_key == key)
        decision = Decision(verdict=Verdict.KEPT, cluster_id=key)
        catalog.record_decisions(
            scene.lease, scene.slug, {photo.key: decision}, stamp=STAMP
        )
    catalog.close()


def _sign_all_photos(url: str, name: str) -> int:
    """Sign each photo in a transaction of its own, then look; count what is ours."""
    catalog = _open(url)
    house = house_at(7)
    signed = 0
    for _ in range(ROUNDS):
        with catalog.leases.hold(
            property_lease(house.slug),
            owner=process_owner(name),
            wait_s=60,
            poll_s=0.002,
        ) as lease:
            for position, key in enumerate(KEYS):
                photo = ref(key, caption=name, position=position)
                catalog.record_listing(
                    lease,
                    house.slug,
                    gallery(photos=(photo,), complete=False),
                    stamp=STAMP,
                )
            photos = catalog.photos(house.slug)
            signed += sum(photo.ref.caption == name for photo in photos)
    catalog.close()
    return signed


def test_processes_that_write_different_properties_lose_nothing(
    url: str, catalog: Catalog, processes: ProcessPoolExecutor
) -> None:
    numbers = range(1, 9)

    list(processes.map(_tell_whole_property, [url] * len(numbers), numbers))

    assert len(catalog.slugs()) == len(numbers)
    for slug in catalog.slugs():
        photos = catalog.photos(slug)
        assert [photo.ref.photo_key for photo in photos] == KEYS
        assert {photo.verdict for photo in photos} == {Verdict.KEPT}
        assert set(catalog.blobs(slug)) == {blob_of(key).sha256 for key in KEYS}
    assert len(catalog.pictures([blob_of(key).sha256 for key in KEYS])) == len(KEYS)


def test_processes_that_write_the_same_property_never_interleave(
    url: str, catalog: Catalog, processes: ProcessPoolExecutor
) -> None:
    catalog.add_properties([house_at(7)], at=STAMP.at)

    signed = list(processes.map(_sign_all_photos, [url] * 2, ["ann", "bob"]))

    assert signed == [ROUNDS * len(KEYS)] * 2


def test_bytes_that_another_property_stores_at_the_same_moment_are_shared(
    scene: Scene, engine: sa.Engine
) -> None:
    scene.list_photos("a")
    blob = blob_of("same")
    ours = threading.Thread(target=scene.download, args=("a", "same"))

    with writing(engine) as connection:
        connection.execute(sa.insert(tables.blob).values(blob_values(blob)))
        ours.start()
        ours.join(0.3)  # it waits for the other's transaction
    ours.join()

    assert scene.photo("a").sha256 == blob.sha256


def test_a_picture_that_another_property_makes_at_the_same_moment_is_shared(
    scene: Scene, engine: sa.Engine
) -> None:
    scene.list_photos("a")
    picture = _picture(scene.download("a", "same"))
    ours = threading.Thread(
        target=scene.catalog.record_picture, args=(scene.lease, picture)
    )

    with writing(engine) as connection:
        connection.execute(sa.insert(tables.picture).values(asdict(picture)))
        ours.start()
        ours.join(0.3)
    ours.join()

    assert list(scene.catalog.pictures([picture.sha256]).values()) == [picture]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_locked_database_is_waited_for(
    scene: Scene, url: str, opened: Callable[[str], sa.Engine]
) -> None:
    locked, done = threading.Event(), threading.Event()

    def lock_for_a_while() -> None:
        with writing(opened(url)):
            locked.set()
            time.sleep(0.5)
            done.set()

    other = threading.Thread(target=lock_for_a_while)
    other.start()
    locked.wait()
    scene.list_photos("a")
    written_after = done.is_set()
    other.join()

    assert written_after
    assert scene.photo("a").present


def test_reading_does_not_wait_for_a_writer(
    scene: Scene, url: str, opened: Callable[[str], sa.Engine]
) -> None:
    scene.list_photos("a")
    other = _open_with(opened(url))

    with writing(opened(url)) as connection:
        Leases.fence(connection, scene.lease)

        assert [photo.ref.photo_key for photo in other.photos(scene.slug)] == ["a"]


def test_a_reader_that_began_earlier_does_not_stop_a_writer(
    scene: Scene, engine: sa.Engine
) -> None:
    with reading(engine) as connection:
        connection.execute(sa.text("select count(*) from photo")).all()

        scene.list_photos("a")

        seen = connection.execute(sa.text("select count(*) from photo")).scalar_one()

    assert seen == 0
    assert scene.photo("a").present


def _open_with(engine: sa.Engine) -> Catalog:
    return Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
