"""Drawn rooms: one function a kind."""

from collections.abc import Sequence

import numpy as np

from phx_pipeline.demo.scenery import (
    CLOTHS,
    DARK,
    GLASS,
    STEEL,
    WALLS,
    WHITE,
    WOODS,
    Colour,
    Room,
    Scene,
    Texture,
    carpet,
    concrete,
    planks,
    shade,
    tiles,
)


def _room(
    scene: Scene,
    *,
    floors: Sequence[Texture],
    wide: tuple[float, float] = (0.42, 0.78),
) -> Room:
    """Draw an empty room: floor, ceiling and walls, one wall perhaps painted."""
    width, left = scene.between(*wide), scene.between(0.06, 0.3)
    top, bottom = scene.between(0.06, 0.3), scene.between(0.54, 0.8)
    right = min(left + width, 0.95)
    horizon = (
        scene.between(left + 0.08, right - 0.08),
        scene.between(top + 0.12, bottom - 0.1),
    )
    room = Room(
        scene=scene, left=left, right=right, top=top, bottom=bottom, horizon=horizon
    )
    floor = floors[int(scene.rng.integers(len(floors)))](scene)
    scene.ground(floor, horizon=horizon, top=bottom, scale=scene.between(0.6, 1.2))
    _walls(room)
    return room


def _walls(room: Room) -> None:
    scene = room.scene
    paint = scene.pick(WALLS)
    far = 9.0  # near enough to the viewer to lie outside the canvas
    ceiling = shade(WHITE, by=scene.between(0.82, 1.0))
    room.quad([(0, 1, 1), (1, 1, 1), (1, 1, far), (0, 1, far)], fill=ceiling)
    for across in (0.0, 1.0):
        side = [(across, 0, 1), (across, 1, 1), (across, 1, far), (across, 0, far)]
        room.quad(side, fill=shade(paint, by=scene.between(0.6, 0.98)))
    accent = scene.pick(CLOTHS) if scene.chance(0.35) else paint
    room.panel((0, 1), (0, 1), fill=shade(accent, by=scene.between(0.9, 1.05)))
    room.panel((0, 1), (0, 0.04), fill=WHITE)


def _window(
    room: Room, *, across: tuple[float, float], up: tuple[float, float]
) -> None:
    """Draw a window in the back wall: frame, bright panes, perhaps the land outside."""
    room.panel(across, up, fill=WHITE)
    panes = 2 + int(room.scene.rng.integers(2))
    room.grid(across, up, near=1.0, count=(panes, 2), fill=GLASS, gap=0.06)
    if room.scene.chance(0.5):
        land = (up[0] + 0.04, up[0] + 0.35 * (up[1] - up[0]))
        room.grid(across, land, near=1.0, count=(panes, 1), fill=(150, 168, 130))


def _side_window(room: Room, *, across: float) -> None:
    """Draw a window in a side wall, and the light it throws on the floor."""
    near, far = room.scene.between(1.5, 2.1), room.scene.between(1.1, 1.3)
    low, high = room.scene.between(0.25, 0.4), room.scene.between(0.75, 0.9)
    frame = [(across, low, far), (across, high, far)]
    frame += [(across, high, near), (across, low, near)]
    room.quad(frame, fill=GLASS)
    inward = 0.5 if across == 0.0 else -0.5
    patch = [(across + inward * 0.3, 0, far), (across + inward, 0, far)]
    patch += [(across + inward * 1.1, 0, near), (across + inward * 0.4, 0, near)]
    room.quad(patch, fill=(250, 240, 214))


def _openings(room: Room) -> None:
    """Give the room its daylight: in the back wall, in a side wall, or in both."""
    scene = room.scene
    start = scene.between(0.05, 0.6)
    if scene.chance(0.65):
        stop = start + scene.between(0.2, 0.38)
        low = scene.between(0.3, 0.5)
        _window(room, across=(start, stop), up=(low, scene.between(0.75, 0.92)))
    if scene.chance(0.6):
        _side_window(room, across=float(scene.rng.integers(2)))


def _pictures(room: Room) -> None:
    scene = room.scene
    for _ in range(1 + int(scene.rng.integers(3))):
        start, low = scene.between(0.05, 0.8), scene.between(0.48, 0.62)
        across = (start, start + scene.between(0.08, 0.18))
        up = (low, low + scene.between(0.12, 0.25))
        room.panel(across, up, fill=DARK)
        room.grid(across, up, near=1.0, count=(1, 1), fill=scene.pick(CLOTHS), gap=0.1)


