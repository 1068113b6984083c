"""Which of several copies a person would choose.

Of two copies it is decided by their pixels (`choice`), and stored; of many it follows
from what was stored of each two (`best_of`).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np

from phx_pipeline.dedup.carried import are_level, sharpened
from phx_pipeline.dedup.colours import colouring
from phx_pipeline.dedup.edging import edging
from phx_pipeline.dedup.effaced import effaced
from phx_pipeline.dedup.frequencies import Spectra, side_by_side
from phx_pipeline.dedup.grain import overdrawn
from phx_pipeline.dedup.levels import fewer_levels
from phx_pipeline.dedup.overlays import (
    Overlap,
    damaged,
    hidden,
    inked,
    marked,
    overlap,
    overlap_in_blue,
    overlap_in_warmth,
    pale,
)
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.rounding import (
    are_whole,
    differ_evenly,
    has_coarser_steps,
    is_rounded,
    noised,
    was_added,
)
from phx_pipeline.dedup.sights import Move, Sight
from phx_pipeline.dedup.softened import softened
from phx_pipeline.dedup.spots import spotted
from phx_pipeline.dedup.steps import repeats
from phx_pipeline.dedup.tiles import Tiles
from phx_pipeline.dedup.worn import worn
from phx_pipeline.model.judgement import Judgement, Pair, Why, pair_of

_UNCROPPED: Final = 0.98  # of what the other shows; aligning is no more exact
_THUMBNAIL: Final = 0.15  # of the detail: clean and whole, but nothing to be seen
_COARSE: Final = 0.4  # of the detail: uncropped, but much coarser
_FINER: Final = 1.04  # times the detail; less is noise
_BLOCKS: Final = 1.12  # times the detail; less may be the blocks of a coarse JPEG
_ALIKE: Final = 1.03  # times the pixels; less is one size
_FINE: Final = 1.5  # times the detail; tones change what is counted by less
_PADDED: Final = 1.005  # times the bytes a pixel; less need not be of the pixels
_LEAST_DRAWN: Final = 0.006  # share of what both show; less is what sharpening draws
_HEAVIER: Final = 1.3  # times the bytes a pixel; a coarse JPEG has so many less

Choice = tuple[int, Why]
"""Which of two is better, 1 or 2, and why; 0 for a tie."""


def choice(
    a: Candidate,
    b: Candidate,
    *,
    sights: tuple[Sight, Sight],
    tiles: tuple[Tiles, Tiles] | None = None,
    move: Move,
) -> Choice:
    """Return which of two copies is better; *move* takes points of a to those of b.

    Without *tiles* less is told of grain.
    """
    seen = _Compared(a, b, sights=sights, tiles=tiles, move=move)
    merits = (
        *(seen.whole, seen.no_thumbnail, seen.tones, seen.clean, seen.not_coarse),
        *(seen.uncropped, seen.real_detail, seen.untouched, seen.unrounded),
    )
    found = (merit() for merit in merits)
    return next((it for it in found if it is not None), None) or choice_unseen(a, b)


class _Compared:
    """Two copies laid onto each other; each merit is None where it tells nothing."""

    def __init__(
        self,
        a: Candidate,
        b: Candidate,
        *,
        sights: tuple[Sight, Sight],
        tiles: tuple[Tiles, Tiles] | None,
        move: Move,
    ) -> None:
        self._placed = (*sights, move)
        self._beside = edging(*self._placed)
        finer = _detail(a, b) / self._beside.scene
        self._heavier, self._rounded = _weight(a, b), 0
        full = tiles if tiles is not None and are_whole(sights, move, tiles) else None
        self._spectra = None if full is None else side_by_side(*full)
        even = None if self._spectra is None else differ_evenly(*self._spectra)
        self._surplus = overdrawn(
            *self._placed,
            finer=finer,
            heavier=self._heavier,
            larger=_scaled(a, b, *self._placed),
            even=even,
        )
        self._fewer, self._sharpened, self._has_coarser_steps = 0, 0, False
        if full is not None:
            self._look_closely(full, fine=_by(finer))
        self._finer = 1.0 if self._surplus else finer
        self._both = overlap(*self._placed, steeper=self._surplus > 0)
        self._worn = worn(*self._placed)

    def _look_closely(self, tiles: tuple[Tiles, Tiles], *, fine: int) -> None:
        """Correct by tiles whether what the finer one has more of is no detail."""
        both = self._spectra
        if both is not None:
            self._sharpened = sharpened(*both)
            if added := noised(*both) or self._sharpened:
                self._surplus = added
                return
        self._fewer = fewer_levels(*tiles)
        if both is not None:
            self._look_for_rounding(both, fine=fine)
        elif tiles[0].size != tiles[1].size:
            self._look_for_enlarging(tiles, fine=fine)

    def _look_for_rounding(self, both: tuple[Spectra, Spectra], *, fine: int) -> None:
        heavy = _by(self._heavier)
        light = _other(heavy)
        if is_rounded(both[heavy - 1], both[light - 1]):
            self._rounded = light
            self._has_coarser_steps = has_coarser_steps(
                both[light - 1], both[heavy - 1]
            )
            if fine == heavy:
                self._surplus = 0

    def _look_for_enlarging(self, tiles: tuple[Tiles, Tiles], *, fine: int) -> None:
        large = 1 if tiles[0].size > tiles[1].size else 2
        both = tiles[large - 1], tiles[_other(large) - 1]
        is_added = repeats(*both) or was_added(*both)
        if is_added:
            self._surplus = large
        elif is_added is False and fine == large:
            self._surplus = 0

    def whole(self) -> Choice | None:
        broken = colouring(*self._placed).grey or damaged(self._both)
        return (_other(broken), Why.WHOLE) if broken else None

    def no_thumbnail(self) -> Choice | None:
        return self._by_detail(_THUMBNAIL)

    def tones(self) -> Choice | None:
        it = self._worn
        lost = it.which if it.which and it.much else self._fewer
        return (_other(lost), Why.TONES) if lost else None

    def clean(self) -> Choice | None:
        mark = self._mark()
        first = mark == 1 or self._beside.ours
        second = mark == 2 or self._beside.theirs  # noqa: PLR2004 - the second
        return None if first == second else (2 if first else 1, Why.CLEAN)

    def _mark(self) -> int:
        """Return which one has a mark: what is told by the least comes last."""
        both, steeper = self._both, self._surplus > 0
        blurred = effaced(both.ours, both.theirs, both.inside, both.differing)
        if blurred and _other(blurred) != self._surplus:  # noise makes others seem soft
            return blurred
        soft = softened(both.ours, both.theirs, both.inside)
        if soft and soft != both.matched:  # that one is softer by our doing
            return soft
        if soft := hidden(both):
            return soft
        if self._sharpened and both.share < _LEAST_DRAWN:  # lines that overshoot
            return 0
        blue = overlap_in_blue(*self._placed, steeper=steeper)
        each: tuple[Overlap, ...] = (both,)
        if not self._worn.which and not self._worn.stronger:  # colours differ anyway
            each += blue, overlap_in_warmth(*self._placed, steeper=steeper)
        spot, is_plain = spotted(each)
        if spot:
            return spot if is_plain else pale(both) or spot
        return marked(both) or inked(blue)

    def not_coarse(self) -> Choice | None:
        return self._by_detail(_COARSE)

    def uncropped(self) -> Choice | None:
        scene = self._beside.scene
        if _UNCROPPED < scene < 1 / _UNCROPPED:
            return None
        return _by(scene), Why.UNCROPPED

    def untouched(self) -> Choice | None:
        touched = self._worn.which or self._worn.stronger
        if not touched:
            return None
        is_as_fine = 1 / _FINE < self._finer < _FINE or self._differ_by_light
        return (_other(touched), Why.TONES) if is_as_fine else None

    def real_detail(self) -> Choice | None:
        return (_other(self._surplus), Why.DETAIL) if self._surplus else None

    def unrounded(self) -> Choice | None:
        is_much = not 1 / _HEAVIER < self._heavier < _HEAVIER
        if not self._rounded or not (is_much or self._has_coarser_steps):
            return None
        return _other(self._rounded), Why.DETAIL

    @property
    def _differ_by_light(self) -> bool:
        """Whether more detail is what more contrast makes of it."""
        return self._spectra is not None and are_level(*self._spectra)

    def _by_detail(self, least: float) -> Choice | None:
        if least < self._finer < 1 / least:
            return None
        return _by(self._finer), Why.DETAIL


def choice_unseen(a: Candidate, b: Candidate) -> Choice:
    """Return which of two copies is better where their pixels cannot be had."""
    finer = _detail(a, b)
    if not 1 / _BLOCKS < finer < _BLOCKS:
        return _by(finer), Why.DETAIL
    if _is_as_large(a, b) and not 1 / _HEAVIER < _weight(a, b) < _HEAVIER:
        return _by(_weight(a, b)), Why.DETAIL
    if not 1 / _FINER < finer < _FINER:
        return _by(finer), Why.DETAIL
    return _by_size(a, b)


def best_of(
    group: Sequence[Candidate], judgements: Mapping[Pair, Judgement]
) -> Candidate:
    """Return the copy to keep.

    The set is narrowed by one merit after the other, the weightiest first: out go those
    that another one left beats by it, if nobody left beats that one by it. So a copy
    that is beaten puts no better one out, a cycle puts out nobody, no order matters,
    and a copy that beats all others is kept. Of a cycle those are left that beat most
    of it, by the weightiest merit first, and among them it is narrowed again. Of those
    left the most detail counts unless one of them beats another, then pixels and bytes;
    what nothing tells apart goes by the order of the gallery.
    """
    left, before = list(group), 0
    while len(left) != before:
        before = len(left)
        left = _strongest(_narrowed(left, judgements), judgements)
    judged = any(_defeats(left, judgements, why) for why in Why)
    known = all(it.appearance and it.appearance.detail is not None for it in left)
    if not judged and _are_ties(left, judgements):
        return min(left, key=lambda it: (it.order, it.sha256))
    return min(left, key=lambda it: _rank(it, by_detail=known and not judged))


def _are_ties(left: Sequence[Candidate], judgements: Mapping[Pair, Judgement]) -> bool:
    """Whether each two were compared, and nothing told them apart."""
    names = [it.sha256 for it in left]
    pairs = (pair_of(a, b) for at, a in enumerate(names) for b in names[at + 1 :])
    return all(it in judgements and judgements[it].why is Why.TIE for it in pairs)


def _narrowed(
    group: Sequence[Candidate], judgements: Mapping[Pair, Judgement]
) -> list[Candidate]:
    left = list(group)
    for why in Why:
        beaten = _beaten(_defeats(left, judgements, why))
        left = [it for it in left if it.sha256 not in beaten]
    return left


def _strongest(
    left: Sequence[Candidate], judgements: Mapping[Pair, Judgement]
) -> list[Candidate]:
    """Return those that beat most of the others, by the weightiest merit first."""
    winners = [[it for it, _ in _defeats(left, judgements, why)] for why in Why]
    wins = {it.sha256: [some.count(it.sha256) for some in winners] for it in left}
    most = max(wins.values())
    return [it for it in left if wins[it.sha256] == most]


def _defeats(
    left: Sequence[Candidate], judgements: Mapping[Pair, Judgement], why: Why
) -> set[tuple[str, str]]:
    """Return who beats whom by a merit."""
    names = [it.sha256 for it in left]
    pairs = (pair_of(a, b) for at, a in enumerate(names) for b in names[at + 1 :])
    found = (judgements[pair] for pair in pairs if pair in judgements)
    return {
        (it.better, it.second if it.better == it.first else it.first)
        for it in found
        if it.why is why and it.better is not None
    }


def _beaten(defeats: Collection[tuple[str, str]]) -> set[str]:
    """Return who is beaten by one that nobody left beats.

    Who is out beats nobody any more, which may leave others unbeaten: they count next.
    """
    out: set[str] = set()
    while True:
        doubtful = {loser for winner, loser in defeats if winner not in out}
        more = {loser for winner, loser in defeats if winner not in doubtful | out}
        if more <= out:
            return out
        out |= more


def _rank(picture: Candidate, *, by_detail: bool) -> tuple[object, ...]:
    look = picture.appearance
    detail = look.detail if by_detail and look is not None else None
    return (
        -(detail or 0),
        -picture.content_pixels,
        -picture.size_bytes,
        picture.order,
        picture.sha256,
    )


def _by_size(a: Candidate, b: Candidate) -> Choice:
    """Return the one with more bytes a pixel: as fine, but compressed less.

    A little more of them may be a profile, a comment, or zeros behind the end.
    """
    heavier, larger = _weight(a, b), a.content_pixels / b.content_pixels
    if not 1 / _PADDED < heavier < _PADDED:
        return _by(heavier), Why.SIZE
    return (_by(larger), Why.SIZE) if larger != 1 else (0, Why.TIE)


def _weight(a: Candidate, b: Candidate) -> float:
    """Return how many times more bytes a has for a pixel."""
    larger = a.content_pixels / b.content_pixels
    return (a.size_bytes or 1) / (b.size_bytes or 1) / larger


def _scaled(
    a: Candidate, b: Candidate, ours: Sight, theirs: Sight, move: Move
) -> float:
    """Return how many times more pixels a has of the same scene."""
    sides = a.width / ours.shape[1], b.width / theirs.shape[1]
    grown = abs(np.linalg.det(move[:, :2]))
    return float((sides[0] / sides[1]) ** 2 / grown)


def _is_as_large(a: Candidate, b: Candidate) -> bool:
    return 1 / _ALIKE < a.content_pixels / b.content_pixels < _ALIKE


def _detail(a: Candidate, b: Candidate) -> float:
    """Return how many times more detail a has; pixels stand in where it is unknown."""
    ours, theirs = a.appearance, b.appearance
    if ours and theirs and ours.detail is not None and theirs.detail is not None:
        return max(ours.detail, 1) / max(theirs.detail, 1)
    return a.content_pixels / b.content_pixels


def _by(ratio: float) -> int:
    return 1 if ratio > 1 else 2


def _other(which: int) -> int:
    return 3 - which
