"""`phx bench imaging`: processor time from downloaded bytes to a PNG, beside peers."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import click
from rich.table import Table

from phx_pipeline.cli.bench.peer import Peer, open_peer
from phx_pipeline.cli.bench.pictures import pictures_in
from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.options import json_option
from phx_pipeline.errors import ImageError, InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from PIL import Image

_T = TypeVar("_T")

STEPS: Final = ("decode", "hashes", "appearance", "resize", "PNG")
WITHOUT_HASHES: Final = ("decode", "resize", "PNG")

IMAGEHASH: Final = "imagehash twice"
PILLOW: Final = "Pillow thumbnail, PNG 1"
IMG2DATASET: Final = "img2dataset resizer, PNG 1"

_COMPARED = (
    (("hashes",), IMAGEHASH),
    (WITHOUT_HASHES, PILLOW),
    (STEPS, PILLOW),
    (WITHOUT_HASHES, IMG2DATASET),
    (STEPS, IMG2DATASET),
)
_KIB = 1024
_LINES = 10  # of progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Our CPU ms for some steps beside a peer's for what it does."""

    steps: tuple[str, ...]
    ours_ms: float
    peer: str
    peer_ms: float
    ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingFigures:
    """Means per picture: CPU ms of the best round, and KiB.

    `kib` has the files `read`, our `PNG` and those of the peers; `kib_ratios` our PNG
    divided by theirs.
    """

    pictures: int
    cpu_ms: Mapping[str, float]
    compared: Sequence[Compared]
    kib: Mapping[str, float]
    kib_ratios: Mapping[str, float]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "-n",
    "count",
    type=click.IntRange(1),
    metavar="COUNT",
    default=24,
    show_default=True,
    help="Take only the first so many pictures by name.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    metavar="COUNT",
    default=5,
    show_default=True,
    help="Measure each so often; the best round counts.",
)
@click.option(
    "--peer-python",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Use this Python for img2dataset; by default our own, if it has it.",
)
@json_option
def imaging(
    folder: Path, *, count: int, rounds: int, peer_python: Path | None, as_json: bool
) -> None:
    """Measure how long a picture takes: decode, hash, scale, encode.

    Beside it the same bytes go, picture by picture, through imagehash, through Pillow
    and, if it is installed, through img2dataset. The last two hash nothing. Printed is
    the CPU time for each picture, and sizes; a ratio below 1 means that ours takes
    less. A picture of FOLDER that one side cannot read is left out, and named.

    \b
    Examples:
      phx bench imaging ~/photos
      phx bench imaging ~/photos -n 100 --json
    """
    from phx_pipeline.imaging.recipe import DEFAULT_MAX_SIDE

    files = pictures_in(folder)[:count]
    with open_peer(peer_python, max_side=DEFAULT_MAX_SIDE) as peer:
        bodies = [body for file in files if (body := _usable(file, peer)) is not None]
        if not bodies:
            raise InputError(f"{folder}: no picture that all can read")
        figures = measure_imaging(bodies, rounds=rounds, peer=peer)
    if as_json:
        click.echo(json.dumps(asdict(figures), indent=2))
        return
    _show(figures)


def measure_imaging(
    bodies: Sequence[bytes], *, rounds: int, peer: Peer | None = None
) -> ImagingFigures:
    """Measure our steps and the peers on the same bytes, in turns."""
    _measure_one(bodies[0], _Meter(), peer)  # imports, tables made once
    meters = []
    for number in range(rounds):
        meters.append(_Meter())
        for index, body in enumerate(bodies, start=1):
            _measure_one(body, meters[-1], peer)
            _tell(number * len(bodies) + index, total=rounds * len(bodies))
    return _figures(meters, pictures=len(bodies))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meter:
    """CPU seconds and bytes by name, summed over the pictures of a round."""

    cpu_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    size_bytes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def timed(self, name: str, work: Callable[[], _T]) -> _T:
        start = time.process_time()
        result = work()
        self.cpu_s[name] += time.process_time() - start
        return result


def _usable(file: Path, peer: Peer | None) -> bytes | None:
    """Return the bytes of a picture that everybody can read; else say why not."""
    from phx_pipeline.imaging.decode import decode

    body = file.read_bytes()
    try:
        decode(body)
    except ImageError as error:
        errors.print(f"left out: {file.name}: {error}", soft_wrap=True)
        return None
    if peer and (complaint := peer.resize(body).error):
        errors.print(f"left out: {file.name}: img2dataset: {complaint}", soft_wrap=True)
        return None
    return body


