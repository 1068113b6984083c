"""Pictures of known subjects that come with the package: what else there is in houses.

A head of twenty reviewed pools is to know at least what fronts and rooms look like.
Means of some alike photos each, so no photo can be had from them. Made by
`phx_pipeline_tests/bench/reference.py`.
"""

import io
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.categorize.learning.lessons import Other
from phx_pipeline.model.taxonomy import Subject

FILE: Final = Path(__file__).with_name("reference.npz")


def to_bytes(
    means: NDArray[np.floating], subjects: tuple[Subject, ...], *, network: str
) -> bytes:
    """Return the npz file that `shipped` reads."""
    file = io.BytesIO()
    np.savez(
        file,
        allow_pickle=False,
        means=means.astype(np.float16),
        subjects=np.array([it.value for it in subjects]),
        network=np.array(network),
    )
    return file.getvalue()


@cache
def shipped(network: str) -> tuple[Other, ...]:
    """Return what is shipped as seen by *network*; nothing for any other."""
    with np.load(FILE, allow_pickle=False) as arrays:
        if str(arrays["network"]) != network:
            return ()
        means, subjects = arrays["means"].astype(np.float32), arrays["subjects"]
    return tuple(
        Other(
            house=f"shipped {row}", subject=Subject(name), features=mean, shipped=True
        )
        for row, (name, mean) in enumerate(zip(subjects.tolist(), means, strict=True))
    )
