"""Malformed and odd files by the thousand: bounded, and read as others read them.

More of them are taken from where `PHX_ODD_FILES` says: see `odd_files`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from phx_pipeline_tests.decoding_judge import Judged, open_judge
from phx_pipeline_tests.odd_files import odd_files
from phx_pipeline_tests.peer_decoders import PEERS, missing_peers, pixels_by

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(), reason="measures memory by Linux"
    ),
]

MOST_CPU_S: Final = 2.0
MOST_MIB: Final = 300.0
MOST_LEVELS: Final = 2  # grey levels apart
MOST_BYTES: Final = 30_000_000  # of pixels that are compared
VERDICTS: Final = frozenset({"damaged", "not_an_image", "too_large", "too_small"})

# What is read otherwise than by both peers, and why.
EXPLAINED: Final = {
    # Those of full colours (4:4:4) are equal. ImageMagick 6 leaves out transparency.
    r"(?i)avif(?!-444)": "libavif spreads the colours of half the size, theirs repeats",
    r"icc_profile_big": "ImageMagick converts with black point compensation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one file ended; `apart` are the grey levels from each peer that reads it."""

    name: str
    judged: Judged
    apart: tuple[float, ...] = ()

    @property
    def is_read_otherwise(self) -> bool:
        return bool(self.apart) and min(self.apart) > MOST_LEVELS


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> list[Ended]:
    """Judge all files once, one by one."""
    return list(_all_ended(tmp_path_factory.mktemp("odd")))


def _all_ended(folder: Path) -> Iterator[Ended]:
    compared = not missing_peers()
    with open_judge() as judge:
        for name, body in odd_files():
            file = folder / "odd"
            file.write_bytes(body)
            judged = judge.judge(file)
            apart = _apart(file, judged, folder=folder) if compared else ()
            yield Ended(name=name, judged=judged, apart=apart)


def _apart(file: Path, judged: Judged, *, folder: Path) -> tuple[float, ...]:
    own = file.with_name(f"{file.name}.rgb")
    if judged.verdict != "picture" or own.stat().st_size > MOST_BYTES:
        return ()
    pixels = np.frombuffer(own.read_bytes(), dtype=np.uint8).astype(np.int16)
    found = []
    for peer in PEERS:
        theirs = pixels_by(peer, file, media_type=judged.detail, folder=folder)
        if theirs is not None and len(theirs) == len(pixels):
            other = np.frombuffer(theirs, dtype=np.uint8)
            found.append(float(np.abs(pixels - other).max()))
    return tuple(found)


def test_each_file_is_a_picture_or_has_a_verdict(ended: list[Ended]) -> None:
    ends = Counter(it.judged.verdict for it in ended)

    assert ends["crash"] == 0, [i.name for i in ended if i.judged.verdict == "crash"]
    assert set(ends) <= {"picture", *(f"rejected:{it}" for it in VERDICTS)}
    assert sum(ends.values()) > 800


def test_no_file_takes_much_time_or_memory(ended: list[Ended]) -> None:
    dear = [
        (it.name, it.judged.cpu_s, it.judged.grown_mib)
        for it in ended
        if it.judged.cpu_s > MOST_CPU_S or it.judged.grown_mib > MOST_MIB
    ]

    assert not dear


@pytest.mark.skipif(bool(missing_peers()), reason="libvips or ImageMagick is missing")
def test_what_others_read_is_read_alike_or_it_is_said_why(ended: list[Ended]) -> None:
    compared = [it for it in ended if it.apart]
    otherwise = [it.name for it in compared if it.is_read_otherwise]
    unexplained = [
        name
        for name in otherwise
        if not any(re.search(pattern, name) for pattern in EXPLAINED)
    ]

    assert len(compared) > 200
    assert not unexplained
