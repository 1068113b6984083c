"""Broken files by the thousand: each ends as a picture or an `ImageError`."""

import gc
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging.decode import decode

MakePicture = Callable[..., Image.Image]
Encode = Callable[..., bytes]

SHORT, LONG = 2_000, 100_000
STATM = Path("/proc/self/statm")
PAGE_KIB = 4


def originals(make_picture: MakePicture, encode: Encode) -> list[bytes]:
    """Small files that have everything in them a decoder parses."""
    image = make_picture(width=208, height=200)
    clear = image.convert("RGBA")
    clear.putalpha(120)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a maker"
    extra = {
        "exif": exif,
        "icc_profile": ImageCms.ImageCmsProfile(
            ImageCms.createProfile("sRGB")
        ).tobytes(),
    }
    palette = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=32)
    return [
        encode(image, "JPEG", quality=60, **extra),
        encode(image, "JPEG", quality=60, progressive=True, comment=b"text"),
        encode(image.convert("CMYK"), "JPEG", quality=60),
        encode(image, "PNG", **extra),
        encode(palette, "PNG", transparency=3),
        encode(clear, "PNG", save_all=True, append_images=[clear]),
        encode(image, "WEBP", quality=60, **extra),
        encode(clear, "WEBP", lossless=True),
        encode(image, "WEBP", save_all=True, append_images=[image.rotate(90)]),
    ]


def mutated(bodies: list[bytes], *, count: int, seed: int) -> Iterator[bytes]:
    """Yield *count* broken files: bytes changed, cut out, doubled, or the end cut."""
    chance = random.Random(seed)  # noqa: S311  # a fixed sequence, not a secret
    for _ in range(count):
        body = bytearray(chance.choice(bodies))
        for _ in range(chance.choice([1, 1, 2, 8])):
            _break(body, chance)
        yield bytes(body)


def _break(body: bytearray, chance: random.Random) -> None:
    # Half of the changes fall where headers are.
    reach = min(len(body), 400) if chance.random() < 0.5 else len(body)
    at = chance.randrange(reach) if reach else 0
    length = chance.choice([1, 1, 2, 4, 40])
    kind = chance.randrange(5)
    if kind == 0:
        body[at : at + length] = chance.randbytes(length)
    elif kind == 1:
        body[at : at + length] = bytes([chance.choice([0, 0x7F, 0x80, 0xFF])]) * length
    elif kind == 2:
        del body[at : at + length]
    elif kind == 3:
        body[at:at] = body[at : at + length]
    elif chance.random() < 0.3:
        del body[at:]


def decode_all(bodies: Iterator[bytes]) -> dict[str, int]:
    ends: dict[str, int] = {}
    for body in bodies:
        try:
            end = decode(body).image.mode
        except ImageError as error:
            end = error.verdict
        ends[end] = ends.get(end, 0) + 1
    return ends


def resident_mib() -> float:
    """Return this process's memory now (not its peak); 0 where it cannot be read."""
    gc.collect()
    if not STATM.exists():
        return 0.0
    return int(STATM.read_text().split()[1]) * PAGE_KIB / 1024


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "count", [SHORT, pytest.param(LONG, marks=pytest.mark.soak)], ids=["short", "long"]
)
def test_a_broken_file_is_a_picture_or_an_image_error(
    make_picture: MakePicture, encode: Encode, count: int
) -> None:
    bodies = originals(make_picture, encode)

    warm = decode_all(mutated(bodies, count=count // 10, seed=1))
    before = resident_mib()
    ends = decode_all(mutated(bodies, count=count, seed=count))
    grown_mib = resident_mib() - before

    assert sum(ends.values()) == count
    assert {"RGB", "rejected:damaged", "rejected:not_an_image"} < set(ends)
    assert set(warm) <= {*ends, "rejected:too_large", "rejected:too_small"}
    assert grown_mib < 64
