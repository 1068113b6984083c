import json
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageOps

from phx_pipeline.dedup.hashes import distance, picture_hashes
from phx_pipeline.dedup.proposals import MAX_DHASH_DISTANCE, MAX_PHASH_DISTANCE
from phx_pipeline.demo import redfin_site
from phx_pipeline.demo.houses import HOUSES, NEWCOMERS, House, Shot
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.zillow_site import zillow_sites
from phx_pipeline.errors import BlockedError, GoneError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.fetch.challenge import screened
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.photo import PictureHashes
from phx_pipeline.model.property import Property
from phx_pipeline.sources.redfin.standin_photos import photo_url
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow.standin import PAGE_HOST, detail_path, zpid
from phx_pipeline.sources.zillow.standin_photos import PHOTO_HOST, Upload, uploads
from phx_pipeline_tests.canned import DATA
from phx_pipeline_tests.captured_zillow import (
    CAPTURED_ADDRESS,
    captured_zillow_page,
    captured_zillow_photos,
    captured_zillow_sites,
    expected_zillow_keys,
)
from phx_pipeline_tests.expected import VERDICTS

SITES = zillow_sites()
NEXT_DATA = re.compile(r'<script id="__NEXT_DATA__"[^>]*>(.*?)</script>', re.DOTALL)
PHOTO_KEY = re.compile(r"/fp/([0-9a-f]{32})-")

each_house = pytest.mark.parametrize("house", HOUSES, ids=lambda house: house.street)