def _lamp(room: Room, *, across: float, near: float) -> None:
    x, y = room.at(across, 0.82, near)
    top = room.at(across, 1.0, near)
    room.scene.box((x - 0.003, y), (x + 0.003, top[1]), fill=DARK)
    room.scene.disc((x, y), radius=0.018 * near, fill=(255, 246, 214))


def _rug(room: Room) -> None:
    scene = room.scene
    a0, n0 = scene.between(0.0, 0.35), scene.between(1.2, 1.5)
    a1, n1 = a0 + scene.between(0.4, 0.7), n0 + scene.between(0.5, 1.1)
    colour = scene.pick(CLOTHS)
    room.quad([(a0, 0, n0), (a1, 0, n0), (a1, 0, n1), (a0, 0, n1)], fill=colour)
    inner = [(a0 + 0.06, 0, n0 + 0.08), (a1 - 0.06, 0, n0 + 0.08)]
    inner += [(a1 - 0.06, 0, n1 - 0.1), (a0 + 0.06, 0, n1 - 0.1)]
    room.quad(inner, fill=shade(colour, by=1.3))


def kitchen(scene: Scene) -> None:
    """Draw cupboards, a counter with its tiles, a fridge, perhaps an island."""
    room = _room(scene, floors=(tiles, planks))
    wood = WHITE if scene.chance(0.4) else scene.pick(WOODS)
    stone: Colour = DARK if scene.chance(0.4) else (226, 222, 216)
    doors = shade(wood, by=0.9)
    room.grid((0, 1), (0.4, 0.62), near=1.0, count=(16, 4), fill=WALLS[4], gap=0.06)
    hole = scene.between(0.2, 0.7)
    _window(room, across=(hole, hole + 0.2), up=(0.48, 0.85))
    for across in ((0.0, hole - 0.02), (hole + 0.22, 1.0)):
        room.block(across, (0.62, 0.96), (1.0, 1.08), fill=wood)
        count = (max(1, round((across[1] - across[0]) * 8)), 1)
        room.grid(across, (0.62, 0.96), near=1.08, count=count, fill=doors)
    room.block((0, 1), (0, 0.38), (1.0, 1.16), fill=wood, top=stone)
    room.grid((0, 1), (0.03, 0.34), near=1.16, count=(8, 1), fill=doors)
    oven = scene.between(0.1, 0.75)
    room.panel((oven, oven + 0.16), (0.02, 0.36), near=1.17, fill=STEEL)
    room.panel((oven + 0.02, oven + 0.14), (0.08, 0.24), near=1.17, fill=DARK)
    _fridge(room, across=(-0.02, 0.17) if scene.chance(0.5) else (0.84, 1.02))
    if scene.chance(0.75):
        _island(room, wood=wood, stone=stone)


def _fridge(room: Room, *, across: tuple[float, float]) -> None:
    room.block(across, (0, 0.82), (1.0, 1.3), fill=STEEL)
    room.grid(across, (0, 0.82), near=1.3, count=(2, 1), fill=shade(STEEL, by=1.1))


def _island(room: Room, *, wood: Colour, stone: Colour) -> None:
    scene = room.scene
    start, near = scene.between(0.05, 0.4), scene.between(1.55, 1.9)
    stop = start + scene.between(0.35, 0.6)
    room.block((start, stop), (0, 0.34), (near, near + 0.5), fill=wood)
    slab = (start - 0.03, stop + 0.03)
    room.block(slab, (0.34, 0.38), (near - 0.05, near + 0.55), fill=stone, top=stone)
    for across in (start + 0.1, stop - 0.1):
        _lamp(room, across=across, near=near + 0.2)


def living(scene: Scene) -> None:
    """Draw a sofa before a window, a rug, perhaps a fireplace."""
    room = _room(scene, floors=(planks, carpet, tiles))
    _openings(room)
    _pictures(room)
    if scene.chance(0.45):
        _fireplace(room)
    _rug(room)
    cloth = scene.pick(CLOTHS)
    start, near = scene.between(-0.1, 0.4), scene.between(1.3, 1.8)
    stop = start + scene.between(0.4, 0.65)
    room.block((start, stop), (0, 0.34), (near, near + 0.12), fill=cloth)
    room.block((start, stop), (0, 0.17), (near + 0.12, near + 0.45), fill=cloth)
    room.grid(
        (start, stop),
        (0.17, 0.32),
        near=near + 0.13,
        count=(3, 1),
        fill=shade(scene.pick(CLOTHS), by=1.1),
    )
    table = scene.between(0.1, 0.7)
    room.block(
        (table, table + 0.25),
        (0, 0.12),
        (near + 0.5, near + 0.75),
        fill=scene.pick(WOODS),
    )


