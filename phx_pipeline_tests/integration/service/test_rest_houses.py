"""Houses over REST: followed, renamed, removed; and what was wrong with a request."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.catalog.leases import process_owner
from phx_pipeline.model.access import Principal, Role
from phx_pipeline.model.identity import property_lease
from phx_pipeline.service.api.problems import Problem
from phx_pipeline.service.api.turns import MOST, MOST_OF_USER, Turns
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.stores import initialise
from phx_pipeline_tests.rest import Rest, looking, problem, serving

KEY = "2-e-other-st-mesa-az-85204"
ADDRESS = "2 E Other St, Mesa, AZ 85204"
ODD = "2 E Other St, Mesa, AZ 10001"


_HALF = {
    "content": b'{"addresses": ["\\ud800"]}',
    "headers": {"content-type": "application/json"},
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load_settings({"PHX_DATA_DIR": str(tmp_path), "PHX_BROWSER": "off"})
    initialise(made)
    return made


@pytest.fixture
async def spared(untouched: Settings) -> AsyncIterator[Rest]:
    async with looking(untouched) as made:
        yield made


@pytest.fixture
async def rest(settings: Settings) -> AsyncIterator[Rest]:
    async with serving(settings) as made:
        yield made


def followed(settings: Settings) -> list[str]:
    catalog = build_catalog(settings)
    try:
        return catalog.slugs()
    finally:
        catalog.close()


async def added(rest: Rest, *addresses: str, **more: Any) -> Any:
    sent = {"addresses": list(addresses), **more}
    return await rest("POST", "/api/properties", json=sent)


async def test_changes_that_wait_for_a_run_are_few_of_each_user(
    rest: Rest, settings: Settings
) -> None:
    await added(rest, ADDRESS)
    path, sent = f"/api/properties/{KEY}", {"address": ADDRESS}
    catalog = build_catalog(settings)
    try:
        with catalog.leases.hold(property_lease(KEY), owner=process_owner("a-run")):
            asked = [
                asyncio.create_task(rest("PATCH", path, json=sent))
                for _ in range(MOST_OF_USER + 1)
            ]
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            refused = [task.result() for task in done]
            rest.who = replace(rest.who, user="another")
            other = asyncio.create_task(rest("PATCH", path, json=sent))
            await asyncio.sleep(0)
        answers = await asyncio.gather(*asked, other)
    finally:
        catalog.close()

    assert [it.status_code for it in refused] == [429]
    assert problem(refused[0])["detail"].startswith("4 changes of yours are under way")
    assert refused[0].headers["retry-after"] == "5"
    assert sorted(it.status_code for it in answers) == [*[200] * 5, 429]
    assert (await rest("PATCH", path, json=sent)).status_code == 200


async def test_changes_of_all_leave_threads_to_those_who_read() -> None:
    turns, users = Turns(), [f"user-{number % 6}" for number in range(MOST)]
    async with AsyncExitStack() as stack:
        for user in users:
            who = Principal(user=user, role=Role.OPERATOR)
            await stack.enter_async_context(asynccontextmanager(turns.turn)(who))
        with pytest.raises(Problem) as refused:
            await anext(turns.turn(Principal(user="late", role=Role.OPERATOR)))
    await anext(turns.turn(Principal(user="late", role=Role.OPERATOR)))

    assert refused.value.status == 503


async def test_a_house_is_followed_renamed_removed_and_taken_up_again(
    rest: Rest, settings: Settings
) -> None:
    first = await added(rest, ADDRESS, ADDRESS)
    again = await added(rest, "2 East Other Street, Mesa AZ 85204")
    wrong = {"address": "3 E Other St, Mesa, AZ 85204"}
    renamed = await rest("PATCH", f"/api/properties/{KEY}", json=wrong)
    key = renamed.json()["key"]
    gone = await rest("DELETE", f"/api/properties/{key}")
    gone_again = await rest("DELETE", f"/api/properties/{KEY}")
    removed = await rest.pages("/api/properties?removed=true")
    back = await added(rest, wrong["address"])

    house = {"key": KEY, "folder": first.json()["added"][0]["folder"]}
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["added"] == [{**house, "address": ADDRESS}]
    assert again.json()["known"] == first.json()["added"]
    assert (key, renamed.json()["folder"]) == (
        "3-e-other-st-mesa-az-85204",
        house["folder"],
    )
    assert (gone.status_code, gone_again.status_code) == (204, 204)
    assert [it["key"] for it in removed[0]] == [key]
    assert [it["key"] for it in back.json()["followed_again"]] == [key]
    assert followed(settings) == [key]
    words = ["add", "rename", "remove", "add"]
    assert [it for it, _ in rest.deeds] == [f"house.{word}" for word in words]


async def test_odd_houses_are_added_once_somebody_confirms_them(
    rest: Rest, settings: Settings
) -> None:
    asked = await added(rest, ADDRESS, ODD)
    before = followed(settings)
    sure = await added(rest, ADDRESS, ODD, confirm=True)

    told = problem(asked)
    assert asked.status_code == 409
    assert [it["address"] for it in told["doubts"]] == [ODD]
    assert "NY, not to AZ" in told["detail"]
    assert before == []
    assert len(sure.json()["added"]) == 2
    assert sure.json()["look_alikes"][0]["only_zip"]


async def test_pages_show_each_house_once_though_houses_come_and_go(
    rest: Rest,
) -> None:
    await added(rest, *(f"{n} E Other St, Mesa, AZ 85204" for n in range(10, 15)))
    first = (await rest.get("/api/properties?limit=2")).json()
    await added(rest, "100 E Other St, Mesa, AZ 85204")
    await rest("DELETE", f"/api/properties/{first['items'][1]['key']}")

    rest_of_it = await rest.get(f"/api/properties?limit=200&cursor={first['next']}")

    seen = [it["key"] for it in (*first["items"], *rest_of_it.json()["items"])]
    assert [key.partition("-")[0] for key in seen] == ["10", "11", "12", "13", "14"]
    assert rest_of_it.json()["next"] is None

    await rest("DELETE", f"/api/properties/{first['items'][0]['key']}")
    removed = await rest.pages("/api/properties?removed=true&limit=1")
    assert [[it["key"] for it in page] for page in removed] == [
        [it["key"]] for it in first["items"]
    ]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "/api/properties", {"json": {"addresses": [ADDRESS, "x"]}}, 422),
        ("POST", "/api/properties", {"json": {"addresses": []}}, 422),
        ("POST", "/api/properties", {"json": {"addresses": ["a\x00b"]}}, 422),
        ("POST", "/api/properties", _HALF, 422),
        ("POST", "/api/properties", {"json": {"addresses": "x"}}, 422),
        ("POST", "/api/properties", {"json": {"addresses": ["x"] * 1001}}, 422),
        ("POST", "/api/properties", {"json": {"addresses": [ADDRESS], "x": 1}}, 422),
        (
            "POST",
            "/api/properties",
            {"json": {"addresses": [ADDRESS], "confirm": "yes"}},
            422,
        ),
        ("POST", "/api/properties", {"json": [ADDRESS]}, 422),
        ("POST", "/api/properties", {"json": None}, 422),
        ("POST", "/api/properties", {}, 422),
        ("PATCH", f"/api/properties/{KEY}", {"json": {"address": "x"}}, 404),
        ("DELETE", "/api/properties/nobody", {}, 404),
        ("DELETE", f"/api/properties/{'x' * 400}", {}, 422),
        ("PUT", f"/api/properties/{KEY}", {"json": {}}, 405),
        ("GET", "/api/properties?limit=-1", {}, 422),
        ("GET", "/api/properties?limit=0", {}, 422),
        ("GET", "/api/properties?limit=501", {}, 422),
        ("GET", "/api/properties?limit=many", {}, 422),
        ("GET", "/api/properties?cursor=YQBi", {}, 422),
        ("GET", "/api/properties?cursor=YWEKYmI", {}, 422),
        ("GET", "/api/properties?cursor=" + "a" * 2100, {}, 422),
        ("GET", "/api/images?cursor=WyJhIl0", {}, 422),
        ("GET", "/api/images?subject=cellar", {}, 422),
        ("GET", "/api/events?kind=cellar", {}, 422),
        ("GET", "/api/images?location=roof", {}, 422),
        ("GET", "/api/images?source=nobody", {}, 422),
        ("GET", "/api/images?since=yesterday", {}, 422),
        ("GET", "/api/images?min_confidence=-1", {}, 422),
        ("GET", "/api/images?property=nobody", {}, 422),
        ("GET", "/api/images?property=a%00b", {}, 422),
        ("GET", "/api/images?not_kept=true", {}, 422),
        ("GET", "/api/status?property=nobody", {}, 422),
        ("GET", "/api/images?subjct=kitchen", {}, 422),
        ("GET", "/readyz?%00=1", {}, 422),
        ("GET", "/api", {}, 404),
        ("GET", "/api/nothing", {}, 404),
        ("GET", "/api/properties/", {}, 404),
        ("POST", "/healthz", {}, 405),
    ],
)
async def test_what_is_wrong_is_told_and_nothing_is_changed(
    spared: Rest,
    untouched: Settings,
    method: str,
    path: str,
    sent: dict[str, Any],
    status: int,
) -> None:
    answer = await spared(method, path, **sent)

    assert answer.status_code == status, answer.text
    problem(answer)
    assert len(answer.content) < 4_000
    assert followed(untouched) == []


async def _slowly() -> AsyncIterator[bytes]:
    for _ in range(15):
        yield b"[" * 100_000


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b'{"addresses"', "application/json", 400),
        (b'{"addresses": ["\xff"]}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"addresses": [1' + b"0" * 5000 + b"]}", "application/json", 400),
        (b'{"addresses": NaN}', "application/json", 422),
        (b'{"addresses": ["x"], "addresses": ["y"]}', "application/json", 422),
        (b" " * 1_000_001, "application/json", 413),
        (b" " * 10_000_000, "application/json", 413),
        (_slowly, "application/json", 413),
        (b'{"addresses": ["x"]}', "text/plain", 415),
        (b"addresses=x", "application/x-www-form-urlencoded", 415),
        (b"", "text/plain", 415),
    ],
    ids=itertools.count(),
)
async def test_a_body_that_is_no_json_of_one_megabyte_is_refused(
    spared: Rest, content: Any, media_type: str, status: int
) -> None:
    answer = await spared(
        "POST",
        "/api/properties",
        content=content() if callable(content) else content,
        headers={"content-type": media_type},
    )

    assert answer.status_code == status, answer.text
    if content != b" " * 10_000_000:  # that one is the guard's
        detail = problem(answer)["detail"]
        is_twice = not callable(content) and content.count(b"addresses") > 1
        assert ("addresses: this field stands twice" in detail) is is_twice
        assert status != 400 or "send JSON" in detail or "no JSON from here" in detail
