"""Gathers what people reviewed, has heads and curves learnt from it, and keeps them.

No source is asked and no picture of a house is renamed: that is `recategorize`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.catalog.trained import TrainedRow
from phx_pipeline.categorize.base import Categorizer, Evidence
from phx_pipeline.categorize.learning.lessons import (
    Course,
    Lesson,
    Other,
    Reviewed,
    held_back_votes,
    learn,
    scores_of,
)
from phx_pipeline.categorize.learning.reference import shipped
from phx_pipeline.categorize.learning.scores import Scores
from phx_pipeline.categorize.network.session import FEATURES, NETWORK
from phx_pipeline.categorize.registry import BACKENDS, Equipment, Need, equip
from phx_pipeline.errors import InputError
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.ruling import About
from phx_pipeline.model.vote import Vote
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.evidence import Originals, evidence_of
from phx_pipeline.stages.ruled_categories import RuledCategory, ruled_categories
from phx_pipeline.stages.trained_models import InUse, model_in_use

SURE: Final = 85
"""A picture that is named with this confidence is taken for what it is called."""

PER_SUBJECT: Final = 150
"""So many of them are enough to tell a new subject from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What was learnt, and the id of the model that was made; None if none was.

    `in_use` is the id of what was in use before. `unseen` counts reviewed pictures that
    the embedded backend has not looked at: it is not in use, or lacks their originals.
    `stored` tells that a row was written, of what is used or of what was refused.
    """

    lesson: Lesson
    made: str | None
    in_use: str | None
    reviewed: int
    unseen: int
    stored: bool

    def plain(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "model": self.made,
            "was": self.in_use,
            "stored": self.stored,
            "reviewed": self.reviewed,
            "unseen": self.unseen,
            **self.lesson.plain(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good names are on pictures that people labelled; `model` as `Training`."""

    scores: dict[str, Scores]
    pictures: int
    houses: int
    model: str | None


def train(context: StageContext, *, dry_run: bool = False) -> Training:
    """Learn from the reviews there are; without *dry_run* keep what came of it.

    What has neither a head nor a calibration that is not in use already leaves no row.

    Raises:
        InputError: nobody has reviewed a picture yet.
    """
    before = model_in_use(context.catalog)
    course = course_of(context, before)
    lesson = learn(course)
    made = None if lesson.refused else lesson.model.id
    is_new = lesson.tried.id != course.model_in_use.id
    if is_new and not dry_run:
        _keep(context, lesson, accepted=made is not None)
    return Training(
        lesson=lesson,
        made=made,
        in_use=before.row.id if before else None,
        reviewed=len(course.reviewed),
        unseen=sum(not it.is_seen for it in course.reviewed),
        stored=is_new and not dry_run,
    )


def evaluate(context: StageContext) -> Evaluation:
    """Judge what is in use by the reviews: each by heads that never saw its house.

    Raises:
        InputError: nobody has reviewed a picture yet.
    """
    before = model_in_use(context.catalog)
    course = course_of(context, before)
    return Evaluation(
        scores=scores_of(course, held_back_votes(course)),
        pictures=len(course.reviewed),
        houses=len({it.house for it in course.reviewed}),
        model=before.row.id if before else None,
    )


def course_of(context: StageContext, before: InUse | None) -> Course:
    """Return all there is to learn from.

    Raises:
        InputError: nobody has reviewed a picture yet.
    """
    backends = untaught(context)
    reviewed = [
        it
        for slug in _houses(context)
        for it in _reviewed(context, slug, backends, before)
    ]
    if not reviewed:
        raise InputError(
            "nobody has said yet what a picture shows: `phx review list` tells which "
            "pictures are worth a look, `phx review set` says what they show"
        )
    return Course(
        reviewed=reviewed,
        others=[*shipped(NETWORK), *_others(context, reviewed)],
        network=NETWORK,
        in_use=before.model if before else None,
        knows={it.name: it.knows for it in backends},
    )


def untaught(context: StageContext) -> tuple[Categorizer, ...]:
    """Return the backends in use as they are without anything learnt."""
    names = {it.name for it in context.categorizers}
    equipment = Equipment(
        cache_dir=context.layout.networks, features=context.catalog.features
    )
    chosen = [it for it in BACKENDS if it.name in names]
    return equip(chosen, equipment).categorizers


def features_of(
    context: StageContext, shas: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return the features that are kept of these originals, but damaged ones."""
    kept = context.catalog.features.get(shas, NETWORK)
    vectors = {
        sha: np.frombuffer(body, np.float16).astype(np.float32)
        for sha, body in kept.items()
        if len(body) == FEATURES * np.dtype(np.float16).itemsize
    }
    return {sha: it for sha, it in vectors.items() if np.isfinite(it).all()}


def _keep(context: StageContext, lesson: Lesson, *, accepted: bool) -> None:
    model = lesson.model if accepted else lesson.tried
    context.catalog.trained.add(
        TrainedRow(
            id=model.id,
            at=context.stamp().at,
            who=context.who,
            body=model.to_bytes(),
            report=lesson.plain(),
            accepted=accepted,
        )
    )


def _houses(context: StageContext) -> list[str]:
    rulings = context.catalog.rulings.all()
    slugs = {it.slug for it in rulings if it.about is About.CATEGORY}
    return sorted(it for it in slugs if context.catalog.property(it) is not None)


def _reviewed(
    context: StageContext,
    slug: str,
    backends: Sequence[Categorizer],
    before: InUse | None,
) -> list[Reviewed]:
    """Return the kept pictures of a house that somebody reviewed."""
    photos = context.catalog.photos(slug)
    rulings = context.catalog.rulings.newest(slug, About.CATEGORY)
    ruled = ruled_categories(photos, rulings)
    evidence = evidence_of(photos, Originals(context))
    found = [
        (evidence[photo.key], ruled[str(photo.cluster_id)])
        for photo in photos
        if photo.verdict is Verdict.KEPT and str(photo.cluster_id) in ruled
    ]
    pictures = [it for it, _ in found]
    votes = [_votes(context, it, pictures) for it in backends]
    features = features_of(context, [it.sha256 for it in pictures])
    return [
        Reviewed(
            sha256=picture.sha256,
            house=slug,
            subject=said.category.subject,
            votes=tuple(it[place] for it in votes if isinstance(it[place], Vote)),
            features=features.get(picture.sha256),
            known=_was_known(said, before),
        )
        for place, (picture, said) in enumerate(found)
    ]


def _was_known(said: RuledCategory, before: InUse | None) -> bool:
    return before is not None and said.ruling.at <= before.row.at


def _votes(
    context: StageContext, backend: Categorizer, pictures: list[Evidence]
) -> list[Any]:
    """Return a backend's answers; who needs the network is not asked anew."""
    if not pictures:
        return []
    (found,) = (it for it in BACKENDS if it.name == backend.name)
    if Need.NETWORK not in found.needs:
        return list(backend.categorize(pictures))
    shas = {it.sha256 for it in pictures}
    known = context.catalog.votes.given(shas, backend.name, backend.version)
    return [known.get((it.sha256, backend.reads(it))) for it in pictures]


def _others(context: StageContext, reviewed: Sequence[Reviewed]) -> list[Other]:
    """Return pictures nobody reviewed that have a sure name, with their features."""
    named = context.catalog.trained.surely_named(
        least=SURE, per_subject=PER_SUBJECT, without={it.sha256 for it in reviewed}
    )
    features = features_of(context, [it.sha256 for it in named])
    return [
        Other(house=it.slug, subject=it.subject, features=features[it.sha256])
        for it in named
        if it.sha256 in features
    ]
