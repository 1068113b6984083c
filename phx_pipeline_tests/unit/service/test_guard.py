"""What the guard lets through and what it refuses, asked as a server asks an app."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline.service import guard
from phx_pipeline.service.asgi import Message, Receive, Scope, Send
from phx_pipeline.service.guard import MOST_BODY_BYTES, MOST_HEADER_BYTES, Guard
from phx_pipeline.service.reach import Reach

PORT = 3000
HOST = "127.0.0.1:3000"
OWN = f"http://{HOST}"
JSON = {"content-type": "application/json"}
EDITOR = {"accept": "text/html,application/xhtml+xml"}

# What browsers say of a request by itself, by where the page that makes it is from.
OWN_PAGE = {"origin": OWN, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}
TYPED = {
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
LINK = {**TYPED, "sec-fetch-site": "cross-site"}
OTHER_PORT = {"origin": "http://127.0.0.1:5000", "sec-fetch-site": "same-site"}
FOREIGN = {"origin": "http://evil.test", "sec-fetch-site": "cross-site"}
IMAGE = {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
}
OLD_BROWSER = {"origin": "http://evil.test"}

Fields = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(kw_only=True)
class Server:
    """Stands where uvicorn stands; the app behind the guard notes what reaches it."""

    port: int = PORT
    reached: list[Scope] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    read: bytes = b""
    answer: Sequence[tuple[bytes, bytes]] = ()
    stalls: bool = False  # after what is there of a body

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope)
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept", "subprotocol": "graphql-ws"})
            return
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError("the client is gone")
            self.read += message.get("body", b"")
            more = message.get("more_body", False)
        headers = list(self.answer)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"well"})

    def asked(self, scope: Scope, parts: Sequence[bytes] = (b"",)) -> int:
        """The status of the answer; for a WebSocket what a server makes of it."""
        asyncio.run(self._asked(scope, list(parts)))
        kinds = [message["type"] for message in self.sent]
        if scope["type"] == "websocket":
            return 101 if "websocket.accept" in kinds else 403
        assert kinds == ["http.response.start", "http.response.body"]
        status: int = self.sent[0]["status"]
        return status

    async def _asked(self, scope: Scope, parts: list[bytes]) -> None:
        async def receive() -> Message:
            if scope["type"] == "websocket":
                return {"type": "websocket.connect"}
            if not parts:
                await asyncio.Event().wait()
            body, more = parts.pop(0), bool(parts) or self.stalls
            return {"type": "http.request", "body": body, "more_body": more}

        async def send(message: Message) -> None:
            self.sent.append(message)

        await Guard(self.app, reach=Reach.on_loopback(self.port))(scope, receive, send)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        found: list[tuple[bytes, bytes]] = list(self.sent[0]["headers"])
        return found

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


def request(
    method: str = "GET",
    path: str = "/",
    fields: Fields = (),
    *,
    host: str | None = HOST,
    query: bytes = b"",
    kind: str = "http",
) -> Scope:
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    if host is not None:
        pairs = [("host", host), *pairs]
    scope: dict[str, Any] = {
        "type": kind,
        "path": path,
        "query_string": query,
        "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in pairs],
    }
    return scope if kind == "websocket" else {**scope, "method": method}


def status(scope: Scope, *, port: int = PORT) -> int:
    """The answer's status; what is refused has not reached the app."""
    server = Server(port=port)
    found = server.asked(scope)
    assert bool(server.reached) == (found in {200, 101})
    return found


# --- under which name


@pytest.mark.parametrize(
    ("host", "port"),
    [
        (HOST, PORT),
        ("localhost:3000", PORT),
        ("LOCALHOST:3000", PORT),
        ("LocalHost:3000", PORT),
        ("[::1]:3000", PORT),
        ("127.0.0.1", 80),
        ("localhost", 80),
        ("[::1]", 80),
        ("127.0.0.1:80", 80),
    ],
)
def test_it_answers_to_names_of_this_computer(host: str, port: int) -> None:
    assert status(request(host=host), port=port) == 200


WRONG_HOSTS = [
    "",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "127.0.0.1:",
    "127.0.0.1:80",
    "127.0.0.1:3001",
    "127.0.0.1:03000",
    "127.0.0.1:3000 ,evil.test",
    "127.0.0.1:3000.evil.test",
    "127.0.0.1.:3000",
    "127.0.0.1.nip.test:3000",
    "127.0.0.2:3000",
    "127.1:3000",
    "2130706433:3000",
    "0x7f.0.0.1:3000",
    "0177.0.0.1:3000",
    "0.0.0.0:3000",
    "localhost.:3000",
    "localhost.evil.test:3000",
    "evil.test:3000",
    "evil.test",
    "evil.localhost:3000",
    "user@127.0.0.1:3000",
    "127.0.0.1:3000@evil.test",
    "http://127.0.0.1:3000",
    "127.0.0.1:3000/",
    "127.0.0.1:3000#evil.test",
    "::1:3000",
    "[::]:3000",
    "[0:0:0:0:0:0:0:1]:3000",
    "[::1%25lo]:3000",
    "[::ffff:127.0.0.1]:3000",
    "127.0.0.1:3000\x00",
    "127.0.0.1:\xb3000",
    "\xff",
]


