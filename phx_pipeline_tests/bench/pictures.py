"""Real photos, all at one size, as the benchmarks serve and measure them."""

from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from phx_pipeline.dedup.hashes import distance, picture_hashes

SIZE = (1536, 1152)
PHOTOS = Path(__file__).resolve().parents[2] / "../shared/photos/full"
_QUALITY = 85
_LEAST_DISTANCE = 12  # so that no two of them count as copies


def different_jpegs(folder: Path, *, count: int) -> list[bytes]:
    """Return *count* photos of *folder*, scaled to `SIZE`, no two of them alike."""
    found = list(islice(_different(folder), count))
    if len(found) < count:
        raise SystemExit(f"{len(found)} different photos in {folder}, {count} needed")
    return [_jpeg(image) for image in found]


def numbered(jpeg: bytes, number: int) -> bytes:
    """Return the same picture as other bytes: with a comment near the start."""
    comment = f"{number:08d}".encode()
    length = (len(comment) + 2).to_bytes(2, "big")
    return b"".join([jpeg[:2], b"\xff\xfe", length, comment, jpeg[2:]])


def _different(folder: Path) -> Iterator[Image.Image]:
    seen = np.empty(0, dtype=np.uint64)
    for path in sorted(folder.glob("*.jpg")):
        image = Image.open(path).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        hashed = picture_hashes(image)
        near = [distance(int(other), hashed.phash) for other in seen]
        if min(near, default=64) >= _LEAST_DISTANCE:
            seen = np.append(seen, np.uint64(hashed.phash))
            yield image


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format="JPEG", quality=_QUALITY)
    return buffer.getvalue()
