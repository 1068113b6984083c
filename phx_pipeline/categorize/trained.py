"""What was learned from people's reviews: one value that never changes, and its bytes.

How it is learned is `learning`'s, where it is kept the catalogue's.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.chances import sigmoid
from phx_pipeline.model.taxonomy import Subject

_FORMAT: Final = 1
DIGITS: Final = 16  # hexadecimal, of an id
_MAX_BYTES: Final = 64 << 20  # 100 heads are below 1 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How often a stated probability was right: straight lines from 0 to its points.

    `stated` rises above 0, `seen` never falls; beyond the last point it is level. Only
    a subject in `raises` was found right often enough to be believed more than was
    stated; all others are believed less at most.
    """

    stated: tuple[float, ...]
    seen: tuple[float, ...]
    raises: frozenset[Subject] = frozenset()

    def __post_init__(self) -> None:
        """Refuse numbers that would turn an order round."""
        points = (*self.stated, *self.seen)
        if not self.stated or len(self.stated) != len(self.seen):
            raise ValueError("a curve needs as many seen as stated probabilities")
        if not all(0 <= it <= 1 for it in points):
            raise ValueError("a curve holds what is no probability")
        if not _rises((0.0, *self.stated), strictly=True) or not _rises(self.seen):
            raise ValueError("a curve falls")

    def of(self, subject: Subject, probability: float) -> float:
        """Return how likely *subject* is where *probability* is stated for it."""
        stated, seen = (0.0, *self.stated), (0.0, *self.seen)
        mapped = float(np.interp(probability, stated, seen))
        return mapped if subject in self.raises else min(probability, mapped)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """Tells one subject from all others: `sigmoid(features @ weights + bias)`.

    The features are plain, as the network gives them; what standardizes and calibrates
    them is within the weights.
    """

    weights: NDArray[np.float32]
    bias: float


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedModel:
    """What reviews taught; with no head and no curve it changes nothing.

    `network` names what the features were made by: heads say nothing of others.
    `judged` are the subjects whose names by the embedded backend the reviews have
    found as good as a confidence of 85 and more promises.
    """

    network: str
    heads: Mapping[Subject, Head] = field(default_factory=dict)
    judged: frozenset[Subject] = frozenset()
    curves: Mapping[str, Curve] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of its bytes."""
        return sha256(self.to_bytes()).hexdigest()[:DIGITS]

    def chances(self, features: NDArray[np.floating]) -> list[dict[Subject, float]]:
        """Return, per row of features, how likely each head finds its subject.

        Raises:
            ValueError: the features are not as wide as the heads.
        """
        rows = np.atleast_2d(np.asarray(features, np.float64))
        if not self.heads:
            return [{} for _ in rows]
        if rows.shape[1] != (width := next(iter(self._widths()))):
            raise ValueError(f"features of width {rows.shape[1]} for heads of {width}")
        by_head = np.column_stack([_chance(head, rows) for head in self.heads.values()])
        return [dict(zip(self.heads, row.tolist(), strict=True)) for row in by_head]

    def revised(
        self, before: Mapping[Subject, float], chances: Mapping[Subject, float]
    ) -> dict[Subject, float]:
        """Return the probabilities of a picture after its heads have spoken."""
        return revised(before, chances)

    def calibrated(
        self, name: str, before: Mapping[Subject, float]
    ) -> dict[Subject, float]:
        """Return the probabilities of a backend, or fused ones, as often right as said.

        The curve is of the most likely subject; the others keep their order behind it.
        """
        curve = self.curves.get(name)
        if curve is None or not any(before.values()):
            return dict(before)
        best = max(before, key=lambda it: (before[it], it.value))
        stated = before[best]
        told = curve.of(best, stated)
        rest = (1.0 - told) / (1.0 - stated) if stated < 1.0 else 0.0
        share = min(1.0, rest, told / stated)
        return {it: told if it is best else p * share for it, p in before.items()}

    def to_bytes(self) -> bytes:
        """Return it as an npz file without pickles; equal models give equal bytes."""
        heads = sorted(self.heads)
        curves = sorted(self.curves)
        told = {
            "format": _FORMAT,
            "network": self.network,
            "heads": heads,
            "judged": sorted(self.judged),
            "curves": [[it, sorted(self.curves[it].raises)] for it in curves],
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": np.frombuffer(json.dumps(told).encode(), np.uint8),
            "bias": np.array([self.heads[it].bias for it in heads], np.float64),
        }
        if heads:
            arrays["weights"] = np.stack([self.heads[it].weights for it in heads])
        for number, name in enumerate(curves):
            curve = self.curves[name]
            arrays[f"curve{number}"] = np.array([curve.stated, curve.seen])
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes) -> "TrainedModel":
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: the bytes are damaged, or of a newer version.
        """
        try:
            arrays = _arrays(body)
            about = _about(arrays)
            return cls(
                network=str(about["network"]),
                heads=MappingProxyType(dict(_heads(about, arrays))),
                judged=frozenset(map(Subject, about["judged"])),
                curves=MappingProxyType(dict(_curves(about, arrays))),
            )
        except Exception as error:  # of zipfile, NumPy and JSON: there is no list
            raise ValueError(f"no trained model can be read: {error}") from error

    def misfit(self, *, network: str, width: int) -> str:
        """Return why it says nothing of features of *network*; empty if it does.

        Its curves are of what its heads made of pictures: they go with them.
        """
        if self.network != network:
            return f"it was learnt from the network {self.network}, not {network}"
        if wrong := {*self._widths()} - {width}:
            return f"its heads have {min(wrong)} weights for {width} features"
        return ""

    def _widths(self) -> Iterator[int]:
        return (len(head.weights) for head in self.heads.values())


