"""Sights of pictures and what they show, made when asked for and kept a while."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup import features
from phx_pipeline.dedup.features import Features
from phx_pipeline.dedup.proposals import Candidate
from phx_pipeline.dedup.sights import Greys, Move, Sight, View
from phx_pipeline.dedup.tiles import Tiles

_KEPT: Final = 64  # pictures: 35 MB of views, 16 MB of grey levels, 20 MB of features

Both = tuple[Candidate, Candidate]
_Made = TypeVar("_Made")


class Looks:
    """Looks at pictures; of so many as are *kept* it does so once."""

    def __init__(self, *, kept: int = _KEPT) -> None:
        self._views = _Kept[View | None](kept)
        self._greys = _Kept[Greys](kept)
        self._features = _Kept[Features](kept)

    def sights(self, both: Both) -> tuple[Sight, Sight] | None:
        """Return both sights, or None where one cannot be had."""
        ours, theirs = (self._view(it) for it in both)
        return None if ours is None or theirs is None else (ours.sight, theirs.sight)

    def tiles(self, both: Both) -> tuple[Tiles, Tiles] | None:
        """Return the tiles of both, or None where one cannot be had or is small."""
        ours, theirs = (self._view(it) for it in both)
        if ours is None or theirs is None or not (ours.tiles and theirs.tiles):
            return None
        return ours.tiles, theirs.tiles

    def greys(self, both: Both) -> tuple[Greys, Greys]:
        """Return the grey levels of both; their sights can be had."""
        ours, theirs = (self._greys_of(it) for it in both)
        return ours, theirs

    def features(self, both: Both) -> tuple[Features, Features]:
        """Return the features of both; their sights can be had."""
        ours, theirs = (self._features_of(it) for it in both)
        return ours, theirs

    def move(self, both: Both, moves: NDArray[np.float32]) -> Move:
        """Return how the first lies on the second, by the *moves* of their thumbnails.

        Those are of `align.Agreement`.
        """
        (across, left), (down, top) = (
            self._axis(both, moves[at : at + 2], vertical=at > 0) for at in (0, 2)
        )
        return np.array(((across, 0, left), (0, down, top)))

    def _axis(
        self, both: Both, moves: NDArray[np.float32], *, vertical: bool
    ) -> tuple[float, float]:
        """Return factor and shift, in pixels of the sights."""
        (low_a, high_a), (low_b, high_b) = (self._span(it, vertical) for it in both)
        grown, shift = 1 + float(moves[0]), float(moves[1])
        half_a, half_b = (high_a - low_a) / 2, (high_b - low_b) / 2
        factor = grown * half_b / half_a
        middle = low_b + half_b * (1 + shift)
        return factor, middle - factor * (low_a + half_a)

    def _span(self, picture: Candidate, vertical: bool) -> tuple[float, float]:  # noqa: FBT001 - which of two axes
        look, sight = picture.appearance, self._there(picture)
        if look is None:
            raise ValueError(f"nobody has looked at {picture.sha256}")
        if vertical:
            return look.top * sight.shape[0], look.bottom * sight.shape[0]
        return look.left * sight.shape[1], look.right * sight.shape[1]

    def _greys_of(self, it: Candidate) -> Greys:
        return self._greys.get(it.sha256, lambda: Greys(self._there(it)))

    def _features_of(self, it: Candidate) -> Features:
        made = self._features
        return made.get(it.sha256, lambda: features.features(self._there(it)))

    def _there(self, picture: Candidate) -> Sight:
        view = self._view(picture)
        if view is None:
            raise ValueError(f"{picture.sha256} cannot be seen")
        return view.sight

    def _view(self, picture: Candidate) -> View | None:
        make = picture.view
        return self._views.get(picture.sha256, lambda: make() if make else None)


class _Kept(Generic[_Made]):
    """What was made last, by the SHA-256 of what it was made of."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: OrderedDict[str, _Made] = OrderedDict()

    def get(self, sha: str, make: Callable[[], _Made]) -> _Made:
        if sha not in self._made:
            self._made[sha] = make()
            if len(self._made) > self._most:
                self._made.popitem(last=False)
        self._made.move_to_end(sha)
        return self._made[sha]
