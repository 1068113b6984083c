from pathlib import Path

import pytest

from phx_pipeline.errors import (
    BlockedError,
    GoneError,
)
from phx_pipeline.fetch.base import Fetched, Request, RequestKind
from phx_pipeline.model.address import Address
from phx_pipeline.model.outcome import ListingOutcome
from phx_pipeline.model.property import Property
from phx_pipeline.sources.zillow import Zillow
from phx_pipeline.sources.zillow.search import search_url
from phx_pipeline_tests.canned import ENDINGS, CannedFetcher

PAGES = Path(__file__).parents[3] / "pages" / "zillow"
ADDRESS = Address.parse("1418 E Quail Whistle Ln, Phoenix, AZ 85042")
HOUSE = Property.at(ADDRESS)
SEARCH = search_url(ADDRESS)
DETAIL = (
    "https://www.zillow.com/homedetails"
    "/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418_zpid/"
)
REFUSED = BlockedError("no", url=DETAIL, status=403)


def page(name: str, *, url: str = SEARCH) -> Fetched:
    body = (PAGES / name).read_bytes()
    return Fetched(url=url, status=200, headers={}, body=body)


def changed(name: str, old: str, new: str, *, url: str = SEARCH) -> Fetched:
    text = (PAGES / name).read_text()
    assert old in text
    body = text.replace(old, new).encode()
    return Fetched(url=url, status=200, headers={}, body=body)


def site(
    search: Fetched | Exception, detail: Fetched | Exception | None = None
) -> CannedFetcher:
    pages = {SEARCH: search}
    return CannedFetcher(pages if detail is None else {**pages, DETAIL: detail})


async def test_an_address_may_lead_straight_to_the_listing() -> None:
    fetcher = site(page("listed_2026.html"))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (5, True)
    assert [(asked.url, asked.kind) for asked in fetcher.asked] == [
        (SEARCH, RequestKind.PAGE)
    ]


@pytest.mark.parametrize("search", ["search_2026.html", "search_2024.html"])
async def test_an_address_may_lead_to_a_search_page_that_links_the_listing(
    search: str,
) -> None:
    fetcher = site(page(search), page("listed_2026.html", url=DETAIL))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.url) == (5, DETAIL)
    assert [asked.url for asked in fetcher.asked] == [SEARCH, DETAIL]


@pytest.mark.parametrize("name", ["search_neighbours.html", "search_nothing.html"])
async def test_a_search_without_the_house_is_not_found_and_opens_no_page(
    name: str,
) -> None:
    fetcher = site(page(name))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.NOT_FOUND
    assert len(fetcher.asked) == 1


async def test_two_records_of_one_door_are_ambiguous_and_neither_is_opened() -> None:
    twice = changed("search_2026.html", "1422 E Quail", "1418 E Quail")
    fetcher = site(twice)

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.AMBIGUOUS
    assert "90100418" in listing.detail
    assert "90100422" in listing.detail
    assert len(fetcher.asked) == 1


async def test_a_straight_answer_about_another_house_is_the_wrong_property() -> None:
    listing = await Zillow().discover(HOUSE, fetcher=site(page("unit.html")))

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert listing.photos == ()


async def test_a_redirect_to_another_zpid_is_the_wrong_property() -> None:
    elsewhere = page("listed_2026.html", url=DETAIL.replace("90100418", "90100422"))

    listing = await Zillow().discover(HOUSE, fetcher=site(elsewhere))

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY


async def test_a_detail_page_of_another_record_is_the_wrong_property() -> None:
    other = changed("listed_2026.html", ":90100418,", ":90100777,", url=DETAIL)
    fetcher = site(page("search_2026.html"), other)

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.WRONG_PROPERTY
    assert "90100777" in listing.detail


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("unit.html", ListingOutcome.WRONG_PROPERTY),
        ("off_market.html", ListingOutcome.OFF_MARKET),
        ("home.html", ListingOutcome.PAGE_CHANGED),
        ("search_2026.html", ListingOutcome.PAGE_CHANGED),
        ("search_2018.json", ListingOutcome.PAGE_CHANGED),
        ("block.html", ListingOutcome.BLOCKED),
        ("block_untitled.html", ListingOutcome.BLOCKED),
    ],
)
async def test_a_detail_page_without_our_gallery_gives_no_photos_and_says_why(
    name: str, outcome: ListingOutcome
) -> None:
    fetcher = site(page("search_2026.html"), page(name, url=DETAIL))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is outcome
    assert listing.photos == ()
    assert listing.detail


async def test_the_home_page_instead_of_a_search_is_a_changed_site() -> None:
    listing = await Zillow().discover(HOUSE, fetcher=site(page("home.html")))

    assert listing.outcome is ListingOutcome.PAGE_CHANGED


@pytest.mark.parametrize("name", ["block.html", "block_untitled.html"])
async def test_a_refused_search_is_a_block(name: str) -> None:
    fetcher = site(page(name))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.BLOCKED
    assert len(fetcher.asked) == 1


