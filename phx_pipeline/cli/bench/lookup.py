"""`phx bench lookup`: time to find the hashes near to a property's among many."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from phx_pipeline.cli.bench.clocks import wall_ms
from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.options import json_option
from phx_pipeline.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phx_pipeline.catalog.lookup import HashLookup

_T = TypeVar("_T")
_BATCH = 40  # photos of a property
_ROUNDS = 7
_WRITTEN_AT_ONCE = 20_000
_MAX_PHASH = 8


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


@click.command()
@click.option(
    "-n",
    "count",
    type=click.IntRange(1000),
    default=100_000,
    show_default=True,
    metavar="COUNT",
    help="Store so many hashes.",
)
@click.option(
    "--url",
    metavar="URL",
    help="Store them in this empty database, where the rows stay; by default in a "
    "temporary SQLite file.",
)
@json_option
def lookup(*, count: int, url: str | None, as_json: bool) -> None:
    """Measure how long finding near hashes takes among many.

    The 40 hashes of a house are looked up among COUNT stored ones, from a cold start.
    Beside it: plain numpy over the same loaded hashes, and 8 bands of 8 bits.

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
    with wall_ms() as write:
        _write(HashLookup(engine), hashes)
    engine.dispose()
    with wall_ms() as load:
        stored = HashLookup(open_engine(url)).phashes()
    if not np.array_equal(np.sort(stored), np.sort(hashes)):
        raise InputError(f"{url}: holds other hashes; give an empty database")
    found, search_ms = _best(lambda: near(wanted, stored, max_distance=_MAX_PHASH))
    plain, numpy_ms = _best(lambda: _brute_force(wanted, stored))
    with wall_ms() as build:
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
        with wall_ms() as spent:
            results.append(call())
        times.append(spent[0])
    return results[-1], min(times)
