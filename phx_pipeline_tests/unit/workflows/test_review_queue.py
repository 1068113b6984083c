"""The order in which pictures are shown to somebody who reviews their names."""

from collections.abc import Iterable

import pytest

from phx_pipeline.model.published import NamedPicture
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Subject
from phx_pipeline.model.vote import Named
from phx_pipeline.workflows.review_queue import Entry, Standing, by_worth, in_turns


def entry(
    name: str,
    confidence: int,
    *,
    subject: Subject = Subject.KITCHEN,
    standing: Standing = Standing.UNSURE,
    slug: str = "house",
) -> Entry:
    picture = NamedPicture(
        slug=slug,
        folder="686067a4",
        source=Source.REDFIN,
        photo_key=name,
        cluster_id=name,
        sha256=name,
        named=Named(
            category=Category(
                location=subject.location, subject=subject, confidence=confidence
            )
        ),
        file_name=name,
    )
    return Entry(id=name, picture=picture, standing=standing, ruled=None)


def ids(entries: Iterable[Entry]) -> list[str]:
    return [it.id for it in entries]


def test_what_teaches_most_is_first() -> None:
    wanted = [
        entry("apart", 99, standing=Standing.RULED_APART),
        entry("disputed", 49, standing=Standing.DISPUTED),
        entry("unknown", 0, standing=Standing.UNKNOWN, subject=Subject.UNKNOWN),
        entry("near", 84),
        entry("far", 60),
        entry("sure", 85, standing=Standing.SURE),
        entry("surer", 97, standing=Standing.SURE),
        entry("reviewed", 99, standing=Standing.REVIEWED),
    ]

    assert by_worth(reversed(wanted), reviews={}) == wanted


@pytest.mark.parametrize(
    ("reviews", "order"),
    [
        ({}, ["k84", "p82", "k83", "p81", "k82", "k79"]),
        ({Subject.KITCHEN: 1}, ["p82", "k84", "p81", "k83", "k82", "k79"]),
        ({Subject.POOL: 9}, ["k84", "k83", "k82", "p82", "p81", "k79"]),
    ],
)
def test_subjects_with_the_fewest_reviews_take_the_first_turns(
    reviews: dict[Subject, int], order: list[str]
) -> None:
    kitchens = [entry(f"k{it}", it) for it in (82, 79, 84, 83)]
    pools = [entry(f"p{it}", it, subject=Subject.POOL) for it in (81, 82)]

    assert ids(by_worth([*pools, *kitchens], reviews=reviews)) == order


def test_one_house_does_not_fill_the_top() -> None:
    many = [entry(f"a{number}", 84, slug="a") for number in range(12)]
    few = [entry(f"b{number}", 70, slug="b") for number in range(6)]

    found = ids(in_turns([*many, *few]))

    assert found[:10] == [*ids(many[:5]), *ids(few[:5])]
    assert found[10:16] == [*ids(many[5:10]), "b5"]
    assert sorted(found) == sorted(ids([*many, *few]))