def revised(
    before: Mapping[Subject, float], chances: Mapping[Subject, float]
) -> dict[Subject, float]:
    """Return what probabilities come to where heads tell some of the subjects better.

    A head's subject gets the head's word. The others share what is left as they did
    before, and none of them gains by it.
    """
    total = sum(chances.values())
    own = {it: p / max(1.0, total) for it, p in chances.items()}
    gone = sum(before.get(subject, 0.0) for subject in own)
    left = max(0.0, 1.0 - sum(own.values()))
    share = min(1.0, left / (1.0 - gone)) if gone < 1.0 else 0.0
    kept = {it: p * share for it, p in before.items() if it not in own}
    return kept | own


def _arrays(body: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if sum(it.file_size for it in archive.infolist()) > _MAX_BYTES:
            raise ValueError(f"it unpacks to more than {_MAX_BYTES} bytes")
    with np.load(io.BytesIO(body), allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


def _about(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
    about: Mapping[str, Any] = json.loads(arrays["about"].tobytes())
    if about["format"] != _FORMAT:
        raise ValueError(f"format {about['format']} is not known here")
    return about


def _heads(
    about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[Subject, Head]]:
    names = about["heads"]
    if not names:
        return
    weights, bias = arrays["weights"].astype(np.float32), arrays["bias"]
    if weights.ndim != 2 or bias.ndim != 1:  # noqa: PLR2004 - heads by features
        raise ValueError("its heads are no rows of weights with a bias each")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
        raise ValueError("a head holds NaN or infinite numbers")
    if Subject.UNKNOWN in names or len(set(names)) < len(names):
        raise ValueError("its heads are not of different subjects")
    for name, row, offset in zip(names, weights, bias.tolist(), strict=True):
        yield Subject(name), Head(weights=row, bias=offset)


def _curves(
    about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> Iterator[tuple[str, Curve]]:
    for number, (name, raises) in enumerate(about["curves"]):
        stated, seen = arrays[f"curve{number}"].tolist()
        yield (
            str(name),
            Curve(
                stated=tuple(stated),
                seen=tuple(seen),
                raises=frozenset(map(Subject, raises)),
            ),
        )


def _chance(head: Head, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return sigmoid(rows @ head.weights.astype(np.float64) + head.bias)


def _rises(numbers: tuple[float, ...], *, strictly: bool = False) -> bool:
    return all(
        one < other if strictly else one <= other for one, other in pairwise(numbers)
    )
