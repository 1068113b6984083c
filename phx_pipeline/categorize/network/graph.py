"""Writes EfficientNet-Lite0 as an ONNX graph that ends in features.

Input `pictures`: uint8 of shape (n, 224, 224, 3), RGB. Output `features`: float32 of
shape (n, 1280), the mean of the last feature maps, before any classifier.

Padding is that of TensorFlow, where the weights come from: where a stride leaves an
odd rest, the extra row and column lie below and to the right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE: Final = 224
FEATURES: Final = 1280
INPUT: Final = "pictures"
OUTPUT: Final = "features"

_BLOCKS: Final = 16
_HALVING: Final = frozenset({1, 3, 5, 11})  # blocks that halve the sides of their maps
_EPSILON: Final = 1e-3  # of the batch norms
_ZERO, _SCALE = 127.0, 1 / 128  # grey levels in training: (x - 127) / 128
_OPSET: Final = 17
_IR: Final = 8  # the file format that belongs to the opset


@dataclass(frozen=True, slots=True)
class _Builder:
    weights: Mapping[str, NDArray[Any]]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Append an array and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def channels_in(self, conv: str) -> int:
        return int(self.weights[f"{conv}.weight"].shape[1])

    def channels_out(self, conv: str) -> int:
        return int(self.weights[f"{conv}.weight"].shape[0])

    def conv(
        self,
        before: str,
        conv: str,
        norm: str,
        *,
        stride: int = 1,
        depthwise: bool = False,
    ) -> str:
        """Append a convolution with the batch norm after it folded into it."""
        kernel, bias = _folded(self.weights, conv=conv, norm=norm)
        return self.add(
            "Conv",
            before,
            self.constant(kernel),
            self.constant(bias),
            auto_pad="SAME_UPPER",
            kernel_shape=list(kernel.shape[2:]),
            strides=[stride, stride],
            group=len(kernel) if depthwise else 1,
        )

    def relu6(self, before: str) -> str:
        low, high = (self.constant(np.array(at, dtype=np.float32)) for at in (0, 6))
        return self.add("Clip", before, low, high)


def written(weights: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the graph of the network with these weights, checked by ONNX."""
    builder = _Builder(weights)
    maps = builder.relu6(builder.conv(_input(builder), "_conv_stem", "_bn0", stride=2))
    for index in range(_BLOCKS):
        maps = _block(builder, maps, index=index)
    maps = builder.relu6(builder.conv(maps, "_conv_head", "_bn1"))
    pooled = builder.add("GlobalAveragePool", maps)
    builder.nodes.append(helper.make_node("Flatten", [pooled], [OUTPUT]))
    return _serialized(builder)


def _folded(
    weights: Mapping[str, NDArray[Any]], *, conv: str, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return kernel and bias that do what convolution and batch norm do together."""
    scale = weights[f"{norm}.weight"].astype(np.float64) / np.sqrt(
        weights[f"{norm}.running_var"].astype(np.float64) + _EPSILON
    )
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    kernel = weights[f"{conv}.weight"] * scale[:, None, None, None]
    return kernel.astype(np.float32), bias.astype(np.float32)


def _input(builder: _Builder) -> str:
    levels = builder.add("Cast", INPUT, to=TensorProto.FLOAT)
    planes = builder.add("Transpose", levels, perm=[0, 3, 1, 2])
    zero, scale = (
        builder.constant(np.array(value, dtype=np.float32)) for value in (_ZERO, _SCALE)
    )
    return builder.add("Mul", builder.add("Sub", planes, zero), scale)


def _block(builder: _Builder, before: str, *, index: int) -> str:
    """Append an inverted bottleneck; one that changes no shape adds what came in."""
    name = f"_blocks.{index}"
    stride = 2 if index in _HALVING else 1
    maps = before
    if f"{name}._expand_conv.weight" in builder.weights:
        maps = builder.relu6(builder.conv(maps, f"{name}._expand_conv", f"{name}._bn0"))
    maps = builder.relu6(
        builder.conv(
            maps,
            f"{name}._depthwise_conv",
            f"{name}._bn1",
            stride=stride,
            depthwise=True,
        )
    )
    maps = builder.conv(maps, f"{name}._project_conv", f"{name}._bn2")
    return (
        builder.add("Add", maps, before) if _is_added(builder, name, stride) else maps
    )


def _is_added(builder: _Builder, name: str, stride: int) -> bool:
    expand = f"{name}._expand_conv"
    if stride != 1 or f"{expand}.weight" not in builder.weights:
        return False
    return builder.channels_in(expand) == builder.channels_out(f"{name}._project_conv")


def _serialized(builder: _Builder) -> bytes:
    graph = helper.make_graph(
        builder.nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", FEATURES])],
        builder.constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))
