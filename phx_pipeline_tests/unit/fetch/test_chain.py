import contextlib
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.errors import (
    BlockedError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    ProxyError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.chain import (
    LONGEST_WISH_S,
    Layer,
    Redirects,
    Statuses,
    build_fetcher,
    failure_of,
    retry_after_s,
)
from phx_pipeline.fetch.hosts import AllowList
from phx_pipeline.model.source import Source

NOW_S = 1_796_000_000.0
SITE = "https://www.zillow.com"
HOME = f"{SITE}/home"
ALLOW_LIST = AllowList({Source.ZILLOW: ("zillow.com",)})


def answer(status: int, *, url: str = HOME, **headers: str) -> Fetched:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fetched(url=url, status=status, headers=named, body=b"")


def request(
    *, headers: Mapping[str, str] | None = None, timeout_s: float = 5
) -> Request:
    return Request(
        url=HOME,
        source=Source.ZILLOW,
        kind=RequestKind.PAGE,
        headers=headers or {},
        timeout_s=timeout_s,
    )


class Site:
    """Answers by URL and remembers what it was asked."""

    def __init__(self, pages: Mapping[str, Fetched]) -> None:
        self.pages = pages
        self.asked: list[Request] = []
        self.closed = False

    async def get(self, request: Request) -> Fetched:
        self.asked.append(request)
        return self.pages[request.url]

    async def aclose(self) -> None:
        self.closed = True

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.asked]


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 299])
def test_a_2xx_answer_is_usable(status: int) -> None:
    assert failure_of(answer(status), now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FetchError),
        (401, BlockedError),
        (403, BlockedError),
        (404, GoneError),
        (405, BlockedError),
        (407, ProxyError),
        (410, GoneError),
        (418, FetchError),
        (429, RateLimitedError),
        (451, FetchError),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (599, TransientError),
        (304, FetchError),
        (100, FetchError),
    ],
)
def test_every_other_status_has_its_exception(
    status: int, kind: type[FetchError]
) -> None:
    error = failure_of(answer(status), now_s=NOW_S)

    assert type(error) is kind
    assert (error.url, error.status) == (HOME, status)


def test_a_407_is_told_as_the_proxys_fault() -> None:
    assert "proxy" in str(failure_of(answer(407), now_s=NOW_S))


@pytest.mark.parametrize("status", [200, 403, 429, 503])
def test_a_full_payload_under_a_challenge_is_usable_whatever_its_status(
    status: int,
) -> None:
    covered = replace(answer(status), challenge="a challenge over the page")

    assert failure_of(covered, now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("status", "headers", "length"),
    [
        (206, {}, 10),
        (206, {"content_range": "bytes 0-9/20"}, 10),
        (200, {"content_range": "bytes 0-9/20"}, 10),
        (200, {"content_range": "nonsense"}, 10),
        (200, {"content_length": "11"}, 10),
        (202, {"content_length": "999999999999999999"}, 10),
        (200, {"content_length": "1"}, 0),
    ],
)
def test_an_answer_that_is_not_whole_is_a_passing_fault(
    status: int, headers: dict[str, str], length: int
) -> None:
    part = replace(answer(status, **headers), body=b"x" * length)

    error = failure_of(part, now_s=NOW_S)

    assert type(error) is TransientError
    assert error.status == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_length": "10"},
        {"content_length": "9"},
        {"content_length": "many"},
        {"content_length": ""},
        {"content_length": "20", "content_encoding": "gzip"},
        {"content_length": "20", "transfer_encoding": "chunked"},
        {"accept_ranges": "bytes"},
    ],
)
def test_only_what_is_announced_of_the_very_body_can_tell_that_it_is_short(
    headers: dict[str, str],
) -> None:
    whole = replace(answer(200, **headers), body=b"x" * 10)

    assert failure_of(whole, now_s=NOW_S) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-30", 0.0),
        ("9" * 400, LONGEST_WISH_S),
        ("99999999999", LONGEST_WISH_S),
        (formatdate(NOW_S + 90, usegmt=True), 90.0),
        (formatdate(NOW_S + 90, localtime=False), 90.0),
        (formatdate(NOW_S - 90, usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WISH_S),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Monday, 30-Nov-26 00:26:40 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("0x10", None),
        ("٣", None),
        ("12 seconds", None),
        ("Fri, 99 Dec 2026 23:59:59 GMT", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(
    text: str | None, seconds: float | None
) -> None:
    assert retry_after_s(text, now_s=NOW_S) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d+ Dec \d+ \d+:\d+:\d+ [A-Z+\-\d]+"))
def test_no_retry_after_can_break_the_reader(text: str) -> None:
    wish_s = retry_after_s(text, now_s=NOW_S)

    assert wish_s is None or 0 <= wish_s <= LONGEST_WISH_S


async def test_the_wish_of_a_429_travels_with_its_exception() -> None:
    at = formatdate(NOW_S + 42, usegmt=True)
    statuses = Statuses(Site({HOME: answer(429, retry_after=at)}), clock=lambda: NOW_S)

    with pytest.raises(RateLimitedError) as caught:
        await statuses.get(request())

    assert caught.value.retry_after_s == 42


async def test_an_answer_that_is_no_redirect_comes_back_untouched() -> None:
    page = answer(404)

    final = await Redirects(Site({HOME: page}), allow_list=ALLOW_LIST).get(request())

    assert final is page


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/new", "https://www.zillow.com/new"),
        ("new?q=1", "https://www.zillow.com/new?q=1"),
        ("//m.zillow.com/x", "https://m.zillow.com/x"),
        ("https://zillow.com/y#part", "https://zillow.com/y"),
        ("/a b\u00e9", "https://www.zillow.com/a%20b%C3%A9"),
        ("/a%20b", "https://www.zillow.com/a%20b"),
    ],
)
async def test_a_redirect_is_followed(status: int, location: str, target: str) -> None:
    site = Site(
        {HOME: answer(status, location=location), target: answer(200, url=target)}
    )

    final = await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert final.url == target
    assert site.urls == [HOME, target]


