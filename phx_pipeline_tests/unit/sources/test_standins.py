"""What the stand-in of a source writes is what the source reads."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from phx_pipeline.demo import standins as shown
from phx_pipeline.demo.houses import HOUSES, House
from phx_pipeline.demo.maricopa_sketches import sketches_of
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import recognise
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.maricopa.standin import parcel_answer
from phx_pipeline.sources.phoenix_mls import standin as phoenix_mls
from phx_pipeline.sources.phoenix_mls import standin_photos as phoenix_mls_photos
from phx_pipeline.sources.redfin.standin import listing_page
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.standin import detail_page
from phx_pipeline.sources.zillow.standin_photos import uploads
from phx_pipeline_tests.expected import expected_verdicts

Others = tuple[House, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """How a stand-in writes a house, and under which keys its photos."""

    page: Callable[[House, Others], bytes]
    keys: Callable[[House], list[str]]


STANDINS = {
    Source.REDFIN: Written(
        page=lambda house, others: listing_page(house, others=others),
        keys=lambda house: list(expected_verdicts(house)),
    ),
    Source.ZILLOW: Written(
        page=lambda house, others: detail_page(house, others=others),
        keys=lambda house: [upload.key for upload in uploads(house)],
    ),
    Source.PHOENIX_MLS: Written(
        page=lambda house, others: phoenix_mls.listing_page(house, others=others),
        keys=lambda house: [it.key for it in phoenix_mls_photos.uploads(house)],
    ),
}


RECORDS = {Source.MARICOPA}  # of parcels, which have no listing


def test_every_source_has_a_stand_in_that_the_demo_shows() -> None:
    assert {*STANDINS, *RECORDS} == set(available_sources()) == set(shown.STANDINS)


@pytest.mark.parametrize("source", STANDINS)
@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
def test_what_is_written_of_a_house_is_what_is_read(
    source: Source, house: House
) -> None:
    others = tuple(other for other in HOUSES if other is not house)
    body = STANDINS[source].page(house, others)
    page = Fetched(url="", status=200, headers={}, body=body)
    adapter = available_sources()[source]
    address = Address.parse(house.address)

    listing = adapter.read_saved(page, house=Property.at(address))

    assert recognise(page, holds_data=adapter.holds_data) is None
    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)
    assert [photo.photo_key for photo in listing.photos] == STANDINS[source].keys(house)
    assert listing.mls_id == house.record.mls_id
    assert listing.listed_on == house.record.listed_on
    assert listing.facts is not None
    assert listing.facts.living_area == house.sqft
    assert adapter.address_of(page) == address
    assert all(adapter.photo_named(it.url) == it.photo_key for it in listing.photos)


@pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)
def test_what_is_written_of_a_parcel_is_what_is_read(house: House) -> None:
    others = [other for other in HOUSES if other is not house]
    body = parcel_answer(house, sketches=sketches_of(house), others=others)
    page = Fetched(url="", status=200, headers={}, body=body)
    adapter = available_sources()[Source.MARICOPA]
    address = Address.parse(house.address)

    listing = adapter.read_saved(page, house=Property.at(address))

    assert recognise(page, holds_data=adapter.holds_data) is None
    assert adapter.address_of(page) == address
    assert (listing.outcome.saw_gallery, listing.complete) == (True, True)
    assert tuple(listing.inline.values()) == sketches_of(house)
    assert len(listing.photos) == len(sketches_of(house))
    assert listing.facts is not None
    for name, value in (
        ("living_area", house.sqft),
        ("lot_size_square_feet", house.lot_sqft),
        ("garage_spaces", house.garage),
        ("pool_private", house.pool),
        ("year_built", house.year_built),
        ("parcel_number", house.apn),
    ):
        assert listing.facts.value(name) == value
    years = [one.tax_year for one in listing.valuations]
    assert years == sorted(years, reverse=True)
    assert len(years) > 1
