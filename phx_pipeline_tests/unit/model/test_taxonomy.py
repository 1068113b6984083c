"""Locations, subjects and categories."""

import re

import pytest

from phx_pipeline.model.taxonomy import UNCATEGORIZED, Category, Location, Subject


def test_a_subject_can_stand_in_a_file_name() -> None:
    word = re.compile("[a-z]+")

    assert [it for it in Subject if not word.fullmatch(it.value)] == []


def test_every_location_is_usual_for_some_subject() -> None:
    assert {subject.location for subject in Subject} == set(Location)


@pytest.mark.parametrize("confidence", [0, 99])
def test_a_confidence_of_two_digits_is_accepted(confidence: int) -> None:
    category = Category(
        location=Location.INTERIOR, subject=Subject.KITCHEN, confidence=confidence
    )

    assert category.confidence == confidence


@pytest.mark.parametrize("confidence", [-1, 100])
def test_a_confidence_that_needs_more_than_two_digits_is_refused(
    confidence: int,
) -> None:
    with pytest.raises(ValueError, match="not within 0"):
        Category(
            location=Location.INTERIOR, subject=Subject.KITCHEN, confidence=confidence
        )


def test_the_uncategorized_category_claims_nothing() -> None:
    assert UNCATEGORIZED.subject is Subject.UNKNOWN
    assert UNCATEGORIZED.location is Location.FEATURE
    assert UNCATEGORIZED.confidence == 0
