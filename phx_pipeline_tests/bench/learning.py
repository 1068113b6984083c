"""What twenty reviewed pictures of a new class teach, measured on real photos.

    python -m phx_pipeline_tests.bench.learning

Each class in turn is one that nobody knows: heads, words and reference are made of the
other three, on the houses of some folds. Twenty pictures of it, of twenty of these
houses, are reviewed, and with `--rooms` the other three rooms of these houses too; what
is named at 85 otherwise takes part as in a catalogue. Then the houses of the fold that
was set aside are named. Last, heads that are to be refused.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import click
import numpy as np

from phx_pipeline.categorize.gate import opinions
from phx_pipeline.categorize.heads import Heads
from phx_pipeline.categorize.learning.lessons import (
    EMBEDDED,
    PICTURES,
    UNJUDGED,
    Course,
    Lesson,
    Other,
    Reviewed,
    learn,
)
from phx_pipeline.categorize.learning.scores import SURE_AT
from phx_pipeline.categorize.learning.verdicts import named
from phx_pipeline.categorize.network.session import NETWORK
from phx_pipeline.categorize.trained import revised
from phx_pipeline.categorize.words import WORDS
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline.model.vote import Vote
from phx_pipeline_tests.bench.houses import (
    FOLDS,
    SUBJECTS,
    Photos,
    fit_heads,
    labelled,
)
from phx_pipeline_tests.bench.reference import reference

Said = list[dict[Subject, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A base that knows some classes, what it was made of, and houses set aside."""

    base: Heads
    training: Photos
    aside: Photos
    known: list[int]

    @classmethod
    def of(cls, photos: Photos, *, fold: int, known: list[int]) -> "Scene":
        training = photos.only(photos.folds != fold)
        return cls(
            base=fit_heads(training, known),
            training=training,
            aside=photos.only(photos.folds == fold),
            known=known,
        )

    def said(self, photos: Photos) -> Said:
        """What the base says; it has no words for what it does not know."""
        words = photos.words.copy()
        for label, subject in enumerate(SUBJECTS):
            if label not in self.known:
                words[:, list(WORDS[subject])] = 0
        told = opinions(self.base, photos.features, words)
        return [dict(it.probabilities) for it in told]

    def course(self, rows: list[int], truths: list[Subject]) -> Course:
        """What there is to learn from when these photos are reviewed."""
        said = self.said(self.training)
        return Course(
            reviewed=[
                Reviewed(
                    sha256=str(row),
                    house=str(self.training.houses[row]),
                    subject=truth,
                    votes=(vote(said[row]),),
                    features=self.training.features[row],
                )
                for row, truth in zip(rows, truths, strict=True)
            ],
            others=[
                *reference(self.training, self.known),
                *self._named(said, without=set(rows)),
            ],
            network=NETWORK,
        )

    def _named(self, said: Said, *, without: set[int]) -> Iterator[Other]:
        for row, told in enumerate(said):
            best = named(told)
            if row not in without and told.get(best, 0.0) >= SURE_AT:
                yield Other(
                    house=str(self.training.houses[row]),
                    subject=best,
                    features=self.training.features[row],
                )

    def names(self, lesson: Lesson | None) -> Said:
        """What is said of the houses set aside, with what was learnt."""
        said = self.said(self.aside)
        if lesson is None:
            return said
        chances = lesson.model.chances(self.aside.features)
        return [
            {
                it: min(p, UNJUDGED)
                if it in own and it not in lesson.model.judged
                else p
                for it, p in revised(before, own).items()
            }
            for before, own in zip(said, chances, strict=True)
        ]


def vote(said: dict[Subject, float]) -> Vote:
    """Return what the base says as a vote."""
    return Vote(backend=EMBEDDED, version="", probabilities=said)


def drawn(photos: Photos, label: int, *, seed: int) -> list[int]:
    """Return twenty photos of a class, of twenty houses."""
    own = np.flatnonzero(photos.labels == label)
    mixed = np.random.default_rng(seed).permutation(own)
    by_house = {photos.houses[row]: int(row) for row in mixed}
    return list(by_house.values())[:PICTURES]


def rooms_of(photos: Photos, rows: list[int], *, without: int) -> list[int]:
    """Return the other rooms of the houses of *rows*."""
    same = np.isin(photos.houses, photos.houses[rows]) & (photos.labels != without)
    return np.flatnonzero(same).tolist()