def in_small(shot: Shot) -> Shot:
    """The same drawing with half the width: it takes a quarter of the time."""
    width, height = shot.size
    copied = shot.copied and replace(shot.copied, width=shot.copied.width // 2)
    return replace(shot, size=(width // 2, height // 2), copied=copied)


def with_small_photos(house: House) -> House:
    shots = tuple(map(in_small, house.record.shots))
    return replace(house, record=replace(house.record, shots=shots))


SMALL = tuple(map(with_small_photos, HOUSES))
SITES_IN_SMALL = redfin_site.redfin_sites(SMALL) | zillow_sites(SMALL)

each_house_in_small = pytest.mark.parametrize(
    "house", SMALL[::2], ids=lambda house: house.street
)


class InProcess:
    """A fetcher that hands requests to the stand-ins as the wire would."""

    def __init__(self, sites: Mapping[str, Handler]) -> None:
        self.sites = sites
        self.asked: list[str] = []

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request.url)
        answer = get(request.url, sites=self.sites)
        if answer.status == 404:
            raise GoneError("gone", url=request.url, status=404)
        if answer.status == 403:
            raise BlockedError("refused", url=request.url, status=403)
        return screened(
            Fetched(
                url=request.url,
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
            ),
            holds_data=DATA,
        )

    async def aclose(self) -> None:
        pass


def get(url: str, *, sites: Mapping[str, Handler] = SITES) -> Answer:
    parts = urlsplit(url)
    asked = Asked(
        host=parts.netloc, method="GET", target=parts.path, headers={}, at=0.0
    )
    return sites[parts.netloc](asked)


async def discover(
    address: str, *, sites: Mapping[str, Handler] = SITES
) -> tuple[Listing, int]:
    """Ask the real source; return what it found and how many pages it opened."""
    fetcher = InProcess(sites)
    house = Property.at(Address.parse(address))
    return await Zillow().discover(house, fetcher=fetcher), len(fetcher.asked)


def page_of(house: House) -> str:
    return get(f"https://{PAGE_HOST}{detail_path(house)}").body.decode()


def home_in(page: str) -> dict[str, Any]:
    found = NEXT_DATA.search(page)
    assert found
    props = json.loads(found[1])["props"]["pageProps"]
    cache = json.loads(props.get("componentProps", props)["gdpClientCache"])
    homes: list[dict[str, Any]] = [answer["property"] for answer in cache.values()]
    return max(homes, key=len)


def opened(answer: Answer) -> Image.Image:
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"
    return ImageOps.exif_transpose(Image.open(BytesIO(answer.body)))


def hashes_of(upload: Upload) -> PictureHashes:
    return picture_hashes(opened(get(upload.url("o_a"), sites=SITES_IN_SMALL)))


def redfin_hashes(house: House) -> dict[int, PictureHashes]:
    """Return the hashes of the sound photos the other site has of a house."""
    urls = {
        at: photo_url(house.record, position=at)
        for at, shot in enumerate(house.record.shots)
        if VERDICTS[shot.flaw].value == "kept"
    }
    return {
        at: picture_hashes(opened(get(url, sites=SITES_IN_SMALL)))
        for at, url in urls.items()
    }


def are_copies(one: PictureHashes, other: PictureHashes) -> bool:
    return (
        distance(one.phash, other.phash) <= MAX_PHASH_DISTANCE
        and distance(one.dhash, other.dhash) <= MAX_DHASH_DISTANCE
    )


@each_house
async def test_the_source_reads_each_houses_own_gallery(house: House) -> None:
    listing, _ = await discover(house.address)

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)
    assert [photo.photo_key for photo in listing.photos] == [
        upload.key for upload in uploads(house)
    ]
    assert [photo.url for photo in listing.photos] == [
        upload.url() for upload in uploads(house)
    ]
    assert listing.listing_id == str(zpid(house))
    assert listing.mls_id == house.record.mls_id
    assert listing.listed_on == house.record.listed_on
    assert listing.url == f"https://{PAGE_HOST}{detail_path(house)}"
    assert not listing.challenged


def test_the_photos_of_what_only_searches_show_come_from_both_sites() -> None:
    (house,) = newcomers = tuple(map(with_small_photos, NEWCOMERS[:1]))
    sites = redfin_site.redfin_sites((), newcomers=newcomers)
    sites |= zillow_sites((), newcomers=newcomers)
    uploaded, *_ = uploads(house)

    opened(get(uploaded.url("o_a"), sites=sites))
    opened(get(photo_url(house.record, position=0), sites=sites))


async def test_some_houses_are_found_at_once_and_some_through_a_search_page() -> None:
    opened_pages = [(await discover(house.address))[1] for house in HOUSES]

    assert opened_pages == [1, 2, 1, 2, 1, 2]


async def test_a_unit_is_part_of_the_address() -> None:
    house = next(house for house in HOUSES if house.unit)

    listing, _ = await discover(house.address.replace(f" #{house.unit}", ""))

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert f'"{Address.parse(house.address)}"' in listing.detail


@pytest.mark.parametrize(
    "address",
    ["4873 W Larkstone Rd, Glendale, AZ 85306", "1 Nowhere Way, Phoenix, AZ 85001"],
)
async def test_an_address_without_a_listing_brings_other_houses_only(
    address: str,
) -> None:
    listing, pages = await discover(address)

    assert (listing.outcome, pages) == (ListingOutcome.NOT_FOUND, 1)


async def test_a_refused_detail_page_leaves_a_search_page_that_may_lack_photos() -> (
    None
):
    sites = zillow_sites(details_refused=True)

    listing, pages = await discover(HOUSES[1].address, sites=sites)

    assert (listing.outcome, listing.photos) == (ListingOutcome.BLOCKED, ())
    assert pages == 2


async def test_a_counted_search_page_replaces_a_refused_detail_page() -> None:
    sites = zillow_sites(details_refused=True, counted=True)

    listing, _ = await discover(HOUSES[1].address, sites=sites)

    assert (listing.outcome, listing.complete) == (ListingOutcome.LISTED, True)
    assert [photo.url for photo in listing.photos] == [
        upload.url() for upload in uploads(HOUSES[1])
    ]


async def test_a_page_under_a_challenge_is_still_whole() -> None:
    sites = zillow_sites(challenged=True)

    listing, _ = await discover(HOUSES[0].address, sites=sites)

    assert (listing.outcome, listing.challenged) == (ListingOutcome.LISTED, True)
    assert len(listing.photos) == len(uploads(HOUSES[0]))


async def test_a_blocked_page_host_gives_a_block_and_the_photos_stay() -> None:
    sites = zillow_sites(blocked=frozenset({PAGE_HOST}))

    listing, _ = await discover(HOUSES[0].address, sites=sites)

    assert listing.outcome is ListingOutcome.BLOCKED
    assert get(uploads(HOUSES[0])[0].url(), sites=sites).status == 200


@each_house
def test_the_gallery_overlaps_the_other_sites_and_each_has_its_own(
    house: House,
) -> None:
    gallery = uploads(house)

    shared = [upload.twin for upload in gallery if upload.twin is not None]

    assert len(gallery) - len(shared) in {1, 2}
    assert len(shared) == len(set(shared)) >= 6
    assert set(shared) < set(range(len(house.record.shots)))
    assert len({upload.key for upload in gallery}) == len(gallery)


@each_house_in_small
def test_shared_photos_are_copies_and_own_photos_are_not(house: House) -> None:
    theirs = redfin_hashes(house)

    for upload in uploads(house):
        ours = hashes_of(upload)

        copies = {at for at, other in theirs.items() if are_copies(ours, other)}

        if upload.twin is None:
            assert copies == set()
        else:
            assert upload.twin in copies


def test_uploads_come_larger_smaller_and_lightly_cut() -> None:
    house = HOUSES[0]

    sizes = [
        (upload.shot.uploaded_size, house.record.shots[upload.twin].size)
        for upload in uploads(house)
        if upload.twin is not None
    ]

    assert {ours[0] > theirs[0] for ours, theirs in sizes} == {True, False}
    assert any(
        upload.shot.copied and upload.shot.copied.cropped for upload in uploads(house)
    )


@each_house_in_small
async def test_one_photo_of_each_gallery_is_gone_in_its_largest_size(
    house: House,
) -> None:
    listing, _ = await discover(house.address, sites=SITES_IN_SMALL)

    answers = [get(photo.url, sites=SITES_IN_SMALL) for photo in listing.photos]

    gone = [at for at, answer in enumerate(answers) if answer.status == 404]
    smaller = listing.photos[1].fallback_urls[0]
    assert gone == [listing.photos[1].position] == [1]
    assert get(smaller, sites=SITES_IN_SMALL).status == 200


async def test_every_size_on_offer_is_served_and_falls_in_width() -> None:
    listing, _ = await discover(HOUSES[1].address)
    photo = listing.photos[0]

    widths = [opened(get(url)).width for url in (photo.url, *photo.fallback_urls)]

    assert widths == [1536, 1344, 1024, 800, 1536, 1344, 1152, 960, 768, 576, 384, 192]


def test_a_full_frame_keeps_the_shape_of_the_photo_and_is_never_blown_up() -> None:
    upright = next(
        upload
        for house in HOUSES
        for upload in uploads(house)
        if upload.shot.orientation != 1
    )

    size = opened(get(upright.url())).size

    width, height = upright.shot.uploaded_size
    assert size[1] == min(height, 1152)
    assert size[0] / size[1] == pytest.approx(width / height, abs=0.01)


@each_house
def test_a_page_shows_photos_that_are_not_of_this_listing(house: House) -> None:
    page = page_of(house)
    own = {upload.key for upload in uploads(house)}
    firsts = {uploads(other)[0].key for other in HOUSES if other is not house}

    shown = set(PHOTO_KEY.findall(page))

    assert firsts <= shown - own
    nearby = home_in(page)["nearbyHomes"]
    assert {home["zpid"] for home in nearby} == {
        zpid(other) for other in HOUSES if other is not house
    }
    assert "-zillow_web_logo_inf_11.jpg" in page
    assert "-h_g.jpg" in page
    assert page.count("_pxAppId") == 1


def test_a_home_for_sale_carries_the_date_of_its_last_sale() -> None:
    home = home_in(page_of(HOUSES[0]))

    assert home["dateSoldString"] == str(HOUSES[0].earlier.sold_on)
    assert home["homeStatus"] == "FOR_SALE"


@pytest.mark.parametrize(
    "url",
    [
        f"https://{PAGE_HOST}/homedetails/1_zpid/",
        f"https://{PAGE_HOST}/nowhere/",
        f"https://{PHOTO_HOST}/fp/{'0' * 32}-o_a.jpg",
        uploads(HOUSES[0])[0].url("cc_ft_4000"),
        uploads(HOUSES[0])[0].url("zillow_web_logo_inf_11"),
    ],
)
def test_what_does_not_exist_is_not_found(url: str) -> None:
    assert get(url).status == 404


def test_only_the_given_houses_are_on_the_market() -> None:
    sites = zillow_sites(HOUSES[:2])

    gone = get(f"https://{PAGE_HOST}{detail_path(HOUSES[2])}", sites=sites)
    there = get(f"https://{PAGE_HOST}{detail_path(HOUSES[0])}", sites=sites)

    assert gone.status == 404
    nearby = home_in(there.body.decode())["nearbyHomes"]
    assert [home["zpid"] for home in nearby] == [zpid(HOUSES[1])]


def test_the_home_page_is_neither_a_listing_nor_a_block() -> None:
    page = get(f"https://{PAGE_HOST}/").body.decode()

    assert "gdpClientCache" not in page
    assert "px-captcha" not in page


def test_a_property_has_the_fields_of_a_captured_one(shared_dir: Path) -> None:
    real = home_in(captured_zillow_page(shared_dir).decode())
    ours = home_in(page_of(HOUSES[0]))
    file = shared_dir / "samples/zillow/property_2025-02_beverlyhills_zpid20533547.json"
    resold = json.loads(file.read_text(encoding="utf-8"))
    newer = {"originalPhotos", "compsCarouselPropertyPhotos"}

    assert set(ours) <= set(real) | set(resold) | newer
    for name in ("responsivePhotosOriginalRatio", "responsivePhotos"):
        assert set(ours[name][0]) == set(real[name][0])
        assert [
            (size["url"].rsplit("-", 1)[1], size["width"])
            for size in ours[name][0]["mixedSources"]["jpeg"]
        ] == [
            (size["url"].rsplit("-", 1)[1], size["width"])
            for size in real[name][0]["mixedSources"]["jpeg"]
        ]
    assert set(ours["priceHistory"][0]) <= set(real["priceHistory"][0])
    assert set(ours["nearbyHomes"][0]) <= set(real["nearbyHomes"][0])


def test_a_search_row_has_the_fields_of_a_captured_one(shared_dir: Path) -> None:
    file = shared_dir / "samples/zillow/search_2026-03_houston_forsale.html"

    def row_in(page: str) -> dict[str, Any]:
        found = NEXT_DATA.search(page)
        assert found
        state = json.loads(found[1])["props"]["pageProps"]["searchPageState"]
        row: dict[str, Any] = state["cat1"]["searchResults"]["listResults"][0]
        return row

    real = row_in(file.read_text(encoding="utf-8"))
    slug = "15238-N-Quail-Lantern-Dr-Phoenix-AZ-85032"
    ours = row_in(get(f"https://{PAGE_HOST}/homes/{slug}_rb/").body.decode())

    assert set(ours) <= set(real)
    assert set(ours["hdpData"]["homeInfo"]) <= set(real["hdpData"]["homeInfo"])
    composed = "carouselPhotosComposable"
    assert set(ours[composed]) == set(real[composed])


async def test_the_captured_home_is_collected_from_its_stand_in(
    shared_dir: Path,
) -> None:
    sites = captured_zillow_sites(shared_dir)

    listing, pages = await discover(CAPTURED_ADDRESS, sites=sites)

    assert (listing.outcome, listing.complete, pages) == (
        ListingOutcome.LISTED,
        True,
        1,
    )
    keys = expected_zillow_keys(shared_dir)
    assert [photo.photo_key for photo in listing.photos] == keys
    assert [photo.url for photo in listing.photos] == list(
        captured_zillow_photos(shared_dir)
    )
