"""Who gets in, and who may do what: every way in without the right is tried."""

import asyncio
import hmac
import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import httpx
import pytest

from phx_pipeline.catalog.access import AccessBook
from phx_pipeline.errors import CatalogDownError
from phx_pipeline.model.access import Principal, Role, digest_of, key_id_of, new_key
from phx_pipeline.service.asgi import Asked
from phx_pipeline.service.guard import Rules
from phx_pipeline.service.reach import Reach
from phx_pipeline.service.trail import Trail
from phx_pipeline_tests.door import (
    LOCAL,
    PORT,
    URL,
    Door,
    logged_in,
)
from phx_pipeline_tests.integration.service.conftest import NewDoor

_LAUNCH = """mutation {
    launchRun(executionParams: {selector: {jobName: "x"}}) { __typename }
}"""
_WIPE = "mutation { wipeAssets(assetPartitionRanges: []) { __typename } }"
_READ = "{ version }"
_PUBLIC = "https://phx.example"
_BY_PROXY = {"x_forwarded_proto": "https", "x_forwarded_for": "198.51.100.7"}


def _start(id_: str, **more: str) -> str:
    payload = {"query": '"subscription { a }"', **more}
    told = ", ".join(f'"{name}": {value}' for name, value in payload.items())
    return f'{{"type": "start", "id": {id_}, "payload": {{{told}}}}}'


# --- without a key


async def test_as_long_as_there_is_no_key_the_local_user_may_do_all(door: Door) -> None:
    for method, path in (("GET", "/runs"), ("DELETE", "/api/properties/x")):
        assert (await door.asked(method, path)).status_code == 200
    for query in (_READ, _LAUNCH, _WIPE):
        assert await door.graphql(query) == 200
    assert (await door.socket())[0]["type"] == "websocket.accept"

    assert door.principal == Principal(user=LOCAL, role=Role.ADMIN, is_local=True)


async def test_a_login_without_keys_says_that_none_is_needed(door: Door) -> None:
    shown = await door.asked("GET", "/login?next=/runs")

    assert "nobody has to log in" in shown.text
    assert 'href="/runs"' in shown.text


async def test_the_first_key_closes_the_door_and_the_last_revoked_opens_it(
    door: Door,
) -> None:
    text = door.key(Role.READER)
    assert (await door.asked("GET", "/runs")).status_code == 401

    door.revoke(text)

    assert (await door.asked("GET", "/runs")).status_code == 200


async def test_an_expired_key_does_not_open_the_door_to_all(door: Door) -> None:
    door.key(Role.ADMIN, span=timedelta(days=1))

    door.now += timedelta(days=2)

    assert (await door.asked("GET", "/runs")).status_code == 401


# --- with a key


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/healthz", None),
        ("HEAD", "/healthz", None),
        ("GET", "/login", None),
        ("POST", "/healthz", Role.ADMIN),
        ("GET", "/readyz", Role.READER),
        ("GET", "/", Role.READER),
        ("GET", "/runs", Role.READER),
        ("GET", "/logs/a/b.out", Role.READER),
        ("GET", "/sheets/h/manifest.jpg", Role.READER),
        ("GET", "/photos/686067a4/x.png", Role.READER),
        ("GET", "/api/images", Role.READER),
        ("POST", "/api/extraction/jobs", Role.OPERATOR),
        ("POST", "/api/extraction/jobs/1/retry", Role.OPERATOR),
        ("DELETE", "/api/extraction/jobs/1", Role.OPERATOR),
        ("PUT", "/api/extraction/jobs/1", Role.READER),  # there is none: 405
        ("POST", "/api/images", Role.READER),
        ("POST", "/api/properties", Role.OPERATOR),
        ("PATCH", "/api/properties/1", Role.OPERATOR),
        ("DELETE", "/api/properties/1", Role.ADMIN),
        ("POST", "/api/propertiesx", Role.ADMIN),
        ("POST", "/api/keys", Role.ADMIN),
        ("GET", "/api/audit", Role.ADMIN),
        ("GET", "/api/keys/1", Role.ADMIN),
        ("POST", "/report_asset_materialization/a", Role.ADMIN),
        ("POST", "/graphql/x", Role.ADMIN),
        ("POST", "/anything", Role.ADMIN),
    ],
)
async def test_each_role_may_do_what_the_table_says(
    door: Door, method: str, path: str, needed: Role | None
) -> None:
    keys = {role: door.key(role, name=role.word) for role in Role}

    nobody = await door.asked(method, path)
    found = {
        role: (await door.asked(method, path, key=key)).status_code
        for role, key in keys.items()
    }

    assert nobody.status_code == (401 if needed else 200)
    assert found == {role: 200 if role >= (needed or 0) else 403 for role in Role}


