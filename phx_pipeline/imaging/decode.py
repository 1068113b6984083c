"""Opening bytes of unknown origin as a picture, without trusting any of them.

Holds no global state and changes none of Pillow's, so any number of threads may decode.
Pillow may warn about odd metadata or a large canvas; such warnings are left to it, all
that matters is checked here.
"""

import contextlib
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    Image,
    ImageCms,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

from phx_pipeline.errors import ImageError
from phx_pipeline.imaging import jpeg
from phx_pipeline.imaging.fills import has_fill
from phx_pipeline.imaging.memory import MAX_PIXELS, weighed_pixels, weighed_png
from phx_pipeline.imaging.png_pixels import SIGNATURE as PNG_SIGNATURE
from phx_pipeline.imaging.png_pixels import has_all_rows, pixels_only
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import Verdict

MAX_BODY_BYTES: Final = 25_000_000
MIN_SIDE: Final = 200
MAX_ASPECT: Final = 5

_MEDIA_TYPES: Final = MappingProxyType(
    {
        "JPEG": "image/jpeg",
        "MPO": "image/jpeg",  # a JPEG with more of them behind it, as phones write it
        "PNG": "image/png",
        "GIF": "image/gif",
        # Named by their modules: `Image.open` imports these plugins only when asked
        # for, and then all others as well.
        WebPImagePlugin.WebPImageFile.format: "image/webp",
        AvifImagePlugin.AvifImageFile.format: "image/avif",
    }
)
_FORMATS: Final = tuple(name for name in _MEDIA_TYPES if name != "MPO")

# How files begin that were meant to be of these formats, readable or not.
_SIGNATURES: Final = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP|....ftypavi[fs]", re.DOTALL
)