def _measure_one(body: bytes, meter: _Meter, peer: Peer | None) -> None:
    from phx_pipeline.dedup.align import appearance
    from phx_pipeline.dedup.hashes import picture_hashes
    from phx_pipeline.imaging.decode import decode
    from phx_pipeline.imaging.png import encode_png
    from phx_pipeline.imaging.standardize import standard_frame

    picture = meter.timed("decode", lambda: decode(body))
    meter.timed("hashes", lambda: picture_hashes(picture.image))
    meter.timed("appearance", lambda: appearance(picture.image))
    frame = meter.timed("resize", lambda: standard_frame(picture))
    png = meter.timed("PNG", lambda: encode_png(frame))
    meter.timed(IMAGEHASH, lambda: _hash_twice(picture.image))
    other = meter.timed(PILLOW, lambda: _thumbnail(body))
    meter.size_bytes["read"] += len(body)
    meter.size_bytes["PNG"] += len(png)
    meter.size_bytes[PILLOW] += len(other)
    if peer:
        resized = peer.resize(body)
        meter.cpu_s[IMG2DATASET] += resized.cpu_s
        meter.size_bytes[IMG2DATASET] += resized.size_bytes


def _hash_twice(image: "Image.Image") -> None:
    """Hash as often as we do, though not another frame the second time."""
    import imagehash

    for _ in range(2):
        imagehash.phash(image)
        imagehash.dhash(image)


def _thumbnail(body: bytes) -> bytes:
    from PIL import Image

    from phx_pipeline.imaging.recipe import DEFAULT_MAX_SIDE

    with Image.open(BytesIO(body)) as image:
        image.thumbnail((DEFAULT_MAX_SIDE, DEFAULT_MAX_SIDE))
        buffer = BytesIO()
        image.convert("RGB").save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _tell(done: int, *, total: int) -> None:
    if done * _LINES // total > (done - 1) * _LINES // total:
        errors.print(f"measured: {done} of {total}")


def _figures(meters: Sequence[_Meter], *, pictures: int) -> ImagingFigures:
    def least_ms(*names: str) -> float:
        return min(sum(it.cpu_s[n] for n in names) for it in meters) / pictures * 1000

    peers = [it for it in (IMAGEHASH, PILLOW, IMG2DATASET) if it in meters[0].cpu_s]
    sizes = meters[0].size_bytes
    cpu_ms = {name: least_ms(name) for name in (*STEPS, *peers)}
    return ImagingFigures(
        pictures=pictures,
        cpu_ms=cpu_ms | {"total": least_ms(*STEPS)},
        compared=[
            Compared(
                steps=steps,
                ours_ms=least_ms(*steps),
                peer=peer,
                peer_ms=cpu_ms[peer],
                ratio=least_ms(*steps) / cpu_ms[peer],
            )
            for steps, peer in _COMPARED
            if peer in peers
        ],
        kib={name: size / pictures / _KIB for name, size in sizes.items()},
        kib_ratios={it: sizes["PNG"] / sizes[it] for it in peers if it in sizes},
    )


def _show(figures: ImagingFigures) -> None:
    pictures = counted(figures.pictures, "picture")
    table = Table("ours", title=f"CPU ms per picture, {pictures}")
    for column in ("ms", "beside", "ms", "ratio"):
        table.add_column(column, justify="left" if column == "beside" else "right")
    for name in STEPS:
        table.add_row(name, f"{figures.cpu_ms[name]:.1f}")
    table.add_section()
    for it in figures.compared:
        steps = "all" if it.steps == STEPS else ", ".join(it.steps)
        times = (f"{it.ours_ms:.1f}", it.peer, f"{it.peer_ms:.1f}", f"{it.ratio:.2f}")
        table.add_row(steps, *times)
    console.print(table)
    kib = figures.kib
    told = [f"read {kib['read']:.0f}", f"PNG {kib['PNG']:.0f}"]
    for peer, ratio in figures.kib_ratios.items():
        told.append(f"{peer} {kib[peer]:.0f} (ratio {ratio:.2f})")
    console.print(f"KiB per picture: {'; '.join(told)}", soft_wrap=True)
