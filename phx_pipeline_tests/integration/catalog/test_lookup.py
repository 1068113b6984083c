"""Looking pictures up by pHash, on both databases."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.lookup import BAND_DISTANCE
from phx_pipeline.catalog.migrate import upgrade
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.photo import PictureHashes
from phx_pipeline_tests.bare_hashes import add_hashes
from phx_pipeline_tests.integration.conftest import STAMP, Scene, blob_of

TOP = 1 << 63
HASHES = [0, 1, TOP, TOP | 0xFF, 2**64 - 1]


@pytest.fixture
def stored(scene: Scene) -> Catalog:
    """A catalogue with these pHashes, the first of them twice."""
    scene.list_photos(*map(str, range(len(HASHES) + 1)))
    for key, phash in enumerate([HASHES[0], *HASHES]):
        hashes = PictureHashes(phash=phash, dhash=key, trimmed_phash=0, trimmed_dhash=0)
        photo = scene.photo(str(key))
        scene.catalog.record_download(
            scene.lease,
            photo,
            replace(blob_of(str(key)), hashes=hashes),
            fetched_url=photo.ref.url,
            stamp=STAMP,
        )
    return scene.catalog


def test_blobs_are_found_by_their_hashes(stored: Catalog) -> None:
    found = stored.lookup.sharing_bands([(0, 0), (TOP, 3)])

    same = {(it.phash, it.dhash) for it in found if it.phash in {0, TOP}}
    assert same == {(0, 0), (0, 1), (TOP, 3)}
    assert [it.sha256 for it in found] == sorted(it.sha256 for it in found)


def test_more_hashes_than_a_statement_holds_are_found(stored: Catalog) -> None:
    found = stored.lookup.sharing_bands([(number, number) for number in range(40_000)])

    assert {0, 1} <= {it.phash for it in found}


def test_no_hash_finds_no_blob(stored: Catalog) -> None:
    assert stored.lookup.sharing_bands([]) == []


def near_ones(value: int, *, chance: random.Random) -> Iterator[int]:
    """Hashes at every distance from none to six bits, wherever the bits lie."""
    for bits in range(7):
        flipped = sum(1 << bit for bit in chance.sample(range(64), bits))
        yield value ^ flipped


def test_whatever_is_within_the_bands_distance_shares_bands(
    engine: sa.Engine, catalog: Catalog
) -> None:
    chance = random.Random(7)  # noqa: S311 - pictures, not secrets
    wanted = [(chance.getrandbits(64), chance.getrandbits(64)) for _ in range(30)]
    pairs = [
        (phash, dhash)
        for pair in wanted
        for phash in near_ones(pair[0], chance=chance)
        for dhash in near_ones(pair[1], chance=chance)
    ]
    rows = enumerate(pairs)
    add_hashes(engine, ((f"{number:064x}", *pair) for number, pair in rows))

    found = {(it.phash, it.dhash) for it in catalog.lookup.sharing_bands(wanted)}

    near = {
        (phash, dhash)
        for phash, dhash in pairs
        if any(
            (phash ^ one).bit_count() <= BAND_DISTANCE
            and (dhash ^ other).bit_count() <= BAND_DISTANCE
            for one, other in wanted
        )
    }
    assert near <= found
    assert len(near) >= (BAND_DISTANCE + 1) ** 2 * len(wanted)


def test_other_pictures_are_hardly_ever_read(
    engine: sa.Engine, catalog: Catalog
) -> None:
    chance = random.Random(8)  # noqa: S311 - as above
    add_hashes(
        engine,
        (
            (f"{number:064x}", chance.getrandbits(64), chance.getrandbits(64))
            for number in range(5_000)
        ),
    )
    wanted = [(chance.getrandbits(64), chance.getrandbits(64)) for _ in range(40)]

    assert len(catalog.lookup.sharing_bands(wanted)) <= 50


@pytest.mark.parametrize("band", range(tables.BANDS))
def test_a_band_is_searched_by_its_index(band: int, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'phx.db'}")
    upgrade(engine)
    query = f"select sha256 from blob where {tables.hash_band(band)} in (1, 2)"  # noqa: S608 - no input in it

    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"explain query plan {query}").all()
    engine.dispose()

    assert f"USING INDEX ix_blob_phash_band_{band}" in plan[0][-1]
