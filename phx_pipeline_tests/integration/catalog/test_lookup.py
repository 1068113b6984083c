"""Looking pictures up by pHash, on both databases."""

from dataclasses import replace

import numpy as np
import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.model.photo import PictureHashes
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


def test_every_hash_is_read_with_all_its_bits(stored: Catalog) -> None:
    phashes = stored.lookup.phashes()

    assert phashes.dtype == np.uint64
    assert sorted(phashes.tolist()) == sorted([HASHES[0], *HASHES])


def test_an_empty_catalogue_has_no_hashes(catalog: Catalog) -> None:
    assert catalog.lookup.phashes().tolist() == []


def test_blobs_are_found_by_their_hash(stored: Catalog) -> None:
    found = stored.lookup.blobs_with([0, TOP])

    assert [it.sha256 for it in found] == sorted(
        blob_of(key).sha256 for key in ("0", "1", "3")
    )
    assert {(it.phash, it.dhash) for it in found} == {(0, 0), (0, 1), (TOP, 3)}


def test_more_hashes_than_a_statement_holds_are_found(stored: Catalog) -> None:
    found = stored.lookup.blobs_with(range(40_000))

    assert {it.phash for it in found} == {0, 1}


def test_no_hash_finds_no_blob(stored: Catalog) -> None:
    assert stored.lookup.blobs_with([]) == []
