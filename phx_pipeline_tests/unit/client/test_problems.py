"""What the refusals of a service stand for."""

import httpx
import pytest

from phx_pipeline.client.problems import refusal
from phx_pipeline.errors import (
    CatalogDownError,
    InputError,
    PhxError,
    QuotaError,
    ServiceError,
    UnknownJobError,
)

_SERVER = "https://pictures.example"
_PROBLEM = "application/problem+json; charset=utf-8"


def refused(
    status: int, *, media_type: str = _PROBLEM, key: str = "phx_a", **headers: str
) -> PhxError:
    sent = {"authorization": f"Bearer {key}"} if key else {}
    answer = httpx.Response(
        status,
        request=httpx.Request("GET", _SERVER, headers=sent),
        headers={"content-type": media_type} | headers,
        json={"title": "T", "status": status, "detail": "so it\nis"},
    )
    means = {404: UnknownJobError}
    return refusal(answer, server=_SERVER, key_by="key", means=means)


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (404, UnknownJobError, "so it is"),
        (400, InputError, "so it is"),
        (422, InputError, "so it is"),
        (401, InputError, f"so it is (key holds the key of {_SERVER})"),
        (403, InputError, "so it is"),
        (503, CatalogDownError, "so it is"),
        (500, ServiceError, "so it is"),
    ],
)
def test_a_problem_is_the_error_it_stands_for(
    status: int, kind: type[PhxError], told: str
) -> None:
    error = refused(status)

    assert (type(error), str(error)) == (kind, told)


def test_who_sends_no_key_is_told_how_to_send_one() -> None:
    told = f"{_SERVER} asks for a key: set key to the one that you were given"
    assert str(refused(401, key="")) == told


@pytest.mark.parametrize(
    ("wish", "seconds"), [("90", 90.0), ("", 60.0), ("-1", 60.0), ("9" * 40, 60.0)]
)
def test_a_quota_tells_when_to_ask_again(wish: str, seconds: float) -> None:
    error = refused(429, **{"retry-after": wish})

    assert isinstance(error, QuotaError)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize("status", [302, 404, 502])
def test_what_is_no_problem_document_comes_from_no_service_of_ours(status: int) -> None:
    error = refused(status, media_type="text/html")

    assert isinstance(error, ServiceError)
    assert f"{_SERVER} is no service of phx_pipeline: HTTP {status}" in str(error)
