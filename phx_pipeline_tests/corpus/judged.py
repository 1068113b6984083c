"""A rule judged on the corpus: what it finds, what it mixes up, which copy it keeps.

Nothing is read or printed here: photos, the way to look at bytes and the rule are
handed in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

from PIL import Image

from phx_pipeline.dedup.cluster import Cluster
from phx_pipeline.dedup.evaluate import NOTHING, Score, score_clusters
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline_tests.corpus.cameras import other_views
from phx_pipeline_tests.corpus.copies import (
    marked_copies,
    single_copies,
    site_copies,
)
from phx_pipeline_tests.corpus.counts import Chosen, Judged
from phx_pipeline_tests.corpus.pages import DRAWN, pages
from phx_pipeline_tests.corpus.pictures import Made, decoded, identity
from phx_pipeline_tests.corpus.worse import DAMAGED_FILE, WORSE, Choice, choices

TURNS = 5  # seeds after which every photo has had every kind of choice once
_HOUSES = 4  # that lie in one property here, so that photos can be mixed up
_DRAWN = 2  # pages of each kind per house: twins

Look = Callable[[bytes], Candidate | None]  # None: refused, as damaged
Known = tuple[str, Candidate]  # identity, picture


class Rule(Protocol):
    """What groups pictures; it may remember those of one name."""

    def clusters(
        self, candidates: Sequence[Candidate], *, choosing: bool
    ) -> Sequence[Cluster]:
        """Group all; unless *choosing* it does not matter which is the best."""


class _Make(Protocol):
    def __call__(
        self, photo: Image.Image, *, name: str, seed: int
    ) -> Iterator[Made]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A real photo: the house it is of, its name, the bytes of its file."""

    house: str
    name: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is judged at a time: a few houses that lie in one property, with one seed.

    `places` are those of the photos among all; by them kinds of worse copies go round.
    `pages` are the numbers of the drawn pages.
    """

    seed: int
    photos: tuple[Photo, ...]
    places: tuple[int, ...]
    pages: range

    @property
    def houses(self) -> tuple[str, ...]:
        """The houses the photos are of."""
        return tuple(sorted({it.house for it in self.photos}))


def parts(photos: Sequence[Photo], *, seeds: Iterable[int]) -> list[Part]:
    """Return what is to be judged with each seed; known repeats are left out."""
    once = [it for it in photos if identity(it.name) == it.name]
    houses = sorted({it.house for it in once})
    starts = range(0, len(houses), _HOUSES)
    return [
        _part(once, houses[at : at + _HOUSES], at=at, seed=seed)
        for seed in seeds
        for at in starts
    ]


def _part(once: Sequence[Photo], houses: Sequence[str], *, at: int, seed: int) -> Part:
    chosen = [(place, it) for place, it in enumerate(once) if it.house in houses]
    return Part(
        seed=seed,
        photos=tuple(it for _, it in chosen),
        places=tuple(place for place, _ in chosen),
        pages=range(_DRAWN * at, _DRAWN * (at + len(houses))),
    )


def judge(part: Part, *, look: Look, rule: Rule) -> Judged:
    """Make the corpus of a part and ask the rule."""
    turn = _Turn(seed=part.seed, look=look, rule=rule)
    turn.judge_photos(part.photos)
    turn.judge_pages(part.pages)
    for place, photo in zip(part.places, part.photos, strict=True):
        turn.judge_choices(photo, kinds=_due(place + part.seed))
    return turn.judged


def _due(turn: int) -> list[str]:
    kinds = (*WORSE, DAMAGED_FILE)
    return [kind for at, kind in enumerate(kinds) if (turn + at) % TURNS == 0]


class _Turn:
    """What is made with one seed, judged; scores are added to `judged`."""

    def __init__(self, *, seed: int, look: Look, rule: Rule) -> None:
        self._seed, self._look_at, self._rule = seed, look, rule
        self._numbers = count()
        self.judged = Judged()

    def judge_photos(self, photos: Sequence[Photo]) -> None:
        """Judge copies and other views of *photos*, all of one property."""
        originals = self._known(
            Made(identity=it.name, kind="original", body=it.body) for it in photos
        )
        site = self._known(self._each(photos, site_copies))
        marked = self._known(self._each(photos, marked_copies))
        self.judged.site += self._score([*originals, *site])
        self.judged.marked += self._score([*originals, *site, *marked])
        for make, scores in (
            (single_copies, self.judged.operations),
            (other_views, self.judged.others),
        ):
            kinds = defaultdict[str, list[Known]](list)
            for it in self._each(photos, make):
                kinds[it.kind] += self._known([it])
            for kind, known in kinds.items():
                found = self._score([*originals, *known])
                scores[kind] = scores.get(kind, NOTHING) + found

    def judge_pages(self, numbers: Sequence[int]) -> None:
        """Judge drawn pages of each kind, those of a kind in one property."""
        for kind in DRAWN:
            made = (
                it for n in numbers for it in pages(kind, number=n, seed=self._seed)
            )
            found = self._score(self._known(made))
            self.judged.others[kind] = self.judged.others.get(kind, NOTHING) + found

    def judge_choices(self, photo: Photo, *, kinds: Sequence[str]) -> None:
        """Judge which copy is kept beside a worse one of each kind."""
        image = decoded(photo.body)
        for pair in choices(image, name=photo.name, seed=self._seed, kinds=kinds):
            self._choose(pair, self.judged.choices.setdefault(pair.kind, Chosen()))

    def _each(self, photos: Sequence[Photo], make: _Make) -> Iterator[Made]:
        for it in photos:
            yield from make(decoded(it.body), name=it.name, seed=self._seed)

    def _known(self, made: Iterable[Made]) -> list[Known]:
        looks = ((it.identity, self._look(it.body)) for it in made)
        return [(label, look) for label, look in looks if look is not None]

    def _look(self, body: bytes) -> Candidate | None:
        """Look at a picture, and name it by a number: equal bytes may be two photos."""
        seen = self._look_at(body)
        return seen and replace(seen, sha256=f"{next(self._numbers):06}")

    def _score(self, known: Sequence[Known]) -> Score:
        labels = [label for label, _ in known]
        pictures = [it for _, it in known]
        found = self._rule.clusters(pictures, choosing=False)
        label_of = dict(zip((it.sha256 for it in pictures), labels, strict=True))
        if any(len({label_of[it] for it in one.members}) > 1 for one in found):
            # Which photo is lost is the question of which picture is kept.
            found = self._rule.clusters(pictures, choosing=True)
        place = {it.sha256: str(at) for at, it in enumerate(pictures)}
        return score_clusters(labels, [_renamed(it, place) for it in found])

    def _choose(self, pair: Choice, chosen: Chosen) -> None:
        better, worse = self._look(pair.better), self._look(pair.worse)
        if better is None:
            return
        if worse is None:
            chosen.right += 1
            return
        clusters = self._rule.clusters([better, worse], choosing=True)
        if len(clusters) > 1:
            chosen.apart += 1
        elif clusters[0].best == better.sha256:
            chosen.right += 1
        else:
            chosen.wrong += 1


def _renamed(cluster: Cluster, names: Mapping[str, str]) -> Cluster:
    members = tuple(names[it] for it in cluster.members)
    return Cluster(members=members, best=names[cluster.best])
