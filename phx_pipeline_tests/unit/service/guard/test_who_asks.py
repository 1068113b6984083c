"""Under which name the server answers, and to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phx_pipeline_tests.unit.service.guard.conftest import (
    FOREIGN,
    HOST,
    IMAGE,
    LINK,
    OLD_BROWSER,
    OTHER_PORT,
    OWN,
    OWN_PAGE,
    PORT,
    TYPED,
    Fields,
    Server,
    request,
    status,
)

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
