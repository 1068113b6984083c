"""How much of a request is taken, and how every answer is marked."""

import asyncio
from typing import Any

import pytest

from phx_pipeline.service import guard
from phx_pipeline.service.asgi import Scope
from phx_pipeline.service.guard import MOST_BODY_BYTES, MOST_HEADER_BYTES, Guard
from phx_pipeline.service.reach import Reach
from phx_pipeline_tests.unit.service.guard.conftest import (
    FOREIGN,
    HOST,
    JSON,
    OWN,
    PORT,
    Server,
    request,
    status,
)

MARKS = [
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
]


async def nothing(*_: Any) -> Any:
    raise AssertionError("a guard asks nothing then")


def test_many_or_long_headers_are_refused() -> None:
    long = request(fields={"x": "a" * MOST_HEADER_BYTES})
    many = request(fields=[("x", "a")] * MOST_HEADER_BYTES)

    assert status(long) == 431
    assert status(many) == 431
    assert status(request(query=b"a" * MOST_HEADER_BYTES)) == 431


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("5", 200),
        (str(MOST_BODY_BYTES), 200),
        (str(MOST_BODY_BYTES + 1), 413),
        ("9" * 5000, 413),
        ("-1", 400),
        ("1e9", 400),
        ("", 400),
        ("\xb2", 400),
    ],
)
def test_a_body_says_its_length_within_bounds(length: str, expected: int) -> None:
    fields = {**JSON, "content-length": length}

    assert status(request("POST", "/graphql", fields)) == expected


def test_a_body_longer_than_allowed_is_cut_off() -> None:
    server = Server()
    part = b"x" * (MOST_BODY_BYTES // 4)

    found = server.asked(request("POST", "/graphql", JSON), [part] * 9)

    assert found == 413
    assert server.read == part * 4
    assert server.text == "send at most 8000000 B\n"


def test_a_body_as_long_as_allowed_arrives_whole() -> None:
    server = Server()
    part = b"x" * (MOST_BODY_BYTES // 4)

    assert server.asked(request("POST", "/graphql", JSON), [part] * 4) == 200
    assert server.read == part * 4


def test_a_fault_of_the_app_is_not_hidden() -> None:
    async def fails(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(Guard(fails, reach=Reach(port=PORT))(request(), nothing, nothing))


@pytest.mark.parametrize("host", [HOST, "evil.test"])
def test_every_answer_is_marked(host: str) -> None:
    server = Server()

    server.asked(request(host=host))

    assert [mark for mark in MARKS if mark not in server.headers] == []


def test_the_policy_of_the_app_stays_and_weaker_marks_go() -> None:
    policy = (b"content-security-policy", b"object-src 'none'")
    server = Server(answer=[policy, (b"X-Frame-Options", b"ALLOWALL"), (b"etag", b"1")])

    server.asked(request())

    assert policy in server.headers
    assert (b"etag", b"1") in server.headers
    framing = [v for name, v in server.headers if name.lower() == b"x-frame-options"]
    assert framing == [b"DENY"]


@pytest.mark.parametrize(
    "asked",
    [
        request(host="evil.test"),
        request(fields=FOREIGN),
        request("OPTIONS"),
        request("GET", "/a\n"),
        request("POST", "/graphql"),
        request("GET", "/graphql"),
        request(fields={"x": "a" * MOST_HEADER_BYTES}),
    ],
)
def test_a_refusal_is_one_line_of_text(asked: Scope) -> None:
    server = Server()

    server.asked(asked)

    assert (b"content-type", b"text/plain; charset=utf-8") in server.headers
    assert (b"content-length", str(len(server.text)).encode()) in server.headers
    assert server.text.count("\n") == 1
    assert "/" not in server.text.replace(OWN, "").replace("application/json", "")


def test_starting_and_stopping_of_the_app_pass() -> None:
    kinds: list[str] = []

    async def app(scope: Scope, *_: Any) -> None:
        kinds.append(scope["type"])

    asyncio.run(
        Guard(app, reach=Reach(port=PORT))({"type": "lifespan"}, nothing, nothing)
    )

    assert kinds == ["lifespan"]


@pytest.mark.parametrize("limit", ["BODY_S", "SILENT_S"])
def test_a_body_that_does_not_come_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(guard, limit, 0.01)
    server = Server(stalls=True)

    assert server.asked(request("POST", "/login"), [b"key="]) == 408
    assert server.read == b"key="


@pytest.mark.parametrize("path", ["/api", "/photos/a/b", "/readyz", "/openapi.json"])
def test_who_asks_the_rest_interface_is_refused_by_a_problem(path: str) -> None:
    server = Server()

    assert server.asked(request("GET", path, host="evil.test")) == 421
    assert (b"content-type", b"application/problem+json") in server.headers
