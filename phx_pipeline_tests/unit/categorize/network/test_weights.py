"""Weights are read without PyTorch, and nothing but tensors is read."""

import io
import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from phx_pipeline.categorize.network import weights
from phx_pipeline.categorize.network.weights import WeightsError, unpacked


class FloatStorage: ...


def _rebuild_tensor_v2(*_: object) -> None: ...


class Tensor:
    """Pickles as PyTorch pickles a view into a storage of 12 values."""

    def __init__(
        self, shape: tuple[int, ...], strides: tuple[int, ...], *, offset: int = 0
    ) -> None:
        self.view: tuple[Any, ...] = (offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, (
            FloatStorage(),
            *self.view,
        )


class Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        if not isinstance(obj, FloatStorage):
            return None
        return ("storage", FloatStorage, "7", "cpu", 12, None)


@pytest.fixture(autouse=True)
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names of PyTorch, so that what it writes can be written."""
    named: dict[str, Any] = {"torch": FloatStorage, "torch._utils": _rebuild_tensor_v2}
    for name, it in named.items():
        module = ModuleType(name)
        setattr(module, it.__name__, it)
        monkeypatch.setattr(it, "__module__", name)
        monkeypatch.setitem(sys.modules, name, module)


def checkpoint(tensors: object, *, keys: tuple[str, ...] = ("7",)) -> bytes:
    file = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, tensors, keys):
        Pickler(file, protocol=2).dump(part)
    values = np.arange(12, dtype="<f4").tobytes()
    return file.getvalue() + (struct.pack("<q", 12) + values) * len(keys)


def test_a_tensor_stored_with_permuted_axes_comes_out_in_order() -> None:
    tensors = {"plain": Tensor((3, 4), (4, 1)), "permuted": Tensor((4, 3), (1, 4))}

    found = unpacked(checkpoint(OrderedDict(tensors)))

    table = np.arange(12).reshape(3, 4)
    assert found["plain"].tolist() == table.tolist()
    assert found["permuted"].tolist() == table.T.tolist()
    assert found["permuted"].flags.c_contiguous


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this was run",)


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        (
            {"a": Harmful()},
            "builtins.print is no tensor|__builtin__.print is no tensor",
        ),
        ({"a": Tensor((3, 4), (4, 2))}, "outside of storage 7"),
        ({"a": Tensor((2, 2), (-1, 1), offset=3)}, "outside of storage 7"),
    ],
)
def test_what_is_no_tensor_of_the_file_is_refused(
    tensors: object, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WeightsError, match=told):
        unpacked(checkpoint(tensors))

    assert not capsys.readouterr().out


def test_a_broken_file_is_told_as_one() -> None:
    whole = checkpoint({"a": Tensor((3, 4), (4, 1))})

    for body in (b"", b"PK\x03\x04", whole[:40], whole[:-8], whole[:-50]):
        with pytest.raises(WeightsError):
            unpacked(body)
    with pytest.raises(WeightsError, match="no tensor uses storage 8"):
        unpacked(checkpoint({"a": Tensor((3, 4), (4, 1))}, keys=("7", "8")))


def test_only_the_known_file_is_read(tmp_path: Path) -> None:
    changed = tmp_path / "weights.pth"
    changed.write_bytes(weights.find().read_bytes()[:-1] + b"\1")

    with pytest.raises(WeightsError, match="is not the file of efficientnet-lite0"):
        weights.read(changed)
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        weights.read(tmp_path / "absent.pth")
