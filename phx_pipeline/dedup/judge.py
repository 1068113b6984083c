"""What is to be said of a pair of pictures, looked at by itself.

Which pictures form a cluster follows from many pairs, and is not decided here.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from phx_pipeline.dedup import features
from phx_pipeline.dedup.best import Choice, choice, choice_unseen
from phx_pipeline.dedup.cluster import MOST_LOOKS, Grouping
from phx_pipeline.dedup.colours import colouring
from phx_pipeline.dedup.confirm import Confirmed, confirmed
from phx_pipeline.dedup.features import Match
from phx_pipeline.dedup.looks import Both, Looks
from phx_pipeline.dedup.lowinfo import is_photo
from phx_pipeline.dedup.overlays import damaged, overlap
from phx_pipeline.dedup.proof import (
    MIN_AGREEING,
    MIN_AGREEING_REST,
    MIN_RATIO_REST,
    agreeing_share,
    agrees,
    is_one_movement,
    spans,
    tells_much,
)
from phx_pipeline.dedup.proposals import Candidate, proposed
from phx_pipeline.dedup.sights import Greys, Move, Sight, luminance, refined
from phx_pipeline.model.judgement import (
    Alike,
    Judgement,
    Method,
    Pair,
    Ruled,
    Why,
    pair_of,
)
from phx_pipeline.process import once_a_process

logger = logging.getLogger(__name__)

VERSION: Final = "7"
UNSEEN: Final = ""
"""In place of the version where an original could not be read: judged again."""

_NOTHING_RULED = Ruled()
_AT_ONCE: Final = 64  # thumbnails; fewer take as long
_FITS: Final = 0.93  # share of blocks that agree where the movement is exact
_UNLIKE: Final = 0.0016  # share of what both show; of plain copies nothing differs
_WORTH_A_LOOK: Final = 0.25  # share of blocks; other pictures of a house agree in less


def judged(
    candidates: Sequence[Candidate],
    known: Mapping[Pair, Judgement],
    *,
    ruled: Ruled = _NOTHING_RULED,
    looks: Looks | None = None,
    choosing: bool = True,
) -> Iterator[Judgement]:
    """Judge pairs that hashes propose, as far as they matter to the groups.

    Those are found by `Grouping`. Each pair is yielded as soon as it is judged; those
    that these rules have judged are not judged again. What would replace an answer by
    less, as an original or OpenCV is missing now, is left out.

    Aligned pixels confirm copies; pairs they do not confirm get a second opinion by
    local features. Plans, documents and blanks get none: they have to be near by both
    hashes as well. Pairs with a picture nobody has looked at are left out: of those the
    hashes alone decide.

    *looks* may know the pictures already. Unless *choosing*, which of two copies is
    better is left open where both have colours, and so are pairs that matter to nothing
    else.
    """
    pictures = [it for it in candidates if it.appearance is not None]
    pictures.sort(key=lambda it: it.by_size)
    thumbnails = _Thumbnails(pictures, known)
    looks, rows = looks or Looks(), dict(known)
    grouping = Grouping(candidates, rows, ruled=ruled)
    for pairs in grouping.rounds(choosing=choosing):
        for it in thumbnails.of(pairs):
            both = (pictures[it.pair[0]], pictures[it.pair[1]])
            new = _Pair(both, looks, it, choosing=choosing).judgement()
            if _is_news(new, known.get(new.pair)):
                rows[new.pair] = new
                yield new
    if left_out := thumbnails.among(grouping.left_out):
        logger.warning(
            "%d pairs of pictures that look alike were compared, which is the most in "
            "one house; %d more were not, so photos may be shown twice: `phx "
            "duplicates join` puts two together",
            MOST_LOOKS,
            left_out,
        )


class _Thumbnails:
    """Thumbnails of the pairs that hashes propose and these rules have not judged."""

    def __init__(
        self, pictures: Sequence[Candidate], known: Mapping[Pair, Judgement]
    ) -> None:
        found = proposed(pictures)
        shas = [it.sha256 for it in pictures]
        named = [pair_of(shas[a], shas[b]) for a, b in found.pairs]
        self._pictures, self._found = pictures, found
        self._row = {
            pair: row for row, pair in enumerate(named) if _is_new(known.get(pair))
        }
        self._rows = list(self._row.values())
        self._aligned: dict[int, Confirmed] = {}

    def among(self, pairs: Iterable[Pair]) -> int:
        """Return how many of the pairs are of these."""
        return sum(it in self._row for it in pairs)

    def of(self, pairs: Iterable[Pair]) -> Iterator[Confirmed]:
        """Compare those of *pairs* that are of these, and return each in this order."""
        wanted = [self._row[it] for it in pairs if it in self._row]
        self._align([it for it in wanted if it not in self._aligned])
        return (self._aligned.pop(it) for it in wanted)

    def _align(self, rows: list[int]) -> None:
        """Align these, and of few some that are likely to be asked for next as well."""
        if not rows:
            return
        start = bisect_right(self._rows, rows[-1])
        likely = self._rows[start : start + max(0, _AT_ONCE - len(rows))]
        rows += [it for it in likely if it not in self._aligned]
        found = confirmed(self._pictures, self._found.only(np.array(rows)))
        self._aligned |= zip(rows, found, strict=True)


def _is_new(before: Judgement | None) -> bool:
    if before is None or before.version != VERSION:
        return True
    lacked = before.method is Method.PIXELS and before.verdict is Alike.UNSURE
    return lacked and features.is_there()


def _is_news(new: Judgement, before: Judgement | None) -> bool:
    """Whether it is to replace what was known: nothing unknown replaces an answer."""
    if before is None or before.verdict is Alike.UNSURE:
        return new != before
    if new.verdict is Alike.UNSURE:
        return False
    is_seen = new.version != UNSEEN
    return is_seen or (before.version == UNSEEN and new != before)


class _Pair:
    """One pair, and what pixels said of it."""

    def __init__(
        self, both: Both, looks: Looks, found: Confirmed, *, choosing: bool
    ) -> None:
        self._both, self._looks, self._found = both, looks, found
        self._a, self._b = both
        self._choosing = choosing

    def judgement(self) -> Judgement:
        """Judge it."""
        found = self._found
        if found.is_same:
            return self._confirmed()
        if found.are_pages or not found.share >= _WORTH_A_LOOK:
            return self._said(Alike.OTHER)
        return self._second_opinion()

    def _confirmed(self) -> Judgement:
        sights = self._looks.sights(self._both)
        if sights is None:
            better = choice_unseen(self._a, self._b)
            return self._said(Alike.SAME, better=better, version=UNSEEN)
        greys = self._looks.greys(self._both)
        near = self._looks.move(self._both, self._found.moves)
        move = refined(*greys, near)
        share = agreeing_share(*greys, move)
        if share < _FITS and features.is_there():
            match = self._match() if share > 0 else None
            told = None
            if match is not None and tells_much(match):
                told = self._by_features(match, sights)
                if told.verdict is Alike.SAME:
                    return told
            differs = overlap(*sights, move).share
            if differs > (0 if told else _UNLIKE):  # plain: a small thing counts
                return told or self._said(Alike.OTHER, share=share)
        return self._seen(sights, move, method=Method.PIXELS, share=self._found.share)

    def _second_opinion(self) -> Judgement:
        if not features.is_there():
            _tell_once()
            return self._said(Alike.UNSURE)
        sights = self._looks.sights(self._both)
        if sights is None:
            return self._said(Alike.UNSURE, version=UNSEEN)
        match = self._match()
        if match is None:
            return self._said(Alike.OTHER, method=Method.FEATURES, inliers=0)
        return self._by_features(match, sights)

    def _match(self) -> Match | None:
        return features.match(*self._looks.features(self._both))

    def _by_features(self, match: Match, sights: tuple[Sight, Sight]) -> Judgement:
        """Judge it by points that both show, and by pixels laid onto each other so."""
        greys = self._looks.greys(self._both)
        share, is_proven = _proof(match, sights, greys, seen=self._found.is_same)
        is_plain = self._found.is_same or share >= MIN_AGREEING
        if not is_proven or not (is_plain or self._shows_photo(sights)):
            return self._said(
                Alike.OTHER, method=Method.FEATURES, inliers=match.inliers
            )
        return self._seen(
            sights,
            match.move,
            method=Method.FEATURES,
            share=share,
            inliers=match.inliers,
        )

    def _shows_photo(self, sights: tuple[Sight, Sight]) -> bool:
        """Whether one is a photo for sure; a bright copy of it may look like a page."""
        if not self._found.is_page:
            return True
        greys = (luminance(it).astype(np.uint8) for it in sights)
        return not self._found.are_pages and any(is_photo(it) for it in greys)

    def _seen(
        self,
        sights: tuple[Sight, Sight],
        move: Move,
        *,
        method: Method,
        share: float,
        inliers: int | None = None,
    ) -> Judgement:
        """Say of copies which is better, unless their colours make them others."""
        colours = colouring(*sights, move)
        if colours.is_other:
            return self._said(Alike.OTHER, method=method, share=share, inliers=inliers)
        better = (3 - colours.grey, Why.WHOLE) if colours.grey else None
        if self._choosing:
            better = choice(
                *self._both,
                sights=sights,
                tiles=self._looks.tiles(self._both),
                move=move,
            )
        return self._said(
            Alike.SAME, method=method, share=share, inliers=inliers, better=better
        )

    def _said(
        self,
        verdict: Alike,
        *,
        method: Method = Method.PIXELS,
        share: float | None = None,
        inliers: int | None = None,
        better: Choice | None = None,
        version: str = VERSION,
    ) -> Judgement:
        first, second = pair_of(self._a.sha256, self._b.sha256)
        which, why = better or (0, None)
        known = self._found.share if share is None else share
        return Judgement(
            first=first,
            second=second,
            method=method,
            version=version,
            verdict=verdict,
            share=None if np.isnan(known) else known,
            inliers=inliers,
            better=(None, self._a.sha256, self._b.sha256)[which],
            why=why,
        )


def _proof(
    match: Match,
    sights: tuple[Sight, Sight],
    greys: tuple[Greys, Greys],
    *,
    seen: bool,
) -> tuple[float, bool]:
    """Return the share of blocks that agree, and whether both are copies by that."""
    if not is_one_movement(match) or not spans(match, *map(_size, sights)):
        return 0.0, False
    share = agreeing_share(*greys, match.move)
    if agrees(match, share, seen=seen):
        return share, True
    # What is missing cannot agree; of what is there, features have to be the surer.
    surely = share >= MIN_AGREEING_REST and match.ratio >= MIN_RATIO_REST
    return share, surely and damaged(overlap(*sights, match.move)) > 0


def _size(sight: Sight) -> tuple[int, int]:
    return (sight.shape[1], sight.shape[0])


@once_a_process
def _tell_once() -> None:
    logger.warning(
        "OpenCV is not installed: copies that only local features tell are kept as "
        "pictures of their own; `pip install opencv-python-headless` adds it"
    )
