"""Two spellings each of many houses: one property each, whoever adds and asks first."""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.leases import Leases
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.demo.redfin_site import redfin_sites
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome, Verdict
from phx_pipeline.model.photo import Photo
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.reads.quarantine import cases
from phx_pipeline.sources.registry import available_sources, marks_of
from phx_pipeline.stages.context import StageContext
from phx_pipeline.stages.extract import extract
from phx_pipeline.stages.guard import guard, outliers
from phx_pipeline.workflows.ingest import read_saved
from phx_pipeline_tests.deployment import Deployment, with_shots
from phx_pipeline_tests.hostile import ZillowPage, changed
from phx_pipeline_tests.integration.conftest import STAMP, TTL_S, gallery
from phx_pipeline_tests.spellings import made_addresses, respelled

ROOT = Path(__file__).parents[3]
PREDECESSOR = ROOT / "../shared/samples/predecessor"
SAME = {Match.SAME}
BATCH = 12  # houses a transaction: two processes take turns many times

READ = re.compile(
    r"(?P<streetAddress>.+), (?P<city>[^,]+), (?P<state>\w\w),? (?P<zipcode>[\d-]+)"
)

Pair = tuple[str, str]


# Made-up houses beside the predecessor's.
COUNTS = pytest.mark.parametrize(
    "made_up", [30, pytest.param(200, marks=pytest.mark.soak)]
)


def pairs(made_up: int) -> list[Pair]:
    """Two spellings of each house: the predecessor's, where they are, and made-up."""
    files = PREDECESSOR.glob("address_folder_lookup*.json")
    known = [
        address
        for file in files
        for address in json.loads(file.read_text())["mappings"]
    ]
    addresses = [*known, *made_addresses(made_up, seed=85306)]
    return [(text, respelled(text, seed=seed)) for seed, text in enumerate(addresses)]


def houses(spellings: Sequence[str]) -> list[Property]:
    return [Property.at(Address.parse(text)) for text in spellings]


def add_elsewhere(url: str, spellings: Sequence[str]) -> int:
    """Add the houses from another process, some at a time; return how many were new."""
    engine = open_engine(url)
    catalog = Catalog(engine, leases=Leases(engine, ttl_s=TTL_S))
    wanted = houses(spellings)
    added = sum(
        len(catalog.add_properties(wanted[start : start + BATCH], at=STAMP.at))
        for start in range(0, len(wanted), BATCH)
    )
    catalog.close()
    return added


def page_in(spelling: str, *, number: int) -> bytes:
    """The page of a house as a site that spells it so shows it, its photos its own."""
    page = ZillowPage()
    told = READ.fullmatch(spelling)
    assert told is not None
    zpid, mls_id = str(30_000_000 + number), str(6_000_000 + number)
    own = told.groupdict() | {
        "abbreviatedAddress": told["streetAddress"],
        "hdpUrl": f"/homedetails/{zpid}_zpid/",
    }
    text = json.dumps(changed(page.tree, own.get))
    text = text.replace("90100418", zpid).replace("6801242", mls_id)
    for key in {it[-32:] for it in text.split("-cc_ft_")[:-1]}:
        text = text.replace(key, sha256(f"{key} {number}".encode()).hexdigest()[:32])
    return page.body(json.loads(text))


def shown(house: Property, spelling: str, *, number: int) -> Listing:
    body = page_in(spelling, number=number)
    page = Fetched(url="", status=200, headers={}, body=body)
    return read_saved(page, house=house, source=available_sources()[Source.ZILLOW])


def pending(listing: Listing) -> list[Photo]:
    """The photos of a listing as the store has them before any is downloaded."""
    return [
        Photo(
            property_slug="house",
            ref=ref,
            listed_on=None,
            verdict=Verdict.PENDING,
            present=True,
            first_seen_on=STAMP.today,
        )
        for ref in listing.photos
    ]


@pytest.fixture
def context(tmp_path: Path, url: str) -> Iterator[StageContext]:
    with (
        Deployment(tmp_path / "store", {}, catalog_url=url) as made,
        made.context() as opened,
    ):
        yield opened


@COUNTS
def test_two_processes_that_spell_each_house_differently_mean_one_house(
    url: str, context: StageContext, processes: ProcessPoolExecutor, made_up: int
) -> None:
    both = pairs(made_up)
    ones, others = ([pair[side] for pair in both] for side in (0, 1))

    at_once = list(processes.map(add_elsewhere, [url] * 2, [ones, others[::-1]]))
    later = [add_elsewhere(url, each) for each in (others, ones[::-1], ones)]

    catalog = context.catalog
    assert len(both) in {made_up, made_up + 36}
    assert (sum(at_once), later) == (len(both), [0, 0, 0])
    assert len(catalog.slugs()) == len(both)
    lease = catalog.leases.acquire("all of them", owner="test")
    for number, pair in enumerate(both):
        known = {catalog.houses.find_address(it.address) for it in houses(pair)}
        (house,) = (it.house for it in known if it)
        assert set(map(house.means, (it.address for it in houses(pair)))) == SAME
        photos = gallery(f"{number}-a", f"{number}-b")
        catalog.record_listing(lease, house.slug, photos, stamp=STAMP)
        assert not guard(context, lease, house.slug)
    found = [it for slug in catalog.slugs() for it in catalog.photos(slug)]
    assert len(found) == 2 * len(both)
    assert [it for it in found if it.verdict is Verdict.FOREIGN] == []
    assert cases(context.catalog) == []


@COUNTS
def test_a_page_in_another_spelling_is_the_page_of_each_house(made_up: int) -> None:
    for number, pair in enumerate(pairs(made_up)):
        one, other = houses(pair)
        listings = [
            shown(one, pair[1], number=number),
            shown(other, pair[0], number=number),
        ]
        assert {it.outcome for it in listings} == {ListingOutcome.LISTED}
        assert listings[0].photos == listings[1].photos
        marks = marks_of(listings[0].source, among=available_sources())
        mls_id = listings[0].mls_id
        assert not [*outliers(pending(listings[0]), mls_id=mls_id, marks=marks)]


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_houses_added_in_other_spellings_than_the_sites_are_collected_whole(
    tmp_path: Path, url: str
) -> None:
    shot = [with_shots(house, 0, 1) for house in HOUSES[:2]]
    sites = {**redfin_sites(shot), **zillow_sites(shot)}
    sources = (Source.REDFIN, Source.ZILLOW)
    with Deployment(tmp_path, sites, sources=sources, catalog_url=url) as made:
        for seed in (1, 2):
            made.add([respelled(house.address, seed=seed) for house in shot])
        with made.context() as context:
            slugs = context.catalog.slugs()
            done = [asyncio.run(extract(context, slug)) for slug in slugs]
            photos = [it for slug in slugs for it in context.catalog.photos(slug)]

            assert len(slugs) == len(shot)
            assert all(it.is_complete for it in done)
            assert {source.outcome for it in done for source in it.sources} == {
                ListingOutcome.LISTED
            }
            assert [it for it in photos if it.verdict is Verdict.FOREIGN] == []
            kept = {it.property_slug for it in photos if it.verdict is Verdict.KEPT}
            assert kept == set(slugs)
            assert cases(context.catalog) == []
