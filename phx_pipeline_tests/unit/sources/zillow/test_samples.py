"""What the parsers make of every captured page, against its ground truth."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import BlockedError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import screened
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import Page, read_page
from phx_pipeline.sources.zillow.search import Row, rows_matching, rows_of
from phx_pipeline_tests.canned import DATA

HOUSTON = "search_2026-03_houston_forsale.html"
ALBUQUERQUE = "search_2024-11_albuquerque.html"
BRUNSWICK = "search_2025-06_zip04011.html"
RENTALS = "search_2021-07_rentals.html"
AUSTIN = "search_2018-12_GetResults.json"
SEARCH_PAGES = [HOUSTON, ALBUQUERQUE, BRUNSWICK, RENTALS, AUSTIN]
HOME = "nonlisting_2024-11_homepage.html"
BLOCKS = ["block_px_2025-04.html", "block_px_captcha_2021-03.html"]
SAN_FRANCISCO = "property_2023-05_sf_zpid15192198.json"
BEVERLY_HILLS = "property_2025-02_beverlyhills_zpid20533547.json"
HOMES = [SAN_FRANCISCO, BEVERLY_HILLS]
NOT_PAGES = {  # flattened results of scrapers: no page of the site has their shape
    "search_list_2026-02_zip75068.json",
    "rental_images_2025-11_mixed_sizes.json",
}

PHOTO_KEY = re.compile(r"/fp/([0-9a-f]{32})-")


@pytest.fixture(scope="module")
def samples(shared_dir: Path) -> Path:
    return shared_dir / "samples" / "zillow"


@pytest.fixture(scope="module")
def truth(shared_dir: Path) -> dict[str, Any]:
    text = (shared_dir / "samples" / "truth.json").read_text(encoding="utf-8")
    return {
        name.removeprefix("zillow/"): facts
        for name, facts in json.loads(text).items()
        if name.startswith("zillow/")
    }


def read(body: bytes) -> Page:
    url = "https://www.zillow.com/homes/somewhere_rb/"
    answer = Fetched(url=url, status=200, headers={}, body=body)
    return read_page(screened(answer, holds_data=DATA))


def detail_page(home: dict[str, Any], *, generation: int) -> Page:
    """Put a captured property object into the page it lay in."""
    cache = json.dumps({f'ForSaleQuery{{"zpid":{home["zpid"]}}}': {"property": home}})
    held: dict[str, Any] = {"gdpClientCache": cache}
    page_props = held if generation < 2024 else {"componentProps": held}
    data = json.dumps({"props": {"pageProps": page_props}}).replace("</", "<\\/")
    return read(f'<script id="__NEXT_DATA__">\n{data}\n</script>'.encode())


def home_of(path: Path) -> dict[str, Any]:
    stored = json.loads(path.read_text(encoding="utf-8"))
    home: dict[str, Any] = stored[0] if isinstance(stored, list) else stored
    return home


def test_every_captured_file_is_in_this_table(samples: Path) -> None:
    known = {*SEARCH_PAGES, HOME, *BLOCKS, *HOMES} | NOT_PAGES

    assert {path.name for path in samples.iterdir()} == known


@pytest.mark.parametrize("generation", [2023, 2026])
@pytest.mark.parametrize("name", HOMES)
def test_a_captured_home_gives_its_gallery_in_order_and_nothing_else(
    samples: Path, truth: dict[str, Any], name: str, generation: int
) -> None:
    home = home_of(samples / name)
    facts = truth[name]

    listing = parse_detail(
        detail_page(home, generation=generation),
        house=Property.at(Address.parse(facts["address"])),
        zpid=str(facts["zpid"]),
    )

    assert listing.outcome is ListingOutcome.LISTED
    assert listing.complete
    assert [photo.url for photo in listing.photos] == facts["largest_urls"]
    assert [photo.photo_key for photo in listing.photos] == facts["photo_keys"]
    asked = {
        found[1]
        for photo in listing.photos
        for url in (photo.url, *photo.fallback_urls)
        if (found := PHOTO_KEY.search(url))
    }
    assert asked == set(facts["photo_keys"])
    assert not asked & set(facts["other_photo_ids_in_document"])


@pytest.mark.parametrize(
    ("name", "day", "mls_id"),
    [
        (SAN_FRANCISCO, "2023-05-27", "ML81929841"),
        (BEVERLY_HILLS, "2024-05-08", None),  # on sale, yet `dateSold` says 2021
    ],
)
def test_a_captured_home_is_dated_by_its_own_listing(
    samples: Path, name: str, day: str, mls_id: str | None
) -> None:
    home = home_of(samples / name)
    address = Address.parse(
        f"{home['streetAddress']}, {home['city']}, {home['state']} {home['zipcode']}"
    )

    listing = parse_detail(
        detail_page(home, generation=2023), house=Property.at(address), zpid=None
    )

    assert str(listing.listed_on) == day
    assert (listing.listing_id, listing.mls_id) == (str(home["zpid"]), mls_id)


def test_a_captured_photo_falls_back_through_full_frames_to_cuts(
    samples: Path,
) -> None:
    home = home_of(samples / SAN_FRANCISCO)
    address = Address.parse("661 Lakeview Ave, San Francisco, CA 94112")

    listing = parse_detail(
        detail_page(home, generation=2023), house=Property.at(address), zpid=None
    )

    ladders = {
        tuple(url.partition("-")[2] for url in photo.fallback_urls)
        for photo in listing.photos
    }
    full = ["uncropped_scaled_within_1344_1008", "o_a", "d_d"]
    widths = (1536, 1344, 1152, 960, 768, 576, 384, 192)
    cuts = [f"cc_ft_{width}" for width in widths]
    assert ladders == {tuple(f"{size}.jpg" for size in (*full, *cuts))}


@pytest.mark.parametrize("name", [HOUSTON, ALBUQUERQUE])
def test_a_captured_search_page_has_each_homes_own_photos(
    samples: Path, truth: dict[str, Any], name: str
) -> None:
    page = read((samples / name).read_bytes())

    rows = rows_of(page.search or {})

    counts = {row.zpid: len(row.photos) for row in rows}
    assert counts == truth[name]["per_listing_photo_counts"]
    assert not page.challenged


def test_captured_rows_have_the_photos_of_their_carousel_and_no_others(
    samples: Path,
) -> None:
    text = (samples / ALBUQUERQUE).read_text(encoding="utf-8")
    rows = rows_of(read(text.encode()).search or {})

    keys = [key for row in rows for key in row.photo_keys]

    assert len(keys) == 1520
    assert set(keys) <= set(PHOTO_KEY.findall(text))


@pytest.mark.parametrize(
    ("name", "homes", "photos"),
    [(BRUNSWICK, 30, 508), (RENTALS, 27, 0), (AUSTIN, 92, 0)],
)
def test_captured_rentals_and_old_results_are_read(
    samples: Path, name: str, homes: int, photos: int
) -> None:
    rows = rows_of(read((samples / name).read_bytes()).search or {})

    assert (len(rows), sum(len(row.photos) for row in rows)) == (homes, photos)


@pytest.mark.parametrize("name", SEARCH_PAGES)
def test_a_house_that_is_not_on_a_captured_search_page_has_no_photos_there(
    samples: Path, name: str
) -> None:
    page = read((samples / name).read_bytes())
    absent = Address.parse("4732 W Davis Rd, Glendale, AZ 85306")

    assert page.cache is None
    assert rows_matching(page.search or {}, house=Property.at(absent)) == ()


@pytest.mark.parametrize(
    ("name", "address", "zpid"),
    [
        (HOUSTON, "18338 Langsbury Drive, Houston, TX 77084", "84046696"),
        (HOUSTON, "7655 S Braeswood Blvd #5, Houston, TX 77071", "28206456"),
        (ALBUQUERQUE, "1220 Garcia St NE, Albuquerque, NM 87112", "6772539"),
        (
            ALBUQUERQUE,
            "7112 Pan American Fwy NE Unit 276, Albuquerque, NM 87109",
            "303948942",
        ),
        (BRUNSWICK, "16 Cushing St Apt 3, Brunswick, ME 04011", "2090830778"),
        (AUSTIN, "4507 Yellow Rose Trl, Austin, TX 78749", "29480655"),
    ],
)
def test_a_house_is_found_on_a_captured_search_page(
    samples: Path, name: str, address: str, zpid: str
) -> None:
    page = read((samples / name).read_bytes())

    rows = rows_matching(page.search or {}, house=Property.at(Address.parse(address)))

    assert [row.zpid for row in rows] == [zpid]


def is_found_by_itself(row: Row) -> bool:
    return row.match(Property.at(row.addresses[0])) is Match.SAME


@pytest.mark.parametrize("name", [HOUSTON, ALBUQUERQUE])
def test_almost_every_captured_row_is_found_by_its_own_address(
    samples: Path, name: str
) -> None:
    search = read((samples / name).read_bytes()).search or {}
    rows = [row for row in rows_of(search) if row.addresses]
    some = rows[::8]  # each look compares the house with every row

    found = [rows_matching(search, house=Property.at(row.addresses[0])) for row in some]

    assert found == [(row,) for row in some]
    assert [row for row in rows if not is_found_by_itself(row)] == []
    assert len({row.addresses[0].match_key for row in rows}) == len(rows)
    assert len(rows) >= 40  # of 41; a builder's plan has no street number
    assert not any(row.has_whole_gallery for row in rows)  # no row states a count


def test_the_captured_home_page_is_no_listing_and_no_block(samples: Path) -> None:
    page = read((samples / HOME).read_bytes())

    assert (page.cache, page.search, page.challenged) == (None, None, False)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_captured_block_is_a_block(samples: Path, name: str) -> None:
    with pytest.raises(BlockedError):
        read((samples / name).read_bytes())


@pytest.mark.parametrize("name", [*SEARCH_PAGES, HOME])
def test_no_captured_page_is_taken_for_a_detail_page(samples: Path, name: str) -> None:
    page = read((samples / name).read_bytes())
    address = Address.parse("661 Lakeview Ave, San Francisco, CA 94112")

    with pytest.raises(SourceChangedError):
        parse_detail(page, house=Property.at(address), zpid=None)
