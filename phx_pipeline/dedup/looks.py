"""Sights and features of a house's pictures, made when asked for and kept a while."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup import features
from phx_pipeline.dedup.confirm import Confirmed
from phx_pipeline.dedup.features import Features
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import Move, Sight

_KEPT: Final = 64  # pictures: 25 MB of sights, 20 MB of features

Places = tuple[int, int]  # of two pictures


class Looks:
    """Looks at *pictures*, each named by its place."""

    def __init__(self, pictures: Sequence[Candidate]) -> None:
        self._pictures = pictures
        self._sights: OrderedDict[int, Sight | None] = OrderedDict()
        self._features: OrderedDict[int, Features] = OrderedDict()

    def sights(self, pair: Places) -> tuple[Sight, Sight] | None:
        """Return both sights, or None where one cannot be had."""
        ours, theirs = (self._sight(it) for it in pair)
        return None if ours is None or theirs is None else (ours, theirs)

    def features(self, pair: Places) -> tuple[Features, Features]:
        """Return the features of both; their sights can be had."""
        ours, theirs = (self._features_of(it) for it in pair)
        return ours, theirs

    def move(self, found: Confirmed) -> Move:
        """Return how the first lies on the second, by what their thumbnails told."""
        a, b = found.pair
        (across, left), (down, top) = (
            self._axis(a, b, found.moves[at : at + 2], vertical=at > 0) for at in (0, 2)
        )
        return np.array(((across, 0, left), (0, down, top)))

    def _axis(
        self, a: int, b: int, moves: NDArray[np.float32], *, vertical: bool
    ) -> tuple[float, float]:
        """Return factor and shift, in pixels of the sights."""
        (low_a, high_a), (low_b, high_b) = (self._span(it, vertical) for it in (a, b))
        grown, shift = 1 + float(moves[0]), float(moves[1])
        half_a, half_b = (high_a - low_a) / 2, (high_b - low_b) / 2
        factor = grown * half_b / half_a
        middle = low_b + half_b * (1 + shift)
        return factor, middle - factor * (low_a + half_a)

    def _span(self, index: int, vertical: bool) -> tuple[float, float]:  # noqa: FBT001 - which of two axes
        look, sight = self._pictures[index].appearance, self._sight(index)
        if look is None or sight is None:
            raise ValueError(f"nobody has looked at {self._pictures[index].sha256}")
        if vertical:
            return look.top * sight.shape[0], look.bottom * sight.shape[0]
        return look.left * sight.shape[1], look.right * sight.shape[1]

    def _sight(self, index: int) -> Sight | None:
        if index not in self._sights:
            make = self._pictures[index].sight
            self._sights[index] = None if make is None else make()
        self._sights.move_to_end(index)
        while len(self._sights) > _KEPT:
            self._sights.popitem(last=False)
        return self._sights[index]

    def _features_of(self, index: int) -> Features:
        if index not in self._features:
            sight = self._sight(index)
            if sight is None:
                raise ValueError(f"{self._pictures[index].sha256} cannot be seen")
            self._features[index] = features.features(sight)
        self._features.move_to_end(index)
        while len(self._features) > _KEPT:
            self._features.popitem(last=False)
        return self._features[index]