# What the plugins raise on broken files; MemoryError is not the picture's fault.
_PLUGIN_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_ORIENTATION_TAG: Final = 0x0112
_TURNS: Final = MappingProxyType(
    {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
)

_PNG_DEPTH: Final = 24  # where a PNG names its depth
_EIGHT_BITS: Final = 8
_KEY: Final = "transparency"  # what Pillow calls the levels that are

_PROFILE_SPACES: Final = MappingProxyType({"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK"})
_PROFILE_TOLERANCE: Final = 1  # grey levels; profiles of sRGB differ by their rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture: RGB, upright, sRGB, transparency laid on white, no metadata.

    `media_type` is what the bytes are, whatever their sender called them; `width` and
    `height` are those of the upright image. `pixels` are those of the image once more,
    where they are at hand: copying them out of it takes time.
    """

    image: Image.Image
    pixels: NDArray[np.uint8] | None = None
    media_type: str
    width: int
    height: int


def decode(body: bytes, *, at_least: int | None = None) -> Picture:
    """Return the (first) picture in *body*.

    With *at_least* it may come reduced, both sides of so many pixels or more, where
    that is faster: for those who look at it no larger.

    Raises:
        ImageError: With verdict NOT_AN_IMAGE for another format, DAMAGED for a broken
            file, TOO_LARGE (bytes or pixels, before any is decoded) or TOO_SMALL
            (short side or shape of an icon or banner).
    """
    if len(body) > MAX_BODY_BYTES:
        raise ImageError(counted(len(body), "byte"), verdict=Verdict.TOO_LARGE)
    with _plugin_errors_as_verdicts(body):
        if body.startswith(PNG_SIGNATURE):
            body = pixels_only(body)
        file = _opened(body)
        loaded, pixels = _loaded(file, body, at_least=at_least)
        image = _upright_rgb(file, loaded)
    return Picture(
        image=image,
        pixels=pixels if image is loaded else None,
        media_type=_MEDIA_TYPES[str(file.format)],
        width=image.width,
        height=image.height,
    )


def stated_pixels(body: bytes) -> int:
    """Return how many pixels *body* says it has, as `imaging.memory` counts them.

    0 if `decode` refuses it at once.
    """
    try:
        if body.startswith(PNG_SIGNATURE):
            pixels = weighed_png(body)
        else:
            pixels = weighed_pixels(Image.open(BytesIO(body), formats=_FORMATS))
    except (*_PLUGIN_ERRORS, Image.DecompressionBombError):
        return 0
    return pixels if pixels <= MAX_PIXELS else 0


@contextlib.contextmanager
def _plugin_errors_as_verdicts(body: bytes) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        known = _SIGNATURES.match(body)
        verdict = Verdict.DAMAGED if known else Verdict.NOT_AN_IMAGE
        raise ImageError("not a format we know", verdict=verdict) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(str(error), verdict=Verdict.TOO_LARGE) from error
    except _PLUGIN_ERRORS as error:
        message = f"{type(error).__name__}: {error}"
        raise ImageError(message, verdict=Verdict.DAMAGED) from error


def _opened(body: bytes) -> ImageFile:
    """Return the file, its size in bounds; nothing is decoded yet."""
    file = Image.open(BytesIO(body), formats=_FORMATS)
    _check_pixels(file)
    _check_shape(file.size)
    return file


def _loaded(
    file: ImageFile, body: bytes, *, at_least: int | None
) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """Return the first frame, and its pixels where they are at hand."""
    media_type = _MEDIA_TYPES[str(file.format)]
    if media_type == "image/jpeg":
        return jpeg.load(file, body, at_least=at_least)
    if has_fill(body, media_type=media_type):
        raise ImageError("a fill in place of pixels", verdict=Verdict.DAMAGED)
    if isinstance(file, PngImageFile) and not has_all_rows(body):
        raise ImageError("rows are missing", verdict=Verdict.DAMAGED)
    file.load()
    if isinstance(file, PngImageFile) and file.mode != "P" and file.info.get(_KEY):
        file.info[_KEY] = _scaled_key(file.info[_KEY], depth=body[_PNG_DEPTH])
    return file, None


def _scaled_key(key: object, *, depth: int) -> object:
    """Return the levels that a PNG makes transparent, as Pillow scales its pixels.

    It keeps the high byte of 16-bit colours, and spreads grey of 2 and 4 bits.
    """
    if isinstance(key, tuple) and depth > _EIGHT_BITS:
        return tuple(level >> 8 for level in key)
    if isinstance(key, int) and depth < _EIGHT_BITS:
        return key * 255 // ((1 << depth) - 1)
    return key


def _upright_rgb(file: ImageFile, pixels: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(file))
    image = _to_srgb(_flattened(pixels), profile=file.info.get("icc_profile"))
    image = image.transpose(turn) if turn is not None else image
    image.info = {}
    return image


def _check_pixels(file: ImageFile) -> None:
    if weighed_pixels(file) > MAX_PIXELS:
        raise ImageError(f"{file.width} x {file.height} px", verdict=Verdict.TOO_LARGE)


def _check_shape(size: tuple[int, int]) -> None:
    short, long = sorted(size)
    if short < MIN_SIDE or long > MAX_ASPECT * short:
        raise ImageError(f"{size[0]} x {size[1]} px", verdict=Verdict.TOO_SMALL)


def _flattened(image: Image.Image) -> Image.Image:
    """Return *image* as L, RGB or CMYK with 8 bits, transparency laid on white."""
    if image.mode.startswith("I"):
        return _eight_bit(image)
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    if image.mode in _PROFILE_SPACES:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return 16-bit grey scaled to 8 bits; Pillow's own conversion cuts it off."""
    deep = np.asarray(image).astype(np.uint32)
    grey = ((deep + 128) // 257).astype(np.uint8)
    transparent = image.info.get(_KEY)
    if isinstance(transparent, int):
        grey[deep == transparent] = 255
    return Image.fromarray(grey)


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _to_srgb(image: Image.Image, *, profile: bytes | None) -> Image.Image:
    """Return *image* as RGB; a profile that is broken or of another kind is ignored."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            return _by_profile(image, profile=profile)
    return _as_rgb(image)


def _as_rgb(image: Image.Image) -> Image.Image:
    # `convert` copies even where there is nothing to convert.
    return image if image.mode == "RGB" else image.convert("RGB")


def _by_profile(image: Image.Image, *, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    space = source.profile.xcolor_space
    if space == _PROFILE_SPACES["RGB"] and image.mode == "L":
        image = _as_rgb(image)
    if space != _PROFILE_SPACES[image.mode]:
        return _as_rgb(image)
    transform = ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), image.mode, "RGB"
    )
    if _changes_nothing(transform, mode=image.mode):
        return _as_rgb(image)
    return _applied(transform, image)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, *, mode: str) -> bool:
    """Try the transform on a few colours: most profiles are sRGB under some name."""
    if mode == "CMYK":
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(colours if mode == "RGB" else levels[None, :])
    before = np.asarray(probe.convert("RGB"), dtype=np.int16)
    after = np.asarray(_applied(transform, probe), dtype=np.int16)
    return bool(np.abs(after - before).max() <= _PROFILE_TOLERANCE)


def _applied(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:  # only when asked to work in place
        raise ImageCms.PyCMSError("the transform gave no image")
    return converted


def _orientation(file: ImageFile) -> int:
    """Return the EXIF orientation; an unreadable block means as stored.

    Not by `getexif`, which asks XMP as well: what that says is stale where a program
    turned the pixels, and viewers leave it alone.
    """
    exif = Image.Exif()
    try:
        exif.load(file.info.get("exif") or _exif_as_text(file))
        return int(exif.get(_ORIENTATION_TAG, 1))
    except _PLUGIN_ERRORS:
        return 1


def _exif_as_text(file: ImageFile) -> bytes:
    """Return the EXIF block that old programs wrote as text: three lines, then hex."""
    text = str(file.info.get("Raw profile type exif", ""))
    return bytes.fromhex("".join(text.split("\n")[3:]))
