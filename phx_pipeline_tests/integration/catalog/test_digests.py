"""What counts as content: the digest of everything, and the version of each asset."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Decision, Photo
from phx_pipeline.model.picture import StandardPicture
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.source import Source
from phx_pipeline.model.stamp import Stamp
from phx_pipeline.model.taxonomy import Category, Location, Subject
from phx_pipeline.model.vote import Named
from phx_pipeline_tests.integration.conftest import (
    ENGINES,
    MOSTLY_SQLITE,
    STAMP,
    TTL_S,
    Databases,
    Scene,
    blob_of,
    gallery,
    ref,
)

ASSETS = frozenset(
    {
        "discovered_urls",
        "raw_images",
        "deduped_images",
        "categorized_images",
        "manifest",
    }
)
KEYS = ("b", "B", "a-c", "ab", "a")
POOL = Category(location=Location.EXTERIOR, subject=Subject.POOL, confidence=90)
NEXT_DAY = Stamp(
    at=STAMP.at + timedelta(days=1),
    today=STAMP.today + timedelta(days=1),
    run_id="another-run",
)

Step = Callable[[Scene], None]


def _list(scene: Scene, *keys: str, **changes: Any) -> None:
    scene.say(gallery(*(keys or KEYS), listed_on=date(2024, 12, 1), **changes))


def _photos(scene: Scene) -> list[Photo]:
    return scene.catalog.photos(scene.slug)


def _decide(scene: Scene, **changes: Any) -> None:
    given = {"verdict": Verdict.KEPT, "cluster_id": "cluster"} | changes
    decisions = {photo.key: Decision(**given) for photo in _photos(scene)}
    scene.catalog.record_decisions(scene.lease, scene.slug, decisions, stamp=STAMP)


def _categorize(scene: Scene, **changes: Any) -> None:
    category = replace(POOL, **changes)
    named = {photo.key: Named(category=category) for photo in _photos(scene)}
    scene.catalog.record_categories(scene.lease, scene.slug, named)


def _picture(scene: Scene, **changes: Any) -> None:
    picture = StandardPicture(
        sha256=blob_of("a").sha256,
        recipe="v1-1024",
        png_sha256="0" * 64,
        size_bytes=9,
        width=4,
        height=3,
    )
    scene.catalog.record_picture(scene.lease, replace(picture, **changes))


def _publish(scene: Scene, **changes: Any) -> None:
    publication = Publication(
        slug=scene.slug,
        location=POOL.location,
        subject=POOL.subject,
        sequence=1,
        active=True,
        source=Source.REDFIN,
        photo_key="a",
        file_name="a.png",
        sha256=blob_of("a").sha256,
        recipe="v1-1024",
        processed_at=scene.stamp.at,
        run_id=scene.stamp.run_id,
    )
    changed = replace(publication, **changes)
    scene.catalog.record_publications(scene.lease, scene.slug, [changed])


def _download(scene: Scene, key: str) -> None:
    scene.download(key, key)


def _fail(scene: Scene, key: str) -> None:
    scene.catalog.record_failure(
        scene.lease, scene.photo(key), Verdict.TIMEOUT, detail="", stamp=scene.stamp
    )


def _tell(catalog: Catalog, *, stamp: Stamp = STAMP) -> Scene:
    """Write one property from beginning to end."""
    scene = Scene.of(catalog, stamp=stamp)
    _list(scene)
    for key in KEYS:
        scene.download(key, key)
    _decide(scene)
    _picture(scene)
    _categorize(scene)
    _publish(scene)
    return scene


@pytest.fixture
def told(catalog: Catalog) -> Scene:
    return _tell(catalog)


def _another(
    databases: Databases, kind: str, opened: Callable[[str], sa.Engine]
) -> Catalog:
    engine = opened(databases.migrated(kind))
    return Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))


def test_two_ways_at_other_times_have_the_same_content(
    told: Scene,
    databases: Databases,
    kind: str,
    opened: Callable[[str], sa.Engine],
) -> None:
    other = _another(databases, kind, opened)
    scene = Scene.of(other, number=4732, stamp=NEXT_DAY)
    _list(scene, "a", "B", complete=False)
    _fail(scene, "a")
    for key in ("B", "a"):
        scene.download(key, key)

    _tell_the_rest(scene)

    assert list(other.content_rows()) == list(told.catalog.content_rows())
    assert {a: other.data_version(scene.slug, asset=a) for a in ASSETS} == {
        a: told.catalog.data_version(told.slug, asset=a) for a in ASSETS
    }


def _tell_the_rest(scene: Scene) -> None:
    scene.catalog.leases.release(scene.lease)
    _tell(scene.catalog, stamp=scene.stamp)


def test_both_engines_have_the_same_content(
    databases: Databases, opened: Callable[[str], sa.Engine]
) -> None:
    catalogs = [_another(databases, kind, opened) for kind in ENGINES]

    for catalog in catalogs:
        _tell(catalog)

    on_sqlite, on_postgres = (list(catalog.content_rows()) for catalog in catalogs)
    assert on_sqlite == on_postgres


CHANGES: dict[str, tuple[Step, frozenset[str]]] = {
    "a caption": (
        lambda scene: _list(scene, photos=(ref("a", caption="pool"),), complete=False),
        frozenset({"discovered_urls"}),
    ),
    "a new photo": (
        lambda scene: _list(scene, *KEYS, "new"),
        frozenset({"discovered_urls"}),
    ),
    "an absent photo": (
        lambda scene: _list(scene, *KEYS[:-1]),
        frozenset({"discovered_urls"}),
    ),
    "a listing outcome": (
        lambda scene: _list(scene, outcome=ListingOutcome.LISTED_EMPTY),
        frozenset({"discovered_urls"}),
    ),
    "a decision": (
        lambda scene: _decide(scene, verdict=Verdict.DUPLICATE),
        frozenset({"deduped_images"}),
    ),
    "a cluster": (
        lambda scene: _decide(scene, cluster_id="another"),
        frozenset({"deduped_images"}),
    ),
    "a subject": (
        lambda scene: _categorize(scene, subject=Subject.ROOF),
        frozenset({"categorized_images"}),
    ),
    "a confidence": (
        lambda scene: _categorize(scene, confidence=91),
        frozenset({"categorized_images"}),
    ),
    "a file name": (
        lambda scene: _publish(scene, file_name="b.png"),
        frozenset({"manifest"}),
    ),
    "a name withdrawn": (
        lambda scene: _publish(scene, active=False),
        frozenset({"manifest"}),
    ),
    "a picture": (
        lambda scene: _picture(scene, png_sha256="1" * 64),
        frozenset(),
    ),
}


@MOSTLY_SQLITE
@pytest.mark.parametrize(("step", "answering"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_of_content_shows_in_the_digest_and_its_asset(
    told: Scene, step: Step, answering: frozenset[str]
) -> None:
    before = list(told.catalog.content_rows())
    versions = _versions(told)

    step(told)

    assert list(told.catalog.content_rows()) != before
    assert _changed(versions, _versions(told)) == answering


UNCHANGING: dict[str, Step] = {
    "the same gallery": _list,
    "the same download": lambda scene: _download(scene, "a"),
    "the same decisions": _decide,
    "the same pictures": _picture,
    "the same categories": _categorize,
    "the same publications": _publish,
    "a failed upgrade": lambda scene: _fail(scene, "a"),
}


@MOSTLY_SQLITE
@pytest.mark.parametrize("step", UNCHANGING.values(), ids=list(UNCHANGING))
def test_the_same_again_at_another_time_changes_nothing(
    told: Scene, step: Step
) -> None:
    before = list(told.catalog.content_rows())
    versions = _versions(told)

    step(replace(told, stamp=NEXT_DAY))

    assert list(told.catalog.content_rows()) == before
    assert _versions(told) == versions


def test_a_download_changes_the_raw_images_only(told: Scene) -> None:
    _list(told, *KEYS, "new")
    versions = _versions(told)

    told.download("new", "new")

    assert _changed(versions, _versions(told)) == {"raw_images"}


def test_a_failed_download_changes_no_version(told: Scene) -> None:
    _list(told, *KEYS, "new")
    versions = _versions(told)

    _fail(told, "new")

    assert _versions(told) == versions


def test_another_property_changes_no_version(told: Scene) -> None:
    versions = _versions(told)
    other = Scene.of(told.catalog, number=7)

    _list(other)
    other.download("a", "other")
    _decide(other)
    _categorize(other)
    _publish(other)

    assert _versions(told) == versions
    assert not _changed(versions, _versions(other)) ^ ASSETS


def _versions(scene: Scene) -> dict[str, str]:
    return {
        asset: scene.catalog.data_version(scene.slug, asset=asset) for asset in ASSETS
    }


def _changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {asset for asset in ASSETS if before[asset] != after[asset]}
