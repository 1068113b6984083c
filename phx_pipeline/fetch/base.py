"""The seam between the pipeline and the wire: `Request`, `Fetched`, `Fetcher`.

And `Client`, what answers at its end; `PolicyStore` and `ProxyStore`, where what is
known of a source and of the proxies is kept for all processes.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from phx_pipeline.errors import BlockedError
from phx_pipeline.fetch.trace import Trace
from phx_pipeline.model.proxy_health import ProxyHealth
from phx_pipeline.model.source import Source
from phx_pipeline.model.source_state import SourceState

T = TypeVar("T")


class RequestKind(StrEnum):
    """What is asked for; limits and headers follow from it."""

    PAGE = "page"
    API = "api"
    PHOTO = "photo"


class ClientName(StrEnum):
    """The clients there can be; `fetch.route` chooses."""

    CURL = "curl"
    HTTPX = "httpx"
    BROWSER = "browser"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. `timeout_s` bounds an attempt as a whole, redirects included.

    Waiting for a turn is not part of it. `holder` names the attempt to the policies;
    the layer `Breaker` fills it in. `proxy` is the id of the proxy to use, which the
    layer `Proxies` fills in.

    Attributes:
        method: of HTTP. Any but GET is repeated after a passing fault like one, and
            never redirected.
        body: what is sent along.
        headers: one with an empty value is not sent, not even where httpx sends one of
            that name by itself.
        secret_headers: sent beside `headers`, to this very scheme, host and port
            alone; never shown, and no answer to them is kept but by who takes them out
            of it.
        group: whose pace, Retry-After and circuit it is under; usually that of the
            page or photo hosts of `source`.
        captures: beginnings of paths; a client that runs the page hands on the answers
            to what the page itself asks for there.
        browser_first: asked of a browser at once, where the route has one: plain HTTP
            is always refused there.
        judge: looks at the answer within the attempt; an `ImageError` from it counts
            against the hosts that gave the answer, and comes out of `get`.
        has_spare: another address is known for the same thing, and will be asked for
            if this one gives none; so that alone never lets its host rest.
        confirm: for a client that had to wait before it could send: waits until it may
            still be sent, or raises what has come meanwhile, such as a refusal.
        trace: is told what the request meets on its way.
    """

    url: str
    source: Source = Source.UNKNOWN
    kind: RequestKind
    method: str = "GET"
    body: bytes = field(default=b"", repr=False)
    group: str = ""
    timeout_s: float = 30.0
    max_bytes: int = 25_000_000
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    holder: str = ""
    proxy: str = ""
    client: ClientName = ClientName.CURL
    escalates: bool = False
    browser_first: bool = False
    captures: tuple[str, ...] = ()
    judge: "Judge | None" = None
    has_spare: bool = False
    confirm: "Confirm | None" = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """The answer to a request that a page made by itself."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A usable (2xx) answer. `url` is the last hop; header names are lower case.

    `waited_s` was spent waiting for a turn before it was asked for. `challenge` tells
    of a refusal that came together with a full answer, which then may have any status.
    Not `is_framed`: nothing came, and nothing said that this was all. `captured` is of
    what the request's `captures` name, in the order it came. `rendered` is the document
    as it stood at the end, in UTF-8, of a client that runs the page, and `cover` the
    part of it that lay over the middle of the window; empty of others.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    waited_s: float = 0.0
    challenge: str = ""
    is_framed: bool = True
    captured: tuple[Captured, ...] = ()
    rendered: bytes = field(default=b"", repr=False)
    cover: bytes = field(default=b"", repr=False)


Judge = Callable[[Fetched], Awaitable[None]]
Confirm = Callable[[], Awaitable[None]]


def refusal(answer: Fetched) -> BlockedError:
    """Return the exception for the challenge *answer* tells of, with its body."""
    told = f"{urlsplit(answer.url).hostname} answered {answer.status}"
    error = BlockedError(
        f"{told}: {answer.challenge}",
        url=answer.url,
        status=answer.status,
        challenge=True,
    )
    error.body = answer.body
    return error


class Fetcher(Protocol):
    """Anything that can answer a `Request`."""

    async def get(self, request: Request) -> Fetched:
        """Return the 2xx answer to *request*, whatever its method.

        Raises:
            GoneError: 404 or 410.
            BlockedError: a challenge, whatever its status; 401, 403 or 405.
            RateLimitedError: 429, after the allowed attempts; or, without a status,
                an earlier Retry-After that is too long to wait for.
            CircuitOpenError: the source rests after failures; nothing was sent.
            SourceDisabledError: the user switched it off; nothing was sent.
            NoWayError: the name does not resolve, or no network leads there.
            TransientError: time-out, reset, TLS, 5xx, an answer that is not whole,
                after the allowed attempts.
            BodyLimitError: the body is larger than `max_bytes`, decoded.
            HostRefusedError: the address or a redirect is not on the source's list.
            ImageError: the request's `judge` found no usable picture.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class Client(Protocol):
    """Sends one request as it is, below every policy."""

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status; never follow a redirect.

        Raises:
            BodyLimitError: more than `max_bytes`, decoded.
            HostRefusedError: without a proxy, the host has an address not public.
            ProxyError: the proxy is at fault.
            TransientError: anything else that went wrong on the wire.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class BrowserTurns(Protocol):
    """Lets one browser of a source run at a time, over all processes and machines."""

    def hold(self, source: Source) -> AbstractContextManager[None]:
        """Return what holds the turn of *source* while it is entered.

        Entering blocks until the turn is free, so call it in a thread.

        Raises:
            LeaseHeldError: on entering, others kept the turn for too long.
        """
        ...


class PolicyStore(Protocol):
    """One `SourceState` per group of hosts, shared by all processes that use it."""

    def change(
        self, name: str, decide: Callable[[SourceState, float], tuple[SourceState, T]]
    ) -> T:
        """Replace the state of *name* by what *decide* makes of it, in one transaction.

        Args:
            name: a new one starts with the default state.
            decide: pure; from the state and the store's clock (seconds since 1970) to
                the new state and the decision. Nobody else reads or writes the state
                between the clock reading and the end of the transaction.

        Returns:
            The decision.
        """
        ...


class ProxyStore(Protocol):
    """One `ProxyHealth` per proxy and source, shared by all processes that use it."""

    def change(
        self,
        fresh: ProxyHealth,
        decide: Callable[[ProxyHealth, float], ProxyHealth],
    ) -> ProxyHealth:
        """Replace a row by what *decide* makes of it, in one transaction; return it.

        Args:
            fresh: names the row, and is its state if there is none yet.
            decide: pure; from the row and the store's clock to the new row.
        """
        ...

    def healths(self, source: Source) -> tuple[float, list[ProxyHealth]]:
        """Return the store's clock and all rows of *source*."""
        ...