@pytest.mark.parametrize(
    "path", ["/photos/%2e%2e/phx.db", "/logs/..%2f..%2fphx.out", "/photos/%2e/x"]
)
async def test_no_path_leads_out_of_its_folder(door: Door, path: str) -> None:
    assert (await door.asked("GET", path)).status_code == 400
    assert door.reached == []


@pytest.mark.parametrize(
    "header", ["Bearer {}", "bearer  {} ", "BEARER {}", "x-api-key"]
)
async def test_a_key_is_shown_in_one_of_two_headers(door: Door, header: str) -> None:
    text = door.key(Role.READER, name="ana")
    named = {"authorization": header.format(text)}
    if header == "x-api-key":
        named = {header: text}

    assert (await door.asked("GET", "/runs", headers=named)).status_code == 200
    assert door.principal == Principal(
        user="ana", role=Role.READER, key_id=key_id_of(digest_of(text))
    )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer phx_"},
        {"authorization": f"Bearer {new_key()}"},
        {"authorization": "Basic YW5hOnBoeA=="},
        {"x-api-key": "' OR 1=1 --"},
        {"x-api-key": "ä" * 43},
        {"cookie": f"phx_session_{PORT}={'a' * 43}"},
        {"cookie": f"phx_session_{PORT}="},
        {"x-forwarded-user": "admin"},
    ],
)
async def test_a_wrong_key_opens_nothing(door: Door, headers: dict[str, str]) -> None:
    door.key(Role.ADMIN)
    raw = {name: value.encode() for name, value in headers.items()}

    answer = await door.asked("GET", "/runs", headers=raw)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="phx"'
    assert door.reached == []


async def test_a_key_with_anything_changed_is_another(door: Door) -> None:
    text = door.key(Role.ADMIN)
    others = [text[:-1], f"{text}a", text.swapcase(), text.removeprefix("phx_"), ""]

    async with door.client() as client:
        pairs = [("authorization", f"Bearer {text}"), ("x-api-key", text)]
        two = (await client.get("/runs", headers=pairs)).status_code
    found = [(await door.asked("GET", "/runs", key=it)).status_code for it in others]

    assert [two, *found] == [401] * 6


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_a_key_that_is_over_says_so_to_its_owner(door: Door, end: str) -> None:
    door.key(Role.ADMIN, name="other")
    text = door.key(Role.ADMIN, span=timedelta(days=1))
    assert (await door.asked("GET", "/runs", key=text)).status_code == 200

    if end == "revoked":
        door.revoke(text)
    else:
        door.now += timedelta(days=1)
    answer = await door.asked("GET", "/api/images", key=text)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/unauthorized"
    assert end in answer.json()["detail"]


async def test_secrets_are_compared_in_constant_time(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bytes] = []
    real = hmac.compare_digest

    def spy(one: bytes, other: bytes) -> bool:
        compared.extend([one, other])
        return real(one, other)

    text = door.key(Role.READER)
    async with door.client() as client:
        await logged_in(client, text)
        monkeypatch.setattr(hmac, "compare_digest", spy)
        await client.get("/runs")
        await client.get("/runs", headers={"x-api-key": text})
        cookie = client.cookies[f"phx_session_{PORT}"]

    digests = {digest_of(secret).encode() for secret in (text, cookie)}
    assert digests <= set(compared)


async def test_wrong_keys_are_slowed_down_and_right_ones_never(
    new_door: NewDoor,
) -> None:
    door = new_door()  # its looks at the keys are real ones
    text = door.key(Role.READER)

    async with door.client() as client:
        wrong = {"authorization": f"Bearer {new_key()}"}
        found = [await client.get("/runs", headers=wrong) for _ in range(1_000)]
        right = await client.get("/runs", headers={"x-api-key": text})
    async with door.client(peer="198.51.100.7") as other:
        elsewhere = await other.get("/runs", headers=wrong)

    statuses = [answer.status_code for answer in found]
    assert statuses == [401] * 10 + [429] * 990
    assert 0 < int(found[-1].headers["retry-after"]) <= 61
    assert right.status_code == 200
    assert elsewhere.status_code == 401
    assert [it.action for it in door.audit()] == ["login.refused"] * 11


