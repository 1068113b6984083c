"""Which client answers a request: a pure decision over source, kind and group.

Two parts stand in the chain for it: the layer `Routing`, above the policies that know
the client, names it, and `Clients`, below all of them, hands the request to it.
"""

import logging
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, product
from typing import Final
from urllib.parse import urlsplit

from phx_pipeline.errors import (
    BlockedError,
    CircuitOpenError,
    DeadlineError,
    FetchError,
)
from phx_pipeline.fetch.base import (
    Client,
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.fetch.trace import WireEvent, WireStep
from phx_pipeline.model.source import Source

logger = logging.getLogger(__name__)

Order = tuple[ClientName, ...]
"""The client to ask, and after a refusal the ones to ask then; at least one."""

BROWSER_TIMEOUT_S: Final = 90.0
"""Of an attempt by a browser: it starts, runs the page and reads it like a person."""

_PLAIN: Final[Order] = (ClientName.CURL,)
_USUAL: Final[Mapping[RequestKind, Order]] = dict.fromkeys(RequestKind, _PLAIN)


def browsed(sources: Iterable[Source]) -> Mapping[tuple[Source, RequestKind], Order]:
    """Return the clients of *sources* whose pages a browser opens that HTTP does not.

    Photos are served to plain HTTP where pages are not.
    """
    kinds = (RequestKind.PAGE, RequestKind.API)
    order = (ClientName.CURL, ClientName.BROWSER)
    return dict.fromkeys(product(sources, kinds), order)


def asked_by(
    clients: Mapping[Source, ClientName],
) -> Mapping[tuple[Source, RequestKind], Order]:
    """Return the routes of sources whose pages and APIs one client alone asks for."""
    kinds = (RequestKind.PAGE, RequestKind.API)
    return {(name, kind): (clients[name],) for name, kind in product(clients, kinds)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The clients of each kind of request, and where a source or a group has others.

    `lacking` tells why there is no browser; then none is asked, wherever one would be.
    """

    usual: Mapping[RequestKind, Order] = field(default_factory=lambda: _USUAL)
    own: Mapping[tuple[Source, RequestKind], Order] = field(default_factory=dict)
    groups: Mapping[str, Order] = field(default_factory=dict)
    lacking: str = ""

    def clients_of(self, request: Request) -> Order:
        """Return the clients that are to answer *request*, in turn.

        A browser is not told secrets, so it could only be refused what they are for.
        """
        order = self._order_of(request)
        if self.lacking or request.secret_headers:
            return tuple(n for n in order if n is not ClientName.BROWSER) or _PLAIN
        if request.browser_first and ClientName.BROWSER in order:
            return (ClientName.BROWSER,)
        return order

    def lacking_for(self, request: Request) -> str:
        """Return why *request* goes without the browser it might need; else ""."""
        may_browse = ClientName.BROWSER in self._order_of(request)
        return self.lacking if may_browse and not request.secret_headers else ""

    def needs(self, known: Container[ClientName]) -> frozenset[ClientName]:
        """Return the clients this leads to that are not among *known*."""
        orders = chain(self.usual.values(), self.own.values(), self.groups.values())
        named = set(chain.from_iterable(orders))
        left_out = {ClientName.BROWSER} if self.lacking else set[ClientName]()
        return frozenset(name for name in named - left_out if name not in known)

    def _order_of(self, request: Request) -> Order:
        if request.group in self.groups:
            return self.groups[request.group]
        own = self.own.get((request.source, request.kind))
        return own or self.usual[request.kind]


def may_escalate(error: FetchError) -> bool:
    """Whether another client may get what *error* says this one did not.

    A refusal of the host may be of the client; an outage is not.
    """
    if isinstance(error, CircuitOpenError):
        return error.refused
    return isinstance(error, BlockedError)


class Routing:
    """Around one attempt: names the client, so that the policies inside know it.

    After a refusal, or while the client's circuit rests from one, the next is asked.
    """

    def __init__(self, inner: Fetcher, *, route: Route) -> None:
        self._inner = inner
        self._route = route

    async def get(self, request: Request) -> Fetched:
        """Return the answer of the first client that is not refused.

        The refusal of the last tells also what is missing to ask another.
        """
        *earlier, last = self._route.clients_of(request)
        for client in earlier:
            try:
                return await self._ask(client, replace(request, escalates=True))
            except FetchError as error:
                if not may_escalate(error):
                    raise
                is_news = isinstance(error, BlockedError)
                logger.log(
                    logging.INFO if is_news else logging.DEBUG,
                    "%s: asks otherwise than by %s: %s",
                    *(request.url, client, error),
                )
        try:
            return await self._ask(last, request)
        except FetchError as error:
            lacking = self._route.lacking_for(request)
            if lacking and may_escalate(error):
                error.args = (f"{error}; {lacking}",)
            raise

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    async def _ask(self, client: ClientName, request: Request) -> Fetched:
        request = replace(request, client=client)
        if client is not ClientName.BROWSER:
            return await self._inner.get(request)
        try:
            return await self._inner.get(replace(request, timeout_s=BROWSER_TIMEOUT_S))
        except DeadlineError as error:  # a page that hangs would hang again
            error.is_worth_repeating = False
            raise


class Clients:
    """Below every policy: hands each hop to the client it names.

    Raises:
        ValueError: *route* leads to a client that is not there.
    """

    def __init__(self, clients: Mapping[ClientName, Client], *, route: Route) -> None:
        if missing := route.needs(clients):
            raise ValueError(f"no client {', '.join(sorted(missing))}")
        self._clients = clients

    async def get(self, request: Request) -> Fetched:
        """Return the raw answer, of any status, of the client named."""
        answer = await self._clients[request.client].get(request)
        if request.trace is not None:
            request.trace(_told(answer, client=request.client))
        return answer

    async def aclose(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            await client.aclose()


def _told(answer: Fetched, *, client: ClientName) -> WireEvent:
    return WireEvent(
        step=WireStep.ANSWER,
        host=urlsplit(answer.url).hostname or "",
        client=client,
        status=answer.status,
        size_bytes=len(answer.body),
    )
