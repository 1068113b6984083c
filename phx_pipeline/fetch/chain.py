"""The order of the fetch policies, and what a status or a redirect means.

hosts → (layers between) → retries → routing → proxies → breaker → statuses → screen
→ redirects → capture limits → pacing → client

The retries stand outside the shared policies, so that a repeated attempt asks for
permission like any other: it meets a circuit that opened and a Retry-After that came
since the last one. The breaker sees one attempt as one event, whatever its redirects.
Pacing is innermost because every hop is a request: each takes a slot, and after the
wait for it looks once more whether a Retry-After or an open circuit has come meanwhile.
So nothing leaves, from any process, once the news of a refusal is in the store; what
had left before then cannot be called back. The screen looks at what is in the last
answer before anybody asks for its status: a challenge is one with any. The routing
names the client of an attempt outside the policies that know clients apart.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

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
from phx_pipeline.fetch.base import (
    Client,
    ClientName,
    Fetched,
    Fetcher,
    PolicyStore,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.bucket import is_missing_object
from phx_pipeline.fetch.captured import CaptureLimits
from phx_pipeline.fetch.challenge import Screen, no_data
from phx_pipeline.fetch.clients.curl import CurlClient
from phx_pipeline.fetch.hosts import (
    AllowList,
    Endpoint,
    HostGuard,
    PublicAddresses,
    Resolve,
)
from phx_pipeline.fetch.page_parts import HoldsData
from phx_pipeline.fetch.policies import (
    Breaker,
    Pacing,
    Policies,
    RulesOf,
    rules_for,
)
from phx_pipeline.fetch.profile import USUAL_PROFILE
from phx_pipeline.fetch.proxied import JudgedClient, Probe, ProxiedClient
from phx_pipeline.fetch.proxies import Proxies, ProxyPool
from phx_pipeline.fetch.retries import Backoff, Retries
from phx_pipeline.fetch.route import Clients, Route, Routing
from phx_pipeline.fetch.session import Session
from phx_pipeline.fetch.signs import sent_away
from phx_pipeline.model.source import Source

Layer = Callable[[Fetcher], Fetcher]

MAX_REDIRECTS = 5
LONGEST_WISH_S = 365 * 86400.0
"""A longer Retry-After is cut to this, so that sums with it stay representable."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GONE = frozenset({404, 410})
_BLOCKED = frozenset({401, 403, 405})
_PATIENT: Mapping[int, type[TransientError]] = {  # those with a Retry-After
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitedError,
    HTTPStatus.SERVICE_UNAVAILABLE: TransientError,
}
_LONGEST_URL = 4096
_OWN_TO_A_HOST = frozenset({"authorization", "cookie"})
_COUNT = re.compile(r"\d{1,4000}", re.ASCII)  # int() refuses longer ones
_OTHER_LENGTHS = frozenset({"content-encoding", "transfer-encoding"})
_SECONDS = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"


def build_fetcher(  # noqa: PLR0913 - the one place where all parts meet
    *,
    allowed: Mapping[Source, Sequence[str]],
    endpoints: Mapping[str, Sequence[Endpoint]] | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
    attempts: int = 3,
    backoff: Backoff | None = None,
    between: Sequence[Layer] = (),
    resolve: Resolve | None = None,
    policies: PolicyStore | None = None,
    rules: RulesOf = rules_for,
    holds_data: HoldsData = no_data,
    pool: ProxyPool | None = None,
    probe_url: str | None = None,
    sticky: str = "",
    session: Session | None = None,
    route: Route | None = None,
    further: Mapping[ClientName, Client] | None = None,
) -> Fetcher:
    """Return the whole chain; close it in the event loop that used it.

    Args:
        allowed: host names of each source; an entry covers its subdomains.
        endpoints: of policy groups that are no source's, what the user configured;
            httpx asks them, those on this machine never through a proxy. It goes
            through no *pool*, neither for them nor for sources a *route* leads to it.
        proxy: URL of the proxy, or None to connect directly to checked addresses.
        ca_file: certificates to trust instead of the usual ones.
        attempts: how often a request is sent at most.
        backoff: the pauses between attempts.
        between: layers between the host check and the retries, outermost first.
        resolve: replaces the operating system's resolver when there is no proxy.
        policies: where all processes keep pace, Retry-After and circuit of a source;
            None for none of them.
        rules: the rules of each group of hosts.
        holds_data: knows the data that pages of the sources hold, so that signs of a
            challenge in them prove nothing.
        pool: many proxies, in place of *proxy*.
        probe_url: what to ask for through a proxy of *pool* to see whether it works.
        sticky: what keeps its proxy of *pool*, such as a property.
        session: the browser that all requests look like, and their cookies; None for
            the usual browser, with cookies that nothing else sees.
        route: which client answers what; None for curl, whatever is asked for.
        further: clients beside curl, for a *route* that leads to them.
    """
    endpoints = endpoints or {}
    to_endpoints = dict.fromkeys(endpoints, (ClientName.HTTPX,))
    route = replace(route or Route(), groups=to_endpoints)
    allow_list = AllowList(allowed, endpoints=endpoints)
    shared = Policies(policies, rules=rules) if policies is not None else None
    layers: list[Layer] = [
        lambda inner: HostGuard(inner, allow_list=allow_list),
        *between,
        lambda inner: Retries(inner, attempts=attempts, backoff=backoff or Backoff()),
        lambda inner: Routing(inner, route=route),
        *_proxies(pool, sticky=sticky),
        *_breaker(shared),
        Statuses,
        lambda inner: Screen(inner, holds_data=holds_data),
        lambda inner: Redirects(inner, allow_list=allow_list),
        lambda inner: CaptureLimits(inner, allow_list=allow_list),
        *_pacing(shared),
    ]
    open_client = partial(_open_curl, session, ca_file=ca_file)
    clients = dict(further or {})
    if pool is None:
        addresses = PublicAddresses(resolve)
        clients[ClientName.CURL] = open_client(url=proxy, addresses=addresses)
    else:
        probe = Probe(url=probe_url, allowed=allowed)
        curl = ProxiedClient(pool=pool, open_client=open_client, probe=probe)
        for name, client in clients.items():
            clients[name] = JudgedClient(client, judge=curl)
        clients[ClientName.CURL] = curl
    if ClientName.HTTPX in route.needs(clients):
        clients[ClientName.HTTPX] = _open_httpx(
            endpoints, proxy=None if pool else proxy, ca_file=ca_file, resolve=resolve
        )
    fetcher: Fetcher = Clients(clients, route=route)
    for layer in reversed(layers):
        fetcher = layer(fetcher)
    return fetcher


