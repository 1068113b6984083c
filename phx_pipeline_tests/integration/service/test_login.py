"""The login page: who gets in by it, and what nobody can do with it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from phx_pipeline.model.access import Role
from phx_pipeline.service import access
from phx_pipeline_tests.door import (
    PORT,
    TYPED,
    Door,
    logged_in,
    token_of,
)


async def test_a_person_logs_in_and_out(door: Door) -> None:
    text = door.key(Role.OPERATOR, name="ana")
    async with door.client() as client:
        first = await client.get("/assets/manifest?view=a%20b", headers=TYPED)
        page = await client.get(first.headers["location"])
        sent = {"token": token_of(page), "key": f" {text}\n"}
        entered = await logged_in(client, sent["key"], next="/assets/x?view=a")
        inside = await client.get("/runs")
        again = await client.get("/login")
        left = await client.post("/logout", data={"token": token_of(again)})
        outside = await client.get("/runs")
        old = await client.get("/runs", headers={"accept": "text/html,*/*"})

    assert first.status_code == 303
    assert first.headers["location"] == "/login?next=/assets/manifest%3Fview%3Da%2520b"
    assert 'value="/assets/manifest?view=a%20b"' in page.text
    assert (entered.status_code, entered.headers["location"]) == (
        303,
        "/assets/x?view=a",
    )
    assert inside.status_code == 200
    assert "logged in as <b>ana</b> (operator)" in again.text
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert outside.status_code == 401
    for answer in (entered, left):  # what its pages keep is of one user
        assert answer.headers["clear-site-data"] == '"storage"'
    assert (old.status_code, old.headers["location"]) == (303, "/login?next=/runs")
    assert 'action="/login?next=/assets/manifest%3Fview%3Da%2520b"' in page.text
    assert [(it.action, it.user) for it in door.audit()] == [("login", "ana")]


async def test_a_session_counts_before_it_is_written(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = door.key(Role.READER, name="ana")
    elsewhere = sqlite3.connect(door.settings.data_dir / "phx.db", isolation_level=None)
    async with door.client() as client:
        await client.get("/login")
        monkeypatch.setattr(access, "_PATIENCE_S", 0.1)
        with closing(elsewhere):
            elsewhere.execute("BEGIN IMMEDIATE")
            entered = await logged_in(client, text)
            inside = await client.get("/runs")
            token = token_of(await client.get("/login"))
            await client.post("/logout", data={"token": token})
            outside = await client.get("/runs")
            elsewhere.execute("ROLLBACK")

    found = [it.status_code for it in (entered, inside, outside)]
    assert found == [303, 200, 401]
    assert [it.action for it in door.audit()] == ["login"]


async def test_the_page_is_safe_and_asks_nothing_of_others(door: Door) -> None:
    door.key(Role.READER)

    page = await door.asked("GET", '/login?next=/"><script>alert(1)</script>')

    policy = page.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy[0]
    assert "frame-ancestors 'none'" in policy[-1]
    assert page.headers["cache-control"] == "no-store"
    assert "<script" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")


async def test_cookies_are_for_this_service_alone(door: Door) -> None:
    text = door.key(Role.READER)
    async with door.client() as client:
        answer = await logged_in(client, text)

    cookie = answer.headers["set-cookie"]
    name, _, attributes = cookie.partition("=")
    assert name == f"phx_session_{PORT}"
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= {
        part.strip() for part in attributes.split(";")
    }
    assert "Domain" not in attributes


@pytest.mark.parametrize("key", ["", "phx_wrong", "' OR 1=1 --", "<b>\r\nX: y"])
async def test_a_wrong_key_is_told_on_the_page(door: Door, key: str) -> None:
    door.key(Role.READER)
    async with door.client() as client:
        answer = await logged_in(client, key)

    assert answer.status_code == 401
    assert 'role="alert">This key is not known here.' in answer.text
    assert f"phx_session_{PORT}" not in answer.headers["set-cookie"]
    assert "x" not in answer.headers


async def test_many_wrong_keys_on_the_page_are_slowed_down(door: Door) -> None:
    text = door.key(Role.READER)
    async with door.client() as client:
        found = [(await logged_in(client, "phx_x")).status_code for _ in range(12)]
        right = await logged_in(client, text)

    assert found == [401] * 10 + [429] * 2
    assert right.status_code == 303


@pytest.mark.parametrize("path", ["/login", "/logout"])
@pytest.mark.parametrize("token", ["", "a" * 43, None])
async def test_a_form_without_its_token_does_nothing(
    door: Door, path: str, token: str | None
) -> None:
    text = door.key(Role.READER)
    form = {"key": text} | ({} if token is None else {"token": token})
    async with door.client() as client:
        await logged_in(client, text)
        answer = await client.post(path, data=form)
        inside = await client.get("/runs")

    assert answer.status_code == 403
    assert "too old" in answer.text
    assert inside.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"host": "evil.test"}, 421),
        ({"content-type": "text/plain"}, 405),
    ],
)
async def test_no_other_page_sends_the_form(
    door: Door, headers: dict[str, str], status: int
) -> None:
    text = door.key(Role.READER)
    async with door.client() as client:
        page = await client.get("/login")
        sent = {"token": token_of(page), "key": text}
        answer = await client.post("/login", data=sent, headers=headers)

    assert answer.status_code == status
    assert "session" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.test",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=y",
        "/a\x00",
        "/ä",
        "",
    ],
)
async def test_after_the_login_it_goes_on_here(door: Door, onward: str) -> None:
    text = door.key(Role.READER)
    async with door.client() as client:
        answer = await logged_in(client, text, next=onward)

    assert answer.headers["location"] == "/"
    assert "x=y" not in answer.headers["set-cookie"]


async def test_a_session_that_was_planted_is_not_taken_over(door: Door) -> None:
    mallory, ana = door.key(Role.READER, name="mallory"), door.key(Role.ADMIN)
    name = f"phx_session_{PORT}"
    async with door.client() as thief, door.client() as client:
        await logged_in(thief, mallory)
        planted = thief.cookies[name]
        client.cookies.set(name, planted, domain="127.0.0.1", path="/")
        await logged_in(client, ana)
        cookies = {cookie.value for cookie in client.cookies.jar if cookie.name == name}
        found = await thief.get("/runs")

    assert len(cookies - {planted}) == 1
    assert found.status_code == 401  # the session that was there is over


async def test_of_two_cookies_none_counts(door: Door) -> None:
    text = door.key(Role.READER)
    async with door.client() as client:
        await logged_in(client, text)
        mine = f"phx_session_{PORT}={client.cookies[f'phx_session_{PORT}']}"
    other = f"phx_session_{PORT}={'b' * 43}"

    found = [
        (await door.asked("GET", "/runs", headers={"cookie": cookie})).status_code
        for cookie in (mine, f"a=b; {mine}; c=d", f"{mine}; {other}")
    ]

    assert found == [200, 200, 401]


@pytest.mark.parametrize("end", ["revoked", "expired", "12 hours", "set back"])
async def test_a_session_ends_with_its_key_and_after_12_hours(
    door: Door, end: str
) -> None:
    door.key(Role.READER, name="other")
    text = door.key(Role.READER, span=timedelta(hours=6 if end == "expired" else 24))
    async with door.client() as client:
        await logged_in(client, text)
        assert (await client.get("/runs")).status_code == 200
        if end == "revoked":
            door.revoke(text)
        else:
            hours = {"expired": 6, "12 hours": 12, "set back": -1}
            door.now += timedelta(hours=hours[end])
        answer = await client.get("/runs")

    assert answer.status_code == 401


async def test_a_link_from_elsewhere_finds_who_is_logged_in(door: Door) -> None:
    """The browser holds the cookie back, so the page asks once more by itself."""
    door.key(Role.READER)
    linked = {**TYPED, "sec-fetch-site": "cross-site"}

    answer = await door.asked("GET", "/runs/r1", headers=linked)

    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="0">' in answer.text
    assert door.reached == []
