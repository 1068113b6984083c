"""What may be said over a WebSocket of GraphQL: what to listen to, and no more of it.

Written for the messages of Dagster 1.13, whose handler fails at others.
"""

import asyncio
import json
from contextlib import suppress
from typing import Any

from phx_pipeline.errors import InputError
from phx_pipeline.service.amounts import refuse_too_much
from phx_pipeline.service.asgi import POLICY_VIOLATION, Message, Receive, Send
from phx_pipeline.service.operations import is_subscription

MOST_AT_ONCE = 50
"""Subscriptions of one WebSocket; a page of the UI has a few."""

_START, _STOP = "start", "stop"


class Listening:
    """A WebSocket on which nothing but subscriptions are asked for."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._open: set[str | int] = set()

    async def receive(self) -> Message:
        """Return the next message; anything else closes the WebSocket."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return message
        told = await asyncio.to_thread(_told, message.get("text"))
        if told is not None and self._has_room(told):
            return message
        await self.close()
        return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}

    async def close(self) -> None:
        """Close it, unless it is closed already."""
        with suppress(RuntimeError, OSError):
            await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})

    def _has_room(self, told: dict[str, Any]) -> bool:
        if told.get("type") == _START:
            self._open.add(told["id"])
        elif told.get("type") == _STOP:
            self._open.discard(told.get("id", ""))
        return len(self._open) <= MOST_AT_ONCE


def _told(text: str | None) -> dict[str, Any] | None:
    """What a message says; None if the app must not be asked this, or fails at it."""
    try:
        found = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not _is_id(found.get("id", "")):
        return None
    payload = found.get("payload")
    if found.get("type") == _START:
        return found if "id" in found and _listens(payload) else None
    asks = isinstance(payload, dict) and payload.get("query") is not None
    return None if asks else found


def _listens(payload: object) -> bool:
    """Whether it asks for news alone, and in the form that the app reads."""
    if not isinstance(payload, dict):
        return False
    query, operation = payload.get("query"), payload.get("operation_name")
    variables = payload.get("variables")
    return (
        isinstance(query, str)
        and isinstance(variables, dict | None)
        and isinstance(operation, str | None)
        and is_subscription(query)
        and _is_modest(query, variables or {})
    )


def _is_modest(query: str, variables: dict[str, Any]) -> bool:
    try:
        refuse_too_much(query, variables)
    except InputError:
        return False
    return True


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
