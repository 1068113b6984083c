"""Learns from reviewed pictures: heads, what they judged, curves; and says how good.

All is judged on houses that were held back: each reviewed picture by heads that never
saw its house. Reading and keeping is `stages.learning`'s matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.fusion import FUSED, fuse
from phx_pipeline.categorize.learning.curves import CurveVerdict, judge_curve
from phx_pipeline.categorize.learning.heads import (
    Fitted,
    Rows,
    fit_head,
    folds_of,
    stricter,
)
from phx_pipeline.categorize.learning.linear import Matrix
from phx_pipeline.categorize.learning.scores import Scores, Told, scored, shows
from phx_pipeline.categorize.learning.verdicts import (
    LEAST_RECALL,
    HeadVerdict,
    judge_head,
    named,
)
from phx_pipeline.categorize.subjects import are_akin
from phx_pipeline.categorize.trained import Curve, Head, TrainedModel, revised
from phx_pipeline.model.counted import counted
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote

PICTURES: Final = 20
"""Reviewed pictures that make a new class."""

HOUSES: Final = 5
"""Houses they must be of, so that each can be held back."""

EMBEDDED: Final = "embedded"
"""The backend that heads are of."""

UNJUDGED: Final = 0.84
"""No head is surer of what reviews have not found it to be right about."""

AIMED_PRECISION: Final = 0.9
"""Of a head's held-back names so many are to be right, if that leaves it enough."""

