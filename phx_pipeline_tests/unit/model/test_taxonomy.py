"""Locations, subjects and categories."""

import re

import pytest

from phx_pipeline.model.taxonomy import (
    TAXONOMY,
    UNCATEGORIZED,
    Category,
    Location,
    Subject,
)


def test_a_subject_can_stand_in_a_file_name() -> None:
    word = re.compile("[a-z]+")

    assert [it for it in Subject if not word.fullmatch(it.value)] == []


def test_every_subject_has_its_row_and_every_location_its_subjects() -> None:
    assert list(TAXONOMY) == list(Subject)
    assert {subject.location for subject in Subject} == set(Location)
    assert [s for s, row in TAXONOMY.items() if row.location in row.elsewhere] == []


@pytest.mark.parametrize(
    ("subject", "locations"),
    [
        (Subject.GARAGE, {Location.INTERIOR, Location.EXTERIOR}),
        (Subject.ROOF, {Location.EXTERIOR, Location.SYSTEM}),
        (Subject.HVAC, {Location.SYSTEM}),
    ],
)
def test_a_subject_may_be_where_its_row_says(
    subject: Subject, locations: set[Location]
) -> None:
    assert {it for it in Location if subject.may_be(it)} == locations


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
