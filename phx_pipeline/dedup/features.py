"""Points that two pictures both show: how one lies on the other, if it does.

OpenCV may be missing (`is_there`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.dedup.sights import Move, Sight, luminance

_MOST: Final = 600  # features of a picture
_DISTINCT: Final = 0.8  # of the distance to the next best
_EXACT: Final = 1.2  # px a point may be off
_LEAST: Final = 4  # matches below which nothing can be fitted

Points = NDArray[np.float32]  # shape (points, 2), px


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Points of a picture and what is around each."""

    points: Points
    descriptors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One movement that takes many points of a picture to those of another.

    `ratio` is the share of the matched points that it explains; `anisotropy` how many
    times more it stretches one direction than the other.
    """

    move: Move
    inliers: int
    ratio: float
    anisotropy: float
    ours: Points
    theirs: Points
    fits: NDArray[np.bool_]


@cache
def is_there() -> bool:
    """Whether OpenCV is installed, with the libraries it needs."""
    try:
        _opencv()
    except ImportError:
        return False
    return True


def features(sight: Sight) -> Features:
    """Find the features of a picture."""
    cv2 = _opencv()
    grey = np.rint(luminance(sight)).astype(np.uint8)
    points, found = cv2.SIFT_create(nfeatures=_MOST).detectAndCompute(grey, None)
    if found is None:
        return Features(
            points=np.empty((0, 2), np.float32),
            descriptors=np.empty((0, 128), np.float32),
        )
    places = np.array([it.pt for it in points], dtype=np.float32) + np.float32(0.5)
    roots = np.sqrt(found / np.maximum(found.sum(axis=1, keepdims=True), 1))
    return Features(points=places, descriptors=roots)


def match(a: Features, b: Features) -> Match | None:
    """Return the movement from a to b that explains the most points, if any does."""
    ours, theirs = _pairs(a, b)
    found = fitted(ours, theirs)
    if found is None:
        return None
    move, fits = found
    stretch = np.linalg.svd(move[:, :2], compute_uv=False)
    return Match(
        move=move,
        inliers=int(fits.sum()),
        ratio=float(fits.mean()),
        anisotropy=float(stretch[0] / max(stretch[1], 1e-9)),
        ours=ours,
        theirs=theirs,
        fits=fits,
    )


def fitted(ours: Points, theirs: Points) -> tuple[Move, NDArray[np.bool_]] | None:
    """Return the affine movement that most pairs of points fit, and which do."""
    if len(ours) < _LEAST:
        return None
    # Its random numbers begin with the same seed each time.
    move, fits = _opencv().estimateAffine2D(
        ours, theirs, ransacReprojThreshold=_EXACT, maxIters=2000, confidence=0.999
    )
    return None if move is None else (move, fits.ravel().astype(bool))


def _pairs(a: Features, b: Features) -> tuple[Points, Points]:
    """Return the places of features that are each other's nearest, and distinct."""
    if min(len(a.points), len(b.points)) < _LEAST:
        return a.points[:0], b.points[:0]
    likeness = a.descriptors @ b.descriptors.T  # both have the length 1
    nearest = likeness.argmax(axis=1)
    rows = np.arange(len(nearest))
    best = likeness[rows, nearest]
    mutual = likeness.argmax(axis=0)[nearest] == rows
    likeness[rows, nearest] = -1
    second = likeness.max(axis=1)
    distance, farther = np.sqrt(np.maximum(2 - 2 * best, 0)), np.sqrt(2 - 2 * second)
    kept = mutual & (distance < _DISTINCT * farther)
    return a.points[kept], b.points[nearest[kept]]


@cache
def _opencv() -> Any:
    import cv2  # noqa: PLC0415 - heavy, and may be missing

    cv2.setNumThreads(1)  # runs of several houses share the processors
    return cv2
