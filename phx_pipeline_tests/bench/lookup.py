#!/usr/bin/env python
"""The lookup across properties at several sizes, on SQLite and PostgreSQL.

    python -m phx_pipeline_tests.bench.lookup 3000 100000 1000000

A JSON line per engine and size: 40 hashes of a house are looked up among so many, from
a cold start. Beside it: plain numpy over the same loaded hashes, and 8 bands of 8 bits.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TypeVar

import click
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from phx_pipeline.catalog.engine import open_engine, reading
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.dedup.lookup import near
from phx_pipeline.errors import InputError
from phx_pipeline_tests.bare_hashes import add_hashes
from phx_pipeline_tests.postgres import NoPostgresError, throwaway_postgres

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


def measure_lookup(count: int, *, url: str) -> LookupFigures:
    """Fill the database and look up a batch, once cold and then again."""
    hashes = _made_hashes(count)
    wanted = _flipped(hashes[:: count // _BATCH][:_BATCH], seed=2)
    engine = open_engine(url)
    upgrade(engine)
    with wall_ms() as write:
        _write(engine, hashes)
    engine.dispose()
    with wall_ms() as load:
        fresh = open_engine(url)
        stored = _phashes(fresh)
    fresh.dispose()
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


def _made_hashes(count: int) -> NDArray[np.uint64]:
    """Return random hashes, three in ten of them near copies of others."""
    rng = np.random.default_rng(1)
    fresh = rng.integers(0, 2**64, count - count * 3 // 10, dtype=np.uint64)
    copied = _flipped(rng.choice(fresh, count * 3 // 10), seed=3)
    return np.concatenate([fresh, copied])


def _flipped(hashes: NDArray[np.uint64], *, seed: int) -> NDArray[np.uint64]:
    """Flip 0 to 12 bits of each."""
    rng = np.random.default_rng(seed)
    order = rng.random((len(hashes), 64)).argsort(axis=1)[:, :12].astype(np.uint64)
    flips = np.where(
        np.arange(12) < rng.integers(0, 13, (len(hashes), 1)), np.uint64(1) << order, 0
    )
    flipped: NDArray[np.uint64] = hashes ^ np.bitwise_or.reduce(
        flips.astype(np.uint64), axis=1
    )
    return flipped


def _write(engine: sa.Engine, hashes: NDArray[np.uint64]) -> None:
    for start in range(0, len(hashes), _WRITTEN_AT_ONCE):
        part = hashes[start : start + _WRITTEN_AT_ONCE].tolist()
        add_hashes(
            engine,
            (
                (sha256(str(number).encode()).hexdigest(), value, 0)
                for number, value in enumerate(part, start=start)
            ),
        )
        click.echo(f"written: {start + len(part)}", err=True)


def _phashes(engine: sa.Engine) -> NDArray[np.uint64]:
    """The pHash of every blob, packed: a row each would take several times as long."""
    with reading(engine) as connection:
        if engine.dialect.name == "postgresql":
            query = sa.text("select string_agg(int8send(phash), ''::bytea) from blob")
            packed = bytes(connection.execute(query).scalar_one() or b"")
            return np.frombuffer(packed, dtype=">u8").astype(np.uint64)
        query = sa.text("select group_concat(phash, ' ') from blob")
        joined = connection.execute(query).scalar_one() or ""
        return np.fromstring(joined, dtype=np.int64, sep=" ").view(np.uint64)


def _brute_force(wanted: NDArray[np.uint64], stored: NDArray[np.uint64]) -> int:
    return sum(
        len(np.flatnonzero(np.bitwise_count(stored ^ value) <= _MAX_PHASH))
        for value in wanted
    )


class _Bands:
    """The index compared with: hashes by each of their 8 bytes.

    A pair is found when one byte is equal; at distance 8 that is not certain.
    """

    def __init__(self, stored: NDArray[np.uint64]) -> None:
        self._stored = stored
        columns = stored.view(np.uint8).reshape(-1, 8)
        self._orders = [np.argsort(column, kind="stable") for column in columns.T]
        self._starts = [
            np.searchsorted(column[order], np.arange(257))
            for column, order in zip(columns.T, self._orders, strict=True)
        ]

    def count_near(self, value: np.uint64) -> int:
        """Return how many stored hashes it finds within the distance."""
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


@contextmanager
def wall_ms() -> Iterator[list[float]]:
    """Measure what passes on the wall."""
    spent = [0.0]
    start = time.perf_counter()
    yield spent
    spent[0] = (time.perf_counter() - start) * 1000


@click.command()
@click.argument("sizes", nargs=-1, type=int, required=True)
@click.option("--engine", type=click.Choice(["sqlite", "postgres"]), multiple=True)
def main(sizes: tuple[int, ...], *, engine: tuple[str, ...]) -> None:
    """Measure each of SIZES on each engine; without a server PostgreSQL is left out."""
    for name in engine or ("sqlite", "postgres"):
        for size in sizes:
            try:
                with _database(name) as url:
                    figures = asdict(measure_lookup(size, url=url))
            except NoPostgresError as error:
                click.echo(f"{name}: left out: {error}", err=True)
                break
            rounded = {key: round(value, 3) for key, value in figures.items()}
            click.echo(json.dumps({"engine": name, **rounded}))


@contextmanager
def _database(engine: str) -> Iterator[str]:
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/phx.db"
        return
    with throwaway_postgres() as server:
        yield server.create("bench")


if __name__ == "__main__":
    main()
