"""The Phoenix MLS by its public site, from an address to filed photos."""

import asyncio
from pathlib import Path

import pytest

from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.phoenix_mls_site import phoenix_mls_sites
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.model.outcome import ListingOutcome, VerdictKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.phoenix_mls.standin import (
    PAGE_HOST,
    listing_page,
    listing_path,
)
from phx_pipeline.sources.phoenix_mls.standin_photos import uploads
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.views import refresh_views
from phx_pipeline.workflows.ingest import house_of, ingest
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.deployment import SMALLEST, Deployment, with_shots

HOUSE = with_shots(SMALLEST, 0, 1, 2)
BOTH = (Source.REDFIN, Source.PHOENIX_MLS)


def keys_of(house: House) -> list[str]:
    return [upload.key for upload in uploads(house)]


def test_from_an_address_to_filed_photos_each_once_at_its_best_copy(
    tmp_path: Path,
) -> None:
    sites = redfin_sites([HOUSE]) | phoenix_mls_sites([HOUSE, HOUSES[0]])
    with Deployment(tmp_path, sites, sources=BOTH) as made:
        (slug,) = made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(extract(context, slug))
            refresh_views(context)
            photos = context.catalog.photos(slug)
            faults = verify_property(context, slug)
            tally = context.tally(slug)
        files = [name for name in made.files() if name.endswith(".png")]
        pages = [it.target for it in made.standin.asked if it.host == PAGE_HOST]

    own = [photo for photo in photos if photo.ref.source is Source.PHOENIX_MLS]
    assert [photo.ref.photo_key for photo in own] == keys_of(HOUSE)
    assert (faults, tally.is_complete) == ([], True)
    # The second shows no more than the smaller one of the other site, which has more
    # bytes a pixel; the original of the third is gone, so it is the coarser one.
    kept = [photo.verdict.kind is VerdictKind.KEPT for photo in own]
    assert kept == [True, False, False, True]
    assert "/1280x1024/true/" in str(own[2].fetched_url)
    day = f"{HOUSE.record.listed_on:%Y%m%d}"
    assert len([name for name in files if f"_p_{day}" in name]) == sum(kept)
    assert len(files) == len(own)
    assert pages[0].startswith("/mls/search/?StreetAddress=")
    assert pages[1:] == [listing_path(HOUSE, HOUSE.record)]


def test_a_refusal_is_one_and_what_is_kept_of_it_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = listing_page(HOUSE, others=(HOUSES[0],))
    monkeypatch.setattr("phx_pipeline.demo.phoenix_mls_site._REFUSAL", page)
    sites = phoenix_mls_sites([HOUSE], blocked=frozenset({PAGE_HOST}))
    with Deployment(tmp_path, sites, sources=(Source.PHOENIX_MLS,)) as made:
        (slug,) = made.add_houses([HOUSE])
        with made.context() as context:
            asyncio.run(extract(context, slug))
            (source,) = context.tally(slug).sources
            (kept,) = context.layout.quarantined_pages("phoenix_mls").iterdir()
            text = kept.read_text()

    assert source.outcome is ListingOutcome.BLOCKED
    assert "MLS#" in text
    assert "An Agent" not in text
    assert "An Office" not in text


def test_its_saved_page_is_read(tmp_path: Path) -> None:
    saved = tmp_path / "saved.html"
    saved.write_bytes(listing_page(HOUSE, others=(HOUSES[0],)))
    with Deployment(tmp_path / "made", {}, sources=(Source.PHOENIX_MLS,)) as made:
        (slug,) = made.add_houses([HOUSE])
        with made.context() as context:
            listing = ingest(context, slug, saved)
            house = house_of(context, saved)

    assert (listing.source, listing.complete) == (Source.PHOENIX_MLS, True)
    assert [photo.photo_key for photo in listing.photos] == keys_of(HOUSE)
    assert house.slug == slug