def _open_curl(
    session: Session | None,
    proxy_id: str = "",
    url: str | None = None,
    *,
    ca_file: Path | None,
    addresses: PublicAddresses | None = None,
) -> CurlClient:
    return CurlClient(
        proxy=url,
        ca_file=ca_file,
        profile=session.profile if session else USUAL_PROFILE,
        addresses=addresses,
        cookies=session.jar(proxy_id) if session else None,
    )


def _open_httpx(
    endpoints: Mapping[str, Sequence[Endpoint]],
    *,
    proxy: str | None,
    ca_file: Path | None,
    resolve: Resolve | None,
) -> Client:
    from phx_pipeline.fetch.clients.httpx import (  # noqa: PLC0415 - 0.2 s, seldom used
        HttpxClient,
    )

    return HttpxClient(
        endpoints=frozenset(chain.from_iterable(endpoints.values())),
        proxy=proxy,
        ca_file=ca_file,
        resolve=resolve,
    )


def _proxies(pool: ProxyPool | None, *, sticky: str) -> list[Layer]:
    if pool is None:
        return []
    return [lambda inner: Proxies(inner, pool=pool, sticky=sticky)]


def _breaker(shared: Policies | None) -> list[Layer]:
    if shared is None:
        return []
    return [lambda inner: Breaker(inner, policies=shared)]


def _pacing(shared: Policies | None) -> list[Layer]:
    if shared is None:
        return []
    return [lambda inner: Pacing(inner, policies=shared)]


class Redirects:
    """Follows redirects within one deadline, checking every hop before it is asked."""

    def __init__(self, inner: Fetcher, *, allow_list: AllowList) -> None:
        self._inner = inner
        self._allow_list = allow_list

    async def get(self, request: Request) -> Fetched:
        """Return the first answer that is not a redirect; its `url` is the last hop.

        Raises:
            HostRefusedError: a hop leads to an address that is not listed.
            FetchError: hops in a circle, too many, a redirect without a target, or one
                of anything but a GET.
        """
        ends_at = _now() + request.timeout_s
        hop, asked = request, Counter[str]()
        for _ in range(MAX_REDIRECTS + 1):
            self._check(hop, first=request)
            asked[_place(hop.url)] += 1
            answer = await self._inner.get(hop)
            if answer.url != hop.url:  # a browser has followed some by itself
                self._check(replace(hop, url=answer.url), first=request)
            ends_at += answer.waited_s
            if answer.status not in _REDIRECTS:
                return answer
            if hop.method != "GET":
                raise FetchError(f"a redirect of a {hop.method}", url=hop.url)
            hop = _next_hop(hop, answer=answer, left_s=ends_at - _now())
            if asked[_place(hop.url)] > _sets_cookie(answer, request=request):
                raise FetchError("redirected in a circle", url=request.url)
        raise FetchError(f"more than {MAX_REDIRECTS} redirects", url=request.url)

    def _check(self, hop: Request, *, first: Request) -> None:
        """Refuse a hop off the list; one that leads to a captcha is a challenge."""
        try:
            self._allow_list.check(hop.url, source=hop.source, group=hop.group)
        except HostRefusedError as error:
            if hop is first:
                raise
            if (challenge := sent_away(hop.url)) is None:
                raise _elsewhere(str(error), hop=hop) from error
            raise BlockedError(
                challenge.reason, url=first.url, challenge=True
            ) from error

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


