"""The linear heads that come with the package: made by a script, checked by hash.

How they were trained, and what they were found to know: `docs/model-card.md`. What is
made of their numbers is decided in `gate`.
"""

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from phx_pipeline.model.taxonomy import Subject

SHA256: Final = "a4c415c9e3a1f5b5f44304e7377ea066d9b8f2dfc76547b881b494420b14b1a9"
FILE: Final = Path(__file__).with_name("heads.npz")


class HeadsError(Exception):
    """The file with the heads is not the one that belongs to this version."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """What tells rooms apart, and outdoors from indoors, by 1,280 features.

    `rooms` (k x 1281) gives logits of `subjects`, calibrated by temperature; `outdoors`
    (1281) one logit. The last column is the bias. `known` (3) says of the share of own
    words, the margin of the likeliest subject and 1 how probably a picture is of any
    of the subjects: of half of all pictures that is not so.
    """

    subjects: tuple[Subject, ...]
    rooms: NDArray[np.float32]
    outdoors: NDArray[np.float32]
    known: NDArray[np.float64]

    def to_bytes(self) -> bytes:
        """Return an .npz file; the same numbers give the same bytes."""
        file = io.BytesIO()
        np.savez(
            file,
            allow_pickle=False,
            subjects=np.array([it.value for it in self.subjects]),
            rooms=self.rooms,
            outdoors=self.outdoors,
            known=self.known,
        )
        return file.getvalue()


def read_heads(body: bytes) -> Heads:
    """Return the heads in an .npz file."""
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return Heads(
            subjects=tuple(Subject(it) for it in arrays["subjects"].tolist()),
            rooms=arrays["rooms"],
            outdoors=arrays["outdoors"],
            known=arrays["known"],
        )


@cache
def shipped() -> Heads:
    """Return the heads of the package.

    Raises:
        HeadsError: The file is missing or was changed.
    """
    try:
        body = FILE.read_bytes()
    except OSError as error:
        raise HeadsError(f"{FILE} cannot be read: {error.strerror}") from error
    if hashlib.sha256(body).hexdigest() != SHA256:
        raise HeadsError(f"{FILE} was changed: install the package anew")
    return read_heads(body)
