"""Challenges are told from good pages: none missed, no good page called one."""

import json
from pathlib import Path

import pytest

from phx_pipeline.errors import BlockedError, RateLimitedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.challenge import (
    Challenge,
    ChallengeKind,
    inspected,
    recognise,
)

PAGES = Path(__file__).parents[2] / "pages"
URL = "https://www.example.com/home/1"
BLOCKED_SAMPLES = {
    "zillow/block_px_2025-04.html": ChallengeKind.PERIMETERX,
    "zillow/block_px_captcha_2021-03.html": ChallengeKind.PERIMETERX,
    "redfin/block_excerpt_2026_ratelimited.txt": ChallengeKind.ROBOT_PAGE,
}
OUR_BLOCKS = {
    "zillow/block.html": ChallengeKind.PERIMETERX,
    "zillow/block_untitled.html": ChallengeKind.PERIMETERX,
    "zillow/overlay.html": ChallengeKind.PERIMETERX,
    "redfin/challenge.html": ChallengeKind.AWS_WAF,
    "redfin/robot.html": ChallengeKind.ROBOT_PAGE,
    "redfin/search_refused.txt": ChallengeKind.SOFT_BLOCK,
}
CLOUDFLARE = (
    "<html><head><title>Just a moment...</title></head><body><script>"
    "window._cf_chl_opt={cvId:'3'};</script></body></html>"
)
LOGIN = "<title>Sign in</title><form><input type='password' name='p'></form>"
REDFIN_DATA = (
    "<script>root.__reactServerState.InitialContext = "
    '{"ReactServerAgent.cache": {"dataCache": {}}};</script>'
)
COVER = '<iframe id="px-captcha-modal" style="display: block; position: fixed">'


def next_data(**page_props: object) -> str:
    text = json.dumps({"props": {"pageProps": page_props}})
    return f'<script id="__NEXT_DATA__" type="application/json"> {text} </script>'


ZILLOW_DATA = next_data(componentProps={"gdpClientCache": '{"q": {"property": {}}}'})


def look(
    body: bytes | str,
    *,
    url: str = URL,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Challenge | None:
    raw = body.encode() if isinstance(body, str) else body
    return recognise(Fetched(url=url, status=status, headers=headers or {}, body=raw))


def kind(challenge: Challenge | None) -> ChallengeKind | None:
    return challenge.kind if challenge else None


def test_over_all_samples_none_is_missed_and_no_good_one_is_called_a_block(
    shared_dir: Path,
) -> None:
    samples = shared_dir / "samples"
    files = [path for path in sorted(samples.rglob("*")) if path.is_file()]

    found = {
        path.relative_to(samples).as_posix(): challenge.kind
        for path in files
        if (challenge := look(path.read_bytes()))
    }

    assert found == BLOCKED_SAMPLES
    assert len(files) > 40


def test_over_all_our_pages_none_is_missed_and_no_good_one_is_called_a_block() -> None:
    files = [path for path in sorted(PAGES.rglob("*")) if path.is_file()]

    found = {
        path.relative_to(PAGES).as_posix(): challenge.kind
        for path in files
        if (challenge := look(path.read_bytes()))
    }

    assert found == OUR_BLOCKS
    assert len(files) > len(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CLOUDFLARE, ChallengeKind.CLOUDFLARE),
        ("<script>window._cf_chl_opt = {};</script>", ChallengeKind.CLOUDFLARE),
        (
            "<title>Attention Required! | Cloudflare</title><p>Sorry</p>",
            ChallengeKind.CLOUDFLARE,
        ),
        ("<title>Human Verification</title>", ChallengeKind.AWS_WAF),
        ("<script>window.gokuProps = {};</script>", ChallengeKind.AWS_WAF),
        ("<div class='x' id='captcha-container'></div>", ChallengeKind.AWS_WAF),
        ("<p>Please verify you\u2019re a human</p>", ChallengeKind.PERIMETERX),
        (COVER, ChallengeKind.PERIMETERX),
        (
            '{"appId":"PXHYx10rg3","blockScript":"/c.js","vid":""}',
            ChallengeKind.PERIMETERX,
        ),
        (LOGIN, ChallengeKind.LOGIN_WALL),
        ("", ChallengeKind.SOFT_BLOCK),
        ("<html><head></head><body> </body></html>", ChallengeKind.SOFT_BLOCK),
        ('{}&&{"resultCode":0,"payload":{"homes":[]}}', ChallengeKind.SOFT_BLOCK),
        ('{}&&{"resultCode":7,"payload":{}}', ChallengeKind.SOFT_BLOCK),
        ('{}&&{"resultCode":[7]}', ChallengeKind.SOFT_BLOCK),
    ],
)
def test_each_kind_is_told_by_what_is_in_the_answer(
    body: str, expected: ChallengeKind
) -> None:
    challenge = look(body)

    assert kind(challenge) is expected
    assert challenge is not None
    assert not challenge.over_payload
    assert len(challenge.reason.splitlines()) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amzn-waf-action": "captcha"}, ChallengeKind.AWS_WAF),
        ({"x-px-blocked": "1"}, ChallengeKind.PERIMETERX),
        ({"cf-mitigated": "challenge"}, ChallengeKind.CLOUDFLARE),
        ({"x-px-blocked": "0"}, None),
        ({"server": "cloudflare", "cf-ray": "8f"}, None),
    ],
)
@pytest.mark.parametrize("body", ["<p>Something</p>", '{"some": "answer"}'])
def test_an_answer_may_say_of_itself_that_it_is_one(
    headers: dict[str, str], expected: ChallengeKind | None, body: str
) -> None:
    assert kind(look(body, headers=headers)) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ratelimited.redfin.com/", ChallengeKind.RATE_LIMIT),
        ("https://www.zillow.com/captchaPerimeterX/?url=x", ChallengeKind.PERIMETERX),
        ("https://www.example.com/login?next=x", None),
        ("https://www.example.com/ratelimited.html", None),
    ],
)
def test_the_address_tells_when_it_is_made_for_it(
    url: str, expected: ChallengeKind | None
) -> None:
    assert kind(look("<p>Something</p>", url=url)) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, ChallengeKind.REFUSED),
        (403, ChallengeKind.REFUSED),
        (405, ChallengeKind.REFUSED),
        (429, ChallengeKind.RATE_LIMIT),
        (404, None),
        (500, None),
    ],
)
def test_a_status_is_a_refusal_or_none(
    status: int, expected: ChallengeKind | None
) -> None:
    assert kind(look("<p>Something</p>", status=status)) is expected


