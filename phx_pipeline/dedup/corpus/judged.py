"""A rule judged on the corpus: what it finds, what it mixes up, which copy it keeps.

Nothing is read or printed here: photos, the way to look at bytes and the rule are
handed in.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from PIL import Image

from phx_pipeline.dedup.cluster import Cluster
from phx_pipeline.dedup.corpus.cameras import other_views
from phx_pipeline.dedup.corpus.copies import (
    marked_copies,
    single_copies,
    site_copies,
)
from phx_pipeline.dedup.corpus.pages import DRAWN, pages
from phx_pipeline.dedup.corpus.pictures import Made, decoded, identity
from phx_pipeline.dedup.corpus.worse import DAMAGED_FILE, WORSE, Choice, choices
from phx_pipeline.dedup.evaluate import NOTHING, Score, score_clusters
from phx_pipeline.dedup.proposals import Candidate

TURNS = 5  # seeds after which every photo has had every kind of choice once
_HOUSES = 4  # that lie in one property here, so that photos can be mixed up
_DRAWN = 2  # pages of each kind per house: twins

Look = Callable[[bytes], Candidate | None]  # None: refused, as damaged
Rule = Callable[[Sequence[Candidate]], Sequence[Cluster]]
Known = tuple[str, Candidate]  # identity, picture


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


@dataclass(slots=True, kw_only=True)
class Chosen:
    """How often the clean copy of a pair was kept; pairs left apart count as neither.

    A damaged file that is refused leaves the clean one, which is right. A photo whose
    clean copy is refused, as it is too small, makes no pair.
    """

    right: int = 0
    wrong: int = 0
    apart: int = 0


@dataclass(slots=True, kw_only=True)
class Judged:
    """What came out: copies as sites make them, then by operation, look-alike, choice.

    In `marked` those of `site` lie beside branded copies and tiles. Each score but that
    of `choices` is a sum over properties of a few houses and over seeds. In `others`
    nothing is a copy, except the two forms of each drawn page.
    """

    site: Score = NOTHING
    marked: Score = NOTHING
    operations: dict[str, Score] = field(default_factory=dict)
    others: dict[str, Score] = field(default_factory=dict)
    choices: defaultdict[str, Chosen] = field(
        default_factory=lambda: defaultdict(Chosen)
    )


def judge(
    photos: Sequence[Photo], *, seeds: Iterable[int], look: Look, rule: Rule
) -> Judged:
    """Make the corpus of each seed and ask the rule; known repeats are left out."""
    once = [it for it in photos if identity(it.name) == it.name]
    houses = sorted({it.house for it in once})
    judged = Judged()
    for seed in seeds:
        turn = _Turn(judged, seed=seed, look=look, rule=rule)
        for start in range(0, len(houses), _HOUSES):
            together = houses[start : start + _HOUSES]
            turn.judge_photos([it for it in once if it.house in together])
            turn.judge_pages(range(_DRAWN * start, _DRAWN * (start + len(together))))
        for index, photo in enumerate(once):
            turn.judge_choices(photo, kinds=_due(index + seed))
    return judged


def _due(turn: int) -> list[str]:
    kinds = (*WORSE, DAMAGED_FILE)
    return [kind for at, kind in enumerate(kinds) if (turn + at) % TURNS == 0]


class _Turn:
    """What is made with one seed, judged; scores are added to *judged*."""

    def __init__(self, judged: Judged, *, seed: int, look: Look, rule: Rule) -> None:
        self._judged, self._seed, self._look, self._rule = judged, seed, look, rule

    def judge_photos(self, photos: Sequence[Photo]) -> None:
        """Judge copies and other views of *photos*, all of one property."""
        originals = self._known(
            Made(identity=it.name, kind="original", body=it.body) for it in photos
        )
        site = self._known(self._each(photos, site_copies))
        marked = self._known(self._each(photos, marked_copies))
        self._judged.site += self._score([*originals, *site])
        self._judged.marked += self._score([*originals, *site, *marked])
        for make, scores in (
            (single_copies, self._judged.operations),
            (other_views, self._judged.others),
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
            self._judged.others[kind] = self._judged.others.get(kind, NOTHING) + found

    def judge_choices(self, photo: Photo, *, kinds: Sequence[str]) -> None:
        """Judge which copy is kept beside a worse one of each kind."""
        image = decoded(photo.body)
        for pair in choices(image, name=photo.name, seed=self._seed, kinds=kinds):
            self._choose(pair, self._judged.choices[pair.kind])

    def _each(self, photos: Sequence[Photo], make: _Make) -> Iterator[Made]:
        for it in photos:
            yield from make(decoded(it.body), name=it.name, seed=self._seed)

    def _known(self, made: Iterable[Made]) -> list[Known]:
        looks = ((it.identity, self._look(it.body)) for it in made)
        return [(label, look) for label, look in looks if look is not None]

    def _score(self, known: Sequence[Known]) -> Score:
        numbered = [replace(it, sha256=str(at)) for at, (_, it) in enumerate(known)]
        labels = [label for label, _ in known]
        return score_clusters(labels, self._rule(numbered))

    def _choose(self, pair: Choice, chosen: Chosen) -> None:
        better, worse = self._look(pair.better), self._look(pair.worse)
        if better is None:
            return
        if worse is None:
            chosen.right += 1
            return
        clusters = self._rule([better, worse])
        if len(clusters) > 1:
            chosen.apart += 1
        elif clusters[0].best == better.sha256:
            chosen.right += 1
        else:
            chosen.wrong += 1
