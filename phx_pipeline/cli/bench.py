"""`phx bench`: figures of this machine, beside those of other ways in the same run."""

import csv
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.table import Table

from phx_pipeline.cli.console import console, errors
from phx_pipeline.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phx_pipeline.catalog.lookup import HashLookup
    from phx_pipeline.dedup.cluster import Candidate
    from phx_pipeline.dedup.evaluate import Pair, Score

_T = TypeVar("_T")
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"}
_BATCH = 40  # photos of a property
_ROUNDS = 7
_WRITTEN_AT_ONCE = 20_000
_MAX_PHASH, _MAX_DHASH = 8, 10  # of the rule compared with


@click.group()
def bench() -> None:
    """Measure parts of the pipeline on this machine.

    \b
    Example:
      phx bench lookup -n 100000
    """


# --- duplicates


@bench.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the columns file and group; default: {group}_{anything}.jpg.",
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def dedup(folder: Path, *, labels: Path | None, as_json: bool) -> None:
    """Find duplicates in a FOLDER of pictures whose groups are known.

    Pictures of one group are copies of each other, all others are not. All of them are
    compared as if one property had them.

    \b
    Examples:
      phx bench dedup ~/pairs
      phx bench dedup ~/photos --labels groups.csv --json
    """
    groups = _labelled(folder, labels)
    with _cpu_ms() as spent:
        candidates = [_candidate(file) for file in groups]
    prepared = spent[0] / len(groups)
    scores = _scores(list(groups.values()), candidates)
    peer = _imagehash_pairs(list(groups))
    scores["imagehash, pHash <= 8 and dHash <= 10"] = _of_pairs(groups, peer)
    scores["the same through 8 x 8 bands"] = _of_pairs(
        groups, [pair for pair in peer if _share_a_band(*pair, candidates)]
    )
    if as_json:
        found = {name: _plain(score) for name, score in scores.items()}
        click.echo(json.dumps({"prepare_cpu_ms": prepared, "rules": found}, indent=2))
        return
    console.print(_score_table(scores))
    console.print(f"decode, hashes, thumbnail: {prepared:.1f} ms CPU per picture")


def _labelled(folder: Path, labels: Path | None) -> dict[Path, str]:
    """Return the group of each picture, by path in order of names."""
    if labels is None:
        files = sorted(it for it in folder.iterdir() if it.suffix.lower() in _SUFFIXES)
        groups = {file: file.stem.rpartition("_")[0] or file.stem for file in files}
    else:
        with labels.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if not rows or not {"file", "group"} <= rows[0].keys():
            raise InputError(f"{labels}: needs the columns file and group")
        groups = {folder / row["file"]: row["group"] for row in rows}
    if not groups:
        raise InputError(f"{folder}: no pictures ({', '.join(sorted(_SUFFIXES))})")
    if missing := [file for file in groups if not file.is_file()]:
        raise InputError(f"{missing[0]}: no such file")
    return groups


def _candidate(file: Path) -> "Candidate":
    from phx_pipeline.dedup.align import appearance
    from phx_pipeline.dedup.cluster import Candidate
    from phx_pipeline.dedup.hashes import picture_hashes
    from phx_pipeline.imaging.decode import decode

    image = decode(file.read_bytes()).image
    return Candidate(
        sha256=file.name,
        width=image.width,
        height=image.height,
        hashes=picture_hashes(image),
        appearance=appearance(image),
    )


def _scores(
    groups: Sequence[str], candidates: Sequence["Candidate"]
) -> dict[str, "Score"]:
    from dataclasses import replace

    from phx_pipeline.dedup.cluster import cluster
    from phx_pipeline.dedup.evaluate import score_clusters

    numbered = [replace(it, sha256=str(index)) for index, it in enumerate(candidates)]
    bare = [replace(it, appearance=None) for it in numbered]
    return {
        "phx": score_clusters(groups, cluster(numbered)),
        "phx, hashes only": score_clusters(groups, cluster(bare)),
    }


