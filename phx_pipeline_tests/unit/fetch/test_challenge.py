"""Challenges are told from good pages: none missed, no good page called one."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.errors import BlockedError, RateLimitedError
from phx_pipeline.fetch.base import ClientName, Fetched, Request, RequestKind
from phx_pipeline.fetch.challenge import Screen, recognise, screened
from phx_pipeline.fetch.signs import Challenge, ChallengeKind, sent_away
from phx_pipeline.model.source import Source
from phx_pipeline_tests.canned import DATA

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
    answer = Fetched(url=url, status=status, headers=headers or {}, body=raw)
    return recognise(answer, holds_data=DATA)


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
        ("<div id=captcha-container>", ChallengeKind.AWS_WAF),
        ("<div class=x id=px-captcha>", ChallengeKind.PERIMETERX),
        ("<meta name=description content=px-captcha>", ChallengeKind.PERIMETERX),
        ("<title>Are&nbsp;You a R&#111;bot?</title>", ChallengeKind.ROBOT_PAGE),
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
        (
            '<form id="challenge-form" action="/x?__cf_chl_f_tk=y">',
            ChallengeKind.CLOUDFLARE,
        ),
        ("<TITLE>Access Denied</TITLE><H1>Access Denied</H1>", ChallengeKind.AKAMAI),
        ("<title>Pardon Our Interruption</title>", ChallengeKind.IMPERVA),
        (
            '<iframe src="/_Incapsula_Resource?CWUDNSAI=9">Request unsuccessful.',
            ChallengeKind.IMPERVA,
        ),
        (
            "<p>No</p><script>var dd={'host':'geo.captcha-delivery.com'}</script>",
            ChallengeKind.DATADOME,
        ),
        (
            '{"url":"https://geo.captcha-delivery.com/captcha/?initialCid=x"}',
            ChallengeKind.DATADOME,
        ),
        ("<title>Security Check</title><p>x", ChallengeKind.ROBOT_PAGE),
        ("<title>Verifying you are human</title>", ChallengeKind.ROBOT_PAGE),
        (
            "<title>Checking your browser before accessing x</title><p>x",
            ChallengeKind.CLOUDFLARE,
        ),
        (
            "<title>Access denied | x used Cloudflare to restrict access</title><p>x",
            ChallengeKind.CLOUDFLARE,
        ),
        ("<title>Request Rejected</title><p>Your support ID", ChallengeKind.ROBOT_PAGE),
        ("<title>Client Challenge</title><p>x", ChallengeKind.ROBOT_PAGE),
        ("<title>Vercel Security Checkpoint</title><p>x", ChallengeKind.ROBOT_PAGE),
        ("<title>One more step</title><p>x", ChallengeKind.ROBOT_PAGE),
        (
            "<p>Our systems have detected unusual traffic from your computer network",
            ChallengeKind.ROBOT_PAGE,
        ),
        ('<div id="sec-if-cpt-container"></div><p>x', ChallengeKind.AKAMAI),
        (
            '<p>x<script src="/_sec/cp_challenge/ak-challenge-4-4.js"></script>',
            ChallengeKind.AKAMAI,
        ),
        (
            '<p>x<script src="/_Incapsula_Resource?SWJIYLWA=1"></script>',
            ChallengeKind.IMPERVA,
        ),
        (
            "<p>x<script>window.reeseSkipExpirationCheck = true;</script>",
            ChallengeKind.IMPERVA,
        ),
        (
            '<p>x<script src="/149e9513-01fa/2d206a39/ips.js?x"></script>',
            ChallengeKind.KASADA,
        ),
        ('<h1>Hello</h1><div class="g-recaptcha" data-x=y>', ChallengeKind.ROBOT_PAGE),
        ("<h1>Hello</h1><div class='box h-captcha'></div>", ChallengeKind.ROBOT_PAGE),
        ("<h1>Hello</h1><div class=cf-turnstile></div>", ChallengeKind.ROBOT_PAGE),
        ("<title>Please Wait... | Cloudflare</title><p>x", ChallengeKind.CLOUDFLARE),
        ("<title>Un momento\u2026</title><p>x", ChallengeKind.CLOUDFLARE),
        ("<span id='challenge-error-text'>x</span>", ChallengeKind.CLOUDFLARE),
        ('<p>x<div id="turnstile-wrapper"></div>', ChallengeKind.CLOUDFLARE),
        (
            '<p>x<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/x">',
            ChallengeKind.CLOUDFLARE,
        ),
        (
            "<p>x<script>window._pxBlockScript = '/c.js'</script>",
            ChallengeKind.PERIMETERX,
        ),
        (
            '<p>x<script src="/HYx10rg3/captcha/captcha.js?a=c&amp;u=1"></script>',
            ChallengeKind.PERIMETERX,
        ),
        ("<p>x<script>window.KPSDK={};</script>", ChallengeKind.KASADA),
        ('{"appId":"PX1","captchaUrl":"/captcha"}', ChallengeKind.PERIMETERX),
        ('{"incidentId":"1-2","errorCode":"15"}', ChallengeKind.IMPERVA),
        ("<title>ShieldSquare Captcha</title><p>x", ChallengeKind.ROBOT_PAGE),
        ("<title>are you human?</title>", ChallengeKind.ROBOT_PAGE),
        ('<p>x<div id="FunCaptcha"></div>', ChallengeKind.ROBOT_PAGE),
        (
            '<p>x<iframe src="https://newassets.hcaptcha.com/captcha/v1"></iframe>',
            ChallengeKind.ROBOT_PAGE,
        ),
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
    "words",
    [
        "Press &amp; Hold to confirm you are a human (and not a bot).",
        "Are you a robot?",
        "Making sure you&#39;re not a bot!",
        "We just need to make sure you\u2019re not a robot.",
        "Please enable JS and disable any ad blocker",
        "Enable JavaScript and cookies to continue",
        "Access to this page has been denied because of automation tools",
        "Your access to this site has been limited",
        "Sorry, you have been blocked",
        "Request denied",
        "Request blocked. We can't connect to the server",
        "The requested URL was rejected. Your support ID is: 1",
        "Please wait while we verify your browser",
        "Access denied: automated access detected",
        "Slide to complete the puzzle",
    ],
)
def test_a_page_of_few_words_that_speaks_to_robots_is_one(words: str) -> None:
    page = f"<html><head><title>x</title></head><body><h1>{words}</h1></body></html>"

    assert [it for it in (page, words) if kind(look(it)) is None] == []
    assert look(page + "<p>a page to read</p>" * 200) is None
    assert look(page + ZILLOW_DATA) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-amzn-waf-action": "captcha"}, ChallengeKind.AWS_WAF),
        ({"x-px-blocked": "1"}, ChallengeKind.PERIMETERX),
        ({"cf-mitigated": "challenge"}, ChallengeKind.CLOUDFLARE),
        ({"x-vercel-mitigated": "challenge"}, ChallengeKind.ROBOT_PAGE),
        ({"sg-captcha": "challenge"}, ChallengeKind.ROBOT_PAGE),
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
        ("https://www.example.com/captcha?next=x", ChallengeKind.ROBOT_PAGE),
        ("https://www.example.com/login?next=x", None),
        ("https://www.example.com/ratelimited.html", None),
        ("https://www.example.com/errors/validateCaptcha", ChallengeKind.ROBOT_PAGE),
        ("https://www.example.com/px/captcha/", ChallengeKind.ROBOT_PAGE),
        ("https://www.example.com/blocked?ref=x", ChallengeKind.ROBOT_PAGE),
        ("https://captcha.example.com/", ChallengeKind.ROBOT_PAGE),
        ("https://www.example.com/blocked-drains-in-mesa", None),
    ],
)
def test_the_address_tells_when_it_is_made_for_it(
    url: str, expected: ChallengeKind | None
) -> None:
    assert kind(look("<p>Something</p>", url=url)) is expected


STATUSES = [200, 202, 401, 403, 404, 405, 410, 418, 429, 500, 502, 503, 520]
CHALLENGES = {
    "titled": "<title>Are You a Robot?</title>",
    "boxed": "<div id='px-captcha'></div>",
    "in JSON": '{"appId":"PX1","blockScript":"/c.js"}',
    "a log-in": LOGIN,
    "by settings": CLOUDFLARE,
}


@pytest.mark.parametrize("body", CHALLENGES.values(), ids=CHALLENGES)
def test_a_challenge_is_one_whatever_its_status(body: str) -> None:
    assert [it for it in STATUSES if look(body, status=it) is None] == []


@pytest.mark.parametrize(
    "body",
    ["<p>Something</p>", '{"error": "busy"}', "Too many requests", "<h1>Oops</h1>"],
)
def test_a_status_alone_proves_nothing(body: str) -> None:
    assert [it for it in STATUSES if look(body, status=it) is not None] == []


@pytest.mark.parametrize("status", [404, 500, 503])
def test_what_a_failing_server_says_in_json_is_no_refusal(status: int) -> None:
    assert look('{}&&{"resultCode":7}', status=status) is None


@pytest.mark.parametrize(
    "dressed",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b" \r\n" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: gzip.compress(text.encode(), mtime=0),
        lambda text: gzip.compress(text.encode("utf-16"), mtime=0),
    ],
    ids=["BOM", "blanks", "16", "16-le", "16-be", "32", "gzip", "gzip 16"],
)
def test_a_challenge_is_one_in_whatever_it_is_dressed(
    dressed: Callable[[str], bytes],
) -> None:
    missed = [name for name, it in CHALLENGES.items() if look(dressed(it)) is None]

    assert missed == []


@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf", b"\xff\xfe", gzip.compress(b"", mtime=0), b" \n"]
)
def test_a_body_of_marks_alone_is_an_empty_page(body: bytes) -> None:
    assert kind(look(body)) is ChallengeKind.SOFT_BLOCK


def test_broken_compression_is_read_as_it_is() -> None:
    assert look(b"\x1f\x8b\x08 broken") is None


PICTURES = [b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF....WEBPVP8 "]


@pytest.mark.parametrize("start", PICTURES)
def test_in_a_picture_nothing_is_a_sign_but_what_its_answer_says(start: bytes) -> None:
    body = start + b"<title>Are You a Robot?</title>"

    assert look(body) is None
    assert kind(look(body, headers={"cf-mitigated": "challenge"})) is (
        ChallengeKind.CLOUDFLARE
    )


@pytest.mark.parametrize("status", [200, 404])
def test_a_robot_page_on_the_rate_limit_host_is_a_challenge(status: int) -> None:
    url = "https://ratelimited.redfin.com/"

    assert kind(look(CHALLENGES["titled"], url=url, status=status)) is (
        ChallengeKind.ROBOT_PAGE
    )
    assert kind(look("<p>Slow</p>", url=url, status=status)) is ChallengeKind.RATE_LIMIT


@pytest.mark.parametrize("status", [429, 503])
def test_what_the_rate_limit_host_says_by_a_status_is_left_to_that(status: int) -> None:
    assert look(
        "<p>Slow</p>", url="https://ratelimited.redfin.com/", status=status
    ) is (None)


def test_a_log_in_that_asks_for_a_name_first_is_one_too() -> None:
    form = "<form>Who are you? <input type='email' name='e'></form>"

    assert kind(look(form, url="https://www.example.com/login")) is (
        ChallengeKind.LOGIN_WALL
    )
    assert kind(look("<title>Sign in</title>" + form)) is ChallengeKind.LOGIN_WALL
    assert look(form) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://geo.captcha-delivery.com/captcha/?x", ChallengeKind.ROBOT_PAGE),
        ("https://validate.perfdrive.com/x", ChallengeKind.ROBOT_PAGE),
        ("https://www.example.com/recaptcha/x", ChallengeKind.ROBOT_PAGE),
        ("https://newassets.hcaptcha.com/x", ChallengeKind.ROBOT_PAGE),
        ("https://example.queue-it.net/?c=x", ChallengeKind.ROBOT_PAGE),
        ("https://accounts.example.com/", ChallengeKind.LOGIN_WALL),
        ("https://example.com/signin?next=x", ChallengeKind.LOGIN_WALL),
        ("https://example.com/user/sign_in", ChallengeKind.LOGIN_WALL),
        ("https://example.com/", None),
        ("https://www.authors.example/captchas-explained-by-us", None),
        ("nonsense", None),
    ],
)
def test_where_a_redirect_leads_may_tell(
    url: str, expected: ChallengeKind | None
) -> None:
    assert kind(sent_away(url)) is expected


def test_a_full_page_whose_answer_is_marked_lies_under_a_challenge() -> None:
    headers = {"x-amzn-waf-action": "challenge"}

    challenge = look(ZILLOW_DATA, headers=headers)

    assert challenge is not None
    assert challenge.over_payload


def test_what_a_site_says_is_told_short_and_printable() -> None:
    loud = "challenge\x1b[31m\x07" + "x" * 3000
    marked = look("<p>x</p>", headers={"x-amzn-waf-action": loud})
    titled = look("<title>Are you a robot\x1b[2J\u202e" + "x" * 3000)

    for challenge in (marked, titled):
        assert challenge is not None
        assert challenge.reason.isprintable()
        assert len(challenge.reason) < 100


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
    assert look(COVER.replace('style="', 'hidden style="') + data) is None
    assert look(COVER.replace("display: block", "visibility:hidden") + data) is None
    assert look(COVER.replace("display: block", "overflow: hidden") + data)


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
        "<div id=px-captcha-note>x</div>",
        '<div id="px-captcha-note">x</div>',
        "<title>Just moments from the lake</title>",
        "<title>Robots of Phoenix</title>",
        "<form><input type='password'></form><p>Welcome</p>",
        '<p>Write</p><textarea></textarea><div class="g-recaptcha"></div>',
        '<p>Write</p><input type="email"><div class="h-captcha"></div>',
        '<div class="g-recaptcha"></div>' + "<p>a page to read</p>" * 100,
        '<div class="g-recaptcha-note">x</div>',
        "<p>We saw unusual traffic on Main Street</p>",
        "<p>A house that is automated and human</p>",
        "<p>The lane to the yard is blocked</p>",
        '<iframe src="https://tours.example/1"></iframe><p>Tour</p>',
        "<title>Captchas: a history</title>",
        '{"resultCode": 7}',
        "[]",
        '{"homes": []}',
    ],
)
def test_what_good_pages_carry_is_no_challenge(inert: str) -> None:
    assert look(inert) is None


@pytest.mark.parametrize(
    "flood",
    [
        "<script",
        "<!--",
        "<div ",
        "<div class=a ",
        "<title",
        "<iframe id='px-captcha-modal'",
    ],
)
def test_a_page_made_to_be_slow_is_read_to_its_end(flood: str) -> None:
    body = "<p>x</p>" + flood * (20_000_000 // len(flood))

    assert look(body) is None


class Wire:
    """A fetcher that gives one answer."""

    def __init__(self, body: str) -> None:
        self.answer = Fetched(url=URL, status=200, headers={}, body=body.encode())
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        del request
        return self.answer

    async def aclose(self) -> None:
        self.closed = True


def asked(kind: RequestKind = RequestKind.PAGE) -> Request:
    return Request(url=URL, source=Source.ZILLOW, kind=kind)


@pytest.mark.parametrize(
    ("kind", "is_one"),
    [(RequestKind.PAGE, True), (RequestKind.API, True), (RequestKind.PHOTO, False)],
)
async def test_no_bytes_are_a_challenge_but_for_a_photo(
    kind: RequestKind, *, is_one: bool
) -> None:
    wire = Wire("")

    if is_one:
        with pytest.raises(BlockedError):
            await Screen(wire, holds_data=DATA).get(asked(kind))
    else:
        assert await Screen(wire, holds_data=DATA).get(asked(kind)) is wire.answer


async def test_no_bytes_are_an_answer_of_an_api_that_has_no_page() -> None:
    wire = Wire("")
    with_token = replace(asked(RequestKind.API), secret_headers={"authorization": "x"})
    by_plain_client = replace(asked(RequestKind.API), client=ClientName.HTTPX)

    for request in (with_token, by_plain_client):
        assert await Screen(wire, holds_data=DATA).get(request) is wire.answer


@pytest.mark.parametrize("kind", list(RequestKind))
async def test_a_challenge_is_raised_with_its_body_whatever_was_asked_for(
    kind: RequestKind,
) -> None:
    with pytest.raises(BlockedError) as caught:
        await Screen(Wire(CLOUDFLARE), holds_data=DATA).get(asked(kind))

    assert caught.value.challenge
    assert caught.value.body == CLOUDFLARE.encode()


async def test_a_covered_page_is_handed_on_and_a_good_one_left_alone() -> None:
    covered = await Screen(Wire(COVER + ZILLOW_DATA), holds_data=DATA).get(asked())
    good = Wire(ZILLOW_DATA)

    assert covered.challenge == "a challenge over the page"
    assert await Screen(good, holds_data=DATA).get(asked()) is good.answer


async def test_a_page_that_came_for_a_photo_is_of_no_use() -> None:
    screen = Screen(Wire(COVER + ZILLOW_DATA), holds_data=DATA)

    with pytest.raises(BlockedError):
        await screen.get(asked(RequestKind.PHOTO))


async def test_closing_closes_what_is_inside() -> None:
    wire = Wire("")

    await Screen(wire, holds_data=DATA).aclose()

    assert wire.closed


def test_a_rate_limit_page_asks_for_patience() -> None:
    url = "https://ratelimited.redfin.com/"

    answer = Fetched(url=url, status=200, headers={}, body=b"<p>x</p>")

    with pytest.raises(RateLimitedError) as caught:
        screened(answer, holds_data=DATA)

    assert caught.value.status == 200
