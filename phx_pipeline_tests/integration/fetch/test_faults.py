"""Each fault of the wire ends inside its deadline, as the exception it should be."""

import asyncio
import base64
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import pytest

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    DeadlineError,
    FetchError,
    GoneError,
    HostRefusedError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Fetched, Fetcher, Request, RequestKind
from phx_pipeline.fetch.chain import LONGEST_WISH_S, build_fetcher
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.retries import Backoff
from phx_pipeline.model.source import Source

ALLOWED: Mapping[Source, tuple[str, ...]] = {Source.ZILLOW: ("zillow.com",)}
QUICK = Backoff(initial_s=0.001, ceiling_s=0.01, jitter_s=0)
SHORT_S = 0.6


def asked(path: str, *, timeout_s: float = 5, max_bytes: int = 1_000_000) -> Request:
    return Request(
        url=f"https://www.zillow.com{path}",
        source=Source.ZILLOW,
        kind=RequestKind.PAGE,
        timeout_s=timeout_s,
        max_bytes=max_bytes,
    )


async def answer_to(request: Request, *, fetcher: Fetcher) -> Fetched:
    """Return the answer, or fail if the deadline of the request did not hold."""
    async with aclosing(fetcher), asyncio.timeout(request.timeout_s * 3 + 2):
        return await fetcher.get(request)


def chain(site: Any, *, attempts: int = 1) -> Fetcher:
    return build_fetcher(
        allowed=ALLOWED,
        proxy=site.proxy,
        ca_file=site.ca_file,
        attempts=attempts,
        backoff=QUICK,
    )


@pytest.mark.parametrize("path", ["/ok", "/gzip", "/hop"])
async def test_a_good_answer_comes_back_decoded_from_its_last_hop(
    fault_site: Any, path: str
) -> None:
    answer = await answer_to(asked(path), fetcher=chain(fault_site))

    assert answer.body == b"fine"
    assert answer.status == 200
    assert "content-length" in answer.headers
    assert answer.url.removeprefix("https://www.zillow.com") == path.replace(
        "hop", "ok"
    )


@pytest.mark.parametrize("path", ["/hang", "/header-then-hang", "/drip", "/slow-hop"])
async def test_an_answer_that_does_not_end_is_given_up_at_the_deadline(
    fault_site: Any, path: str
) -> None:
    request = asked(path, timeout_s=SHORT_S)

    with pytest.raises(DeadlineError, match=r"within 0\.\d+ s"):
        await answer_to(request, fetcher=chain(fault_site))


@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("/short", TransientError, "shorter than announced"),
        ("/short-chunked", TransientError, "shorter than announced"),
        ("/cut", TransientError, "reset or cut off"),
        ("/empty", TransientError, "without an answer"),
        ("/not-http", TransientError, "malformed"),
        ("/bad-gzip", TransientError, "compressed answer is broken"),
        ("/bad-length", TransientError, "not HTTP"),
        ("/reset", TransientError, "reset"),
        ("/reset-midway", TransientError, "reset"),
        ("/odd-status", TransientError, "answered 999"),
        ("/no-status", TransientError, "malformed"),
        ("/long-status", TransientError, "malformed"),
        ("/loud-status", TransientError, "answered 503$"),
        ("/odd-header", TransientError, "not HTTP"),
        ("/many-headers", TransientError, "malformed"),
        ("/long-header", TransientError, "malformed"),
        ("/endless", TransientError, "less than announced"),
        ("/cut-header", TransientError, "header that breaks off"),
        ("/cut-headers", TransientError, "header that breaks off"),
        ("/cut-marked", BlockedError, "x-px-blocked"),
        ("/nothing", BlockedError, "an empty page"),
        ("/404", GoneError, "answered 404"),
        ("/410", GoneError, "answered 410"),
        ("/403", BlockedError, "answered 403"),
        ("/waf", BlockedError, "challenge"),
        ("/503", TransientError, "answered 503"),
        ("/loop", FetchError, "in a circle"),
    ],
)
async def test_a_fault_ends_as_the_exception_it_should_be(
    fault_site: Any, path: str, kind: type[FetchError], told: str
) -> None:
    with pytest.raises(FetchError, match=told) as caught:
        await answer_to(asked(path), fetcher=chain(fault_site))

    assert type(caught.value) is kind
    assert caught.value.url.startswith("https://www.zillow.com/")


async def test_an_answer_that_says_it_has_no_body_is_whole(fault_site: Any) -> None:
    answer = await answer_to(asked("/204"), fetcher=chain(fault_site))

    assert (answer.status, answer.body) == (204, b"")


@pytest.mark.parametrize("path", ["/bomb", "/huge", "/big"])
async def test_a_body_over_the_limit_is_cut_off(fault_site: Any, path: str) -> None:
    request = asked(path, max_bytes=100_000)

    with pytest.raises(BodyLimitError, match="larger than 100000 bytes"):
        await answer_to(request, fetcher=chain(fault_site, attempts=3))

    assert fault_site.paths == [path]


