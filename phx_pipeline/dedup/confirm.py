"""Whether the thumbnails of proposed pairs agree once aligned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.align import Agreement
from phx_pipeline.dedup.aligned import aligned, cut_moves, frame_moves
from phx_pipeline.dedup.proposals import Candidate, Indexes, Proposed
from phx_pipeline.dedup.shapes import UNLIKE, shape_of

MIN_AGREEING: Final = 0.8  # share of blocks
MIN_AGREEING_PAGE: Final = 0.9  # plans of one builder agree in outline and title
MAX_STIRRED: Final = 0.11  # share of windows: 5 of 49

_TRIMMED_ALIKE: Final = 0.02  # moves (of frames) below this are found anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """What aligned pixels say of a pair, given by the places of its pictures.

    `share` is the share of agreeing blocks, NaN where too few can be compared; `moves`
    are those of `align.Agreement`. `is_page`: one is a plan, a document or a blank, or
    so dark or bright that it looks like one; `are_pages`: both are.
    """

    pair: tuple[int, int]
    share: float
    moves: NDArray[np.float32]
    is_same: bool
    is_page: bool
    are_pages: bool


def confirmed(pictures: Sequence[Candidate], found: Proposed) -> Iterator[Confirmed]:
    """Compare the thumbnails of each pair; all pictures have one."""
    asked = _Asked(pictures, found)
    asked.ask_plainly()
    asked.ask_by_frames()
    asked.ask_by_shapes()
    yield from asked.answers()


class _Asked:
    """Pairs that are asked for several times, until they are confirmed."""

    def __init__(self, pictures: Sequence[Candidate], found: Proposed) -> None:
        self._pictures, self._found = pictures, found
        pages = _pages(pictures)[found.pairs]
        self._page: NDArray[np.bool_] = pages[:, 0] | pages[:, 1]
        self._pages: NDArray[np.bool_] = pages[:, 0] & pages[:, 1]
        self._least = np.where(self._page, MIN_AGREEING_PAGE, MIN_AGREEING)
        count = len(found.pairs)
        self._same = np.zeros(count, dtype=bool)
        self._shares = np.full(count, np.nan, dtype=np.float32)
        self._moves = np.zeros((count, 4), dtype=np.float32)

    def answers(self) -> Iterator[Confirmed]:
        for index, (a, b) in enumerate(self._found.pairs):
            yield Confirmed(
                pair=(int(a), int(b)),
                share=float(self._shares[index]),
                moves=self._moves[index],
                is_same=bool(self._same[index]),
                is_page=bool(self._page[index]),
                are_pages=bool(self._pages[index]),
            )

    def ask_plainly(self) -> None:
        """Align as they are. Plans, documents and blanks have to be strict as well."""
        strict, wide = self._found.strict, self._found.wide
        asked = strict | ~self._pages
        found = self._aligned(asked)
        # Too little to compare: the strict tier has to do.
        enough = self._agrees(found, asked) | (np.isnan(found.shares) & strict[asked])
        near = np.where(self._page, strict, wide)[asked]
        self._note(asked, found, is_same=enough & near)

    def ask_by_frames(self) -> None:
        """Align from where the frames say that the contents lie.

        A flat sky may be trimmed off one copy and not the other; what is then compared
        is only a part, so the hashes have to be strict.
        """
        starts = frame_moves(self._pictures, self._found.pairs)
        far = np.abs(starts).max(axis=1, initial=0) > _TRIMMED_ALIKE
        again = self._found.strict & ~self._same & far
        found = self._aligned(again, starts=starts[again])
        self._note(again, found, is_same=self._agrees(found, again))

    def ask_by_shapes(self) -> None:
        """Align as if one were cut out of the middle of the other; confirms nothing."""
        for moves in (_shape_moves, cut_moves):
            starts = moves(self._pictures, self._found.pairs)
            moved = np.abs(starts).max(axis=1, initial=0) > 0
            again = ~self._same & ~self._pages & moved
            found = self._aligned(again, starts=starts[again])
            self._note(again, found, is_same=np.zeros(int(again.sum()), dtype=bool))

    def _aligned(
        self, asked: NDArray[np.bool_], *, starts: NDArray[np.float32] | None = None
    ) -> Agreement:
        # What agrees in less is no copy, whatever is stirred.
        pairs = self._found.pairs[asked]
        return aligned(self._pictures, pairs, starts=starts, stirred_from=MIN_AGREEING)

    def _agrees(self, found: Agreement, asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return (found.shares >= self._least[asked]) & (found.stirred <= MAX_STIRRED)

    def _note(
        self, asked: NDArray[np.bool_], found: Agreement, *, is_same: NDArray[np.bool_]
    ) -> None:
        places = np.flatnonzero(asked)
        before = self._shares[places]
        better = is_same | np.isnan(before) | (found.shares > before)
        chosen = places[better]
        self._shares[chosen] = found.shares[better]
        self._moves[chosen] = found.moves[better]
        self._same[places] |= is_same


def _pages(pictures: Sequence[Candidate]) -> NDArray[np.bool_]:
    looks = [picture.appearance for picture in pictures]
    return np.array(
        [look is not None and look.low_information for look in looks], dtype=bool
    )


def _shape_moves(pictures: Sequence[Candidate], pairs: Indexes) -> NDArray[np.float32]:
    """Return the moves of pairs of unlike shapes; nothing moves in the others."""
    shapes = np.array(
        [
            1.0
            if it.appearance is None
            else shape_of(it.appearance, width=it.width, height=it.height)
            for it in pictures
        ]
    )
    wider = shapes[pairs[:, 0]] / shapes[pairs[:, 1]]
    moves = np.zeros((len(pairs), 4), dtype=np.float32)
    moves[:, 0] = np.where(wider > UNLIKE, wider - 1, 0)
    moves[:, 2] = np.where(1 / wider > UNLIKE, 1 / wider - 1, 0)
    return moves
