"""Labelled photos of real houses, split by house, and heads fitted on some of them.

The photos are those of H. Ahmed and M. Moustafa (arXiv 1609.08399). A fifth of the
houses is set aside: no shipped head was trained on them, and no limit set.
"""

import io
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phx_pipeline.categorize.gate import known_evidence
from phx_pipeline.categorize.heads import Heads
from phx_pipeline.categorize.learning.linear import (
    Linear,
    Matrix,
    Standardizer,
    fit_one_against_rest,
)
from phx_pipeline.categorize.network.kept import kept
from phx_pipeline.categorize.network.session import NETWORK, Network
from phx_pipeline.categorize.words import UNDECIDED, masses
from phx_pipeline.dedup.hashes import picture_hashes
from phx_pipeline.imaging.glimpse import SIDE
from phx_pipeline.model.taxonomy import Subject
from phx_pipeline_tests.bench.multinomial import (
    fit_multinomial,
    fit_temperature,
    softmax,
)

SHARED: Final = Path(__file__).resolve().parents[2] / "../shared"
SMALL: Final = SHARED / "photos/small"
CACHE: Final = Path(tempfile.gettempdir()) / "phx-bench-features"

SUBJECTS: Final = (Subject.BATHROOM, Subject.BEDROOM, Subject.EXTERIOR, Subject.KITCHEN)
_LABELS: Final = ("bathroom", "bedroom", "frontal", "kitchen")
_NEAR: Final = 8  # bits of both hashes, by which photos of two houses are the same
FOLDS: Final = 5
_L2: Final = 100.0
_L2_OUTDOORS: Final = 100.0
_L2_KNOWN: Final = 1.0
_INSIDE: Final = -20.0  # a logit of outdoors

Features = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Photos:
    """Photos with features and words; houses that share a picture have one number.

    `labels` are positions in `SUBJECTS`.
    """

    paths: tuple[Path, ...]
    features: Features
    words: NDArray[np.float32]
    labels: NDArray[np.intp]
    houses: NDArray[np.intp]
    aside: NDArray[np.bool_]
    _logits: dict[tuple[int, ...], Matrix] = field(default_factory=dict)

    def only(self, rows: NDArray[np.bool_]) -> "Photos":
        """Return some of the photos."""
        return Photos(
            paths=tuple(it for it, own in zip(self.paths, rows, strict=True) if own),
            features=self.features[rows],
            words=self.words[rows],
            labels=self.labels[rows],
            houses=self.houses[rows],
            aside=self.aside[rows],
        )

    def held_back(self, known: Sequence[int]) -> Matrix:
        """Return logits of *known* for all photos, by heads that saw none of its house.

        Heads were fitted on photos of *known* alone, whatever a photo shows.
        """
        key = tuple(known)
        if key not in self._logits:
            found = np.zeros((len(self.labels), len(key)))
            for fold in range(FOLDS):
                held = self.folds == fold
                rows = ~held & np.isin(self.labels, key)
                positions = np.searchsorted(key, self.labels[rows])
                head = fit_rooms(self.features[rows], positions, classes=len(key))
                found[held] = head.logits(self.features[held])
            self._logits[key] = found
        return self._logits[key]

    def outdoors_held_back(self, known: Sequence[int]) -> Matrix:
        """Return logits of outdoors, by heads that saw none of its house.

        They were fitted as those of `held_back`. Where no class of outdoors is known,
        all photos count as taken inside, which leaves everything to the other heads.
        """
        if SUBJECTS.index(Subject.EXTERIOR) not in known:
            return np.full(len(self.labels), _INSIDE)
        found = np.zeros(len(self.labels))
        for fold in range(FOLDS):
            held = self.folds == fold
            head = _fit_outdoors(self.only(~held & np.isin(self.labels, known)))
            found[held] = self.features[held] @ head[:-1] + head[-1]
        return found

    @property
    def folds(self) -> NDArray[np.intp]:
        """The fold of each photo, by its house."""
        houses = np.unique(self.houses)
        order = np.random.default_rng(0).permutation(len(houses))
        return np.asarray(order[np.searchsorted(houses, self.houses)] % FOLDS)


def labelled(folder: Path = SMALL, *, cache: Path = CACHE) -> Photos:
    """Return the photos of *folder*; features are kept in *cache*."""
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise SystemExit(f"no labelled photos in {folder}")
    network = Network(cache)
    features, hashes = _seen(paths, network=network, cache=cache)
    numbers = np.array([int(path.stem.split("_")[0]) for path in paths])
    houses = _merged(numbers, hashes)
    return Photos(
        paths=tuple(paths),
        features=features,
        words=network.words(features),
        labels=np.array([_LABELS.index(path.stem.split("_")[1]) for path in paths]),
        houses=houses,
        aside=np.array([is_aside(house) for house in houses]),
    )


