"""Drawn fronts, yards and pools, under a sky."""

import numpy as np

from phx_pipeline.demo.scenery import (
    LEAF,
    STUCCOS,
    WHITE,
    WOODS,
    Colour,
    Point,
    Scene,
    Texture,
    concrete,
    gravel,
    lawn,
    shade,
)


def _sky(scene: Scene, *, horizon: float) -> None:
    """Draw a clear or evening sky, some clouds and a range of hills."""
    high: Colour = (92, 148, 214) if scene.chance(0.7) else (206, 138, 112)
    for step in range(24):
        part = step / 24
        mixed = [round(a + (238 - a) * part) for a in high]
        colour = (mixed[0], mixed[1], mixed[2])
        scene.box((0, part * horizon), (1, (step + 1) / 24 * horizon), fill=colour)
    for _ in range(int(scene.rng.integers(5))):
        x, y = scene.between(0, 1), scene.between(0.02, horizon * 0.7)
        for puff in range(4):
            centre = (x + puff * 0.04, y + scene.between(-0.02, 0.02))
            scene.disc(centre, radius=scene.between(0.02, 0.05), fill=WHITE)
    ridge = [(x, horizon - scene.between(0.01, 0.16)) for x in np.linspace(0, 1, 9)]
    hills: Colour = (150, 124, 118)
    scene.area([(0.0, horizon), *ridge, (1.0, horizon)], fill=hills)


def _palm(scene: Scene, *, foot: Point, tall: float) -> None:
    x, y = foot
    scene.box((x - 0.008, y - tall), (x + 0.008, y), fill=(120, 92, 66))
    for angle in np.linspace(0, 2 * np.pi, 9):
        tip = (x + 0.09 * float(np.cos(angle)), y - tall + 0.07 * float(np.sin(angle)))
        scene.area([(x, y - tall - 0.015), tip, (x, y - tall + 0.015)], fill=LEAF)


def _cactus(scene: Scene, *, foot: Point, tall: float) -> None:
    x, y = foot
    scene.box((x - 0.012, y - tall), (x + 0.012, y), fill=LEAF)
    scene.box((x - 0.05, y - tall * 0.5), (x, y - tall * 0.42), fill=LEAF)
    scene.box((x - 0.05, y - tall * 0.8), (x - 0.034, y - tall * 0.42), fill=LEAF)


def _plants(scene: Scene, *, ground: float) -> None:
    for _ in range(2 + int(scene.rng.integers(4))):
        foot = (scene.between(0.02, 0.98), ground + scene.between(0.02, 0.2))
        plant = _palm if scene.chance(0.5) else _cactus
        plant(scene, foot=foot, tall=scene.between(0.2, 0.5))
    for _ in range(int(scene.rng.integers(6))):
        centre = (scene.between(0, 1), ground + scene.between(0.0, 0.12))
        scene.disc(centre, radius=scene.between(0.02, 0.06), fill=shade(LEAF, by=0.8))


def _outside(scene: Scene, *, horizon: float, ground: Texture) -> None:
    _sky(scene, horizon=horizon)
    eye = (scene.between(0.3, 0.7), horizon - 0.06)
    scene.ground(ground(scene), horizon=eye, top=horizon, scale=1.4)


def front(scene: Scene) -> None:
    """Draw the house from the street, with its garage door."""
    base = scene.between(0.55, 0.72)
    _outside(scene, horizon=base, ground=gravel if scene.chance(0.6) else lawn)
    stucco, roof = scene.pick(STUCCOS), scene.pick(((150, 84, 62), (110, 104, 100)))
    left, right = scene.between(0.04, 0.22), scene.between(0.76, 0.97)
    eaves = base - scene.between(0.22, 0.36)
    scene.box((left, eaves), (right, base), fill=stucco)
    ridge = eaves - scene.between(0.1, 0.2)
    peak = (scene.between(left + 0.1, right - 0.25), ridge)
    edge = [(left - 0.03, eaves), peak, (peak[0] + 0.2, ridge), (right + 0.03, eaves)]
    scene.area(edge, fill=roof)
    on_left = scene.chance(0.5)
    door = left + 0.03 if on_left else right - 0.33
    _garage_door(scene, left=door, top=eaves + 0.06, bottom=base)
    drive = [(door, base), (door + 0.3, base), (door + 0.45, 1.0), (door - 0.2, 1.0)]
    scene.area(drive, fill=(190, 186, 180))
    entry = door + 0.34 if on_left else door - 0.1
    scene.box((entry, eaves + 0.09), (entry + 0.06, base), fill=scene.pick(WOODS))
    for step in (0.1, 0.24):
        pane = entry + step if on_left else entry - step
        scene.box((pane, eaves + 0.08), (pane + 0.09, base - 0.1), fill=(70, 88, 104))
    _plants(scene, ground=base)


