"""The answers with which a service refuses, as the exceptions they stand for.

A refusal is a problem document (RFC 9457): here is what its status means to us.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from phx_pipeline.errors import (
    CatalogDownError,
    InputError,
    PhxError,
    QuotaError,
    ServiceError,
)

PASSING: Final = frozenset({502, 503, 504})
"""Statuses of a service, or of a proxy before it, that is away for a moment."""

_UNKNOWN_KEY: Final = 401
_TOO_MANY: Final = 429
_MEDIA_TYPE: Final = "application/problem+json"
_LONGEST_TOLD: Final = 1000


Meanings = Mapping[int, Callable[[str], PhxError]]
"""What some statuses mean where more is known than the status."""


def refusal(answer: httpx.Response, *, server: str, means: Meanings) -> PhxError:
    """Return what an answer that is no success stands for.

    What *means* tells of its status; else `InputError` where the request was wrong,
    `QuotaError` with the seconds to wait, `CatalogDownError` where the service's own
    database is away, and `ServiceError` for all the rest.
    """
    told = _told(answer)
    status = answer.status_code
    if told is None:
        return ServiceError(
            f"what answers at {server} is no service of phx_pipeline: HTTP {status}"
        )
    if status in means:
        return means[status](told)
    if status == _UNKNOWN_KEY:
        return InputError(_keyless(told, answer.request, server=server))
    if status == _TOO_MANY:
        return QuotaError(told, retry_after_s=_seconds(answer))
    if status in PASSING:
        return CatalogDownError(told)
    return InputError(told) if answer.is_client_error else ServiceError(told)


def _keyless(told: str, asked: httpx.Request, *, server: str) -> str:
    if "authorization" not in asked.headers:
        return f"{server} asks for a key: set PHX_KEY to the one that you were given"
    return f"{told} (PHX_KEY holds the key of {server})"


def _told(answer: httpx.Response) -> str | None:
    """The sentence of a problem document; None if the answer is none."""
    if answer.headers.get("content-type", "").partition(";")[0] != _MEDIA_TYPE:
        return None
    try:
        problem: Any = answer.json()
    except ValueError:
        return None
    if not isinstance(problem, dict):
        return None
    told = problem.get("detail") or problem.get("title")
    return " ".join(str(told).split())[:_LONGEST_TOLD] if told else None


def _seconds(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 10 else 60.0  # noqa: PLR2004