def _of_pairs(groups: Mapping[Path, str], pairs: Sequence["Pair"]) -> "Score":
    from phx_pipeline.dedup.evaluate import score_pairs

    return score_pairs(list(groups.values()), pairs)


def _imagehash_pairs(files: Sequence[Path]) -> list["Pair"]:
    """Return the pairs within both distances, hashed by the library itself."""
    import imagehash
    from PIL import Image

    hashed = []
    for file in files:
        with Image.open(file) as image:
            hashed.append((imagehash.phash(image), imagehash.dhash(image)))
    return [
        (a, b)
        for a, b in combinations(range(len(hashed)), 2)
        if hashed[a][0] - hashed[b][0] <= _MAX_PHASH
        and hashed[a][1] - hashed[b][1] <= _MAX_DHASH
    ]


def _share_a_band(a: int, b: int, candidates: Sequence["Candidate"]) -> bool:
    differing = candidates[a].hashes.phash ^ candidates[b].hashes.phash
    return 0 in differing.to_bytes(8, "big")


def _plain(score: "Score") -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(score), "precision": score.precision, "recall": score.recall}


def _score_table(scores: Mapping[str, "Score"]) -> Table:
    first = next(iter(scores.values()))
    title = f"{first.pictures} pictures of {first.photos} photos, {first.pairs} pairs"
    table = Table("rule", title=title)
    for column in ("precision", "recall", "wrong pairs", "photos lost", "copies left"):
        table.add_column(column, justify="right")
    for name, it in scores.items():
        cells = (it.merged - it.right, it.lost, it.left_in)
        table.add_row(name, f"{it.precision:.5f}", f"{it.recall:.5f}", *map(str, cells))
    return table


# --- lookup across properties


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupFigures:
    """Wall times in ms; searches are for a batch of 40 hashes, best of seven."""

    stored: int
    write_us_per_row: float
    load_ms: float
    search_ms: float
    numpy_ms: float
    bands_build_ms: float
    bands_ms: float
    found: int
    found_by_bands: int