def _garage_door(scene: Scene, *, left: float, top: float, bottom: float) -> None:
    colour = scene.pick((WHITE, *WOODS))
    scene.box((left, top), (left + 0.3, bottom), fill=colour)
    tall = (bottom - top) / 4
    for row in range(4):
        edge = top + row * tall
        scene.box((left, edge), (left + 0.3, edge + 0.004), fill=shade(colour, by=0.6))


def _fence(scene: Scene, *, base: float) -> None:
    top, colour = base - scene.between(0.08, 0.16), scene.pick(STUCCOS)
    scene.box((0, top), (1, base), fill=shade(colour, by=0.85))
    for post in np.arange(scene.between(0.0, 0.1), 1.0, 0.16):
        scene.box((float(post), top - 0.01), (float(post) + 0.02, base), fill=colour)


def yard(scene: Scene) -> None:
    """Draw a fence, plants and perhaps a patio."""
    base = scene.between(0.42, 0.66)
    _outside(scene, horizon=base, ground=lawn if scene.chance(0.6) else gravel)
    _fence(scene, base=base)
    _plants(scene, ground=base)
    if scene.chance(0.65):
        _patio(scene, on_left=scene.chance(0.5))


def _patio(scene: Scene, *, on_left: bool) -> None:
    """Draw the corner of the house with a covered patio at one edge."""
    stucco, deep = scene.pick(STUCCOS), scene.between(0.3, 0.5)
    inner, outer = (deep, 0.0) if on_left else (1.0 - deep, 1.0)
    eaves = scene.between(0.12, 0.28)
    scene.area(
        [(outer, 0), (outer, 1), (inner, 0.74), (inner, eaves)],
        fill=shade(stucco, by=0.8),
    )
    roof = [(outer, 0), (inner, eaves), (inner + (0.1 if on_left else -0.1), eaves)]
    scene.area([*roof, (outer, -0.1)], fill=(120, 82, 64))
    third = (inner - outer) / 3
    pane = [(outer + third, 0.4), (outer + third, 0.86)]
    pane += [(outer + 2 * third, 0.76), (outer + 2 * third, 0.42)]
    scene.area(pane, fill=(64, 80, 98))


def pool(scene: Scene) -> None:
    """Draw water in a paved yard."""
    base = scene.between(0.38, 0.55)
    _outside(scene, horizon=base, ground=concrete)
    _fence(scene, base=base)
    _plants(scene, ground=base - 0.02)
    centre, far = scene.between(0.35, 0.65), base + scene.between(0.06, 0.14)
    near, bend = scene.between(0.84, 0.98), scene.between(-0.1, 0.1)
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    for swell, colour in ((1.08, (226, 214, 196)), (1.0, (52, 152, 186))):
        rim = [
            (
                centre + swell * float((0.36 + bend * np.sin(2 * a)) * np.cos(a)),
                (far + near) / 2 + swell * (near - far) / 2 * float(np.sin(a)),
            )
            for a in angles
        ]
        scene.area(rim, fill=colour)
    for _ in range(26):
        x, y = scene.between(-0.2, 0.2), scene.between(far + 0.03, near - 0.04)
        long = scene.between(0.02, 0.07)
        bright = shade((96, 198, 222), by=scene.between(0.8, 1.15))
        scene.box((centre + x, y), (centre + x + long, y + 0.006), fill=bright)
    if scene.chance(0.5):
        _patio(scene, on_left=scene.chance(0.5))
