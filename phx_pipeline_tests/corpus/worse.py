"""Pairs of copies of which a person would choose the first, one per kind of worse."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from PIL import Image, ImageFilter

from phx_pipeline_tests.corpus.borders import has_border
from phx_pipeline_tests.corpus.copies import SINGLES
from phx_pipeline_tests.corpus.frames import FRAMES, damaged_file, is_shaped
from phx_pipeline_tests.corpus.marks import MARKS
from phx_pipeline_tests.corpus.pictures import (
    Random,
    Step,
    coin,
    decoded,
    draws,
    jpeg,
    to_width,
)
from phx_pipeline_tests.corpus.redone import REDONE
from phx_pipeline_tests.corpus.tones import TONES

_FINER: Final = 1.2  # times as many pixels a side, in the copy that is cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Two encoded copies of one photo."""

    kind: str
    better: bytes
    worse: bytes


def choices(
    photo: Image.Image, *, name: str, seed: int, kinds: Collection[str] = ()
) -> Iterator[Choice]:
    """Yield a pair per kind, all of `WORSE` by default.

    A marked copy is finer than the clean one now and then: that makes it no better. A
    photo with a border of its own makes no pairs of `FRAMED`. One that has the shape it
    would be cut to makes none of that kind: neither copy would be the better one.
    """
    is_framed = has_border(photo)
    for kind in kinds or WORSE:
        if (is_framed and kind in FRAMED) or is_shaped(photo, kind):
            continue
        rng = draws(name, kind, seed=seed)
        finer = kind in FINER or (kind in MARKS and coin(rng))
        whole = _scaled(photo, 1 / _FINER) if finer else photo
        better = jpeg(whole, int(rng.integers(82, 91)))
        yield Choice(kind=kind, better=better, worse=_worse(photo, kind, rng))


def _worse(photo: Image.Image, kind: str, rng: Random) -> bytes:
    if kind == DAMAGED_FILE:
        return damaged_file(photo, rng)
    return jpeg(WORSE[kind](photo, rng), int(rng.integers(82, 91)))


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    return to_width(image, round(image.width * factor))


def _enlarged(image: Image.Image, _rng: Random, *, to: float) -> Image.Image:
    size = (round(image.width * to), round(image.height * to))
    return image.resize(size, Image.Resampling.BICUBIC)


def _coarse(share: float, *, to: float) -> Step:
    """Return the photo at a share of its width, enlarged to *to* times its own."""
    return lambda image, rng: _enlarged(_scaled(image, share), rng, to=to / share)


def _poor(quality: int, *, to: float) -> Step:
    return lambda image, rng: _enlarged(decoded(jpeg(image, quality)), rng, to=to)


def _blurred(radius: float, *, to: float) -> Step:
    def blur(image: Image.Image, rng: Random) -> Image.Image:
        return _enlarged(image.filter(ImageFilter.GaussianBlur(radius)), rng, to=to)

    return blur


def _shaped(shape: float) -> Step:
    """Return as much of the middle as fits *shape*, or 93 % if all of it does."""

    def cut(image: Image.Image, _rng: Random) -> Image.Image:
        width = min(image.width, image.height * shape)
        height = min(image.height, image.width / shape)
        least = 0.93 if min(width / image.width, height / image.height) > 0.97 else 1
        width = max(width * least, image.width * 0.85)
        height = max(height * least, image.height * 0.85)
        left, top = (image.width - width) / 2, (image.height - height) / 2
        right, bottom = round(left + width), round(top + height)
        return image.crop((round(left), round(top), right, bottom))

    return cut


def _then(*steps: Step) -> Step:
    def run(image: Image.Image, rng: Random) -> Image.Image:
        for step in steps:
            image = step(image, rng)
        return image

    return run


def _larger(factor: float) -> Step:
    return lambda image, rng: _enlarged(image, rng, to=factor)


def _upright(step: Step) -> Step:
    """Do the same on its side, and turn it back: columns are cut for rows."""
    turn, back = Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270
    return lambda image, rng: step(image.transpose(turn), rng).transpose(back)


_SHARP: Final[Mapping[str, Step]] = MappingProxyType(
    {f"1/4 enlarged to {to}": _coarse(0.25, to=to) for to in (1.1, 1.25, 2.0, 4.0)}
    | {f"1/2 enlarged to {to}": _coarse(0.5, to=to) for to in (1.0, 1.25, 2.0)}
    | {"4/5 enlarged to 1.25": _coarse(0.8, to=1.25)}
    | {f"quality 30, {to}": _poor(30, to=to) for to in (1.0, 1.1, 1.5, 2.0)}
    | {"blurred": _blurred(1.5, to=1.0), "blurred, 1.5": _blurred(1.5, to=1.5)}
    | {"half as large": _larger(0.5), "4/5 as large": _larger(0.8)}
    | {"1/4 in bars": _then(_coarse(0.25, to=1.25), SINGLES["letterbox"])}
    | {"smaller in bars": _then(_larger(0.8), SINGLES["letterbox"])}
)
FINER: Final[Mapping[str, Step]] = MappingProxyType(
    {"7:5 of finer": _shaped(7 / 5), "3:2 of finer": _shaped(3 / 2)}
    | {f"crop {share} % of finer": SINGLES[f"crop {share} %"] for share in (4, 8)}
    | {"rows cut of finer": _upright(SINGLES["4:3 from 3:2"])}
    | {"columns cut of finer": SINGLES["4:3 from 3:2"]}
)
_CUT: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "crop 4 %, 1.25": _then(SINGLES["crop 4 %"], _larger(1.25)),
        "crop 8 %, 1.5": _then(SINGLES["crop 8 %"], _larger(1.5)),
        "crop 4 % in bars": _then(SINGLES["crop 4 %"], SINGLES["letterbox"]),
    }
)
_MARKED: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "strip with text": SINGLES["strip with text"],
        "badge": SINGLES["badge 25 %"],
        "centre mark": SINGLES["centre mark"],
    }
)
_OTHER_FRAMES: Final[Mapping[str, Step]] = MappingProxyType(
    {
        kind: FRAMES[kind]
        for kind in ("16:9 crop", "square crop", "enlarged, poor", "damaged")
    }
)
_BARRED: Final = frozenset(
    {"1/4 in bars", "smaller in bars", "strip with text", "text strip below"}
    | {kind for kind in REDONE if kind.endswith(" bars")}
)
WORSE: Final[Mapping[str, Step]] = MappingProxyType(
    {**_SHARP, **FINER, **_CUT, **_MARKED, **MARKS, **_OTHER_FRAMES, **TONES, **REDONE}
)
FRAMED: Final = frozenset(  # that cut something off, or set something beside it
    {*FINER, *_CUT, *_BARRED, "16:9 crop", "square crop"}
)
DAMAGED_FILE: Final = "damaged file"  # a kind of its own: decoders may refuse it
UNPROMISED: Final = frozenset({"blurred box", "damaged"})
