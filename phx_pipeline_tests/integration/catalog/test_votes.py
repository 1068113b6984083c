"""What backends said of pictures, and what networks made of them, on both databases."""

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.files import forget_blob
from phx_pipeline.catalog.votes import EvidenceKey
from phx_pipeline.errors import StaleEpochError
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Location, Subject
from phx_pipeline.model.vote import Abstention, Named, Vote
from phx_pipeline_tests.integration.conftest import Scene, expire

VOTE = Vote(
    backend="clip",
    version="1",
    probabilities={Subject.GARAGE: 0.7, Subject.POOL: 0.1 + 0.2},
    places={Subject.GARAGE: Location.EXTERIOR},
    outside=0.25,
)
_CUT = '{"pool": 0.7'
SILENT = Abstention(backend="clip", version="1", reason="no caption")


@pytest.fixture
def picture(scene: Scene) -> str:
    """The original of a photo of the scene's property."""
    scene.list_photos("a")
    return scene.download("a", "a").sha256


def test_answers_come_back_as_they_were_given(scene: Scene, picture: str) -> None:
    book = scene.catalog.votes
    given: dict[EvidenceKey, Vote | Abstention] = {
        (picture, ""): VOTE,
        (picture, "words"): SILENT,
    }

    book.record(scene.lease, given)

    assert book.given({picture}, "clip", "1") == given
    assert book.given(set(), "clip", "1") == {}
    assert book.given({picture}, "text", "1") == {}


def test_an_answer_of_another_version_takes_the_place_of_the_older(
    scene: Scene, picture: str, engine: sa.Engine
) -> None:
    book = scene.catalog.votes
    newer = replace(SILENT, version="2")
    book.record(scene.lease, {(picture, ""): VOTE, (picture, "words"): VOTE})

    book.record(scene.lease, {(picture, ""): newer})

    assert book.given({picture}, "clip", "1") == {(picture, "words"): VOTE}
    assert book.given({picture}, "clip", "2") == {(picture, ""): newer}
    assert book.last_given({picture}, "clip") == {
        (picture, ""): newer,
        (picture, "words"): VOTE,
    }
    with reading(engine) as connection:
        assert len(connection.execute(sa.select(tables.vote)).all()) == 2


@pytest.mark.parametrize(
    "damaged",
    [
        '{"loop": 0.7}',
        '{"pool": 7}',
        '{"pool": "high"}',
        '["pool"]',
        '"pool"',
        "null",
        _CUT,
    ],
)
def test_an_answer_that_cannot_be_read_is_none(
    scene: Scene, picture: str, engine: sa.Engine, damaged: str
) -> None:
    book = scene.catalog.votes
    book.record(scene.lease, {(picture, ""): VOTE, (picture, "words"): SILENT})
    of_json = engine.dialect.name == "postgresql"
    if of_json and damaged == _CUT:
        damaged = json.dumps(damaged)  # PostgreSQL keeps no text that is no JSON
    value = "cast(:told as json)" if of_json else ":told"
    with writing(engine) as connection:
        connection.execute(
            sa.text(f"update vote set probabilities = {value} where evidence = ''"),  # noqa: S608 - ours
            {"told": damaged},
        )

    assert book.given({picture}, "clip", "1") == {(picture, "words"): SILENT}

    book.record(scene.lease, {(picture, ""): VOTE})
    assert book.given({picture}, "clip", "1")[picture, ""] == VOTE


def test_who_lost_the_lease_stores_no_votes(
    scene: Scene, picture: str, engine: sa.Engine
) -> None:
    expire(engine, scene.lease)
    Scene.of(scene.catalog)

    with pytest.raises(StaleEpochError):
        scene.catalog.votes.record(scene.lease, {(picture, ""): VOTE})

    assert scene.catalog.votes.given({picture}, "clip", "1") == {}


def test_features_are_kept_by_network_and_for_bytes_that_are_there(
    scene: Scene, picture: str
) -> None:
    book = scene.catalog.features

    book.put("lite0", {picture: b"\0\x3c", "f" * 64: b"\0\0"})
    assert book.get({picture, "f" * 64}, "lite0") == {picture: b"\0\x3c"}
    book.put("lite0", {picture: b"\0\0"})  # the first was damaged

    assert book.get({picture, "f" * 64}, "lite0") == {picture: b"\0\0"}
    assert book.get({picture}, "other") == {}


def test_votes_and_features_go_with_the_bytes(
    scene: Scene, picture: str, engine: sa.Engine
) -> None:
    scene.catalog.votes.record(scene.lease, {(picture, ""): VOTE})
    scene.catalog.features.put("lite0", {picture: b"\0\0"})

    with writing(engine) as connection:
        forget_blob(connection, picture)  # a photo has them: nothing goes
    assert scene.catalog.votes.given({picture}, "clip", "1")
    scene.download("a", "larger")
    with writing(engine) as connection:
        forget_blob(connection, picture)

    assert scene.catalog.votes.given({picture}, "clip", "1") == {}
    assert scene.catalog.features.get({picture}, "lite0") == {}


def test_a_category_keeps_its_votes_and_how_probable_it_is(scene: Scene) -> None:
    scene.list_photos("a", "b")
    named = {
        scene.photo("a").key: Named(probability=0.4375, votes=(VOTE,)),
        scene.photo("b").key: Named(),
    }

    scene.catalog.record_categories(scene.lease, scene.slug, named)

    assert scene.catalog.votes.named(scene.slug) == named
    assert set(scene.catalog.categories(scene.slug).values()) == {UNCATEGORIZED}
