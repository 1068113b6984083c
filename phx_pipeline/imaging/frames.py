"""Standard frames kept between two stages of one run, so that each decodes once.

Only a saving: whoever misses a frame makes it again from the stored bytes.
"""

import threading
from collections.abc import Collection
from typing import Final

from PIL import Image

from phx_pipeline.imaging.contact_sheet import tile_of
from phx_pipeline.imaging.standardize import Frame

MAX_BYTES: Final = 176 * 2**20  # 78 pictures of 1024 x 768
_MANY_PIXELS: Final = 8_000_000  # decoded meanwhile: 56 MiB are left, 24 such pictures
_LEFT: Final = 56 / 176
_TOO_MANY_PIXELS: Final = 32_000_000  # nothing is left


class Frames:
    """Frames by the SHA-256 of their original, up to *max_bytes*; for many threads.

    Of *tiles* of them a contact sheet's tile stays, 12 kB each, for whoever draws one.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, tiles: int = 0) -> None:
        self._max_bytes = max_bytes
        self._most_tiles = tiles
        self._allowed_bytes = max_bytes
        self._held: dict[str, Frame] = {}
        self._tiles: dict[str, Image.Image] = {}
        self._lock = threading.Lock()

    @property
    def room_bytes(self) -> int:
        """How much more is taken."""
        with self._lock:
            return max(0, self._room_bytes())

    def give_way(self, pixels: int) -> None:
        """Keep less while so many *pixels* are decoded at once; drop what is too much.

        The memory of both together is bounded that way.
        """
        with self._lock:
            self._allowed_bytes = int(self._max_bytes * _share_left(pixels))
            while self._room_bytes() < 0:
                self._held.popitem()

    def put(self, sha256: str, frame: Frame) -> None:
        """Keep *frame* unless that needs more room than there is."""
        if len(self._tiles) < self._most_tiles:
            self._tiles[sha256] = tile_of(frame)
        with self._lock:
            if frame.nbytes <= self._room_bytes():
                self._held[sha256] = frame

    def tile(self, sha256: str) -> Image.Image | None:
        """What a contact sheet shows of a picture that was decoded here, if kept."""
        return self._tiles.get(sha256)

    def take(self, sha256: str) -> Frame | None:
        """Hand a frame out, which makes room; None if it is not here."""
        with self._lock:
            return self._held.pop(sha256, None)

    def keep_only(self, wanted: Collection[str]) -> set[str]:
        """Drop all frames but those *wanted*; return which of them are here."""
        with self._lock:
            self._held = {sha: self._held[sha] for sha in wanted if sha in self._held}
            return set(self._held)

    def clear(self) -> None:
        """Drop all frames."""
        with self._lock:
            self._held.clear()

    def _room_bytes(self) -> int:
        return self._allowed_bytes - sum(frame.nbytes for frame in self._held.values())


def _share_left(pixels: int) -> float:
    if pixels > _TOO_MANY_PIXELS:
        return 0.0
    return _LEFT if pixels > _MANY_PIXELS else 1.0