@pytest.mark.parametrize("host", WRONG_HOSTS)
def test_it_answers_to_no_other_name(host: str) -> None:
    assert status(request(host=host)) == 421


def test_no_host_or_two_are_refused() -> None:
    assert status(request(host=None)) == 421
    assert status(request(fields=[("host", HOST)])) == 421
    assert status(request(fields=[("Host", "evil.test")])) == 421


@pytest.mark.parametrize(
    "name", ["x-forwarded-host", "forwarded", "x-host", "x-original-host"]
)
def test_what_a_proxy_would_say_of_the_name_does_not_count(name: str) -> None:
    assert status(request(fields={name: HOST}, host="evil.test")) == 421
    assert status(request(fields={name: "evil.test"})) == 200


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_text_is_taken_for_a_name_of_this_computer(host: str) -> None:
    names = {"127.0.0.1:3000", "localhost:3000", "[::1]:3000"}

    expected = 200 if host.strip().lower() in names else 421

    assert status(request(host=host)) == expected


@given(
    st.sampled_from(["127.0.0.1", "localhost", "[::1]"]),
    st.text("0123456789.:@/[]%a-", min_size=1, max_size=8),
    st.sampled_from([":3000", ""]),
)
def test_a_name_with_anything_added_is_another(
    host: str, added: str, port: str
) -> None:
    assert status(request(host=f"{added}{host}{port}")) == 421
    assert status(request(host=f"{host}{added}{port}")) == (
        200 if f"{added}{port}" == ":3000" else 421
    )


def test_a_refused_name_is_told_with_the_right_one_and_nothing_else() -> None:
    server = Server()

    server.asked(request(host="evil.test"))

    right = "open http://127.0.0.1:3000\n"
    assert server.text == f"not served under the name 'evil.test': {right}"


# --- who sends it


@pytest.mark.parametrize(
    "fields",
    [
        {},
        OWN_PAGE,
        TYPED,
        LINK,
        {**LINK, "sec-fetch-site": "same-site"},
        {**LINK, "origin": "null"},
        {"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "none"},
    ],
)
def test_reading_is_open_to_its_own_pages_to_links_and_to_programs(
    fields: Fields,
) -> None:
    assert status(request("GET", "/runs", fields)) == 200


@pytest.mark.parametrize(
    "fields",
    [
        FOREIGN,
        OTHER_PORT,
        OLD_BROWSER,
        IMAGE,
        {**IMAGE, "sec-fetch-site": "same-site"},
        {**LINK, "sec-fetch-dest": "iframe"},
        {**LINK, "sec-fetch-dest": "embed"},
        {**LINK, "sec-fetch-mode": "no-cors"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "anything"},
        {"sec-fetch-site": ""},
        [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    ],
)
def test_nothing_is_read_for_pages_of_others(fields: Fields) -> None:
    assert status(request("GET", "/logs/a/b.out", fields)) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("fields", [{}, OWN_PAGE, {"sec-fetch-site": "none"}])
def test_writing_is_open_to_its_own_pages_and_to_programs(
    method: str, fields: Fields
) -> None:
    assert status(request(method, "/api", fields)) == 200


@pytest.mark.parametrize(
    "fields",
    [
        FOREIGN,
        OTHER_PORT,
        OLD_BROWSER,
        LINK,
        {**LINK, "origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost:3000"},
        {"origin": "https://127.0.0.1:3000"},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://127.0.0.1:3000.evil.test"},
        {"origin": "http://127.0.0.1:3000/"},
        {"origin": "http://user@127.0.0.1:3000"},
        {"origin": f"{OWN}, http://evil.test"},
        {**OWN_PAGE, "sec-fetch-site": "cross-site"},
        {**OWN_PAGE, "sec-fetch-site": "same-site"},
        [("origin", OWN), ("origin", "http://evil.test")],
    ],
)
def test_nothing_is_written_for_pages_of_others(fields: Fields) -> None:
    assert status(request("POST", "/api", fields)) == 403


@pytest.mark.parametrize("host", ["localhost:3000", "[::1]:3000", "LOCALHOST:3000"])
def test_the_pages_own_origin_is_the_name_it_was_opened_under(host: str) -> None:
    own = {**OWN_PAGE, "origin": f"http://{host}"}

    assert status(request("POST", "/api", own, host=host)) == 200
    assert status(request("POST", "/api", OWN_PAGE, host=host)) == 403


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 101),
        (OWN_PAGE, 101),
        ({"origin": OWN}, 101),
        (FOREIGN, 403),
        (OTHER_PORT, 403),
        (OLD_BROWSER, 403),
        (LINK, 403),
        ({"origin": "null"}, 403),
        ([("origin", OWN), ("origin", OWN)], 403),
    ],
)
def test_only_its_own_pages_and_programs_get_a_websocket(
    fields: Fields, expected: int
) -> None:
    assert status(request(path="/graphql", fields=fields, kind="websocket")) == expected