def _fireplace(room: Room) -> None:
    start = room.scene.between(0.1, 0.65)
    room.block((start, start + 0.28), (0, 1), (1.0, 1.06), fill=(168, 156, 146))
    room.panel((start + 0.06, start + 0.22), (0.04, 0.28), near=1.06, fill=DARK)
    room.panel(
        (start + 0.1, start + 0.18), (0.05, 0.15), near=1.06, fill=(240, 150, 60)
    )
    room.panel((start + 0.03, start + 0.25), (0.48, 0.72), near=1.06, fill=DARK)


def dining(scene: Scene) -> None:
    """Draw a table with chairs under a lamp."""
    room = _room(scene, floors=(planks, tiles))
    _openings(room)
    _pictures(room)
    start, near = scene.between(0.1, 0.4), scene.between(1.4, 1.7)
    stop, wood, cloth = start + 0.5, scene.pick(WOODS), scene.pick(CLOTHS)
    for across in np.linspace(start + 0.02, stop - 0.12, 3):
        seat = (float(across), float(across) + 0.1)
        room.block(seat, (0, 0.42), (near - 0.2, near - 0.15), fill=cloth)
    for leg in (start + 0.03, stop - 0.06):
        room.block((leg, leg + 0.03), (0, 0.28), (near + 0.5, near + 0.55), fill=wood)
    room.block((start, stop), (0.28, 0.32), (near, near + 0.6), fill=wood)
    for across in np.linspace(start + 0.04, stop - 0.14, 2):
        seat = (float(across), float(across) + 0.1)
        room.block(seat, (0, 0.4), (near + 0.75, near + 0.8), fill=cloth)
    _lamp(room, across=(start + stop) / 2, near=near + 0.2)


def bedroom(scene: Scene) -> None:
    """Draw a bed between two tables."""
    room = _room(scene, floors=(carpet, planks))
    _openings(room)
    _pictures(room)
    if scene.chance(0.5):
        _rug(room)
    start = scene.between(0.02, 0.5)
    stop = start + scene.between(0.34, 0.5)
    cloth, wood = scene.pick(CLOTHS), scene.pick(WOODS)
    room.panel((start - 0.02, stop + 0.02), (0, scene.between(0.4, 0.6)), fill=wood)
    for across in ((start - 0.16, start - 0.03), (stop + 0.03, stop + 0.16)):
        room.block(across, (0, 0.24), (1.0, 1.15), fill=wood)
        x, y = room.at(sum(across) / 2, 0.36, 1.08)
        scene.disc((x, y), radius=0.02, fill=(255, 244, 206))
    foot = scene.between(1.6, 2.2)
    room.block((start, stop), (0, 0.2), (1.02, foot), fill=cloth)
    pillows = shade(WHITE, by=scene.between(0.85, 1.0))
    room.grid((start, stop), (0.2, 0.34), near=1.1, count=(2, 1), fill=pillows)
    middle = (1.1 + foot) / 2
    throw = [
        (start, 0.2, middle),
        (stop, 0.2, middle),
        (stop, 0.2, foot),
        (start, 0.2, foot),
    ]
    room.quad(throw, fill=scene.pick(CLOTHS))


def bathroom(scene: Scene) -> None:
    """Draw a basin, a mirror and a tub on tiles."""
    room = _room(scene, floors=(tiles,), wide=(0.36, 0.6))
    room.grid((0, 1), (0.04, 0.5), near=1.0, count=(12, 5), fill=WALLS[1], gap=0.05)
    start, wood = scene.between(0.0, 0.45), scene.pick(WOODS)
    stop = start + scene.between(0.35, 0.5)
    room.panel((start, stop), (0.5, 0.9), fill=STEEL)
    room.grid((start, stop), (0.5, 0.9), near=1.0, count=(1, 1), fill=GLASS, gap=0.05)
    room.block((start, stop), (0, 0.36), (1.0, 1.25), fill=wood, top=WHITE)
    room.grid(
        (start, stop), (0.04, 0.3), near=1.25, count=(3, 1), fill=shade(wood, by=0.8)
    )
    if scene.chance(0.6):
        wider_right = start < 1 - stop
        tub = (stop + 0.02, 1.0) if wider_right else (0.0, start - 0.02)
        room.block(tub, (0, 0.28), (1.2, 2.0), fill=WHITE, top=(206, 220, 226))
    else:
        seat = stop + 0.08 if start < 1 - stop else start - 0.22
        room.block((seat, seat + 0.13), (0.2, 0.42), (1.0, 1.1), fill=WHITE)
        room.block((seat, seat + 0.13), (0, 0.2), (1.1, 1.35), fill=WHITE)
    if scene.chance(0.5):
        _side_window(room, across=float(scene.rng.integers(2)))
    _lamp(room, across=(start + stop) / 2, near=1.1)