@pytest.mark.parametrize(
    "location",
    [
        "http://www.zillow.com/",
        "https://example.com/",
        "//example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "https://[::1]/",
        "https://[::1",
        "https://www.zillow.com:8443/",
        "https://user@www.zillow.com/",
        "https://example.com\\@www.zillow.com/",
        "file:///etc/hostname",
        "javascript:alert(1)",
        "https://\u2488.zillow.com/",
    ],
)
async def test_a_redirect_off_the_list_is_refused_before_it_is_asked(
    location: str,
) -> None:
    site = Site({HOME: answer(302, location=location)})

    with pytest.raises(HostRefusedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert caught.value.redirected
    assert site.urls == [HOME]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("\\\\example.com\\", "https://www.zillow.com/%5C%5Cexample.com%5C"),
        ("\thttps://example.com", "https://www.zillow.com/%09https:/example.com"),
        ("/\\example.com/", "https://www.zillow.com/%5Cexample.com/"),
    ],
)
async def test_characters_browsers_read_as_another_host_stay_in_the_path(
    location: str, target: str
) -> None:
    site = Site({HOME: answer(302, location=location), target: answer(200)})

    await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert site.urls == [HOME, target]


async def test_redirects_that_a_browser_follows_are_judged_by_where_they_end() -> None:
    captcha = "https://captcha.px-cdn.net/PXHYx10rg3/captcha.js"
    for end, refused in (
        ("https://zillow.com/homes/", None),
        ("https://scripts.example.com/", HostRefusedError),
        (captcha, BlockedError),
    ):
        site = Site({HOME: replace(answer(200), url=end)})
        redirects = Redirects(site, allow_list=ALLOW_LIST)
        with pytest.raises(refused) if refused else contextlib.nullcontext():
            assert (await redirects.get(request())).url == end


async def test_five_redirects_are_followed_and_a_sixth_is_not() -> None:
    hops = {
        f"https://zillow.com/{n}": answer(302, location=f"/{n + 1}") for n in range(6)
    }
    five = {**hops, HOME: answer(302, location="https://zillow.com/1")}
    site = Site({**five, "https://zillow.com/5": answer(200)})
    six = Site({**five})

    final = await Redirects(site, allow_list=ALLOW_LIST).get(request())
    with pytest.raises(FetchError, match="more than 5 redirects") as caught:
        await Redirects(six, allow_list=ALLOW_LIST).get(request())

    assert final.status == 200
    assert len(site.urls) == len(six.urls) == 6
    assert type(caught.value) is FetchError


@pytest.mark.parametrize(
    ("hops", "asked"),
    [
        ({HOME: HOME}, 1),
        ({HOME: "/home#top"}, 1),
        ({HOME: "https://WWW.zillow.com:443/home"}, 1),
        ({HOME: "/a", f"{SITE}/a": HOME}, 2),
        ({HOME: "/a", f"{SITE}/a": "/b", f"{SITE}/b": "/a"}, 3),
    ],
    ids=[
        "itself",
        "a part of itself",
        "itself spelt otherwise",
        "two",
        "not the first",
    ],
)
@pytest.mark.parametrize("kind", list(RequestKind))
async def test_a_circle_of_redirects_is_seen_the_moment_it_closes(
    hops: Mapping[str, str], asked: int, kind: RequestKind
) -> None:
    site = Site({url: answer(302, location=to) for url, to in hops.items()})
    of_kind = replace(request(), kind=kind)

    with pytest.raises(FetchError, match="in a circle") as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(of_kind)

    assert type(caught.value) is FetchError
    assert len(site.urls) == asked