@pytest.mark.parametrize("refused", [REFUSED, page("block.html", url=DETAIL)])
async def test_a_whole_gallery_of_the_search_page_replaces_a_refused_detail_page(
    refused: Fetched | Exception,
) -> None:
    fetcher = site(page("search_2024.html"), refused)

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (5, True)
    assert not listing.challenged
    assert "search page" in listing.detail
    assert (listing.listing_id, listing.url) == ("90100418", DETAIL)
    assert all(
        photo.url.endswith("-uncropped_scaled_within_1536_1152.jpg")
        and photo.fallback_urls
        for photo in listing.photos
    )


@pytest.mark.parametrize(
    "search",
    [
        page("search_2026.html"),
        page("search_2021.html"),
        changed("search_2024.html", '"photoCount": 5', '"photoCount": 6'),
    ],
    ids=["uncounted", "no gallery", "more than shown"],
)
async def test_a_gallery_that_may_lack_photos_does_not_replace_the_detail_page(
    search: Fetched,
) -> None:
    class AnyDetail(CannedFetcher):
        async def get(self, request: Request) -> Fetched:
            self.asked.append(request)
            if request.url == SEARCH:
                return search
            raise BlockedError("no", url=request.url, status=403)

    fetcher = AnyDetail({})

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.BLOCKED
    assert (listing.photos, listing.complete) == ((), False)
    assert "HTTP 403" in listing.detail
    assert len(fetcher.asked) == 2


async def test_a_listing_under_a_challenge_is_taken_and_marked() -> None:
    fetcher = site(page("search_2026.html"), page("overlay.html", url=DETAIL))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is ListingOutcome.LISTED
    assert (len(listing.photos), listing.complete) == (5, True)
    assert listing.challenged


OVERLAY = '<iframe id="px-captcha-modal" style="display: block"></iframe></body>'


async def test_after_a_challenge_over_the_search_page_nothing_more_is_asked() -> None:
    fetcher = site(changed("search_2026.html", "</body>", OVERLAY))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert (listing.outcome, listing.challenged) == (ListingOutcome.BLOCKED, True)
    assert len(fetcher.asked) == 1


async def test_a_whole_gallery_under_a_challenge_is_taken_from_the_search_page() -> (
    None
):
    fetcher = site(changed("search_2024.html", "</body>", OVERLAY))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert (listing.outcome, listing.challenged) == (ListingOutcome.LISTED, True)
    assert len(listing.photos) == 5


async def test_a_search_under_a_challenge_that_lacks_the_house_is_marked() -> None:
    fetcher = site(changed("search_nothing.html", "</body>", OVERLAY))

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert (listing.outcome, listing.challenged) == (ListingOutcome.NOT_FOUND, True)


@pytest.mark.parametrize(
    ("error", "outcome"), [*ENDINGS, (REFUSED, ListingOutcome.BLOCKED)]
)
async def test_an_error_of_the_search_request_becomes_an_outcome(
    error: Exception, outcome: ListingOutcome
) -> None:
    listing = await Zillow().discover(HOUSE, fetcher=site(error))

    assert listing.outcome is outcome
    assert listing.detail.startswith(str(error))


@pytest.mark.parametrize(("error", "outcome"), ENDINGS)
async def test_an_error_of_the_detail_request_becomes_an_outcome(
    error: Exception, outcome: ListingOutcome
) -> None:
    fetcher = site(page("search_2024.html"), error)

    listing = await Zillow().discover(HOUSE, fetcher=fetcher)

    assert listing.outcome is outcome
    assert listing.photos == ()


async def test_a_detail_page_that_is_gone_is_not_found() -> None:
    gone = GoneError("404", url=DETAIL, status=404)

    listing = await Zillow().discover(
        HOUSE, fetcher=site(page("search_2026.html"), gone)
    )

    assert listing.outcome is ListingOutcome.NOT_FOUND


async def test_a_search_that_is_gone_is_a_changed_site() -> None:
    listing = await Zillow().discover(
        HOUSE, fetcher=site(GoneError("404", url=SEARCH, status=404))
    )

    assert listing.outcome is ListingOutcome.PAGE_CHANGED


async def test_a_gallery_of_a_row_whose_link_names_a_neighbour_is_not_taken() -> None:
    own = "/homedetails/1418-E-Quail-Whistle-Ln-Phoenix-AZ-85042/90100418"
    search = changed("search_2024.html", own, own.replace("1418-E", "1422-E"))

    class Refusing:
        async def get(self, request: Request) -> Fetched:
            if request.url == search.url:
                return search
            raise REFUSED

        async def aclose(self) -> None:
            pass

    listing = await Zillow().discover(HOUSE, fetcher=Refusing())

    assert (listing.outcome, listing.photos) == (ListingOutcome.BLOCKED, ())


@pytest.mark.parametrize("status", ["OTHER", "WITHDRAWN", "OFF_MARKET"])
async def test_a_gallery_of_a_row_that_is_off_market_does_not_list_the_house(
    status: str,
) -> None:
    search = changed("search_2024.html", '"FOR_SALE"', f'"{status}"')

    listing = await Zillow().discover(HOUSE, fetcher=site(search, REFUSED))

    assert (listing.outcome, len(listing.photos)) == (ListingOutcome.OFF_MARKET, 5)
    assert not listing.complete