def laundry(scene: Scene) -> None:
    """Draw two machines under a shelf."""
    room = _room(scene, floors=(tiles,), wide=(0.4, 0.6))
    wood, start = scene.pick(WOODS), scene.between(0.02, 0.3)
    room.block((0, 1), (0.66, 0.95), (1.0, 1.12), fill=wood)
    room.grid((0, 1), (0.66, 0.95), near=1.12, count=(5, 1), fill=shade(wood, by=1.15))
    for left in (start, start + 0.34):
        room.block((left, left + 0.32), (0, 0.42), (1.0, 1.35), fill=WHITE)
        centre = room.at(left + 0.16, 0.2, 1.35)
        radius = 0.13 * (room.right - room.left)
        scene.disc(centre, radius=radius, fill=STEEL)
        scene.disc(centre, radius=radius * 0.75, fill=DARK)


def garage(scene: Scene) -> None:
    """Draw shelves on bare walls over concrete."""
    room = _room(scene, floors=(concrete,), wide=(0.55, 0.8))
    start = scene.between(0.02, 0.3)
    stop, high = start + scene.between(0.45, 0.65), scene.between(0.68, 0.85)
    room.panel((start, stop), (0, high), fill=STEEL)
    room.grid((start, stop), (0, high), near=1.0, count=(5, 4), fill=WHITE, gap=0.08)
    shelf = (0.0, 0.14) if start > 1 - stop else (0.86, 1.0)
    for low in (0.15, 0.4, 0.65):
        room.block(shelf, (low, low + 0.16), (1.0, 1.3), fill=scene.pick(CLOTHS))
    body, near = scene.pick(CLOTHS), scene.between(1.3, 1.6)
    car = scene.between(0.1, 0.5)
    room.block((car, car + 0.4), (0.05, 0.26), (near, near + 0.7), fill=body)
    room.block((car + 0.04, car + 0.36), (0.26, 0.42), (near, near + 0.4), fill=DARK)


def office(scene: Scene) -> None:
    """Draw a desk with a screen and a bookcase."""
    room = _room(scene, floors=(planks, carpet))
    _openings(room)
    shelf = scene.between(0.0, 0.7)
    room.block((shelf, shelf + 0.26), (0, 0.9), (1.0, 1.08), fill=scene.pick(WOODS))
    for row in range(4):
        for book in range(6):
            left, low = shelf + 0.02 + book * 0.037, 0.05 + row * 0.21
            high = low + scene.between(0.1, 0.17)
            room.panel(
                (left, left + 0.03), (low, high), near=1.08, fill=scene.pick(CLOTHS)
            )
    desk, near = scene.between(0.05, 0.5), scene.between(1.3, 1.7)
    room.block(
        (desk, desk + 0.45), (0, 0.28), (near, near + 0.35), fill=scene.pick(WOODS)
    )
    room.panel((desk + 0.1, desk + 0.34), (0.32, 0.52), near=near + 0.1, fill=DARK)
    room.block((desk + 0.15, desk + 0.3), (0, 0.4), (near + 0.5, near + 0.6), fill=DARK)


def hallway(scene: Scene) -> None:
    """Draw a narrow room that ends in a door."""
    room = _room(scene, floors=(planks, tiles, carpet), wide=(0.2, 0.34))
    room.panel((0.2, 0.8), (0, 0.8), fill=scene.pick(WOODS))
    for across in (0.0, 1.0):
        for far in (1.15, 2.0):
            if scene.chance(0.7):
                near = far * scene.between(1.25, 1.5)
                door = [(across, 0, far), (across, 0.8, far)]
                door += [(across, 0.8, near), (across, 0, near)]
                room.quad(door, fill=scene.pick((WHITE, *WOODS, GLASS)))
    for near in (1.2, 2.0, 3.2):
        x, y = room.at(0.5, 1.0, near)
        scene.disc((x, y), radius=0.012 * near, fill=(255, 248, 224))
