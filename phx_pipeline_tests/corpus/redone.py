"""A photo saved larger with made-up detail, framed by itself, in a haze, or smoothed.

All of it seems more than the photo is: more pixels, more scene, more light. What is
laid over it in letters belongs to `marks`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from phx_pipeline.dedup.planes import local_mean
from phx_pipeline_tests.corpus.pictures import Random, Step, coin, font

_WHITE: Final = (255, 255, 255)
_CHECK: Final = 20  # px, a side of the squares that stand for "transparent"
_Light = NDArray[np.float32]


def _larger(image: Image.Image, factor: float, by: Image.Resampling) -> Image.Image:
    return image.resize((round(image.width * factor), round(image.height * factor)), by)


def _sharper(factor: float) -> Step:
    """Return the photo enlarged and sharpened, as those who sell "upscaling" do."""

    def enlarge(image: Image.Image, rng: Random) -> Image.Image:
        large = _larger(image, factor, Image.Resampling.LANCZOS)
        radius, percent = rng.uniform(1.2, 3), int(rng.integers(80, 161))
        return large.filter(ImageFilter.UnsharpMask(radius, percent, threshold=2))

    return enlarge


def _stepped(image: Image.Image, rng: Random) -> Image.Image:
    return _larger(image, rng.uniform(1.2, 2), Image.Resampling.NEAREST)


def _noisy(image: Image.Image, rng: Random) -> Image.Image:
    large = _larger(image, rng.uniform(1.2, 1.8), Image.Resampling.BICUBIC)
    light = np.asarray(large, dtype=np.float32)
    return _drawn(light + rng.normal(0, rng.uniform(4, 9), light.shape))


def _barred(paint: "_Paint") -> Step:
    """Return the photo with bars on two sides, painted by what is drawn of it."""

    def frame(image: Image.Image, rng: Random) -> Image.Image:
        wide = coin(rng)
        side = image.width if wide else image.height
        bar = round(side * rng.uniform(0.08, 0.2))
        margins = ((0, 0), (bar, bar)) if wide else ((bar, bar), (0, 0))
        return Image.fromarray(paint(np.asarray(image), margins))

    return frame


_Margins = tuple[tuple[int, int], tuple[int, int]]
_Pixels = NDArray[np.uint8]


class _Paint:
    """Ways to paint bars; each is called with pixels and margins, rows first."""

    def __init__(self, mode: str) -> None:
        self._mode = mode

    def __call__(self, pixels: _Pixels, margins: _Margins) -> _Pixels:
        if self._mode == "blurred":
            return self._on(self._soft(pixels, margins), pixels, margins)
        if self._mode == "checked":
            return self._on(self._squares(pixels, margins), pixels, margins)
        around = (*margins, (0, 0))
        if self._mode == "edge":
            return np.pad(pixels, around, mode="edge")
        return np.pad(pixels, around, mode="reflect")

    def _soft(self, pixels: _Pixels, margins: _Margins) -> Image.Image:
        """Return the photo enlarged to fill the frame, and blurred."""
        size = _framed(pixels, margins)
        factor = max(size[0] / pixels.shape[1], size[1] / pixels.shape[0])
        small = _larger(Image.fromarray(pixels), factor / 8, Image.Resampling.BOX)
        soft = small.filter(ImageFilter.GaussianBlur(small.width / 40))
        large = _larger(soft, 8, Image.Resampling.BICUBIC)
        left, top = ((a - b) // 2 for a, b in zip(large.size, size, strict=True))
        return large.crop((left, top, left + size[0], top + size[1]))

    def _squares(self, pixels: _Pixels, margins: _Margins) -> Image.Image:
        width, height = _framed(pixels, margins)
        down, across = np.mgrid[:height, :width] // _CHECK
        grey = np.where((down + across) % 2, 205, 245).astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")

    def _on(self, under: Image.Image, pixels: _Pixels, margins: _Margins) -> _Pixels:
        under.paste(Image.fromarray(pixels), (margins[1][0], margins[0][0]))
        return np.asarray(under)


def _framed(pixels: _Pixels, margins: _Margins) -> tuple[int, int]:
    """Return width and height with the margins."""
    return pixels.shape[1] + sum(margins[1]), pixels.shape[0] + sum(margins[0])


def _haze(image: Image.Image, rng: Random) -> Image.Image:
    """Fade the photo to white below, and write on that."""
    rows = round(image.height * rng.uniform(0.2, 0.4))
    fade = np.zeros(image.height, np.float32)
    fade[-rows:] = np.linspace(0, rng.uniform(0.6, 0.9), rows)
    hazy = _whitened(image, np.broadcast_to(fade[:, None], image.size[::-1]))
    place = (image.width * 0.03, image.height * 0.91)
    ImageDraw.Draw(hazy).text(
        place, "Desert Homes", (40, 40, 40), font=font(image.height * 0.05)
    )
    return hazy


def _glare(image: Image.Image, rng: Random) -> Image.Image:
    """Lay a bright round spot on the photo, as a flash leaves on a screen."""
    down, across = np.mgrid[: image.height, : image.width] / image.width
    far = np.hypot(across - rng.uniform(0.2, 0.8), down - rng.uniform(0.1, 0.5))
    most, radius = rng.uniform(0.6, 0.9), rng.uniform(0.12, 0.2)
    return _whitened(image, (most * np.exp(-((far / radius) ** 2))).astype(np.float32))


def _whitened(image: Image.Image, share: NDArray[np.float32]) -> Image.Image:
    light = np.asarray(image, dtype=np.float32)
    return _drawn(light + (255 - light) * share[:, :, None])


def _smoothed(image: Image.Image, rng: Random) -> Image.Image:
    """Take away what is finer than edges, as programs against noise do.

    K. He et al., "Guided image filtering", 2010, guided by the photo itself.
    """
    light, faint = np.asarray(image, dtype=np.float32), float(rng.uniform(8, 16) ** 2)
    reach = int(rng.integers(2, 5))
    channels = [_guided(light[:, :, it], reach, faint) for it in range(3)]
    return _drawn(np.stack(channels, axis=2))


def _guided(light: _Light, reach: int, faint: float) -> _Light:
    light = np.ascontiguousarray(light)
    mean = local_mean(light, reach)
    spread = local_mean(light * light, reach) - mean * mean
    kept = (spread / (spread + faint)).astype(np.float32)
    found: _Light = local_mean(kept, reach) * light + local_mean(
        (mean * (1 - kept)).astype(np.float32), reach
    )
    return found


def _half_blurred(image: Image.Image, rng: Random) -> Image.Image:
    """Blur all around the middle, or one quarter, as fast painters of previews do."""
    soft = image.filter(ImageFilter.GaussianBlur(image.width * rng.uniform(4, 8) / 1e3))
    sharp = Image.new("L", image.size)
    box = (0, 0, *image.size)
    if coin(rng):
        ImageDraw.Draw(sharp).ellipse(box, fill=255)
        sharp = sharp.filter(ImageFilter.GaussianBlur(image.width * 0.03))
    else:
        sharp.paste(255, box)
        sharp.paste(0, (0, 0, image.width // 2, image.height // 2))
    return Image.composite(image, soft, sharp)


def _drawn(light: NDArray[Any]) -> Image.Image:
    return Image.fromarray(light.clip(0, 255).astype(np.uint8))


REDONE: Final[Mapping[str, Step]] = MappingProxyType(
    {f"sharpened, {to}": _sharper(to) for to in (1.2, 1.5, 2.0)}
    | {"enlarged in steps": _stepped, "enlarged and noisy": _noisy}
    | {
        f"{mode} bars": _barred(_Paint(mode))
        for mode in ("blurred", "reflected", "edge", "checked")
    }
    | {"white gradient": _haze, "glare": _glare}
    | {"denoised": _smoothed, "half blurred": _half_blurred}
)