@bench.command()
@click.option("-n", "count", type=click.IntRange(1000), default=100_000)
@click.option("--url", help="Another database than a temporary SQLite file.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def lookup(*, count: int, url: str | None, as_json: bool) -> None:
    """Look up a property's 40 hashes among COUNT stored ones, from a cold start.

    Beside it: plain numpy over the same loaded hashes, and 8 bands of 8 bits. A
    database given by --url must be empty; the rows stay in it.

    \b
    Examples:
      phx bench lookup -n 1000000
      phx bench lookup -n 100000 --json
    """
    with tempfile.TemporaryDirectory() as folder:
        figures = measure_lookup(count, url=url or f"sqlite:///{folder}/phx.db")
    plain = {name: getattr(figures, name) for name in LookupFigures.__slots__}
    if as_json:
        click.echo(json.dumps(plain, indent=2))
        return
    for name, value in plain.items():
        console.print(f"{name:>18} {value:12,.3f}".removesuffix(".000"))


def measure_lookup(count: int, *, url: str) -> LookupFigures:
    """Fill the database and look up a batch, once cold and then again."""
    import numpy as np

    from phx_pipeline.catalog.engine import open_engine
    from phx_pipeline.catalog.lookup import HashLookup
    from phx_pipeline.catalog.migrate import upgrade
    from phx_pipeline.dedup.lookup import near

    hashes = _made_hashes(count)
    wanted = _flipped(hashes[:: count // _BATCH][:_BATCH], seed=2)
    engine = open_engine(url)
    upgrade(engine)
    with _wall_ms() as write:
        _write(HashLookup(engine), hashes)
    engine.dispose()
    with _wall_ms() as load:
        stored = HashLookup(open_engine(url)).phashes()
    if not np.array_equal(np.sort(stored), np.sort(hashes)):
        raise InputError(f"{url}: holds other hashes; give an empty database")
    found, search_ms = _best(lambda: near(wanted, stored, max_distance=_MAX_PHASH))
    plain, numpy_ms = _best(lambda: _brute_force(wanted, stored))
    with _wall_ms() as build:
        bands = _Bands(stored)
    banded, bands_ms = _best(lambda: sum(map(bands.count_near, wanted)))
    if len(found.wanted) != plain:
        raise AssertionError("the search is not exact")
    return LookupFigures(
        stored=count,
        write_us_per_row=write[0] * 1000 / count,
        load_ms=load[0],
        search_ms=search_ms,
        numpy_ms=numpy_ms,
        bands_build_ms=build[0],
        bands_ms=bands_ms,
        found=plain,
        found_by_bands=banded,
    )


def _made_hashes(count: int) -> "NDArray[np.uint64]":
    """Return random hashes, three in ten of them near copies of others."""
    import numpy as np

    rng = np.random.default_rng(1)
    fresh = rng.integers(0, 2**64, count - count * 3 // 10, dtype=np.uint64)
    copied = _flipped(rng.choice(fresh, count * 3 // 10), seed=3)
    return np.concatenate([fresh, copied])


def _flipped(hashes: "NDArray[np.uint64]", *, seed: int) -> "NDArray[np.uint64]":
    """Flip 0 to 12 bits of each."""
    import numpy as np

    rng = np.random.default_rng(seed)
    order = rng.random((len(hashes), 64)).argsort(axis=1)[:, :12].astype(np.uint64)
    flips = np.where(
        np.arange(12) < rng.integers(0, 13, (len(hashes), 1)), np.uint64(1) << order, 0
    )
    flipped: NDArray[np.uint64] = hashes ^ np.bitwise_or.reduce(
        flips.astype(np.uint64), axis=1
    )
    return flipped


def _write(stored: "HashLookup", hashes: "NDArray[np.uint64]") -> None:
    from hashlib import sha256

    from phx_pipeline.catalog.lookup import HashedBlob

    for start in range(0, len(hashes), _WRITTEN_AT_ONCE):
        part = hashes[start : start + _WRITTEN_AT_ONCE].tolist()
        stored.add(
            HashedBlob(
                sha256=sha256(str(number).encode()).hexdigest(), phash=value, dhash=0
            )
            for number, value in enumerate(part, start=start)
        )
        errors.print(f"written: {start + len(part)}")


def _brute_force(wanted: "NDArray[np.uint64]", stored: "NDArray[np.uint64]") -> int:
    import numpy as np

    return sum(
        len(np.flatnonzero(np.bitwise_count(stored ^ value) <= _MAX_PHASH))
        for value in wanted
    )


class _Bands:
    """The index compared with: hashes by each of their 8 bytes.

    A pair is found when one byte is equal; at distance 8 that is not certain.
    """

    def __init__(self, stored: "NDArray[np.uint64]") -> None:
        import numpy as np

        self._stored = stored
        columns = stored.view(np.uint8).reshape(-1, 8)
        self._orders = [np.argsort(column, kind="stable") for column in columns.T]
        self._starts = [
            np.searchsorted(column[order], np.arange(257))
            for column, order in zip(columns.T, self._orders, strict=True)
        ]

    def count_near(self, value: "np.uint64") -> int:
        """Return how many stored hashes it finds within the distance."""
        import numpy as np

        buckets = [
            order[starts[byte] : starts[byte + 1]]
            for byte, order, starts in zip(
                value.tobytes(), self._orders, self._starts, strict=True
            )
        ]
        candidates = np.unique(np.concatenate(buckets))
        distances = np.bitwise_count(self._stored[candidates] ^ value)
        return int((distances <= _MAX_PHASH).sum())


def _best(call: Callable[[], _T]) -> tuple[_T, float]:
    results, times = [], []
    for _ in range(_ROUNDS):
        with _wall_ms() as spent:
            results.append(call())
        times.append(spent[0])
    return results[-1], min(times)


@contextmanager
def _wall_ms() -> Iterator[list[float]]:
    spent = [0.0]
    start = time.perf_counter()
    yield spent
    spent[0] = (time.perf_counter() - start) * 1000


@contextmanager
def _cpu_ms() -> Iterator[list[float]]:
    spent = [0.0]
    start = time.process_time()
    yield spent
    spent[0] = (time.process_time() - start) * 1000
