"""The line to a running browser: commands under a deadline, events to handlers.

nodriver attaches, sends and parses here; what is asked of a page belongs to others.
Three of its habits are kept out: it looks for a proxy in the environment even for this
machine, its commands wait for ever, and it keeps the last 25 answers, bodies included.
"""

import asyncio
import logging
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from nodriver import cdp
from nodriver.core.connection import Connection, ProtocolException
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

USUAL_S: Final = 5.0
"""What a command that loads nothing may take; far more than it needs."""

_LARGEST: Final = 2**28  # of one message, in bytes
_CLOSE_S: Final = 1.0

# It reports events of newer browsers as errors, with their whole content.
logging.getLogger("nodriver").setLevel(logging.CRITICAL)


class DevToolsError(Exception):
    """The browser refused a command, or is no longer there."""


class _Connection(Connection):  # type: ignore[misc]  # it ships no types
    """nodriver's connection, opened past every proxy.

    Attributes:
        heard: the events somebody listens to; a page may cause very many others.
    """

    def __init__(self) -> None:
        super().__init__("")
        self.heard: set[str] = set()

    async def aopen(self) -> None:
        self.socket = await connect(
            self.websocket_url,
            proxy=None,
            compression=None,
            ping_interval=None,
            max_size=_LARGEST,
        )
        self._listener_task = asyncio.create_task(self._listener())

    async def process_event(
        self, message: dict[str, Any], tx_id: int | None = None
    ) -> None:
        if message["method"] in self.heard:
            await super().process_event(message, tx_id)


class DevTools:
    """One browser, and after `enter` one of its tabs."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._tab: str | None = None

    @classmethod
    async def attach(cls, *, port: int, profile: Path) -> "DevTools":
        """Connect to the browser that listens on *port* and runs on *profile*.

        Raises:
            DevToolsError: it cannot be connected to.
        """
        connection = _Connection()
        file = profile / "DevToolsActivePort"
        try:
            path = file.read_text(encoding="ascii").splitlines()[1]
            connection.websocket_url = f"ws://127.0.0.1:{port}{path}"
            await connection.aopen()
        except (OSError, IndexError, ValueError, WebSocketException) as error:
            raise DevToolsError(f"cannot connect to the browser: {error}") from error
        return cls(connection)

    async def enter(self, target: str) -> None:
        """Let further commands be for the tab *target*."""
        attach = cdp.target.attach_to_target(cdp.target.TargetID(target), flatten=True)
        self._tab = await self.send(attach)

    def on(self, event: type, handler: Callable[[Any], None]) -> None:
        """Call *handler* for each event, between two others; it must be quick."""

        def handle(event: Any, _connection: Any) -> None:
            handler(event)

        self._connection.heard.add(_name_of(event))
        self._connection.add_handler(event, handle)

    def on_end(self, handler: Callable[[], None]) -> None:
        """Call *handler* when the line is cut."""
        self._connection._listener_task.add_done_callback(  # noqa: SLF001 - no other tells
            lambda _task: handler()
        )

    async def send(
        self,
        command: Generator[dict[str, Any], dict[str, Any], Any],
        *,
        within_s: float = USUAL_S,
    ) -> Any:
        """Return the answer to *command*.

        Raises:
            DevToolsError: it was refused, or the line is cut.
            TimeoutError: no answer came.
        """
        to = {} if self._tab is None else {"sessionId": self._tab}
        try:
            async with asyncio.timeout(within_s):
                return await self._connection.send(command, _attach=True, **to)
        except TimeoutError:
            raise
        except (ProtocolException, WebSocketException, OSError, RuntimeError) as error:
            raise DevToolsError(str(error)) from None
        finally:
            self._forget()

    def _forget(self) -> None:
        for transaction in self._connection.transactions:
            transaction.request = {}
            transaction.result = None

    async def aclose(self) -> None:
        """Cut the line; the browser stays."""
        self._connection.handlers.clear()
        with suppress(TimeoutError, WebSocketException, OSError):
            async with asyncio.timeout(_CLOSE_S):
                await self._connection.aclose()


def _name_of(event: type) -> str:
    """Return the protocol's name of an event, such as `Page.frameNavigated`."""
    domain = event.__module__.rpartition(".")[2]
    return f"{domain.capitalize()}.{event.__name__[0].lower()}{event.__name__[1:]}"
