from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.categorize.base import Vote
from phx_pipeline.categorize.fusion import Fused, fuse
from phx_pipeline.model.taxonomy import UNCATEGORIZED, Location, Subject

FOUR = frozenset({Subject.KITCHEN, Subject.BATHROOM, Subject.BEDROOM, Subject.EXTERIOR})
KNOWS = {"embedded": FOUR}


def vote(
    backend: str,
    subject: Subject | None = None,
    p: float = 0.0,
    *,
    outside: float | None = None,
    **others: float,
) -> Vote:
    stated = {Subject(name): q for name, q in others.items()}
    return Vote(
        backend=backend,
        version="1",
        probabilities=stated | ({} if subject is None else {subject: p}),
        outside=outside,
    )


@dataclass(frozen=True)
class Worth:
    """A calibration of one backend: what it says is worth less."""

    name: str
    share: float

    def calibrated(
        self, name: str, before: Mapping[Subject, float]
    ) -> dict[Subject, float]:
        share = self.share if name == self.name else 1.0
        return {subject: p * share for subject, p in before.items()}


def shown(fused: Fused) -> tuple[Subject, int]:
    return fused.category.subject, fused.category.confidence


@st.composite
def opinions(draw: st.DrawFn, backend: str) -> Vote:
    subjects = draw(
        st.lists(st.sampled_from(sorted(set(Subject) - {Subject.UNKNOWN})), max_size=4)
    )
    weights = {it: draw(st.floats(0, 1)) for it in subjects}
    above = max(1.0, sum(weights.values()))
    return Vote(
        backend=backend,
        version="1",
        probabilities={it: weight / above * 0.999 for it, weight in weights.items()},
        outside=draw(st.none() | st.floats(0, 1)),
    )


several = st.lists(
    st.sampled_from(["text", "embedded", "clip"]).flatmap(opinions),
    max_size=3,
    unique_by=lambda it: it.backend,
)


def test_no_votes_name_nothing() -> None:
    assert fuse([]) == Fused(category=UNCATEGORIZED, probability=0.0, disputed=False)


@pytest.mark.parametrize(
    ("outside", "location"),
    [
        ([0.95], Location.EXTERIOR),
        ([0.05, None], Location.INTERIOR),
        ([0.05, 0.5], Location.INTERIOR),
        ([0.94], Location.FEATURE),
        ([0.06], Location.FEATURE),
        ([0.99, 0.01], Location.FEATURE),
        ([None], Location.FEATURE),
    ],
)
def test_what_nobody_names_is_where_all_who_are_sure_see_it(
    outside: list[float | None], location: Location
) -> None:
    fused = fuse([vote(str(n), outside=p) for n, p in enumerate(outside)])

    assert fused.category == replace(UNCATEGORIZED, location=location)


@pytest.mark.parametrize(
    ("p", "percent"),
    [(0.95, 95), (0.849, 84), (0.92, 92), (0.6, 60), (0.5, 50), (0.999, 99), (1, 99)],
)
@pytest.mark.parametrize("subject", [Subject.KITCHEN, Subject.EXTERIOR, Subject.MASTER])
def test_one_voter_is_taken_at_its_word_rounded_down(
    subject: Subject, p: float, percent: int
) -> None:
    fused = fuse([vote("text", subject, p)])

    assert shown(fused) == (subject, percent)
    assert fused.probability == pytest.approx(p)
    assert fused.category.location is subject.location


def test_below_a_half_nothing_is_named_but_how_likely_it_was_is_kept() -> None:
    fused = fuse([vote("clip", Subject.POOL, 0.49, bathroom=0.2, outside=0.97)])

    assert fused.category == replace(UNCATEGORIZED, location=Location.EXTERIOR)
    assert fused.probability == pytest.approx(0.49)


def test_two_that_find_the_same_likely_are_surer_together() -> None:
    fused = fuse(
        [vote("text", Subject.KITCHEN, 0.65), vote("clip", Subject.KITCHEN, 0.7)]
    )

    assert shown(fused) == (Subject.KITCHEN, 89)  # one in ten times both are wrong
    assert not fused.disputed


def test_who_does_not_know_a_subject_does_not_make_it_surer() -> None:
    living = vote("text", Subject.LIVING, 0.92)
    rest = vote("embedded", kitchen=0.02, bathroom=0.02, bedroom=0.02, exterior=0.0)

    assert shown(fuse([living, rest], knows=KNOWS)) == (Subject.LIVING, 92)


def test_who_mistakes_it_for_what_he_knows_makes_it_doubtful_not_disputed() -> None:
    living = vote("text", Subject.LIVING, 0.92)
    wrong = vote("embedded", Subject.BEDROOM, 0.8, kitchen=0.1)

    fused = fuse([living, wrong], knows=KNOWS)

    assert fused.category.subject is Subject.LIVING
    assert 0.5 < fused.probability < 0.92
    assert not fused.disputed


UNRECOGNIZED = {"bedroom": 1e-4, "living": 0.04, "kitchen": 0.01}


