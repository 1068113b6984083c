"""Which client answers a request: a pure decision over source and kind.

Two parts stand in the chain for it: the layer `Routing`, above the policies that know
the client, names it, and `Clients`, below all of them, hands the request to it.
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from phx_pipeline.fetch.base import (
    Client,
    ClientName,
    Fetched,
    Fetcher,
    Request,
    RequestKind,
)
from phx_pipeline.model.source import Source

_USUAL: Final[Mapping[RequestKind, ClientName]] = dict.fromkeys(
    RequestKind, ClientName.CURL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The client of each kind of request, and where a source has one of its own."""

    usual: Mapping[RequestKind, ClientName] = field(default_factory=lambda: _USUAL)
    own: Mapping[tuple[Source, RequestKind], ClientName] = field(default_factory=dict)

    def client_of(self, request: Request) -> ClientName:
        """Return the client that is to answer *request*."""
        own = self.own.get((request.source, request.kind))
        return own or self.usual[request.kind]

    def needs(self, known: Container[ClientName]) -> frozenset[ClientName]:
        """Return the clients this leads to that are not among *known*."""
        named = {*self.usual.values(), *self.own.values()}
        return frozenset(name for name in named if name not in known)


class Routing:
    """Around one attempt: names the client, so that the policies inside know it."""

    def __init__(self, inner: Fetcher, *, route: Route) -> None:
        self._inner = inner
        self._route = route

    async def get(self, request: Request) -> Fetched:
        """Return the answer of the client the route leads to."""
        client = self._route.client_of(request)
        return await self._inner.get(replace(request, client=client))

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
