import json
from pathlib import Path

import pytest

from phx_pipeline.errors import BlockedError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import screened
from phx_pipeline.sources.zillow.payload import Page, read_page
from phx_pipeline_tests.canned import DATA

PAGES = Path(__file__).parents[3] / "pages" / "zillow"
URL = "https://www.zillow.com/homedetails/90100418_zpid/"
DENIED = "<title>Access to this page has been denied</title>"


def read(text: str, *, headers: dict[str, str] | None = None) -> Page:
    body = text.encode()
    answer = Fetched(url=URL, status=200, headers=headers or {}, body=body)
    return read_page(screened(answer, holds_data=DATA))


def read_file(name: str) -> Page:
    return read((PAGES / name).read_text())


def next_data(page_props: object) -> str:
    text = json.dumps({"props": {"pageProps": page_props}})
    return f'<script id="__NEXT_DATA__" type="application/json">\n {text}\n</script>'


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("listed_2026.html", "ForSalePriorityQuery"),
        ("listed_2023.html", "ForSaleShopperPlatformFullRenderQuery"),
        ("listed_apollo.html", "ForSaleDoubleScrollFullRenderQuery"),
        ("off_market.html", "NotForSaleShopperPlatformFullRenderQuery"),
    ],
)
def test_the_answers_of_a_detail_page_of_each_generation_are_found(
    name: str, query: str
) -> None:
    page = read_file(name)

    assert page.cache is not None
    assert any(key.startswith(query) for key in page.cache)
    assert page.search is None


@pytest.mark.parametrize(
    "name",
    ["search_2026.html", "search_2024.html", "search_2021.html", "search_2018.json"],
)
def test_the_state_of_a_search_page_of_each_generation_is_found(name: str) -> None:
    page = read_file(name)

    assert page.cache is None
    assert page.search


def test_a_page_that_is_neither_carries_nothing_and_is_no_block() -> None:
    page = read_file("home.html")

    assert (page.cache, page.search, page.challenged) == (None, None, False)


@pytest.mark.parametrize("name", ["block.html", "block_untitled.html"])
def test_a_refusal_is_a_block(name: str) -> None:
    with pytest.raises(BlockedError):
        read_file(name)


@pytest.mark.parametrize(
    "sign",
    [
        DENIED,
        '<meta name="description" content="px-captcha">',
        "<div class='x' id='px-captcha'></div>",
        "<h5>Please verify you're a human to continue.</h5>",
        "<h5>Please verify you&#39;re a human to continue.</h5>",
        "<h5>Please verify you\u2019re a human to continue.</h5>",
    ],
)
def test_each_sign_is_a_block_alone_and_none_beside_a_payload(sign: str) -> None:
    payload = next_data({"componentProps": {"gdpClientCache": '{"q": {}}'}})

    with pytest.raises(BlockedError):
        read(sign)
    assert read(sign + payload).cache == {"q": {}}


def test_an_answer_marked_as_blocked_is_a_block() -> None:
    with pytest.raises(BlockedError):
        read("", headers={"x-px-blocked": "1"})


@pytest.mark.parametrize(
    "inert",
    [
        "<script>window._pxAppId = 'PXHYx10rg3';</script>",
        "<script>var t = '<div id=\"px-captcha\"></div>';</script>",
        '<!-- <div id="px-captcha"></div> --><p>x</p>',
        "<svg><title>Save this home</title></svg>",
    ],
)
def test_what_every_good_page_may_carry_is_no_block(inert: str) -> None:
    assert not read(inert).challenged


def test_a_refusal_around_a_broken_payload_is_a_block() -> None:
    with pytest.raises(BlockedError):
        read(DENIED + '<script id="__NEXT_DATA__">{</script>')


def test_a_refusal_around_an_empty_payload_is_a_block() -> None:
    empty = next_data({"componentProps": {"gdpClientCache": "{}"}})

    with pytest.raises(BlockedError):
        read(DENIED + empty)


def test_a_page_under_a_shown_challenge_is_taken_and_marked() -> None:
    page = read_file("overlay.html")

    assert page.cache
    assert page.challenged


def test_a_hidden_challenge_frame_is_none() -> None:
    text = (PAGES / "overlay.html").read_text()

    page = read(text.replace("display: block", "display: none"))

    assert not page.challenged


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ('<script id="__NEXT_DATA__">not JSON</script>', "__NEXT_DATA__"),
        ('<script id="__NEXT_DATA__">[]</script>', "__NEXT_DATA__"),
        ('<script id="__NEXT_DATA__">{}</script>', "props"),
        ('<script id="__NEXT_DATA__">{"props": {}}</script>', "pageProps"),
        (next_data({"gdpClientCache": "{"}), "gdpClientCache"),
        (next_data({"gdpClientCache": "[]"}), "gdpClientCache"),
        (next_data({"searchPageState": []}), "searchPageState"),
        ('<script id="hdpApolloPreloadedData">{}</script>', "apiCache"),
        ("{broken", "the answer"),
        ('<script id="__NEXT_DATA__">' + "[" * 100_000 + "</script>", "__NEXT_DATA__"),
    ],
)
def test_a_payload_of_another_shape_is_a_changed_page(text: str, missing: str) -> None:
    with pytest.raises(SourceChangedError, match=missing):
        read(text)


def test_a_payload_parsed_already_reads_the_same() -> None:
    page = read(next_data({"componentProps": {"gdpClientCache": {"q": {}}}}))

    assert page.cache == {"q": {}}


def test_scripts_that_are_never_closed_are_looked_at_once() -> None:
    body = b'<script id="__NEXT_DATA__">' * 200_000

    page = read_page(Fetched(url="u", status=200, headers={}, body=body))

    assert (page.cache, page.search) == (None, None)