async def test_a_refusal_does_not_wait_until_it_is_noted(door: Door) -> None:
    door.key(Role.READER)
    elsewhere = sqlite3.connect(door.settings.data_dir / "phx.db", isolation_level=None)
    with closing(elsewhere):
        elsewhere.execute("BEGIN IMMEDIATE")
        asked = [await door.asked("GET", "/runs", key=new_key()) for _ in range(3)]
        elsewhere.execute("ROLLBACK")

    assert [it.status_code for it in asked] == [401] * 3
    assert [it.action for it in door.audit()] == ["login.refused"] * 3


async def test_wrong_keys_from_everywhere_do_not_fill_the_trail(door: Door) -> None:
    trail = Trail(door.catalog, clock=door.clock)
    for number in range(200):
        await trail.note_refusal("no key", address=f"198.51.100.{number}")
    door.now += timedelta(minutes=1)
    await trail.note_refusal("no key", address="198.51.100.200")
    trail.settle()

    noted = door.catalog().audit.entries(limit=300)
    assert len(noted) == 101
    assert noted[0].address == "198.51.100.200"


async def test_who_cannot_be_looked_up_is_told_to_come_again(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = door.key(Role.READER)

    def down(*_: object, **__: object) -> None:
        raise CatalogDownError(f"{door.settings.data_dir} does not answer")

    monkeypatch.setattr(AccessBook, "admitted", down)

    for path in ("/api/images", "/login"):
        answer = await door.asked("GET", path, key=text)
        assert answer.status_code == 503
        assert str(door.settings.data_dir) not in answer.text


# --- WebSockets


@pytest.mark.parametrize("role", [None, *Role])
async def test_a_websocket_needs_a_key(door: Door, role: Role | None) -> None:
    keys = {role: door.key(role) for role in Role}
    headers = {"authorization": f"Bearer {keys[role]}"} if role else {}

    sent = await door.socket(headers=headers)

    assert [it["type"] for it in sent] == [
        "websocket.accept" if role else "websocket.close"
    ]


@pytest.mark.parametrize(
    "query",
    [
        _WIPE,
        "mutation { locationStateChangeEvents { x } wipeAssets { x } }",
        "subscription A { a } mutation B { wipeAssets { x } }",
        f"subscription A {{ {'a ' * 20_001} }} {_WIPE}",
        "subscription A {",
    ],
    ids=lambda query: query[:40],
)
async def test_nothing_is_changed_over_a_websocket(door: Door, query: str) -> None:
    """Not by the local user either: no page of the UI does."""
    start = {"id": "1", "type": "start", "payload": {"query": query}}

    sent = await door.socket('{"type": "connection_init"}', json.dumps(start))

    assert [it["type"] for it in sent] == ["websocket.accept", "websocket.close"]
    assert door.bodies == [b'{"type": "connection_init"}']


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"type": "start"}',
        '{"type": "start", "payload": []}',
        '{"type": "start", "payload": {"query": "subscription { a }"}}',
        _start("[1]"),
        _start("true"),
        _start('{"x": 1}'),
        _start('"1"', variables="[]"),
        _start('"1"', variables='"x"'),
        _start('"1"', operation_name="[]"),
        '{"type": "stop", "id": []}',
        "[" * 50_000,
    ],
    ids=lambda text: text[:99],
)
async def test_what_the_app_fails_at_closes_a_websocket(door: Door, text: str) -> None:
    sent = await door.socket('{"type": "connection_init"}', text)

    assert [it["type"] for it in sent] == ["websocket.accept", "websocket.close"]
    assert door.bodies == [b'{"type": "connection_init"}']


async def test_a_websocket_has_a_bounded_number_of_subscriptions(door: Door) -> None:
    starts = [_start(f'"{number}"') for number in range(51)]

    swapped = await door.socket(*starts[:50], '{"type": "stop", "id": "7"}', starts[50])
    one_too_many = await door.socket(*starts)

    assert [it["type"] for it in swapped] == ["websocket.accept"]
    assert [it["type"] for it in one_too_many] == [
        "websocket.accept",
        "websocket.close",
    ]


async def test_a_websocket_is_closed_once_its_key_is_revoked(door: Door) -> None:
    text = door.key(Role.READER)
    door.key(Role.READER, name="other")
    listen = {"id": "1", "type": "start", "payload": {"query": "subscription { a }"}}
    headers = {"x-api-key": text}

    open_one = asyncio.create_task(
        door.socket(json.dumps(listen), headers=headers, stays=True)
    )
    await door.listens.wait()
    door.revoke(text)
    sent = await asyncio.wait_for(open_one, timeout=20)

    assert [it["type"] for it in sent] == ["websocket.accept", "websocket.close"]


