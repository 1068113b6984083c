"""What the end of an attempt tells about the source: pure, over errors.

What becomes of its circuit and pace is decided in `policies`.
"""

from enum import StrEnum
from http import HTTPStatus

from phx_pipeline.errors import (
    BlockedError,
    BodyLimitError,
    BrowserError,
    FetchError,
    GoneError,
    HostRefusedError,
    ImageError,
    NoWayError,
    ProxyError,
    RateLimitedError,
    TransientError,
)
from phx_pipeline.fetch.base import Request, RequestKind

Fault = FetchError | ImageError
"""What an attempt may end with, and tell something about the source by."""


class Event(StrEnum):
    """What an attempt told about the source."""

    SUCCESS = "success"
    FAILURE = "failure"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    NO_PICTURE = "no_picture"
    SPARE = "spare"
    BLOCK = "block"


# The first that fits: an error, its status (None for any), what it tells.
_EVENTS: tuple[tuple[type[Fault], int | None, Event], ...] = (
    (ImageError, None, Event.NO_PICTURE),
    (BlockedError, None, Event.BLOCK),
    (RateLimitedError, None, Event.LIMITED),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE, Event.UNAVAILABLE),
    (TransientError, None, Event.FAILURE),
    (GoneError, None, Event.SUCCESS),
)


def event_of(error: Fault, *, request: Request) -> Event | None:
    """Return what *error* tells about the source, or None if nothing.

    Nothing: our own guards and policies, a fault of the proxy or of our browser, and
    that no way leads there from here. A missing page is as good an answer as any; but a
    photo is listed, so whatever comes in its place is a fault of its host. Of a photo
    that may be had in another size, a size that is gone tells nothing, and any other
    fault a little. A `RateLimitedError` without a status is our own `Pacing`'s.
    """
    is_of_a_tool = isinstance(error, BrowserError | ProxyError | NoWayError)
    if is_of_a_tool or _is_our_own(error):
        return None
    if request.kind is RequestKind.PHOTO and is_no_picture(error):
        if not request.has_spare:
            return Event.NO_PICTURE
        return None if isinstance(error, GoneError) else Event.SPARE
    for kind, status, event in _EVENTS:
        if isinstance(error, kind) and status in {None, getattr(error, "status", None)}:
            return event
    return None


def is_no_picture(error: Fault) -> bool:
    """Whether the source answered, but with nothing of use and for no other reason."""
    if isinstance(error, HostRefusedError):
        return error.redirected
    if isinstance(error, GoneError | BodyLimitError | ImageError):
        return True
    return type(error) is FetchError


def _is_our_own(error: Fault) -> bool:
    return isinstance(error, RateLimitedError) and error.status is None
