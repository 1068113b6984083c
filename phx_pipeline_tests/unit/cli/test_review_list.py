"""Why a picture is in the queue, as `phx review list` says it."""

import pytest

from phx_pipeline.cli.review.queue import _standing
from phx_pipeline.model.published import NamedPicture
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Named, Vote
from phx_pipeline.workflows.review_queue import Entry, Standing


def vote(
    backend: str, subject: Subject, p: float, *, outside: float | None = None
) -> Vote:
    return Vote(
        backend=backend, version="1", probabilities={subject: p}, outside=outside
    )


CAPTION = vote("listing_text", Subject.BEDROOM, 0.95)


@pytest.mark.parametrize(
    ("votes", "told"),
    [
        (
            [vote("embedded", Subject.LIVING, 0.04)],
            "unknown, embedded does not know it",
        ),
        (
            [CAPTION, vote("embedded", Subject.LIVING, 0.04, outside=0.97)],
            (
                "unknown, listing_text bedroom 95%, embedded does not know it but sees "
                "it out of doors, not named: with all that was said it is only 34% "
                "likely"
            ),
        ),
        (
            [vote("embedded", Subject.POOL, 0.3, outside=0.97)],
            "unknown, embedded pool 30%",
        ),
    ],
)
def test_what_does_not_know_a_picture_has_no_opinion_of_it(
    votes: list[Vote], told: str
) -> None:
    picture = NamedPicture(
        slug="house",
        folder="686067a4",
        source=Source.REDFIN,
        photo_key="1",
        cluster_id="1",
        sha256="1",
        named=Named(probability=0.3461, votes=tuple(votes)),
        file_name="1",
    )
    entry = Entry(id="1", picture=picture, standing=Standing.UNKNOWN, ruled=None)

    assert _standing(entry) == told