_OFTEN: Final = 0.1
_HIDDEN: Final = (Subject.MASTER, Subject.BEDROOM)  # some shipped bedrooms are masters


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reviewed:
    """A picture of which a person said what it shows.

    `votes` are those of the backends as they are without anything learnt; `features`
    None where no network looked at it. `known` tells that the person had said so when
    what is in use was learnt.
    """

    sha256: str
    house: str
    subject: Subject
    votes: tuple[Vote, ...]
    features: NDArray[np.floating] | None
    known: bool = False

    @property
    def is_seen(self) -> bool:
        """Whether heads can be learnt of it, and judged by what is said without."""
        votes = any(it.backend == EMBEDDED for it in self.votes)
        return votes and self.features is not None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Other:
    """A picture, or the mean of some, that nobody reviewed and that has a name."""

    house: str
    subject: Subject
    features: NDArray[np.floating]
    shipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A subject with too few reviews for a head.

    `unseen` are reviewed pictures of it that no network looked at: they count nowhere.
    """

    subject: Subject
    pictures: int
    houses: int
    others: int
    unseen: int = 0

    @property
    def why(self) -> str:
        """What is missing; empty where nothing is."""
        missing = []
        if self.pictures < PICTURES:
            more = counted(PICTURES - self.pictures, "more reviewed picture")
            unseen = f" and {self.unseen} not looked at" if self.unseen else ""
            missing.append(f"{more} (beside {self.pictures}{unseen})")
        if self.houses < HOUSES:
            more = counted(HOUSES - self.houses, "more house")
            missing.append(f"pictures of {more} (beside {self.houses})")
        if self.others < PICTURES:
            more = counted(PICTURES - self.others, "more reviewed picture")
            missing.append(f"{more} of other kinds (beside {self.others})")
        return " and ".join(missing)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lesson:
    """What came of it: `model` is what is to be used from now on.

    `tried` holds also the heads that were refused. Scores are by backend, and `FUSED`.
    """

    model: TrainedModel
    tried: TrainedModel
    heads: tuple[HeadVerdict, ...]
    lacking: tuple[Lacking, ...]
    curves: Mapping[str, CurveVerdict]
    before: Mapping[str, Scores]
    after: Mapping[str, Scores]
    refused: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it for JSON, without the model."""
        return {
            "refused": self.refused,
            "heads": [it.plain() for it in self.heads],
            "lacking": {it.subject.value: it.why for it in self.lacking},
            "curves": {
                name: {"used": it.curve is not None, "why": it.why}
                for name, it in self.curves.items()
            },
            "before": {name: it.plain() for name, it in self.before.items()},
            "after": {name: it.plain() for name, it in self.after.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What there is to learn from, and what is in use."""

    reviewed: Sequence[Reviewed]
    others: Sequence[Other]
    network: str
    in_use: TrainedModel | None = None
    knows: Mapping[str, frozenset[Subject]] = field(default_factory=dict)

    @property
    def model_in_use(self) -> TrainedModel:
        """What is in use; one that changes nothing if nothing was learnt so far."""
        return self.in_use or TrainedModel(network=self.network)


def learn(given: Course) -> Lesson:
    """Fit a head for each subject with enough reviews, judge it, and calibrate all."""
    bench = _Bench(given)
    lacking = {it: bench.lacking(it) for it in _subjects(given.reviewed)}
    tried = {it: bench.fit(it) for it, found in lacking.items() if not found.why}
    verdicts = {it: bench.verdict(it, fitted) for it, fitted in tried.items()}
    taken = {it: fit for it, fit in tried.items() if not verdicts[it].refused}
    model, curves, after = _made(given, bench, taken)
    before = scores_of(given, bench.votes(bench.held_back, given.model_in_use))
    refused = _refused(given, model, before=before, after=after)
    return Lesson(
        model=given.model_in_use if refused else model,
        tried=replace(model, heads={**model.heads, **_heads_of(tried)}),
        heads=tuple(verdicts.values()),
        lacking=tuple(it for it in lacking.values() if it.why),
        curves=curves,
        before=before,
        after=before if refused else after,
        refused=refused,
    )


def held_back_votes(given: Course) -> list[tuple[Vote, ...]]:
    """Return the votes of what is in use, by heads that never saw the house."""
    bench = _Bench(given)
    return bench.votes(bench.held_back, given.model_in_use)


def scores_of(
    given: Course,
    votes: Sequence[tuple[Vote, ...]],
    *,
    calibration: TrainedModel | None = None,
) -> dict[str, Scores]:
    """Count how good each backend is, and all together; by default as it is in use."""
    model = calibration or given.model_in_use
    truths = [it.subject for it in given.reviewed]
    backends = sorted({vote.backend for cast in votes for vote in cast})
    by_name = {
        name: scored(
            told
            for truth, cast in zip(truths, votes, strict=True)
            if (told := _told_by(name, cast, truth=truth, model=model)) is not None
        )
        for name in backends
    }
    return by_name | {FUSED: scored(_told_fused(given, votes, model))}


def _subjects(reviewed: Sequence[Reviewed]) -> list[Subject]:
    return sorted({it.subject for it in reviewed})


class _Bench:
    """Reviewed pictures with features, and what heads say of each when held back."""

    def __init__(self, given: Course) -> None:
        self._given = given
        self._seen = [it for it in given.reviewed if it.is_seen]
        self._base = [_probabilities(it.votes) for it in self._seen]
        self.held_back = {it: self._in_use(it) for it in given.model_in_use.heads}

    def __len__(self) -> int:
        return len(self._seen)

    def lacking(self, subject: Subject, *, known: bool = False) -> Lacking:
        """Count what a subject can be learnt from; if *known*, of what was known."""
        seen = [it for it in self._seen if it.known or not known]
        own = [it for it in seen if it.subject is subject]
        rest = sum(not shows(subject, truth=it.subject) for it in seen)
        return Lacking(
            subject=subject,
            pictures=len(own),
            houses=len({it.house for it in own}),
            others=rest + len(self._others(subject)),
            unseen=sum(
                it.subject is subject and not it.is_seen for it in self._given.reviewed
            ),
        )

    def fit(self, subject: Subject) -> Fitted:
        """Fit a head to all reviews."""
        rows, is_it, _ = self._rows(subject)
        folds = folds_of(rows.houses, is_it)
        fitted = fit_head(rows, is_it, folds=folds, easy=self._easy(subject))
        return self._strict(fitted, is_it)

    def verdict(self, subject: Subject, fitted: Fitted) -> HeadVerdict:
        """Judge a head against what is in use."""
        n = len(self)
        others = self._others(subject)
        unshipped = [not it.shipped for it in others]
        tried = self.held_back | {subject: fitted.held_back[:n]}
        return judge_head(
            subject,
            truths=[it.subject for it in self._seen],
            houses=[it.house for it in self._seen],
            before=self.said(self.held_back),
            after=self.said(tried),
            unreviewed=fitted.held_back[n:][unshipped].tolist(),
            refines=subject in self.held_back,
        )

    def said(self, chances: Mapping[Subject, Matrix]) -> list[dict[Subject, float]]:
        """What the embedded backend says with these heads, capped by nothing."""
        return [
            revised(base, {it: float(p[place]) for it, p in chances.items()})
            for place, base in enumerate(self._base)
        ]

    def votes(
        self, chances: Mapping[Subject, Matrix], model: TrainedModel
    ) -> list[tuple[Vote, ...]]:
        """Return all votes on all reviewed pictures with these heads."""
        said = {
            id(it): _capped(p, heads=chances, judged=model.judged)
            for it, p in zip(self._seen, self.said(chances), strict=True)
        }
        return [
            tuple(
                replace(vote, probabilities=said.get(id(it), vote.probabilities))
                if vote.backend == EMBEDDED
                else vote
                for vote in it.votes
            )
            for it in self._given.reviewed
        ]

    def judged(self, chances: Mapping[Subject, Matrix]) -> frozenset[Subject]:
        """Return the heads' subjects whose sure names hold what they promise."""
        said = self.said(chances)
        verdicts = [
            judge_head(
                it,
                truths=[one.subject for one in self._seen],
                houses=[one.house for one in self._seen],
                before=said,
                after=said,
                unreviewed=[],
                refines=True,
            )
            for it in chances
        ]
        return frozenset(it.subject for it in verdicts if it.judged)

    def _in_use(self, subject: Subject) -> Matrix:
        """What the head in use says of each picture, had it not seen its house."""
        if not self._seen:
            return np.empty(0)
        rows, is_it, known = self._rows(subject)
        if self.lacking(
            subject, known=True
        ).why:  # another's model, or rulings are gone
            model = self._given.model_in_use
            told = model.chances(rows.features[: len(self._seen)])
            return np.array([it[subject] for it in told])
        folds = folds_of(rows.houses, is_it)
        easy = self._easy(subject)
        fitted = fit_head(rows, is_it, folds=folds, fitted_on=known, easy=easy)
        return self._strict(fitted, is_it).held_back[: len(self)]

    def _strict(self, fitted: Fitted, is_it: NDArray[np.bool_]) -> Fitted:
        reviewed = is_it[: len(self)]
        return stricter(
            fitted, reviewed, precision=AIMED_PRECISION, recall=LEAST_RECALL
        )

    def _rows(
        self, subject: Subject
    ) -> tuple[Rows, NDArray[np.bool_], NDArray[np.bool_]]:
        """Return reviewed pictures, then others; which show it; which were known."""
        others = self._others(subject)
        features = [
            *(it.features for it in self._seen if it.features is not None),
            *(it.features for it in others),
        ]
        houses = (*(it.house for it in self._seen), *(it.house for it in others))
        is_it = [shows(subject, truth=it.subject) for it in self._seen]
        known = [it.known for it in self._seen]
        return (
            Rows(features=np.stack(features).astype(np.float64), houses=houses),
            np.array(is_it + [False] * len(others)),
            np.array(known + [True] * len(others)),
        )

    def _easy(self, subject: Subject) -> NDArray[np.bool_]:
        """Which rows are pictures that have a sure name: as sure ones they are easy."""
        others = [not it.shipped for it in self._others(subject)]
        return np.array([False] * len(self) + others)

    def _others(self, subject: Subject) -> list[Other]:
        """Return the unreviewed pictures that are surely of something else.

        Not those whose name has been given to pictures of the subject too: among them
        may be more of it. What is shipped is known for what it is.
        """
        taken_for = self._taken_for(subject)
        return [
            it
            for it in self._given.others
            if it.subject is not subject
            and (
                (subject, it.subject) != _HIDDEN
                if it.shipped
                else not are_akin(it.subject, subject) and it.subject not in taken_for
            )
        ]

    def _taken_for(self, subject: Subject) -> set[Subject]:
        own = [it for it in self._given.reviewed if it.subject is subject]
        knows = self._given.knows
        names = [
            name
            for it in own
            for name in {
                fuse(it.votes, knows=knows).category.subject,
                *(named(vote.probabilities) for vote in it.votes),
            }
        ]
        return {it for it in set(names) if names.count(it) >= _OFTEN * len(own)}


def _made(
    given: Course, bench: _Bench, taken: Mapping[Subject, Fitted]
) -> tuple[TrainedModel, dict[str, CurveVerdict], dict[str, Scores]]:
    """Return the model of the heads taken and those in use, its curves and scores."""
    fresh = {it: fit.held_back[: len(bench)] for it, fit in taken.items()}
    chances = bench.held_back | fresh
    model = TrainedModel(
        network=given.network,
        heads={**given.model_in_use.heads, **_heads_of(taken)},
        judged=bench.judged(chances),
    )
    votes = bench.votes(chances, model)
    curves = _curves(given, votes, model)
    used = {name: it.curve for name, it in curves.items() if it.curve is not None}
    model = replace(model, curves=used)
    return model, curves, scores_of(given, votes, calibration=model)


def _curves(
    given: Course, votes: Sequence[tuple[Vote, ...]], model: TrainedModel
) -> dict[str, CurveVerdict]:
    """Judge a curve of each backend; then of all together, with those in place."""
    houses = [it.house for it in given.reviewed]
    truths = [it.subject for it in given.reviewed]
    verdicts: dict[str, CurveVerdict] = {}
    used: dict[str, Curve] = {}
    for name in sorted({vote.backend for cast in votes for vote in cast}):
        pairs = zip(truths, votes, houses, strict=True)
        told = [
            (it, house)
            for truth, cast, house in pairs
            if (it := _told_by(name, cast, truth=truth, model=model)) is not None
        ]
        verdict = judge_curve([it for it, _ in told], [house for _, house in told])
        verdicts[name] = verdict
        if verdict.curve is not None:
            used[name] = verdict.curve
    fused = _told_fused(given, votes, replace(model, curves=used))
    return verdicts | {FUSED: judge_curve(fused, houses)}


def _told_by(
    name: str, cast: Sequence[Vote], *, truth: Subject, model: TrainedModel
) -> Told | None:
    for vote in cast:
        if vote.backend == name:
            worth = model.calibrated(name, vote.probabilities)
            best = max(worth.items(), key=lambda it: (it[1], it[0].value), default=None)
            subject, p = best or (Subject.UNKNOWN, 0.0)
            return Told(truth=truth, subject=subject, probability=p)
    return None


def _told_fused(
    given: Course, votes: Sequence[tuple[Vote, ...]], model: TrainedModel
) -> list[Told]:
    """What the names are; a picture without a name claims nothing."""
    fused = [fuse(cast, knows=given.knows, calibration=model) for cast in votes]
    return [
        Told(
            truth=it.subject,
            subject=one.category.subject,
            probability=0.0
            if one.category.subject is Subject.UNKNOWN
            else one.probability,
        )
        for it, one in zip(given.reviewed, fused, strict=True)
    ]


def _refused(
    given: Course,
    model: TrainedModel,
    *,
    before: Mapping[str, Scores],
    after: Mapping[str, Scores],
) -> str:
    if model.id == given.model_in_use.id:
        return "nothing better was learnt than what is in use"
    was, now = before[FUSED].right, after[FUSED].right
    if now.count < was.count:
        return (
            f"with it {now.count} of {now.of} reviewed pictures would be named right, "
            f"{was.count} are now"
        )
    return ""


def _heads_of(fitted: Mapping[Subject, Fitted]) -> dict[Subject, Head]:
    return {subject: it.head for subject, it in fitted.items()}


def _probabilities(votes: Sequence[Vote]) -> Mapping[Subject, float]:
    return next((it.probabilities for it in votes if it.backend == EMBEDDED), {})


def _capped(
    said: Mapping[Subject, float],
    *,
    heads: Mapping[Subject, Matrix],
    judged: frozenset[Subject],
) -> dict[Subject, float]:
    return {
        it: min(p, UNJUDGED) if it in heads and it not in judged else p
        for it, p in said.items()
    }