class InMemory:
    """Keeps features as the catalogue does, while a process lives."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def get(self, shas: Collection[str], network: str) -> dict[str, bytes]:
        return {it: body for it in shas if (body := self._kept.get((network, it)))}

    def put(self, network: str, vectors: Mapping[str, bytes]) -> None:
        self._kept |= {(network, it): body for it, body in vectors.items()}


def pixels(path: Path) -> NDArray[np.uint8]:
    """Return a photo as `imaging.glimpse` does, which refuses the smallest ones."""
    with Image.open(path) as file:
        file.draft("RGB", (SIDE, SIDE))
        scaled = file.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(scaled)


def features_of(paths: Sequence[Path], *, network: Network, cache: Path) -> Features:
    """Return the features of photos, kept in *cache*, rounded as the catalogue does."""
    told = sha256(repr([(str(it), it.stat().st_size) for it in paths]).encode())
    name = f"{NETWORK}-photos-{told.hexdigest()[:16]}"

    def make() -> bytes:
        return _npy([network.features(pixels(path)) for path in paths], np.float16)

    return np.asarray(kept(cache, name, make, read=_read), np.float32)


def fit_heads(photos: Photos, known: Sequence[int]) -> Heads:
    """Return heads of the classes *known*, fitted on the photos of these alone.

    What tells known from unknown pictures is learned by leaving one more class out at
    a time, its words too: half of the pictures then are of a class nobody knows.
    """
    rows = np.isin(photos.labels, known)
    x, positions = photos.features[rows], np.searchsorted(known, photos.labels[rows])
    temperature = fit_temperature(photos.held_back(known)[rows], positions)
    rooms = fit_rooms(x, positions, classes=len(known))
    if SUBJECTS.index(Subject.EXTERIOR) in known:
        outdoors = _fit_outdoors(photos.only(rows))
    else:
        outdoors = np.append(np.zeros(x.shape[1]), _INSIDE)  # as far as it knows
    return Heads(
        subjects=tuple(SUBJECTS[it] for it in known),
        rooms=_table(rooms, temperature).astype(np.float32),
        outdoors=outdoors.astype(np.float32),
        known=_fit_known(photos, known),
    )


def fit_rooms(x: Features, positions: NDArray[np.intp], *, classes: int) -> Linear:
    """Return the head that tells *classes* apart, on plain features."""
    standardizer = Standardizer.of(x)
    fitted = fit_multinomial(standardizer(x), positions, classes=classes, l2=_L2)
    return fitted.after(standardizer)


def evidence_without(
    photos: Photos, known: Sequence[int], left_out: int
) -> tuple[NDArray[np.floating], NDArray[np.bool_]]:
    """Return what tells known pictures, and which are, where a class is left out.

    Its words are left out too; the pictures are those of *known* and of that class.
    """
    rows = np.isin(photos.labels, [*known, left_out])
    logits = photos.held_back(known)
    temperature = fit_temperature(
        logits[np.isin(photos.labels, known)],
        np.searchsorted(known, photos.labels[np.isin(photos.labels, known)]),
    )
    chances = softmax(logits[rows], temperature=temperature)
    said = masses(photos.words[rows], without=UNDECIDED)
    own = np.column_stack([said[SUBJECTS[it]] for it in known])
    mine = own[np.arange(len(own)), chances.argmax(axis=1)]
    return known_evidence(mine, chances.max(axis=1)), photos.labels[rows] != left_out


def half_each(is_it: NDArray[np.bool_]) -> Matrix:
    """Return weights by which both kinds of pictures make up half of all."""
    return np.asarray(np.where(is_it, 0.5 / is_it.mean(), 0.5 / (~is_it).mean()))


def _fit_known(photos: Photos, known: Sequence[int]) -> Matrix:
    parts = [
        evidence_without(photos, [it for it in known if it != left_out], left_out)
        for left_out in known
    ]
    evidence = np.concatenate([part for part, _ in parts])[:, :-1]
    is_known = np.concatenate([which for _, which in parts])
    weights = np.concatenate([half_each(which) for _, which in parts])
    standardizer = Standardizer.of(evidence)
    fitted = fit_one_against_rest(
        standardizer(evidence), is_known, l2=_L2_KNOWN, row_weights=weights
    ).after(standardizer)
    return np.append(fitted.weights[0], fitted.bias)


def _fit_outdoors(photos: Photos) -> Matrix:
    standardizer = Standardizer.of(photos.features)
    outdoors = photos.labels == SUBJECTS.index(Subject.EXTERIOR)
    head = fit_one_against_rest(
        standardizer(photos.features), outdoors, l2=_L2_OUTDOORS
    ).after(standardizer)
    return np.append(head.weights[0], head.bias)


def _table(head: Linear, temperature: float) -> Matrix:
    table: Matrix = np.column_stack((head.weights, head.bias)) / temperature
    return table


def _seen(
    paths: Sequence[Path], *, network: Network, cache: Path
) -> tuple[Features, NDArray[np.uint64]]:
    features = features_of(paths, network=network, cache=cache)

    def make() -> bytes:
        return _npy([_hashes(path) for path in paths], np.uint64)

    name = f"hashes-{len(paths)}"
    return features, np.asarray(kept(cache, name, make, read=_read))


def _hashes(path: Path) -> tuple[int, int]:
    with Image.open(path) as file:
        hashed = picture_hashes(file.convert("RGB"))
    return hashed.phash, hashed.dhash


def _merged(numbers: NDArray[np.intp], hashes: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Return house numbers, the lower one for houses that share a picture."""
    houses = numbers.copy()
    for row, (phash, dhash) in enumerate(hashes):
        near = np.bitwise_count(hashes[:, 0] ^ phash) <= _NEAR
        near &= np.bitwise_count(hashes[:, 1] ^ dhash) <= _NEAR
        same = np.isin(houses, houses[near])
        houses[same] = houses[same].min() if near.any() else houses[row]
    return houses


def is_aside(house: int) -> bool:
    """Tell whether a house is one of those that the shipped heads never saw."""
    return sha256(str(house).encode()).digest()[0] % 5 == 0


def _npy(rows: Sequence[Any], dtype: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(rows, dtype), allow_pickle=False)
    return file.getvalue()


def _read(body: bytes) -> NDArray[Any]:
    return np.asarray(np.load(io.BytesIO(body), allow_pickle=False))