@pytest.mark.parametrize("status", [204, 404, 503])
def test_nothing_where_nothing_was_promised_is_no_block(status: int) -> None:
    assert look("", status=status) is None


@pytest.mark.parametrize("data", [REDFIN_DATA, ZILLOW_DATA])
@pytest.mark.parametrize(
    "sign",
    [
        "<p>Please verify you're a human</p>",
        '<div id="captcha-container" hidden></div>',
        '<meta name="description" content="px-captcha">',
        "<script>window.gokuProps = {};</script>",
        LOGIN,
    ],
)
def test_a_sign_beside_the_data_of_a_page_proves_nothing(data: str, sign: str) -> None:
    assert look(sign + data) is None
    assert look(sign) is not None


@pytest.mark.parametrize("data", [REDFIN_DATA, ZILLOW_DATA])
def test_a_shown_cover_over_the_data_is_a_challenge_and_the_data_is_usable(
    data: str,
) -> None:
    challenge = look(COVER + data)

    assert challenge is not None
    assert challenge.over_payload
    assert look(COVER.replace("block", "none") + data) is None


@pytest.mark.parametrize(
    "empty",
    [
        next_data(componentProps={"gdpClientCache": "{}"}),
        next_data(searchPageState={}),
        '<script id="__NEXT_DATA__">{broken</script>',
        '<script id="__NEXT_DATA__">' + "[" * 100_000 + "</script>",
        '<script id="hdpApolloPreloadedData">{}</script>',
        '<script id="__NEXT_DATA__">{"props": 7}</script>',
    ],
)
def test_an_empty_or_broken_payload_is_no_payload(empty: str) -> None:
    challenge = look("<title>Access to this page has been denied</title>" + empty)

    assert challenge is not None
    assert not challenge.over_payload


@pytest.mark.parametrize(
    "inert",
    [
        "<script>window._pxAppId = 'PXHYx10rg3';</script>",
        "<script>var t = '<div id=\"px-captcha\"></div>';</script><p>x</p>",
        '<!-- <div id="px-captcha"></div> --><p>x</p>',
        '<script src="https://0d0c.edge.sdk.awswaf.com/0d0c/challenge.js"></script>',
        '<script src="/cdn-cgi/challenge-platform/scripts/jsd/main.js"></script>',
        "<svg><title>Are we there?</title></svg>",
        "<title>Just moments from the lake</title>",
        "<title>Robots of Phoenix</title>",
        "<form><input type='password'></form><p>Welcome</p>",
        '{"resultCode": 7}',
        "[]",
        '{"homes": []}',
    ],
)
def test_what_good_pages_carry_is_no_challenge(inert: str) -> None:
    assert look(inert) is None


@pytest.mark.parametrize(
    "flood", ["<script", "<!--", "<div ", "<title", "<iframe id='px-captcha-modal'"]
)
def test_a_page_made_to_be_slow_is_read_to_its_end(flood: str) -> None:
    body = "<p>x</p>" + flood * (1_000_000 // len(flood))

    assert look(body) is None


def test_a_challenge_is_raised_with_its_body_and_a_covered_page_handed_on() -> None:
    blocked = Fetched(url=URL, status=200, headers={}, body=CLOUDFLARE.encode())
    covered = Fetched(
        url=URL, status=200, headers={}, body=(COVER + ZILLOW_DATA).encode()
    )
    good = Fetched(url=URL, status=200, headers={}, body=ZILLOW_DATA.encode())

    with pytest.raises(BlockedError) as caught:
        inspected(blocked)

    assert caught.value.body == blocked.body
    assert isinstance(inspected(covered), BlockedError)
    assert inspected(good) is None


def test_a_rate_limit_page_asks_for_patience() -> None:
    url = "https://ratelimited.redfin.com/"

    with pytest.raises(RateLimitedError) as caught:
        inspected(Fetched(url=url, status=200, headers={}, body=b"<p>x</p>"))

    assert caught.value.status == 200
