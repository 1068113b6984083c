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
    UnknownPropertyError,
)

PASSING: Final = frozenset({502, 503, 504})
"""Statuses of a service, or of a proxy before it, that is away for a moment."""

_UNKNOWN_KEY: Final = 401
_TOO_MANY: Final = 429
_MEDIA_TYPE: Final = "application/problem+json"
_LONGEST_TOLD: Final = 1000
_HOUSES: Final = (
    "{server} has its own houses: on its computer `phx properties list` lists them and "
    "`phx properties add` follows another one"
)


Meanings = Mapping[int, Callable[[str], PhxError]]
"""What some statuses mean where more is known than the status."""


def refusal(
    answer: httpx.Response, *, server: str, key_by: str, means: Meanings
) -> PhxError:
    """Return what an answer that is no success stands for.

    What *means* tells of its status; else `InputError` where the request was wrong,
    `QuotaError` with the seconds to wait, `CatalogDownError` where the service's own
    database is away, and `ServiceError` for all the rest.

    Args:
        answer: of the service.
        server: its URL.
        key_by: what names the key: a setting, an argument.
        means: what some statuses mean for this path.
    """
    problem = _problem(answer)
    told = _line(problem.get("detail") or problem.get("title"))
    status = answer.status_code
    if not told:
        return ServiceError(
            f"what answers at {server} is no service of phx_pipeline: HTTP {status}"
        )
    if unknown := _line(problem.get("unknown_property")):
        return UnknownPropertyError(unknown, _HOUSES.format(server=server))
    if status in means:
        return means[status](told)
    if status == _UNKNOWN_KEY:
        return InputError(_keyless(told, answer.request, server=server, by=key_by))
    return _of_status(told, answer)


def _of_status(told: str, answer: httpx.Response) -> PhxError:
    if answer.status_code == _TOO_MANY:
        return QuotaError(told, retry_after_s=_seconds(answer))
    if answer.status_code in PASSING:
        return CatalogDownError(told)
    return InputError(told) if answer.is_client_error else ServiceError(told)


def _keyless(told: str, asked: httpx.Request, *, server: str, by: str) -> str:
    if "authorization" not in asked.headers:
        return f"{server} asks for a key: set {by} to the one that you were given"
    return f"{told} ({by} holds the key of {server})"


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    """A problem document; empty if the answer is none."""
    if answer.headers.get("content-type", "").partition(";")[0] != _MEDIA_TYPE:
        return {}
    try:
        problem: Any = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def _line(told: Any) -> str:
    return " ".join(str(told).split())[:_LONGEST_TOLD] if told else ""


def _seconds(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 10 else 60.0  # noqa: PLR2004