def shares(scene: Scene, said: Said, subject: Subject) -> tuple[float, ...]:
    """Return recall and precision of a name, how many have 85, and others kept."""
    truths = [SUBJECTS[label] for label in scene.aside.labels]
    names = [named(it) for it in said]
    pairs = list(zip(truths, names, strict=True))
    own = [name for truth, name in pairs if truth is subject]
    given = [truth for truth, name in pairs if name is subject]
    sure = [
        it.get(subject, 0.0) >= SURE_AT
        for it, truth in zip(said, truths, strict=True)
        if truth is subject
    ]
    rest = [truth is name for truth, name in pairs if truth is not subject]
    right = given.count(subject) / len(given) if given else 1.0
    return (
        own.count(subject) / len(own),
        right,
        sum(sure) / len(sure),
        sum(rest) / len(rest),
    )


def new_class(photos: Photos, label: int, *, folds: int, rooms: bool) -> None:
    """Print what a class that was never known comes to."""
    subject, found, spent = SUBJECTS[label], [], []
    known = [it for it in range(len(SUBJECTS)) if it != label]
    for fold in range(folds):
        scene = Scene.of(photos, fold=fold, known=known)
        rows = drawn(scene.training, label, seed=fold)
        if rooms:
            rows += rooms_of(scene.training, rows, without=label)
        truths = [SUBJECTS[scene.training.labels[row]] for row in rows]
        start = time.process_time()
        lesson = learn(scene.course(rows, truths))
        spent.append(time.process_time() - start)
        taken = subject in lesson.model.heads
        before = shares(scene, scene.names(None), subject)
        after = shares(scene, scene.names(lesson), subject)
        found.append((float(taken), *after, before[3]))
    told = np.array(found)
    mean, worst = told.mean(axis=0), told.min(axis=0)
    click.echo(
        f"{subject.value:9} taken {mean[0]:.2f}  recall {mean[1]:.3f} (least "
        f"{worst[1]:.3f})  precision {mean[2]:.3f} (least {worst[2]:.3f})  at 85 "
        f"{mean[3]:.3f}  others right {mean[5]:.3f} -> {mean[4]:.3f}  "
        f"{np.mean(spent):.1f} CPU s"
    )


def refused(photos: Photos) -> None:
    """Print what becomes of heads that can be no better than what is there."""
    everything = list(range(len(SUBJECTS)))
    scene = Scene.of(photos, fold=0, known=everything)
    for label, subject in enumerate(SUBJECTS):
        rows = drawn(scene.training, label, seed=1)
        rows += rooms_of(scene.training, rows, without=label)
        truths = [SUBJECTS[scene.training.labels[row]] for row in rows]
        tell(f"{subject.value} known already", learn(scene.course(rows, truths)))
    rows = drawn(scene.training, 0, seed=2)
    rows += rooms_of(scene.training, rows, without=0)
    truths = [SUBJECTS[scene.training.labels[row]] for row in rows]
    mixed = np.random.default_rng(3).permutation(len(truths))
    tell("labels mixed", learn(scene.course(rows, [truths[it] for it in mixed])))
    pools = [Subject.POOL if it < PICTURES else truths[it] for it in range(len(rows))]
    anything = [rows[it] for it in mixed]
    tell("anything called pool", learn(scene.course(anything, pools)))


def tell(what: str, lesson: Lesson) -> None:
    """Print why each head was taken or refused."""
    for it in lesson.heads:
        verdict = f"refused: {it.refused}" if it.refused else "taken"
        click.echo(
            f"{what}: {it.subject.value} {verdict} (recall {it.recall.value:.2f}, "
            f"precision {it.precision.value:.2f}, {it.better} better, {it.worse} worse)"
        )


@click.command()
@click.option("--folds", type=click.IntRange(1, FOLDS), default=FOLDS)
@click.option("--rooms/--no-rooms", default=True, help="Review the other rooms too.")
def main(*, folds: int, rooms: bool) -> None:
    """Print the tables."""
    photos = labelled()
    for label in range(len(SUBJECTS)):
        new_class(photos, label, folds=folds, rooms=rooms)
    refused(photos)


if __name__ == "__main__":
    main()