@pytest.mark.parametrize(
    ("seen", "outside", "named"),
    [
        (UNRECOGNIZED, 0.2, (Subject.BEDROOM, 80)),
        (UNRECOGNIZED, 0.02, (Subject.BEDROOM, 80)),
        (UNRECOGNIZED, 0.97, (Subject.UNKNOWN, 0)),  # no bedroom is out of doors
        ({"living": 0.59, "kitchen": 0.41, "bedroom": 0}, 0.02, (Subject.BEDROOM, 60)),
        ({"kitchen": 0.98, "bedroom": 1e-4}, 0.02, (Subject.KITCHEN, 80)),
    ],
)
def test_only_who_is_sure_of_something_else_overrules_a_sure_caption(
    seen: dict[str, float], outside: float, named: tuple[Subject, int]
) -> None:
    fused = fuse(
        [
            vote("text", Subject.BEDROOM, 0.95),
            vote("embedded", None, outside=outside, **seen),
        ],
        knows={"embedded": FOUR | {Subject.LIVING}},
    )

    subject, least = named
    assert fused.category.subject is subject
    assert fused.category.confidence >= least


@pytest.mark.parametrize(
    ("subject", "outside"), [(Subject.POOL, 0.02), (Subject.KITCHEN, 0.97)]
)
def test_what_may_be_elsewhere_as_well_is_not_excluded_by_a_sure_place(
    subject: Subject, outside: float
) -> None:
    unseen = Vote(
        backend="embedded", version="1", probabilities={subject: 0}, outside=outside
    )

    fused = fuse([vote("text", subject, 0.95), unseen])

    assert fused.category.subject is subject
    assert fused.category.confidence >= 80


def test_two_sure_voters_that_differ_make_it_disputed() -> None:
    text = vote("text", Subject.KITCHEN, 0.95)
    clip = vote("clip", Subject.LAUNDRY, 0.60, kitchen=0.3)

    fused = fuse([text, clip])

    assert fused.disputed
    assert shown(fused) == (Subject.KITCHEN, 84)
    assert not fuse(
        [text, replace(clip, probabilities={Subject.LAUNDRY: 0.59})]
    ).disputed


def test_two_equally_sure_voters_that_differ_name_nothing() -> None:
    fused = fuse(
        [vote("text", Subject.KITCHEN, 0.9), vote("clip", Subject.LAUNDRY, 0.9)]
    )

    assert shown(fused) == (Subject.UNKNOWN, 0)
    assert fused.disputed


@pytest.mark.parametrize(
    ("exact", "coarse"),
    [(Subject.MASTER, Subject.BEDROOM), (Subject.POOL, Subject.EXTERIOR)],
)
@pytest.mark.parametrize(("sure", "percent"), [(0.92, 92), (0.65, 65)])
def test_a_coarser_word_does_not_contradict_and_the_exact_one_stands(
    exact: Subject, coarse: Subject, sure: float, percent: int
) -> None:
    votes = [vote("text", exact, sure), vote("embedded", coarse, 0.97)]

    fused = fuse(votes, knows=KNOWS)

    assert shown(fused) == (exact, percent)
    assert not fused.disputed


def test_an_unsure_special_case_does_not_replace_the_sure_general_one() -> None:
    fused = fuse(
        [vote("clip", Subject.MASTER, 0.3), vote("embedded", Subject.BEDROOM, 0.69)]
    )

    assert shown(fused) == (Subject.BEDROOM, 69)


def test_the_surest_voter_of_a_subject_tells_where_it_is() -> None:
    def places(p: float, location: Location) -> Vote:
        garage = vote(f"{location}", Subject.GARAGE, p)
        return replace(garage, places={Subject.GARAGE: location})

    votes = [places(0.9, Location.EXTERIOR), places(0.6, Location.INTERIOR)]

    assert fuse(votes).category.location is Location.EXTERIOR


def test_what_is_stated_counts_as_what_it_turned_out_to_be() -> None:
    votes = [vote("clip", Subject.KITCHEN, 0.96, bathroom=0.02)]

    assert fuse(votes, calibration=Worth("clip", 0.5)).probability == 0.48
    assert fuse(votes, calibration=Worth("other", 0.5)).probability == 0.96
    assert shown(fuse(votes, calibration=Worth("fused", 0.75))) == (
        Subject.KITCHEN,
        72,
    )


@given(several, st.randoms(use_true_random=False))
def test_the_order_of_votes_does_not_matter(votes: list[Vote], random: Random) -> None:
    shuffled = list(votes)
    random.shuffle(shuffled)

    assert fuse(shuffled, knows=KNOWS) == fuse(votes, knows=KNOWS)


@given(several)
def test_the_name_is_one_that_was_voted_for_and_as_sure_as_stated(
    votes: list[Vote],
) -> None:
    fused = fuse(votes)

    voted = {it for cast in votes for it in cast.probabilities}
    assert fused.category.subject in voted | {Subject.UNKNOWN}
    assert 0 <= fused.probability <= 1
    if fused.category.subject is not Subject.UNKNOWN:
        assert fused.category.confidence == pytest.approx(
            100 * fused.probability, abs=1.01
        )
        assert fused.category.confidence >= 50


@given(several)
def test_knowing_less_never_makes_a_contradiction(votes: list[Vote]) -> None:
    nothing: Mapping[str, frozenset[Subject]] = dict.fromkeys(
        ["text", "embedded", "clip"], frozenset()
    )

    assert not fuse(votes, knows=nothing).disputed