@pytest.mark.parametrize(
    ("kind", "asked"),
    [(RequestKind.PAGE, 2), (RequestKind.API, 2), (RequestKind.PHOTO, 1)],
)
async def test_a_page_that_sets_a_cookie_is_asked_once_more_at_the_same_place(
    kind: RequestKind, asked: int
) -> None:
    again = answer(302, location=HOME, set_cookie="seen=1")
    site = Site({HOME: again})

    with pytest.raises(FetchError, match="in a circle"):
        await Redirects(site, allow_list=ALLOW_LIST).get(replace(request(), kind=kind))

    assert len(site.urls) == asked


def bucket_error(code: str, *, more: str = "<Message>Access Denied</Message>") -> bytes:
    """What S3 answers, as S3 writes it."""
    told = f"<Error><Code>{code}</Code>{more}<RequestId>K5D</RequestId></Error>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'.encode()


XML = {"content-type": "application/xml"}
DENIED = replace(answer(403), headers=XML, body=bucket_error("AccessDenied"))


@pytest.mark.parametrize(
    "said",
    [
        DENIED,
        replace(DENIED, headers={"content-type": "text/xml; charset=utf-8"}),
        replace(DENIED, body=b"<Error>\n  <Code> AccessDenied </Code></Error>"),
        replace(DENIED, body=bucket_error("AccessDenied").decode().encode("utf-16")),
        replace(DENIED, body=b'<Error xmlns="x"><Code>AccessDenied</Code></Error>'),
        replace(DENIED, body=bucket_error("NoSuchKey")),
        replace(DENIED, body=bucket_error("InvalidObjectState")),
    ],
    ids=["S3", "text", "blanks", "UTF-16", "named", "no such key", "archived"],
)
async def test_a_store_that_denies_one_object_says_that_the_photo_is_not_there(
    said: Fetched,
) -> None:
    photo = replace(request(), kind=RequestKind.PHOTO)

    with pytest.raises(GoneError, match="no such object"):
        await Statuses(Site({HOME: said})).get(photo)
    with pytest.raises(BlockedError):
        await Statuses(Site({HOME: said})).get(request())


@pytest.mark.parametrize(
    "said",
    [
        answer(403),
        replace(DENIED, body=b""),
        replace(DENIED, body=b"<html><title>403 Forbidden</title></html>"),
        replace(DENIED, headers={"content-type": "text/html"}),
        replace(DENIED, headers={}),
        replace(DENIED, headers={"content-type": "application/xhtml+xml"}),
        replace(DENIED, status=401),
        replace(DENIED, body=bucket_error("SignatureDoesNotMatch")),
        replace(DENIED, body=bucket_error("RequestTimeTooSkewed")),
        replace(DENIED, body=bucket_error("AllAccessDisabled")),
        replace(DENIED, body=b"<p>x</p>" + bucket_error("AccessDenied")),
        replace(DENIED, body=bucket_error("AccessDenied", more="x" * 9000)),
        replace(DENIED, body=b"<!DOCTYPE html>" + bucket_error("AccessDenied")),
    ],
    ids=[
        *("bare", "empty", "HTML", "as HTML", "as nothing", "as XHTML", "401"),
        *("signature", "clock", "whole bucket", "in a page", "long", "in a document"),
    ],
)
async def test_any_other_refusal_of_a_photo_is_one_of_its_host(said: Fetched) -> None:
    photo = replace(request(), kind=RequestKind.PHOTO)

    with pytest.raises(BlockedError):
        await Statuses(Site({HOME: said})).get(photo)


@given(st.binary(max_size=300))
async def test_nothing_a_store_may_say_breaks_the_reader(noise: bytes) -> None:
    said = replace(DENIED, body=bucket_error("AccessDenied")[:40] + noise)

    with pytest.raises((BlockedError, GoneError)):
        await Statuses(Site({HOME: said})).get(
            replace(request(), kind=RequestKind.PHOTO)
        )


async def test_a_redirect_without_a_target_is_an_error() -> None:
    site = Site({HOME: answer(302)})

    with pytest.raises(FetchError, match="without a target"):
        await Redirects(site, allow_list=ALLOW_LIST).get(request())