async def test_a_body_of_exactly_the_limit_is_accepted(fault_site: Any) -> None:
    request = asked("/big", max_bytes=200_000)

    answer = await answer_to(request, fetcher=chain(fault_site))

    assert len(answer.body) == 200_000


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/off-list", "'not-listed.example': not on the list"),
        ("/to-http", "not https"),
        ("/to-metadata", "'169.254.169.254': an IP address"),
        ("/to-file", "not https"),
    ],
)
async def test_a_redirect_off_the_list_is_refused_before_any_connect(
    fault_site: Any, path: str, told: str
) -> None:
    with pytest.raises(HostRefusedError, match=told):
        await answer_to(asked(path), fetcher=chain(fault_site, attempts=3))

    assert fault_site.paths == [path]
    assert set(fault_site.tunnels) == {"www.zillow.com:443"}


async def test_the_first_address_is_refused_before_any_connect(fault_site: Any) -> None:
    request = Request(
        url="https://169.254.169.254/", source=Source.ZILLOW, kind=RequestKind.PAGE
    )

    with pytest.raises(HostRefusedError):
        await answer_to(request, fetcher=chain(fault_site))

    assert fault_site.tunnels == []


@pytest.mark.parametrize(
    ("path", "wish_s"), [("/429", 86400.0), ("/429-date", LONGEST_WISH_S)]
)
async def test_a_long_retry_after_comes_out_at_once(
    fault_site: Any, path: str, wish_s: float
) -> None:
    with pytest.raises(RateLimitedError) as caught:
        await answer_to(asked(path), fetcher=chain(fault_site, attempts=3))

    assert caught.value.retry_after_s == wish_s
    assert fault_site.paths == [path]


@pytest.mark.parametrize(("path", "times"), [("/flaky", 3), ("/limited", 2)])
async def test_a_passing_fault_is_asked_again_until_it_has_passed(
    fault_site: Any, path: str, times: int
) -> None:
    answer = await answer_to(asked(path), fetcher=chain(fault_site, attempts=3))

    assert answer.body == b"at last"
    assert fault_site.paths == [path] * times


@pytest.mark.parametrize(("path", "times"), [("/503", 3), ("/short", 3), ("/403", 1)])
async def test_only_passing_faults_use_up_the_attempts(
    fault_site: Any, path: str, times: int
) -> None:
    with pytest.raises(FetchError):
        await answer_to(asked(path), fetcher=chain(fault_site, attempts=3))

    assert fault_site.paths == [path] * times


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    fault_site: Any,
) -> None:
    fetcher = build_fetcher(allowed=ALLOWED, proxy=fault_site.proxy, attempts=1)

    with pytest.raises(TransientError, match="certificate is not trusted"):
        await answer_to(asked("/ok"), fetcher=fetcher)

    assert fault_site.paths == []


def texts_of(error: BaseException | None) -> str:
    return (
        f"{error!r} {texts_of(error.__cause__ or error.__context__)}" if error else ""
    )


async def test_a_proxy_that_wants_other_credentials_is_told_without_ours(
    fault_site: Any,
) -> None:
    fault_site.password = "b2xnYTpzZWNyZXQ="  # noqa: S105  # of this test only
    proxy = fault_site.proxy.replace("//", "//anna:hush%2Fhush@")

    with pytest.raises(TransientError, match=r"proxy: .*407") as caught:
        await answer_to(
            asked("/ok"), fetcher=CurlClient(proxy=proxy, ca_file=fault_site.ca_file)
        )

    assert "hush" not in texts_of(caught.value)


async def test_credentials_of_the_proxy_are_sent_unquoted(fault_site: Any) -> None:
    fault_site.password = base64.b64encode(b"anna:hush/hush").decode()
    proxy = fault_site.proxy.replace("//", "//anna:hush%2Fhush@")
    client = CurlClient(proxy=proxy, ca_file=fault_site.ca_file)

    answer = await answer_to(asked("/ok"), fetcher=client)

    assert answer.body == b"fine"


async def test_a_tunnel_the_proxy_refuses_is_told_as_its_fault(fault_site: Any) -> None:
    client = CurlClient(proxy=fault_site.proxy, ca_file=fault_site.ca_file)
    request = Request(
        url="https://zillow.com/", source=Source.ZILLOW, kind=RequestKind.PAGE
    )

    with pytest.raises(
        TransientError, match="proxy: refused the tunnel with status 403"
    ):
        await answer_to(request, fetcher=client)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_dead_proxy_is_told_as_its_fault(
    scheme: str, unused_tcp_port: int
) -> None:
    client = CurlClient(proxy=f"{scheme}://anna:hush@127.0.0.1:{unused_tcp_port}")

    with pytest.raises(TransientError, match="proxy: ") as caught:
        await answer_to(asked("/ok"), fetcher=client)

    assert "hush" not in texts_of(caught.value)


async def test_the_environment_cannot_lead_round_the_proxy(
    fault_site: Any, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("CURL_CA_BUNDLE", "/nowhere")

    answer = await answer_to(asked("/ok"), fetcher=chain(fault_site))

    assert answer.body == b"fine"
