"""Connections as uvicorn keeps them, but none on which nothing is asked.

Anybody may connect, without a key, and each connection takes a file of the few that a
process may open. How long a body may take is told by `guard`.
"""

import asyncio
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_S: Final = 20.0
"""So long a connection is kept on which no request has come, or only half of one."""


class Prompt(H11Protocol):
    """One connection, closed where the head of a request does not come in time."""

    _late: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._wait()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the connection to who listens, however long."""
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def _wait(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self._late = self.loop.call_later(HEAD_S, self._close_if_silent)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close_if_silent(self) -> None:
        """Close it, unless an answer is under way: its end begins a new wait."""
        asked: RequestResponseCycle | None = self.cycle
        if asked is None or asked.response_complete:
            self.transport.close()
