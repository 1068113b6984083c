"""Malformed and odd pictures: made here, and those brought along in a folder.

Which of them are pictures is not told here.
"""

import os
import random
import struct
import tarfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

BROUGHT: Final = "PHX_ODD_FILES"
"""Names folders and source packages (tar.gz) with more such files, split by colons."""

_SUFFIXES: Final = frozenset(
    {".apng", ".avif", ".avifs", ".gif", ".jfif", ".jpeg", ".jpg", ".mpo", ".png"}
    | {".webp", ".bin", ".bmp", ".tif", ".tiff", ".ico", ".jp2", ".ppm", ".crash"}
)
_MOST_BYTES: Final = 30_000_000
_SIZE: Final = (208, 200)
_ENCODINGS: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("jpeg", "RGB", "JPEG", {"quality": 60}),
    ("jpeg-444", "RGB", "JPEG", {"quality": 90, "subsampling": 0}),
    ("jpeg-progressive", "RGB", "JPEG", {"quality": 60, "progressive": True}),
    ("jpeg-grey", "L", "JPEG", {"quality": 60}),
    ("jpeg-cmyk", "CMYK", "JPEG", {"quality": 60}),
    ("jpeg-restarts", "RGB", "JPEG", {"restart_marker_rows": 1}),
    ("png", "RGB", "PNG", {}),
    ("png-palette", "P", "PNG", {}),
    ("png-alpha", "RGBA", "PNG", {}),
    ("gif", "P", "GIF", {}),
    ("gif-interlaced", "P", "GIF", {"interlace": True}),
    ("webp", "RGB", "WEBP", {"quality": 60}),
    ("webp-lossless", "RGBA", "WEBP", {"lossless": True}),
    ("avif", "RGB", "AVIF", {"quality": 60, "speed": 10}),
    ("avif-444", "RGB", "AVIF", {"subsampling": "4:4:4", "speed": 10}),
)
_CUTS: Final = (0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999)
_CHANGED: Final = 16  # files of each encoding with random changes
_PNG_KINDS: Final = (
    *((0, depth) for depth in (1, 2, 4, 8, 16)),
    *((3, depth) for depth in (1, 2, 4, 8)),
    *((colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
)
_LEVELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Where each pass of an interlaced picture starts, and its steps.
_PASSES: Final = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)),
    *((1, 0, 2, 2), (0, 1, 1, 2)),
)
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"

OddFile = tuple[str, bytes]


def odd_files() -> Iterator[OddFile]:
    """Yield names and contents, the same ones each time."""
    yield from generated()
    for place in os.environ.get(BROUGHT, "").split(":"):
        if place:
            yield from brought(Path(place))


def brought(place: Path) -> Iterator[OddFile]:
    """Yield the pictures, by their names, below a folder or in a source package."""
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            if path.suffix in _SUFFIXES and path.stat().st_size <= _MOST_BYTES:
                yield f"{place.name}/{path.relative_to(place)}", path.read_bytes()
        return
    with tarfile.open(place) as package:
        for member in package:
            wanted = PurePosixPath(member.name).suffix in _SUFFIXES
            if wanted and member.isfile() and member.size <= _MOST_BYTES:
                file = package.extractfile(member)
                yield member.name, file.read() if file else b""


def generated() -> Iterator[OddFile]:
    """Yield what is made here: sound ones first, then all ways to break them."""
    sound = {
        name: _encoded(mode, format_name, options)
        for name, mode, format_name, options in _ENCODINGS
    }
    for name, body in sound.items():
        yield name, body
        yield from _cut(name, body)
        yield from _filled(name, body)
        yield from _changed(name, body)
    yield from _pngs()
    yield from _with_metadata(sound)
    yield from _bombs(sound)


def _encoded(mode: str, format_name: str, options: dict[str, Any]) -> bytes:
    image = _image()
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(_SIZE))
    elif mode == "P":
        image = image.quantize(32)
    else:
        image = image.convert(mode)
    return _saved(image, format_name, **options)


def _chance(seed: int | str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - a fixed sequence, not a secret


def _image() -> Image.Image:
    drawn = np.random.default_rng(7).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return Image.fromarray(drawn).resize(_SIZE, Image.Resampling.BICUBIC)


def _saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, format=format_name, **options)
    return buffer.getvalue()


def _cut(name: str, body: bytes) -> Iterator[OddFile]:
    ends = {"jpe": b"\xff\xd9", "png": b"", "gif": b"\x3b"}
    for share in _CUTS:
        short = body[: int(len(body) * share)]
        yield f"{name}-cut-{share}", short
        yield f"{name}-cut-and-ended-{share}", short + ends.get(name[:3], b"\0" * 64)


def _filled(name: str, body: bytes) -> Iterator[OddFile]:
    noise = _chance(3).randbytes(len(body))
    for share, fill in product((0.3, 0.6, 0.9), (b"\0", b"\xff", b"\x80", noise)):
        at = int(len(body) * share)
        for length in (600, len(body) - at):
            middle = (fill * len(body))[:length]
            label = "noise" if fill is noise else fill.hex()
            yield (
                f"{name}-{label}-{length}-at-{share}",
                body[:at] + middle + body[at + length :],
            )