@pytest.mark.parametrize(
    "location",
    [
        "https://geo.captcha-delivery.com/captcha/?initialCid=x",
        "https://validate.perfdrive.com/x",
        "https://accounts.example.com/",
        "https://login.example.com/?next=x",
        "https://example.com/signin",
    ],
)
async def test_being_sent_to_a_captcha_or_a_log_in_elsewhere_is_a_challenge(
    location: str,
) -> None:
    site = Site({HOME: answer(302, location=location)})

    with pytest.raises(BlockedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert (caught.value.challenge, caught.value.url) == (True, HOME)
    assert site.urls == [HOME]


async def test_a_first_address_off_the_list_is_refused_whatever_it_is_called() -> None:
    site = Site({})
    captcha = replace(request(), url="https://captcha.example.com/captcha")

    with pytest.raises(HostRefusedError) as caught:
        await Redirects(site, allow_list=ALLOW_LIST).get(captcha)

    assert not caught.value.redirected


async def test_a_redirect_to_an_endless_address_is_not_followed() -> None:
    site = Site({HOME: answer(302, location="/" + "x" * 5000)})

    with pytest.raises(FetchError, match="endless address"):
        await Redirects(site, allow_list=ALLOW_LIST).get(request())

    assert site.urls == [HOME]


async def test_hops_share_one_deadline() -> None:
    hops = {f"{SITE}/{n}": answer(302, location=f"/{n + 1}") for n in range(6)}
    site = Site({**hops, HOME: answer(302, location="/0")})

    with pytest.raises(FetchError):
        await Redirects(site, allow_list=ALLOW_LIST).get(request(timeout_s=9))
    with pytest.raises(DeadlineError):
        await Redirects(site, allow_list=ALLOW_LIST).get(request(timeout_s=0))

    left = [asked.timeout_s for asked in site.asked[:6]]
    assert left == sorted(left, reverse=True)
    assert left[0] == 9
    assert len(set(left)) == 6
    assert len(site.asked) == 7


async def test_secrets_of_one_host_do_not_follow_to_another() -> None:
    own, other = "https://www.zillow.com/own", "https://zillow.com/other"
    site = Site(
        {
            HOME: answer(302, location="/own"),
            own: answer(302, location=other),
            other: answer(200),
        }
    )
    headers = {"Authorization": "t", "cookie": "c", "Accept": "text/html"}

    await Redirects(site, allow_list=ALLOW_LIST).get(request(headers=headers))

    assert [dict(asked.headers) for asked in site.asked] == [
        headers,
        headers,
        {"Accept": "text/html"},
    ]


@pytest.mark.parametrize(
    "target", ["https://zillow.com/other", "http://www.zillow.com/other"]
)
async def test_secret_headers_go_to_the_very_origin_they_were_given_for(
    target: str,
) -> None:
    own = "https://www.zillow.com/own"
    site = Site(
        {HOME: answer(302, location="/own"), own: answer(302, location=target)}
        | {target: answer(200)}
    )
    secret = {"X-Api-Key": "hush"}

    with contextlib.suppress(HostRefusedError):
        await Redirects(site, allow_list=ALLOW_LIST).get(
            replace(request(), secret_headers=secret)
        )

    sent = [dict(asked.secret_headers) for asked in site.asked]
    assert sent[:2] == [secret, secret]
    assert not any(sent[2:])


def test_neither_secret_headers_nor_a_body_are_shown_with_a_request() -> None:
    secret = {"X-Api-Key": "hush"}
    shown = repr(replace(request(), method="POST", body=b"mine", secret_headers=secret))

    assert "POST" in shown
    assert "hush" not in shown
    assert "X-Api-Key" not in shown
    assert "mine" not in shown


async def test_what_is_no_get_is_not_redirected() -> None:
    site = Site({HOME: answer(307, location="/own")})

    with pytest.raises(FetchError, match="redirect of a POST"):
        await Redirects(site, allow_list=ALLOW_LIST).get(
            replace(request(), method="POST")
        )

    assert len(site.asked) == 1


async def test_closing_reaches_the_innermost_layer() -> None:
    site = Site({})

    await Statuses(Redirects(site, allow_list=ALLOW_LIST)).aclose()

    assert site.closed


class Stamp:
    """A layer that notes its name, and answers in place of the rest when last."""

    def __init__(self, inner: Fetcher, *, name: str, notes: list[str]) -> None:
        self.inner = inner
        self.name = name
        self.notes = notes

    async def get(self, request: Request) -> Fetched:
        self.notes.append(self.name)
        return answer(200) if self.name == "last" else await self.inner.get(request)

    async def aclose(self) -> None:
        self.notes.append(f"close {self.name}")
        await self.inner.aclose()


def stamp(name: str, notes: list[str]) -> Layer:
    return lambda inner: Stamp(inner, name=name, notes=notes)


async def test_layers_between_run_in_order_after_the_host_check() -> None:
    notes: list[str] = []
    fetcher = build_fetcher(
        allowed={Source.ZILLOW: ("zillow.com",)},
        between=[stamp("first", notes), stamp("last", notes)],
    )

    with pytest.raises(HostRefusedError):
        await fetcher.get(replace(request(), url="https://example.com/"))
    refused = list(notes)
    await fetcher.get(request())
    await fetcher.aclose()

    assert refused == []
    assert notes == ["first", "last", "close first", "close last"]
