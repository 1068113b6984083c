"""Which client answers a request: a pure decision over source, kind and group.

Two parts stand in the chain for it: the layer `Routing`, above the policies that know
the client, names it, and `Clients`, below all of them, hands the request to it.
"""

import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from phx_pipeline.errors import BlockedError, CircuitOpenError, FetchError
from phx_pipeline.fetch.base import (
    Client,
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.model.source import Source

logger = logging.getLogger(__name__)

Order = tuple[ClientName, ...]
"""The client to ask, and after a refusal the ones to ask then; at least one."""

_USUAL: Final[Mapping[RequestKind, Order]] = dict.fromkeys(
    RequestKind, (ClientName.CURL,)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The clients of each kind of request, and where a source or a group has others."""

    usual: Mapping[RequestKind, Order] = field(default_factory=lambda: _USUAL)
    own: Mapping[tuple[Source, RequestKind], Order] = field(default_factory=dict)
    groups: Mapping[str, Order] = field(default_factory=dict)

    def clients_of(self, request: Request) -> Order:
        """Return the clients that are to answer *request*, in turn."""
        if request.group in self.groups:
            return self.groups[request.group]
        own = self.own.get((request.source, request.kind))
        return own or self.usual[request.kind]

    def needs(self, known: Container[ClientName]) -> frozenset[ClientName]:
        """Return the clients this leads to that are not among *known*."""
        orders = chain(self.usual.values(), self.own.values(), self.groups.values())
        named = chain.from_iterable(orders)
        return frozenset(name for name in named if name not in known)


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
        """Return the answer of the first client that is not refused."""
        *earlier, last = self._route.clients_of(request)
        for client in earlier:
            try:
                return await self._inner.get(
                    replace(request, client=client, escalates=True)
                )
            except FetchError as error:
                if not may_escalate(error):
                    raise
                logger.info(
                    "%s: asks otherwise than by %s: %s", request.url, client, error
                )
        return await self._inner.get(replace(request, client=last))

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()


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
        return await self._clients[request.client].get(request)

    async def aclose(self) -> None:
        """Close all clients."""
        for client in self._clients.values():
            await client.aclose()
