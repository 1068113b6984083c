"""Other views of a room: photos of their own, however alike they look."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from phx_pipeline_tests.corpus.pictures import (
    Made,
    Random,
    Step,
    draws,
    identity,
    jpeg,
)

_EDGE: Final = 12  # grey levels from one column to the next, at 320 px
_BARE: Final = 0.03  # share of edges; one photo in a hundred has less in front
_LIFT: Final = 0.25  # of the height: what stands behind a bare floor moves with it

PARALLAX: Final = (4, 8, 12, 20)  # per cent of the width: near things against far ones


def moved_cameras(
    photo: Image.Image, *, name: str, seed: int, count: int = 1
) -> Iterator[Made]:
    """Yield another view of the same room each time: every one is another photo.

    Near things move against far ones by 10 to 25 % of the width.
    """
    for turn in range(count):
        for kind, move in _MOVES.items():
            rng = draws(name, f"{kind}-{turn}", seed=seed)
            view = _tilted(move(photo, rng, rng.uniform(0.10, 0.25)), rng)
            body = jpeg(view, int(rng.integers(80, 93)))
            label = f"{identity(name)} {kind}-{turn} {seed}"
            yield Made(identity=label, kind=kind, body=body)


def other_views(photo: Image.Image, *, name: str, seed: int) -> Iterator[Made]:
    """Yield what is not the photo it was made of, one per kind of `VIEWS`."""
    for kind, make in VIEWS.items():
        rng = draws(name, kind, seed=seed)
        body = jpeg(make(photo, rng), int(rng.integers(80, 93)))
        yield Made(identity=f"{identity(name)} {kind}", kind=kind, body=body)


def pan(photo: Image.Image, *, name: str, seed: int) -> Iterator[Made]:
    """Yield the left and the right window of 80 % of the width: two photos."""
    part = round(photo.width * 0.8)
    for kind, left in (("left", 0), ("right", photo.width - part)):
        rng = draws(name, f"pan {kind}", seed=seed)
        window = photo.crop((left, 0, left + part, photo.height))
        body = jpeg(window, int(rng.integers(85, 91)))
        yield Made(identity=f"{identity(name)} {kind}", kind="pan", body=body)


def _two_layers(photo: Image.Image, rng: Random, move: float) -> Image.Image:
    """Shift things in front against what is behind them; both layers are the photo."""
    width, height = photo.size
    far = rng.uniform(-0.08, 0.08)
    near = far + move * rng.choice((-1, 1))
    mask = Image.new("L", photo.size)
    paint = ImageDraw.Draw(mask)
    line = rng.uniform(0.55, 0.75, 4)
    corners = [
        (width * x, height * y) for x, y in zip((0, 0.3, 0.7, 1), line, strict=True)
    ]
    paint.polygon([*corners, (width, height), (0, height)], fill=255)
    if _is_bare(photo, mask):  # a road or a floor: nobody could see it move
        lift = height * _LIFT
        raised = [(x, y - lift) for x, y in corners]
        paint.polygon([*raised, (width, height), (0, height)], fill=255)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.35, 0.8) * height
        half = rng.uniform(0.06, 0.16, 2) * photo.size
        paint.ellipse((x - half[0], y - half[1], x + half[0], y + half[1]), fill=255)
    disparity = np.asarray(mask, dtype=np.float32) / 255
    return _seen(photo, (far + (near - far) * disparity) * width)


def _is_bare(photo: Image.Image, mask: Image.Image) -> bool:
    """Whether what the mask shows has no pattern to speak of."""
    small = (320, 213)
    pixels = np.asarray(photo.convert("L").resize(small, Image.Resampling.BOX))
    near = np.asarray(mask.resize(small, Image.Resampling.BOX))[:, 1:] > 0
    edges = np.abs(np.diff(pixels.astype(np.int16), axis=1)) > _EDGE
    return bool(edges[near].mean() < _BARE)


def _box_room(photo: Image.Image, rng: Random, move: float) -> Image.Image:
    """Step sideways in a box-shaped room: the shift grows with nearness.

    Nearness (1 / depth) of floor, ceiling and side walls grows linearly from the
    vanishing point; the back wall has one nearness. Some furniture is nearer still.
    """
    height, width = photo.height, photo.width
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width - rng.uniform(0.4, 0.6), y / height - rng.uniform(0.4, 0.55)
    back = rng.uniform(0.15, 0.3)
    near = np.maximum(np.maximum(np.abs(x) * 1.6, np.abs(y) * 1.8), back)
    for _ in range(int(rng.integers(1, 4))):
        centre, half = rng.uniform((-0.35, 0), (0.35, 0.35)), rng.uniform(0.06, 0.15, 2)
        inside = (np.abs(x - centre[0]) < half[0]) & (np.abs(y - centre[1]) < half[1])
        near[inside] = near[inside].max(initial=0)
    near = (near - near.min()) / (near.max() - near.min())
    shift = move * rng.choice((-1, 1))
    looked_at = rng.uniform(0.0, 0.5)  # the camera turns to keep this nearness still
    return _seen(photo, (near - looked_at) * shift * width)


_Move = Callable[[Image.Image, Random, float], Image.Image]
_MOVES: Final[Mapping[str, _Move]] = MappingProxyType(
    {"layers": _two_layers, "room": _box_room}
)


def _moved(move: _Move, percent: int) -> Step:
    return lambda photo, rng: _tilted(move(photo, rng, percent / 100), rng)


def _panned(photo: Image.Image, rng: Random) -> Image.Image:
    """Turn the camera on its tripod: 15 to 35 % of the width leave, others come.

    What comes is the mirrored rest, and the frame is distorted as a turned one is.
    """
    share = rng.uniform(0.15, 0.35) * rng.choice((-1, 1))
    shift = np.full(photo.size[::-1], share * photo.width, dtype=np.float32)
    return _keystoned(_seen(photo, shift), right=share > 0)


def _keystoned(image: Image.Image, *, right: bool) -> Image.Image:
    """Make the side that came nearer 8 % taller."""
    width, height = image.size
    cut = height * 0.04
    left_cut, right_cut = (0.0, cut) if right else (cut, 0.0)
    quad = [0, left_cut, 0, height - left_cut, width, height - right_cut]
    quad += [width, right_cut]
    coefficients = _perspective(quad, size=image.size)
    method = Image.Transform.PERSPECTIVE
    return image.transform(image.size, method, coefficients, Image.Resampling.BICUBIC)


def _recoloured(photo: Image.Image, rng: Random) -> Image.Image:
    """Turn all hues by 40 to 180 degrees: other paint, other furniture."""
    turn = int(rng.integers(28, 128)) * int(rng.choice((-1, 1)))
    hue, saturation, value = photo.convert("HSV").split()
    hue = hue.point(lambda level: (level + turn) % 256)
    saturation = saturation.point(lambda level: min(255, round(level * 1.3) + 25))
    return Image.merge("HSV", (hue, saturation, value)).convert("RGB")


def _rearranged(photo: Image.Image, rng: Random) -> Image.Image:
    """Move a thing of 8 % of the frame aside; the wall behind it shows instead."""
    width, height = round(photo.width * 0.36), round(photo.height * 0.283)
    places = [_thing_at(photo, rng, (width, height)) for _ in range(8)]
    left, top = max(places, key=lambda it: _busy(photo, (*it, width, height)))
    side = 1 if left + width / 2 < photo.width / 2 else -1
    aside = left + side * round(photo.width * rng.uniform(0.15, 0.28))
    shape = Image.new("L", (width, height))
    ImageDraw.Draw(shape).ellipse((0, 0, width - 1, height - 1), fill=255)
    thing = photo.crop((left, top, left + width, top + height))
    moved = photo.copy()
    moved.paste(_behind(photo, (left, top, width, height)), (left, top), shape)
    moved.paste(thing, (aside, top), shape)
    return moved


def _thing_at(
    photo: Image.Image, rng: Random, size: tuple[int, int]
) -> tuple[int, int]:
    """Return a place in the lower half, beside which there is something."""
    left = int(rng.integers(1, photo.width - size[0] - 1))
    top = int(rng.integers(round(photo.height * 0.35), photo.height - size[1]))
    return left, top


def _busy(photo: Image.Image, box: tuple[int, int, int, int]) -> float:
    left, top, width, height = box
    part = photo.crop((left, top, left + width, top + height)).convert("L")
    small = np.asarray(part.resize((96, 54), Image.Resampling.BOX), dtype=np.float32)
    return float(np.abs(np.diff(small, axis=1)).mean())


def _behind(photo: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """Return what may stand behind a thing: what is left and right of it, blended."""
    left, top, width, height = box
    lines = np.asarray(photo, dtype=np.float32)[top : top + height]
    share = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    before, behind = (
        lines[:, left - 1 : left],
        lines[:, left + width : left + width + 1],
    )
    return Image.fromarray((before * (1 - share) + behind * share).astype(np.uint8))


VIEWS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        f"parallax {percent} %, {kind}": _moved(move, percent)
        for percent in PARALLAX
        for kind, move in _MOVES.items()
    }
    | {"panned": _panned, "recoloured": _recoloured, "rearranged": _rearranged}
)


def _seen(photo: Image.Image, shift: NDArray[np.float32]) -> Image.Image:
    """Return the photo with each pixel taken from *shift* (height, width) px aside."""
    columns = np.arange(photo.width) + np.rint(shift).astype(np.int64)
    # Beyond the edge the room goes on: mirrored, so that something is there.
    period = 2 * photo.width
    folded = columns % period
    folded = np.where(folded >= photo.width, period - 1 - folded, folded)
    rows = np.arange(photo.height)[:, None]
    return Image.fromarray(np.asarray(photo)[rows, folded])


def _tilted(image: Image.Image, rng: Random) -> Image.Image:
    """Turn the camera by a little: a perspective change of up to 3 % per corner."""
    width, height = image.size
    corners = ((0, 0), (0, height), (width, height), (width, 0))
    quad = [
        float(place + rng.uniform(0, 0.03) * side * (1 if place == 0 else -1))
        for corner in corners
        for place, side in zip(corner, image.size, strict=True)
    ]
    return image.transform(
        image.size,
        Image.Transform.PERSPECTIVE,
        _perspective(quad, size=image.size),
        Image.Resampling.BICUBIC,
    )


def _perspective(quad: list[float], *, size: tuple[int, int]) -> list[float]:
    """Return Pillow's 8 coefficients that map the frame of *size* onto *quad*."""
    width, height = size
    frame = ((0, 0), (0, height), (width, height), (width, 0))
    rows = []
    for (x, y), (u, v) in zip(
        frame, zip(quad[::2], quad[1::2], strict=True), strict=True
    ):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    return [float(c) for c in np.linalg.solve(np.array(rows), np.array(quad))]