class Statuses:
    """Lets whole 2xx answers through; any other status is an exception."""

    def __init__(
        self, inner: Fetcher, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._inner = inner
        self._clock = clock

    async def get(self, request: Request) -> Fetched:
        """Return a usable answer; the exceptions are those of `Fetcher.get`."""
        answer = await self._inner.get(request)
        error = failure_of(answer, now_s=self._clock())
        if request.kind is RequestKind.PHOTO and is_missing_object(answer):
            told = f"{urlsplit(answer.url).hostname} has no such object"
            error = GoneError(told, url=answer.url, status=answer.status)
        if error is not None:
            error.body = answer.body
            raise error
        return answer

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


def failure_of(answer: Fetched, *, now_s: float) -> FetchError | None:
    """Return the exception that *answer* stands for, or None if it is usable.

    A full payload under a challenge is usable whatever its status says.
    """
    status, url = answer.status, answer.url
    told = f"{urlsplit(url).hostname} answered {status}"
    if answer.challenge:
        return None
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        if lacking := _lacking(answer):
            return TransientError(f"{told} {lacking}", url=url, status=status)
        return None
    if patient := _PATIENT.get(status):
        wish_s = retry_after_s(answer.headers.get("retry-after"), now_s=now_s)
        return patient(told, url=url, status=status, retry_after_s=wish_s)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return ProxyError("proxy: wants credentials", url=url, status=status)
    return _class_of(status)(told, url=url, status=status)


def _lacking(answer: Fetched) -> str:
    """Return what shows that *answer* is not whole; nobody here asks for a part.

    Without a length, only what is in the body can tell.
    """
    headers = answer.headers
    if answer.status == HTTPStatus.PARTIAL_CONTENT or "content-range" in headers:
        return "with a part that was not asked for"
    if not answer.is_framed and answer.status != HTTPStatus.NO_CONTENT:
        return "with a header that breaks off"
    length = headers.get("content-length", "")
    if not _COUNT.fullmatch(length) or headers.keys() & _OTHER_LENGTHS:
        return ""
    return "with less than announced" if len(answer.body) < int(length) else ""


def retry_after_s(text: str | None, *, now_s: float) -> float | None:
    """Return how many seconds a Retry-After header asks for; None if it is unreadable.

    Both forms of RFC 9110 10.2.3. A wish that lies in the past is 0; one beyond
    `LONGEST_WISH_S` is cut to it.
    """
    text = (text or "").strip()
    if _SECONDS.fullmatch(text):
        wish_s = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
            wish_s = at.replace(tzinfo=at.tzinfo or UTC).timestamp() - now_s
        except (ValueError, OverflowError):
            return None
    return min(max(wish_s, 0.0), LONGEST_WISH_S)


def _class_of(status: int) -> type[FetchError]:
    if status in _GONE:
        return GoneError
    if status in _BLOCKED:
        return BlockedError
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TransientError
    return FetchError


def _next_hop(hop: Request, *, answer: Fetched, left_s: float) -> Request:
    location = answer.headers.get("location", "")
    if not location:
        raise FetchError(
            f"status {answer.status} without a target",
            url=hop.url,
            status=answer.status,
        )
    if len(location) > _LONGEST_URL:
        raise FetchError("a redirect to an endless address", url=hop.url)
    if left_s <= 0:
        raise DeadlineError("the redirects used up the time limit", url=hop.url)
    try:
        # Quoting first: what follows must see the very characters libcurl will see.
        url = urljoin(hop.url, quote(location, safe=_URL_SAFE)).partition("#")[0]
        same_host = urlsplit(url)[:2] == urlsplit(hop.url)[:2]
    except ValueError as error:
        raise _elsewhere("refused a redirect to no address", hop=hop) from error
    kept = {
        name: value
        for name, value in hop.headers.items()
        if same_host or name.lower() not in _OWN_TO_A_HOST
    }
    secret = hop.secret_headers if same_host else {}
    return replace(hop, url=url, headers=kept, secret_headers=secret, timeout_s=left_s)


def _place(url: str) -> str:
    """Return *url* as every spelling of it that asks for the same is written."""
    parts = urlsplit(url)
    host = parts.netloc.lower().removesuffix(":443")
    return parts._replace(netloc=host, path=parts.path or "/", fragment="").geturl()


def _sets_cookie(answer: Fetched, *, request: Request) -> bool:
    """Whether the same address may answer otherwise the next time: once, for a page."""
    return request.kind is not RequestKind.PHOTO and "set-cookie" in answer.headers


def _elsewhere(told: str, *, hop: Request) -> HostRefusedError:
    return HostRefusedError(told, url=hop.url, redirected=True)


def _now() -> float:
    return asyncio.get_running_loop().time()
