"""Rows of what was learnt, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from phx_pipeline.catalog.trained import TrainedRow
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Subject
from phx_pipeline.model.vote import Named
from phx_pipeline_tests.integration.conftest import Scene


@pytest.fixture
def first(now: datetime) -> TrainedRow:
    report: dict[str, object] = {"heads": []}
    return TrainedRow(
        id="a1", at=now, who="Ann", body=b"\0\1", report=report, accepted=True
    )


def test_the_newest_accepted_that_is_not_retired_counts(
    scene: Scene, first: TrainedRow
) -> None:
    book = scene.catalog.trained
    second = replace(first, id="b2", at=first.at + timedelta(hours=1))
    refused = replace(first, id="c3", at=first.at + timedelta(hours=2), accepted=False)
    for row in (first, second, refused):
        book.add(row)
    book.add(replace(first, who="Bob"))  # in use already

    assert book.all() == [refused, second, first]
    assert book.in_use() == [second, first]

    book.retire("b2", at=refused.at)
    assert book.in_use() == [first]

    anew = replace(second, at=refused.at, who="Bob")
    book.add(anew)
    assert book.in_use() == [anew, first]


def test_sure_names_are_found_with_their_bytes(scene: Scene) -> None:
    scene.list_photos("a", "b", "c", "d")
    blobs = {key: scene.download(key, key) for key in "abcd"}
    sure = {"a": 90, "b": 84, "c": 99, "d": 95}
    named = {
        (Source.REDFIN, key): Named(
            category=Category(
                location=Subject.POOL.location, subject=Subject.POOL, confidence=it
            ),
            probability=it / 100,
        )
        for key, it in sure.items()
    }
    scene.catalog.record_categories(scene.lease, scene.slug, named)

    book = scene.catalog.trained
    found = book.surely_named(least=85, per_subject=9, without={blobs["c"].sha256})

    assert {it.sha256 for it in found} == {blobs["a"].sha256, blobs["d"].sha256}
    assert {it.subject for it in found} == {Subject.POOL}
    assert len(book.surely_named(least=85, per_subject=1)) == 1