def test_a_websocket_needs_the_right_name_too() -> None:
    asked = request(path="/graphql", host="evil.test:3000", kind="websocket")

    assert status(asked) == 403


def test_what_is_agreed_on_a_websocket_is_left_alone() -> None:
    server = Server()

    server.asked(request(path="/graphql", fields=OWN_PAGE, kind="websocket"))

    assert server.sent == [{"type": "websocket.accept", "subprotocol": "graphql-ws"}]


# --- what is asked


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"])
def test_other_methods_are_refused(method: str) -> None:
    assert status(request(method, "/graphql", OWN_PAGE)) == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/graphql\n", "/a\r\nb", "/\x00", "/\x7f", "*", "", "http://x/", "graphql"),
        *("/..", "/../a", "/logs/a/../../b.out", "/./a", "/a/."),
    ],
)
def test_a_path_is_a_path(path: str) -> None:
    assert status(request("GET", path)) == 400


@pytest.mark.parametrize(
    "path",
    ["/assets/raw_images", "/locations/phx_pipeline@x", "/a b", "/straße", "/a..b/.c"],
)
def test_the_paths_of_pages_are_taken(path: str) -> None:
    assert status(request("GET", path)) == 200


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"],
)
def test_graphql_takes_json(content_type: str) -> None:
    asked = request("POST", "/graphql", {**OWN_PAGE, "content-type": content_type})

    assert status(asked) == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"content-type": ""},
        {"content-type": "text/plain"},
        {"content-type": "text/plain; a=application/json"},
        {"content-type": "text/plain, application/json"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=application/json"},
        {"content-type": "application/graphql"},
        {"content-type": "application/json-x"},
        [("content-type", "application/json"), ("content-type", "text/plain")],
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/"])
def test_graphql_takes_nothing_else(path: str, fields: Fields) -> None:
    """Not from programs either: what no program needs, no page can be made to send."""
    assert status(request("POST", path, fields, query=b"query={version}")) == 415


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ({}, b""),
        ({}, b"query=mutation%7Bx%7D"),
        ({"accept": "application/json"}, b"query=%7Bversion%7D"),
        (EDITOR, b"query=mutation%7Bx%7D"),
        ({**TYPED, **EDITOR}, b"query=mutation%7Bx%7D"),
        ([("accept", "text/html"), ("accept", "*/*")], b""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_of_graphql_is_done_by_get(
    method: str, fields: Fields, query: bytes
) -> None:
    assert status(request(method, "/graphql", fields, query=query)) == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_graphql_knows_post_alone(method: str) -> None:
    assert status(request(method, "/graphql", JSON)) == 405


def test_the_editor_of_graphql_opens() -> None:
    assert status(request("GET", "/graphql", {**TYPED, **EDITOR})) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/report_asset_materialization/a",
        "/report_asset_check/a",
        "/report_asset_observation/a",
        "/report_runless_asset_event/a",
    ],
)
def test_events_of_assets_come_from_programs_as_json(path: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert status(request("POST", path, JSON)) == 200
    assert status(request("POST", path)) == 200
    assert status(request("POST", path, form)) == 415
    assert status(request("POST", path, FOREIGN)) == 403
    assert status(request("POST", path, {"origin": "null"})) == 403


# --- how much of it


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


async def nothing(*_: Any) -> Any:
    raise AssertionError("a guard asks nothing then")


def test_a_fault_of_the_app_is_not_hidden() -> None:
    async def fails(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(
            Guard(fails, reach=Reach.on_loopback(PORT))(request(), nothing, nothing)
        )


# --- what goes back


MARKS = [
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
]


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
        Guard(app, reach=Reach.on_loopback(PORT))(
            {"type": "lifespan"}, nothing, nothing
        )
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
