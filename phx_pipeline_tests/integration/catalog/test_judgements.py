"""What was judged of pairs, on both databases."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.judgement import Alike, Judgement, Method, Why, pair_of
from phx_pipeline_tests.integration.conftest import Scene, expire


def judgement(a: str, b: str) -> Judgement:
    first, second = pair_of(a, b)
    return Judgement(
        first=first,
        second=second,
        method=Method.FEATURES,
        version="1",
        verdict=Alike.SAME,
        share=0.75,
        inliers=40,
        better=second,
        why=Why.CLEAN,
    )


@pytest.fixture
def pictures(scene: Scene) -> list[str]:
    """The originals of three photos of the scene's property."""
    scene.list_photos("a", "b", "c")
    return [scene.download(key, key).sha256 for key in "abc"]


def test_a_newer_judgement_takes_the_place_of_an_older_one(
    scene: Scene, pictures: list[str]
) -> None:
    a, b, c = pictures
    book = scene.catalog.judgements
    old, kept = judgement(a, b), replace(judgement(a, c), better=None, why=Why.TIE)
    other = replace(
        old, method=Method.PIXELS, verdict=Alike.OTHER, share=None, inliers=None
    )

    book.record(scene.lease, [old, kept])
    book.record(scene.lease, [other])

    found = book.of_house(scene.slug)
    assert found == {other.pair: other, kept.pair: kept}


def test_a_house_knows_the_pairs_of_its_own_pictures_only(
    scene: Scene, pictures: list[str]
) -> None:
    other = Scene.of(scene.catalog, number=7)
    other.list_photos("x")
    elsewhere = other.download("x", "elsewhere").sha256

    scene.catalog.judgements.record(
        scene.lease, [judgement(pictures[0], elsewhere), judgement(*pictures[1:])]
    )

    assert set(scene.catalog.judgements.of_house(scene.slug)) == {
        pair_of(*pictures[1:])
    }
    assert scene.catalog.judgements.of_house(other.slug) == {}


def test_who_lost_the_lease_stores_nothing(
    scene: Scene, pictures: list[str], engine: sa.Engine
) -> None:
    expire(engine, scene.lease)
    Scene.of(scene.catalog)

    with pytest.raises(StaleEpochError):
        scene.catalog.judgements.record(scene.lease, [judgement(*pictures[:2])])

    assert scene.catalog.judgements.of_house(scene.slug) == {}


def test_bytes_looked_at_anew_are_judged_anew(
    scene: Scene, pictures: list[str]
) -> None:
    a, b, c = pictures
    scene.catalog.judgements.record(
        scene.lease, [judgement(a, b), judgement(a, c), judgement(b, c)]
    )

    blob = scene.catalog.blobs(scene.slug)[b]
    scene.catalog.record_examined(scene.lease, blob)

    assert set(scene.catalog.judgements.of_house(scene.slug)) == {pair_of(a, c)}
