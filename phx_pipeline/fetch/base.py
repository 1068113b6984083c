"""The seam between the pipeline and the wire: `Request`, `Fetched`, `Fetcher`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from phx_pipeline.model.source import Source


class RequestKind(StrEnum):
    """What is asked for; limits and headers follow from it."""

    PAGE = "page"
    API = "api"
    PHOTO = "photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET. `timeout_s` is the total deadline of an attempt, redirects included."""

    url: str
    source: Source
    kind: RequestKind
    timeout_s: float = 30.0
    max_bytes: int = 25_000_000
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A usable (2xx) answer. `url` is the last hop; header names are lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher(Protocol):
    """Anything that can answer a `Request`."""

    async def get(self, request: Request) -> Fetched:
        """Return the 2xx answer to *request*.

        Raises:
            GoneError: 404 or 410.
            BlockedError: 401, 403 or 405: the source refused us.
            RateLimitedError: 429, after the allowed attempts.
            TransientError: time-out, reset, DNS, TLS, 5xx, after the allowed attempts.
            BodyLimitError: the body is larger than `max_bytes`, decoded.
            HostRefusedError: the address or a redirect is not on the source's list.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...
