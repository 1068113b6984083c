"""Logits made chances. What they are of, and how calibrated, is decided elsewhere."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Float = TypeVar("_Float", bound=np.floating)


def softmax(logits: NDArray[_Float]) -> NDArray[_Float]:
    """Return the chances of each row of logits, which exclude one another."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: NDArray[_Float] = raised / raised.sum(axis=1, keepdims=True)
    return chances


def sigmoid(logits: NDArray[_Float]) -> NDArray[_Float]:
    """Return the chance of each logit by itself."""
    chances: NDArray[_Float] = np.exp(-np.logaddexp(0.0, -logits))
    return chances
