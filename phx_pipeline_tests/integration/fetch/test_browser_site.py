"""The stand-ins that tell a browser from plain HTTP do so, in a real browser.

Only that they do so at all is seen each time: what else they do is shown by the tests
of our own browser, which need it.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from phx_pipeline.demo.houses import House
from phx_pipeline.demo.loopback import Asked, Loopback
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import recognise
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.redfin.parse import parse_listing
from phx_pipeline.sources.zillow.detail import parse_detail
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.standin import detail_path, zpid
from phx_pipeline_tests.browser_site import FOREIGN, Act, BrowserSite, blocking
from phx_pipeline_tests.canned import DATA
from phx_pipeline_tests.chromium import find_chromium
from phx_pipeline_tests.deployment import SMALLEST, with_shots

CHROMIUM = find_chromium()
HOUSE = with_shots(SMALLEST, 0, 1, 2, 3)
SOURCES = (Source.REDFIN, Source.ZILLOW)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

Opens = Callable[[BrowserSite], tuple[Page, Loopback]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-blink-features=AutomationControlled"],
        )


@pytest.fixture
def opens(browser: Browser, tmp_path: Path) -> Iterator[Opens]:
    """Give a window that reaches a site alone, and the proxy it goes through."""
    with ExitStack() as stack:

        def open_(site: BrowserSite) -> tuple[Page, Loopback]:
            loopback = Loopback(site.handlers(), folder=tmp_path)
            stack.enter_context(loopback)
            context = browser.new_context(
                proxy={"server": loopback.proxy_url, "bypass": "<-loopback>"},
                ignore_https_errors=True,
            )
            stack.callback(context.close)
            return context.new_page(), loopback

        yield open_


def site_of(source: Source, *acts: Act, guarded: bool = False) -> BrowserSite:
    return BrowserSite(source=source, houses=[HOUSE], acts=acts, guarded=guarded)


def url_of(house: House, source: Source) -> str:
    path = house.path if source is Source.REDFIN else detail_path(house)
    return f"https://www.{source}.com{path}"


def plain(site: BrowserSite, url: str) -> Fetched:
    parts = urlsplit(url)
    answer = site.answer(
        Asked(host=site.host, method="GET", target=parts.path, headers={}, at=0)
    )
    return Fetched(
        url=url, status=answer.status, headers=answer.headers, body=answer.body
    )


@pytest.mark.parametrize(
    "source", [Source.REDFIN, pytest.param(Source.ZILLOW, marks=pytest.mark.soak)]
)
def test_a_browser_gets_past_the_guard_and_plain_http_does_not(
    source: Source, opens: Opens
) -> None:
    site, url = site_of(source, guarded=True), url_of(HOUSE, source)
    page, _ = opens(site)

    page.goto(url)
    page.wait_for_function("document.title.includes('MLS')")

    assert HOUSE.street in page.title()
    assert site.visits[0]["webdriver"] == "false"
    assert site.pages == {"refused browser": 1, "served browser": 1}
    assert recognise(plain(site, url), holds_data=DATA) is not None


@pytest.mark.soak
@pytest.mark.parametrize("source", SOURCES)
def test_the_rest_of_a_lazy_gallery_is_asked_for_at_its_end(
    source: Source, opens: Opens
) -> None:
    site = site_of(source, Act.LAZY)
    page, _ = opens(site)

    page.goto(url_of(HOUSE, source))
    page.wait_for_timeout(300)
    first = list(site.told)
    with page.expect_response(lambda answer: answer.url.endswith("what=rest")):
        page.mouse.wheel(0, 9000)

    assert (first, site.told) == ([], ["rest"])
    listing = listing_in(plain(site, url_of(HOUSE, source)), source)
    assert len(listing.photos) == site.shown


def listing_in(page: Fetched, source: Source) -> Listing:
    house = Property.at(Address.parse(HOUSE.address))
    if source is Source.ZILLOW:
        return parse_detail(read_page(page), house=house, zpid=str(zpid(HOUSE)))
    return parse_listing(page.body.decode(), house=house, page_url=page.url)


@pytest.mark.soak
def test_an_overlay_is_drawn_over_a_full_page(opens: Opens) -> None:
    site, url = site_of(Source.ZILLOW, Act.OVERLAY), url_of(HOUSE, Source.ZILLOW)
    page, _ = opens(site)

    page.goto(url)
    page.wait_for_selector("iframe#px-captcha-modal")

    drawn = Fetched(url=url, status=200, headers={}, body=page.content().encode())
    found = recognise(drawn, holds_data=DATA)
    assert found is not None
    assert found.over_payload
    assert recognise(plain(site, url), holds_data=DATA) is None


@pytest.mark.soak
def test_a_page_really_asks_for_foreign_hosts(opens: Opens) -> None:
    site = site_of(Source.REDFIN, Act.FOREIGN)
    page, loopback = opens(site)

    with page.expect_response(lambda answer: "what=refused" in answer.url):
        page.goto(url_of(HOUSE, Source.REDFIN))

    assert {"tracker.example:443", "www.google-analytics.com:443"} <= set(
        loopback.refused
    )
    assert site.told[0].split() == ["refused", *FOREIGN]


@pytest.mark.soak
@pytest.mark.parametrize("name", ["block_px_2025-04", "block_px_captcha_2021-03"])
def test_a_hard_block_stays_one_in_a_browser(
    name: str, opens: Opens, shared_dir: Path
) -> None:
    body = (shared_dir / f"samples/zillow/{name}.html").read_bytes()
    site = site_of(Source.ZILLOW)
    site.block = blocking(body)
    page, _ = opens(site)
    url = url_of(HOUSE, Source.ZILLOW)

    page.goto(url)

    drawn = Fetched(url=url, status=403, headers={}, body=page.content().encode())
    assert recognise(drawn, holds_data=DATA) is not None
    assert site.pages["blocked browser"] == 1


@pytest.mark.soak
@pytest.mark.parametrize(
    ("act", "told"),
    [(Act.DIALOGS, "dialogs"), (Act.DOWNLOAD, "download"), (Act.POPUP, "popup")],
)
def test_pages_do_what_disturbs_a_browser(act: Act, told: str, opens: Opens) -> None:
    site = site_of(Source.REDFIN, act)
    page, _ = opens(site)

    with page.expect_response(lambda answer: answer.url.endswith(f"what={told}")):
        page.goto(url_of(HOUSE, Source.REDFIN))

    assert site.told == [told]
