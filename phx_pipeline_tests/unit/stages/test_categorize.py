"""Votes on all copies of a picture count for the copy that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from phx_pipeline.categorize.base import Abstention, Evidence, Vote
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Photo, PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Location, Subject
from phx_pipeline.stages.categorize import votes_by_kept

_LISTED = Photo(
    property_slug="4732-w-davis-rd-glendale-az-85306",
    ref=PhotoRef(source=Source.REDFIN, photo_key="", url="", position=0),
    listed_on=None,
    first_seen_on=date(2025, 3, 8),
    present=True,
    verdict=Verdict.KEPT,
)


def photo(
    key: str,
    *,
    cluster: str | None,
    verdict: Verdict = Verdict.KEPT,
    source: Source = Source.REDFIN,
) -> Photo:
    return replace(
        _LISTED,
        ref=replace(_LISTED.ref, photo_key=key, source=source, caption=f"of {key}"),
        verdict=verdict,
        cluster_id=cluster,
        sha256=key,
    )


@dataclass
class Sayer:
    """A backend that says what it was told to, and remembers what it was shown."""

    name: str
    says: Mapping[str, tuple[Subject, float]]
    version: str = "1"
    knows: frozenset[Subject] = frozenset(Subject)
    shown: list[list[Evidence]] = field(default_factory=list)

    def categorize(self, photos: list[Evidence]) -> list[Vote | Abstention]:
        self.shown.append(photos)
        return [self._say(evidence) for evidence in photos]

    def _say(self, evidence: Evidence) -> Vote | Abstention:
        if evidence.photo_key not in self.says:
            return Abstention(backend=self.name, reason="never heard of it")
        subject, confidence = self.says[evidence.photo_key]
        return vote(self.name, subject, confidence)


def vote(backend: str, subject: Subject, confidence: float) -> Vote:
    return Vote(
        backend=backend,
        location=Location.INTERIOR,
        subject=subject,
        confidence=confidence,
    )


def test_a_backend_counts_once_per_cluster_with_its_strongest_vote() -> None:
    copies = [
        photo("kept", cluster="c"),
        photo("copy", cluster="c", verdict=Verdict.DUPLICATE),
    ]
    sayer = Sayer(
        "tags", {"kept": (Subject.KITCHEN, 0.6), "copy": (Subject.DINING, 0.8)}
    )

    votes = votes_by_kept(copies, [sayer])

    assert votes == {(Source.REDFIN, "kept"): [vote("tags", Subject.DINING, 0.8)]}


def test_of_equally_strong_votes_the_first_in_gallery_order_stays() -> None:
    copies = [
        photo("kept", cluster="c"),
        photo("copy", cluster="c", verdict=Verdict.DUPLICATE),
    ]
    sayer = Sayer(
        "tags", {"kept": (Subject.KITCHEN, 0.6), "copy": (Subject.DINING, 0.6)}
    )

    votes = votes_by_kept(copies, [sayer])

    assert votes[Source.REDFIN, "kept"] == [vote("tags", Subject.KITCHEN, 0.6)]


@pytest.mark.parametrize("named", ["kept", "copy"])
def test_a_vote_that_names_the_picture_is_stronger_than_one_for_its_place(
    named: str,
) -> None:
    copies = [
        photo("kept", cluster="c"),
        photo("copy", cluster="c", verdict=Verdict.DUPLICATE),
    ]
    says = dict.fromkeys(["kept", "copy"], (Subject.UNKNOWN, 0.95))
    sayer = Sayer("tags", says | {named: (Subject.KITCHEN, 0.6)})

    votes = votes_by_kept(copies, [sayer])

    assert votes[Source.REDFIN, "kept"] == [vote("tags", Subject.KITCHEN, 0.6)]


def test_each_backend_has_a_vote_of_its_own() -> None:
    tags = Sayer("tags", {"kept": (Subject.KITCHEN, 0.6)})
    model = Sayer("model", {"kept": (Subject.DINING, 0.7)})

    votes = votes_by_kept([photo("kept", cluster="c")], [tags, model])

    assert votes[Source.REDFIN, "kept"] == [
        vote("tags", Subject.KITCHEN, 0.6),
        vote("model", Subject.DINING, 0.7),
    ]


def test_a_vote_stays_within_its_cluster() -> None:
    sayer = Sayer("tags", {"a": (Subject.KITCHEN, 0.6)})

    votes = votes_by_kept([photo("a", cluster="1"), photo("b", cluster="2")], [sayer])

    assert votes[Source.REDFIN, "b"] == []


def test_only_kept_photos_are_named() -> None:
    photos = [
        photo("kept", cluster="c"),
        photo("copy", cluster="c", verdict=Verdict.DUPLICATE),
        photo("broken", cluster=None, verdict=Verdict.DAMAGED),
    ]

    assert set(votes_by_kept(photos, [Sayer("tags", {})])) == {(Source.REDFIN, "kept")}


def test_a_backend_is_shown_one_listing_at_a_time_without_undecided_photos() -> None:
    photos = [
        photo("r1", cluster="1"),
        photo("z1", cluster="1", source=Source.ZILLOW, verdict=Verdict.DUPLICATE),
        photo("waiting", cluster=None, verdict=Verdict.PENDING),
        photo("r2", cluster="2"),
    ]
    sayer = Sayer("tags", {})

    votes_by_kept(photos, [sayer])

    shown = [[evidence.photo_key for evidence in listing] for listing in sayer.shown]
    assert shown == [["r1", "r2"], ["z1"]]
    assert sayer.shown[0][0].caption == "of r1"


def test_without_backends_every_kept_photo_is_left_without_votes() -> None:
    assert votes_by_kept([photo("kept", cluster="c")], []) == {
        (Source.REDFIN, "kept"): []
    }
