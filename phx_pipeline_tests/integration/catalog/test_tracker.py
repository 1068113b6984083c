"""The URLs that were fetched, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.model.identity import image_id
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Decision
from phx_pipeline.model.source import Source
from phx_pipeline.model.tracked import TrackedUrl
from phx_pipeline_tests.integration.conftest import STAMP, Scene, gallery

HOUR = timedelta(hours=1)


def later(scene: Scene, *, hours: int, run_id: str) -> Scene:
    return replace(
        scene, stamp=replace(STAMP, at=STAMP.at + hours * HOUR, run_id=run_id)
    )


def tracked(scene: Scene) -> TrackedUrl:
    with scene.catalog.urls.fetched() as urls:
        (found,) = urls()
        assert list(urls()) == [found]
    return found


def test_urls_come_as_python_sorts_them(scene: Scene, engine: sa.Engine) -> None:
    urls = ["https://a/B", "https://a/_", "https://a/a", "https://a/ä"]
    keys = ("a", "b", "c", "d")
    scene.list_photos(*keys)
    for key in keys:
        scene.download(key, key)
    with engine.begin() as connection:
        for key, url in zip(keys, reversed(urls), strict=True):
            this = tables.photo.c.photo_key == key
            connection.execute(
                sa.update(tables.photo).where(this).values(fetched_url=url)
            )

    with scene.catalog.urls.fetched() as rows:
        assert [tracked.url for tracked in rows()] == urls == sorted(urls)


@pytest.fixture
def fetched(scene: Scene) -> Scene:
    """One photo listed and fetched, at the same moment."""
    scene.list_photos("a", "never-fetched")
    scene.download("a", "first")
    return scene


def test_a_fetched_url_tells_its_house_its_bytes_and_its_run(fetched: Scene) -> None:
    photo = fetched.photo("a")

    found = tracked(fetched)

    assert found == TrackedUrl(
        url="https://photos.example/a.jpg",
        image_id=image_id(fetched.slug, str(photo.sha256)),
        folder=fetched.house.folder,
        address=str(fetched.house.address),
        source=Source.REDFIN,
        content_hash=str(photo.sha256),
        present=True,
        shown=False,
        first_seen_at=STAMP.at,
        last_seen_at=STAMP.at,
        first_run_id=STAMP.run_id,
        last_run_id=STAMP.run_id,
    )


def test_a_decided_photo_has_the_picture_of_its_cluster(fetched: Scene) -> None:
    decision = Decision(verdict=Verdict.DUPLICATE, cluster_id="cluster")

    fetched.catalog.record_decisions(
        fetched.lease, fetched.slug, {(Source.REDFIN, "a"): decision}, stamp=STAMP
    )

    assert (tracked(fetched).image_id, tracked(fetched).shown) == ("cluster", True)


def test_a_gallery_seen_again_is_the_last_sight_of_its_photos(fetched: Scene) -> None:
    later(fetched, hours=5, run_id="again").list_photos("a")

    found = tracked(fetched)

    assert (found.first_run_id, found.last_run_id) == (STAMP.run_id, "again")
    assert found.first_seen_at == STAMP.at
    assert found.last_seen_at == STAMP.at + 5 * HOUR


def _blocked() -> Listing:
    return Listing(source=Source.REDFIN, outcome=ListingOutcome.BLOCKED)


def _without_it() -> Listing:
    return gallery("b")


@pytest.mark.parametrize(("said", "present"), [(_blocked, True), (_without_it, False)])
def test_a_refusal_and_a_gallery_without_it_are_no_sight_of_a_photo(
    fetched: Scene, said: Callable[[], Listing], *, present: bool
) -> None:
    later(fetched, hours=5, run_id="again").say(said())

    found = tracked(fetched)

    assert found.present is present
    assert (found.last_seen_at, found.last_run_id) == (STAMP.at, STAMP.run_id)


def test_a_url_fetched_twice_was_first_seen_the_first_time(fetched: Scene) -> None:
    later(fetched, hours=5, run_id="again").download("a", "other bytes")

    found = tracked(fetched)

    assert (found.first_seen_at, found.first_run_id) == (STAMP.at, STAMP.run_id)
    assert found.last_seen_at == STAMP.at + 5 * HOUR
    assert found.content_hash == fetched.photo("a").sha256


def test_without_its_attempts_the_download_itself_is_known(
    fetched: Scene, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.attempt))

    found = tracked(fetched)

    assert (found.first_seen_at, found.first_run_id) == (STAMP.at, "")


def test_removed_properties_are_not_tracked(fetched: Scene, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(tables.house).values(removed_at=STAMP.at))

    with fetched.catalog.urls.fetched() as urls:
        assert list(urls()) == []