# --- beyond this computer


@pytest.fixture
def proxied(new_door: NewDoor, door: Door) -> Door:
    """A service behind a proxy that does TLS."""
    reach = Reach(port=PORT, public_url=_PUBLIC, trusted_proxy="10.0.0.1")
    del door  # what it patches is wanted here
    return new_door(reach)


async def get(
    door: Door, url: str, *, peer: str, path: str = "/runs", **headers: str
) -> httpx.Response:
    async with door.client(url=url, peer=peer, **headers) as client:
        return await client.get(path)


async def test_behind_a_proxy_a_key_is_needed_from_the_start(proxied: Door) -> None:
    for peer, url, headers in (
        ("10.0.0.1", _PUBLIC, _BY_PROXY),
        ("127.0.0.1", URL, {}),
    ):
        answer = await get(proxied, url, peer=peer, **headers)
        assert answer.status_code == 401


async def test_the_proxy_tells_where_a_request_came_from(proxied: Door) -> None:
    text = proxied.key(Role.READER)
    headers = {**_BY_PROXY, "x_forwarded_for": "1.2.3.4, 198.51.100.7"}

    await get(proxied, _PUBLIC, peer="10.0.0.1", x_api_key=text, **headers)

    assert proxied.reached[-1]["client"][0] == "198.51.100.7"


async def test_nobody_else_tells_where_a_request_came_from(proxied: Door) -> None:
    text = proxied.key(Role.READER)

    await get(proxied, URL, peer="127.0.0.1", x_api_key=text, **_BY_PROXY)

    assert proxied.reached[-1]["client"][0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("peer", "url", "headers", "status"),
    [
        ("10.0.0.1", _PUBLIC, _BY_PROXY, 200),
        ("10.0.0.1", _PUBLIC, {"x_forwarded_proto": "http"}, 403),
        ("10.0.0.1", _PUBLIC, {"x_forwarded_for": "198.51.100.7"}, 403),
        ("10.0.0.1", _PUBLIC, {}, 403),
        ("10.0.0.2", _PUBLIC, _BY_PROXY, 403),
        ("198.51.100.7", URL, {}, 403),
        ("127.0.0.1", URL, {}, 200),
        ("127.0.0.1", _PUBLIC, {}, 403),  # of a proxy that tells nothing
        ("127.0.0.1", URL, {"origin": URL}, 200),
        ("10.0.0.1", _PUBLIC, {**_BY_PROXY, "origin": _PUBLIC}, 200),
        ("10.0.0.1", _PUBLIC, {**_BY_PROXY, "origin": "http://phx.example"}, 403),
        ("10.0.0.1", "https://evil.test", _BY_PROXY, 421),
        ("10.0.0.1", "https://phx.example:444", _BY_PROXY, 421),
    ],
)
async def test_plain_http_from_elsewhere_is_refused(
    proxied: Door, peer: str, url: str, headers: dict[str, str], status: int
) -> None:
    text = proxied.key(Role.READER)

    answer = await get(proxied, url, peer=peer, x_api_key=text, **headers)

    assert answer.status_code == status
    is_pinned = "strict-transport-security" in answer.headers
    by_tls = peer == "10.0.0.1" and headers.get("x_forwarded_proto") == "https"
    assert is_pinned == (by_tls and url == _PUBLIC)


async def test_a_proxy_that_leaves_the_port_out_is_told_what_it_must_send() -> None:
    public = "https://phx.example:8443"
    reach = Reach(port=PORT, public_url=public, trusted_proxy="10.0.0.1")
    named = [("host", "phx.example"), ("x-forwarded-proto", "https")]

    refused = Rules(reach).refusal(
        Asked(
            method="GET",
            path="/",
            query=b"",
            fields=tuple(named),
            is_websocket=False,
            peer="10.0.0.1",
        )
    )

    assert refused is not None
    assert refused.status == 421
    assert f"the name 'phx.example': open {public}; the proxy" in refused.text
    assert "`proxy_set_header Host $host:$server_port`" in refused.text


async def test_by_tls_the_cookie_is_sent_by_tls_alone(proxied: Door) -> None:
    text = proxied.key(Role.READER)
    async with proxied.client(url=_PUBLIC, peer="10.0.0.1", **_BY_PROXY) as client:
        answer = await logged_in(client, text)
        inside = await client.get("/runs")

    assert answer.headers["set-cookie"].startswith(f"__Host-phx_session_{PORT}=")
    assert answer.headers["set-cookie"].endswith("; Secure")
    assert inside.status_code == 200