def _changed(name: str, body: bytes) -> Iterator[OddFile]:
    chance = _chance(name)
    for number in range(_CHANGED):
        broken = bytearray(body)
        for _ in range(chance.choice([1, 2, 8, 40])):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        yield f"{name}-changed-{number}", bytes(broken)


def _pngs() -> Iterator[OddFile]:
    """Yield PNGs of all kinds of colour, interlaced or not, keyed or not."""
    for (colour, depth), interlaced, keyed in product(
        _PNG_KINDS, (False, True), (False, True)
    ):
        if not (keyed and colour in {4, 6}):
            name = f"png-{colour}-{depth}{'-i' * interlaced}{'-key' * keyed}"
            yield name, _png(colour, depth, interlaced=interlaced, keyed=keyed)


def _png(colour: int, depth: int, *, interlaced: bool, keyed: bool) -> bytes:
    chance = _chance(colour * 100 + depth)
    width, height = 40, 33
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    rows = b""
    for x, y, across, down in passes:
        columns, count = -(-(width - x) // across), -(-(height - y) // down)
        size = -(-columns * depth * _LEVELS[colour] // 8)
        rows += b"".join(b"\0" + chance.randbytes(size) for _ in range(count))
    header = struct.pack(">II5B", width, height, depth, colour, 0, 0, interlaced)
    chunks = [chunk(b"IHDR", header)]
    if colour == 3:
        chunks.append(chunk(b"PLTE", chance.randbytes(3 << depth)))
    if keyed:
        level = chance.randrange(1 << depth).to_bytes(2, "big")
        key = chance.randbytes(1 << depth) if colour == 3 else level * _LEVELS[colour]
        chunks.append(chunk(b"tRNS", key))
    chunks += [chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return _SIGNATURE + b"".join(chunks)


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a PNG's chunk with a right checksum."""
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I4s", len(content), kind) + content + checksum.to_bytes(4)


def _with_metadata(sound: dict[str, bytes]) -> Iterator[OddFile]:
    stale = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/'
        b'1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/'
        b'tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = _image()
    for format_name, turn in product(("JPEG", "PNG", "WEBP", "AVIF"), range(10)):
        exif = Image.Exif()
        exif[0x0112] = turn
        body = _saved(image, format_name, exif=exif, icc_profile=profile)
        yield f"{format_name.lower()}-turned-{turn}", body
    for format_name in ("JPEG", "WEBP"):
        body = _saved(image, format_name, xmp=stale)
        yield f"{format_name.lower()}-stale-xmp", body
    png = sound["png"]
    for kind, packed in (
        (b"tEXt", b"Comment\0" + b"a" * 3_000_000),
        (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(60_000_000))),
        (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(60_000_000))),
        (b"iCCP", b"icc\0\0" + zlib.compress(bytes(60_000_000))),
        (b"eXIf", bytes(2_000_000)),
        (b"acTL", struct.pack(">II", 0, 0)),
        (b"acTL", struct.pack(">II", 9, 0)),
        (b"fcTL", b"short"),
    ):
        extra = chunk(kind, packed)
        yield f"png-{kind.decode()}-{len(packed)}", png[:33] + extra + png[33:]
    yield "png-no-end", png[:-12]


def _bombs(sound: dict[str, bytes]) -> Iterator[OddFile]:
    """Yield files that state, or hold, far more than they should."""
    large = Image.new("RGB", (5_000, 5_000))
    for format_name, options in (
        ("JPEG", {"quality": 30}),
        ("JPEG", {"quality": 30, "progressive": True}),
        ("PNG", {"compress_level": 9}),
        ("WEBP", {"lossless": True, "method": 0}),
        ("GIF", {}),
    ):
        yield (
            f"large-{format_name}-{len(options)}",
            _saved(large, format_name, **options),
        )
    grey = zlib.compress(bytes(30_001 * 30_000 // 100), 9)
    for width, height in ((30_000, 30_000), (2**31 - 1, 1), (0, 5), (6_000, 6_600)):
        header = struct.pack(">II5B", width, height, 8, 0, 0, 0, 0)
        yield (
            f"png-states-{width}x{height}",
            _SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", grey),
        )
    progressive = sound["jpeg-progressive"]
    scan = progressive.rindex(b"\xff\xda")
    for count in (50, 99, 1_000, 20_000):
        again = progressive[scan:-2] * count
        yield f"jpeg-{count}-scans", progressive[:-2] + again + progressive[-2:]
    frame = sound["jpeg"].index(b"\xff\xc0")
    for size in ((65_000, 65_000), (6_300, 6_300), (1, 65_000), (0, 200)):
        stated = struct.pack(">HH", *size)
        body = sound["jpeg"]
        yield (
            f"jpeg-states-{size[0]}x{size[1]}",
            body[: frame + 5] + stated + body[frame + 9 :],
        )
    frames = [_image().rotate(10 * n).quantize(32) for n in range(36)]
    for format_name in ("GIF", "WEBP", "PNG", "AVIF"):
        moving = _saved(
            frames[0].convert("RGB"),
            format_name,
            save_all=True,
            append_images=[each.convert("RGB") for each in frames[1:]],
        )
        yield f"moving-{format_name}", moving
        yield f"moving-{format_name}-cut", moving[: len(moving) // 2]
