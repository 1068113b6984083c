"""Jobs over REST: asked for once, seen by their own, watched, called off, fetched."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from pathlib import Path
from sqlite3 import connect
from threading import Event
from typing import Any
from zipfile import ZipFile

import httpx
import pytest

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.jobs.quota import Limits
from phx_pipeline.model.access import Principal, Role
from phx_pipeline.model.job import Job, JobState
from phx_pipeline.reads.paging import cursor_of
from phx_pipeline.service.api import jobs
from phx_pipeline.service.api.desks import Desks
from phx_pipeline.service.api.events import MOST_OF_ONE_USER, Events
from phx_pipeline.settings import Settings
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.wiring.runs import build_context
from phx_pipeline.workflows.bundle import bundle
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.integration.service.conftest import SLUG, UNASKED
from phx_pipeline_tests.jobs import end_items
from phx_pipeline_tests.rest import PORT, Rest, looking, problem, serving

JOBS = "/api/extraction/jobs"
ANN = Principal(user="ann", role=Role.OPERATOR, key_id="aaaaaaaa")
_NO_YEAR = "0001-01-01T00:00:00+14:00"  # in no year of UTC
_YEAR_10000 = "9999-12-31T23:59:59-14:00"
BOB = Principal(user="bob", role=Role.READER, key_id="bbbbbbbb")
EVE = Principal(user="eve", role=Role.ADMIN, key_id="eeeeeeee")


@pytest.fixture
async def rest(copied: Settings) -> AsyncIterator[Rest]:
    async with serving(copied) as made:
        yield made


@pytest.fixture
async def still(collected: Deployment) -> AsyncIterator[Rest]:
    """Where no job is written."""
    async with looking(collected.settings) as made:
        yield made


@contextmanager
def catalogue(settings: Settings) -> Iterator[Catalog]:
    catalog = build_catalog(settings)
    try:
        yield catalog
    finally:
        catalog.close()


def end(settings: Settings, job_id: str, state: JobState = JobState.COMPLETED) -> None:
    """Book that all runs of a job ended."""
    with catalogue(settings) as catalog:
        end_items(catalog, catalog.jobs.items(job_id), at=utc_now(), state=state)


async def ask(rest: Rest, *houses: str, key: str = "", **more: Any) -> httpx.Response:
    sent = {"properties": list(houses), **more}
    headers = {"idempotency-key": key} if key else {}
    return await rest("POST", JOBS, json=sent, headers=headers)


async def job_ids(rest: Rest, query: str = "limit=2") -> list[str]:
    pages = await rest.pages(f"{JOBS}?{query}")
    return [job["id"] for page in pages for job in page]


async def test_a_job_is_asked_for_and_shown_with_the_keys_that_were_asked_for(
    rest: Rest,
) -> None:
    house = "15238 N Quail Lantern Dr, Phoenix, AZ 85032"
    more: dict[str, Any] = {
        "sources": ["redfin"],
        "isolation_mode": "virtual",
        "priority": "high",
    }
    asked = await ask(rest, SLUG, house, UNASKED, **more)
    shown = await rest.get(asked.headers["location"])

    told, job = asked.json(), shown.json()
    assert asked.status_code == 202
    assert (told["status"], told["is_new"], told["joined"]) == ("pending", True, {})
    assert told["created_at"].endswith("+00:00")
    assert asked.headers["location"] == f"{JOBS}/{told['job_id']}"
    assert {"job_id", "status", "started_at", "completed_at", "error"} <= job.keys()
    assert job["progress"] == {
        "total_properties": 2,
        "completed_properties": 0,
        "failed_properties": 0,
        "total_images": 0,
        "new_images": 0,
    }
    assert [it["property"] for it in job["items"]] == [SLUG, UNASKED]
    assert (job["user"], job["origin"], job["mode"]) == ("local", "api", "resume")
    assert {name: job[name] for name in more} == more


async def test_the_same_key_gives_the_same_job_and_no_other_request_may_have_it(
    rest: Rest,
) -> None:
    first = await ask(rest, SLUG, key="k-1")
    again = await ask(rest, SLUG, key="k-1")
    other = await ask(rest, UNASKED, key="k-1")
    rest.who = ANN
    hers = await ask(rest, UNASKED, key="k-1")

    assert again.json()["job_id"] == first.json()["job_id"]
    assert (again.status_code, again.json()["is_new"]) == (202, False)
    assert other.status_code == 422
    assert "k-1" in problem(other)["detail"]
    assert hers.json()["is_new"]
    rest.who = EVE
    assert len(await job_ids(rest)) == 2


async def test_submissions_that_wait_for_the_catalogue_keep_no_reader_waiting(
    rest: Rest, copied: Settings
) -> None:
    """There are forty threads."""
    await ask(rest, SLUG)  # opens the stores
    with (
        closing(connect(copied.data_dir / "phx.db", isolation_level=None)) as other,
        other,
    ):
        other.execute("BEGIN IMMEDIATE")
        waiting = [asyncio.create_task(ask(rest, SLUG)) for _ in range(44)]
        await asyncio.sleep(0)
        read = await rest.get(JOBS)
        went_by = sum(one.done() for one in waiting)
    told = await asyncio.gather(*waiting)

    assert (read.status_code, went_by) == (200, 0)
    assert {one.status_code for one in told} == {202}


async def test_everything_that_is_followed_may_be_asked_for(rest: Rest) -> None:
    asked = await rest("POST", JOBS, json={"all": True, "mode": "fresh"})
    job = (await rest.get(asked.headers["location"])).json()

    assert {it["property"] for it in job["items"]} == {SLUG, UNASKED}
    assert job["mode"] == "fresh"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "properties"),
        ({"properties": [], "all": False}, "properties"),
        ({"properties": [SLUG], "all": True}, "properties"),
        (
            {"properties": ["1 Nowhere St, Mesa, AZ 85204"]},
            "property '1-nowhere-st-mesa-az-85204': GET /api/properties lists",
        ),
        ({"properties": ["\x00"]}, "properties"),
        ({"properties": [SLUG], "sources": ["nobody"]}, "unknown source 'nobody'"),
        ({"properties": [SLUG], "sources": [","]}, "source"),
        ({"properties": [SLUG], "mode": "quick"}, "mode"),
        ({"properties": [SLUG], "priority": 3}, "priority"),
        ({"properties": [SLUG], "isolation_mode": ""}, "isolation_mode"),
        ({"properties": [SLUG], "user": "eve"}, "user"),
        ({"properties": {SLUG: 1}}, "properties"),
    ],
)
async def test_a_wrong_order_is_told_and_no_job_is_written(
    still: Rest, sent: dict[str, Any], told: str
) -> None:
    refused = await still("POST", JOBS, json=sent)

    assert refused.status_code == 422
    assert told in problem(refused)["detail"]
    of_houses = await still("GET", JOBS, params={"status": "retrying"})
    assert "retrying" not in problem(of_houses)["detail"]
    assert await job_ids(still) == []


@pytest.mark.parametrize("key", ["a b", "a" * 129, "ä"])
async def test_a_key_that_no_header_should_hold_is_refused(
    still: Rest, key: str
) -> None:
    headers = {"idempotency-key": key.encode()}

    refused = await still("POST", JOBS, json={"all": True}, headers=headers)

    assert refused.status_code == 422
    problem(refused)


async def test_others_see_no_job_that_is_not_theirs(rest: Rest) -> None:
    rest.who = ANN
    job_id = (await ask(rest, SLUG)).json()["job_id"]
    rest.who = BOB
    paths = [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/retry"),
        ("GET", "/results"),
        ("GET", "/events"),
    ]

    refused = [await rest(method, f"{JOBS}/{job_id}{end}") for method, end in paths]
    unknown = await rest.get(f"{JOBS}/nobody")
    told = {problem(it)["detail"].replace(job_id, "nobody") for it in refused}
    asked_for = await rest.get(f"{JOBS}?user=ann")

    assert [it.status_code for it in refused] == [404] * len(paths)
    assert told == {problem(unknown)["detail"]}
    assert await job_ids(rest) == []
    assert asked_for.status_code == 422
    rest.who = EVE
    assert await job_ids(rest, "user=ann") == [job_id]
    assert (await rest.get(f"{JOBS}/{job_id}")).json()["status"] == "pending"


async def test_jobs_come_a_page_at_a_time_the_newest_first(rest: Rest) -> None:
    asked = [(await ask(rest, SLUG)).json()["job_id"] for _ in range(5)]
    await rest("DELETE", f"{JOBS}/{asked[2]}")
    wrong = await rest.get(f"{JOBS}?cursor=AAAA")
    negative = await rest.get(f"{JOBS}?limit=-5")
    first = await rest.get(f"{JOBS}?cursor={cursor_of([_NO_YEAR, 'x'])}")
    earliest = await rest("GET", "/api/changes", params={"since": _NO_YEAR})
    latest = await rest("GET", "/api/changes", params={"since": _YEAR_10000})
    events = await rest.get("/api/events?kind=price_cut&kind=facts&since=7d")

    assert await job_ids(rest) == asked[::-1]
    assert await job_ids(rest, "status=cancelled") == [asked[2]]
    assert (wrong.status_code, negative.status_code) == (422, 422)
    assert first.json() == {"items": [], "next": None}
    assert (earliest.status_code, latest.status_code) == (200, 200)
    assert events.json() == {"items": [], "next": None}
    assert (len(earliest.json()["items"]) > 0, latest.json()["items"]) == (True, [])


async def test_a_user_with_a_key_may_ask_for_so_much(copied: Settings) -> None:
    limits = Limits(jobs_per_hour=1)
    async with serving(copied, limits=limits) as rest:
        await ask(rest, SLUG)
        local = await ask(rest, SLUG)
        rest.who = ANN
        first = await ask(rest, SLUG)
        second = await ask(rest, SLUG)

    assert (local.status_code, first.status_code) == (202, 202)
    assert second.status_code == 429
    assert 3500 < int(second.headers["retry-after"]) <= 3600
    assert "PHX_JOBS_PER_HOUR" in problem(second)["detail"]


async def test_a_job_is_called_off_and_what_failed_asked_for_again(
    rest: Rest, copied: Settings
) -> None:
    job_id = (await ask(rest, SLUG)).json()["job_id"]
    too_early = await rest("POST", f"{JOBS}/{job_id}/retry")
    end(copied, job_id, JobState.FAILED)
    failed = (await rest.get(f"{JOBS}/{job_id}")).json()
    retried = await rest("POST", f"{JOBS}/{job_id}/retry")
    off = await rest("DELETE", f"{JOBS}/{job_id}")
    twice = await rest("DELETE", f"{JOBS}/{job_id}")

    assert too_early.status_code == 409
    assert "nothing to retry" in problem(too_early)["detail"]
    assert (failed["status"], retried.status_code) == ("failed", 202)
    assert retried.json()["status"] == "pending"
    assert off.json()["status"] == twice.json()["status"] == "cancelled"
    assert (off.status_code, twice.status_code) == (200, 200)
    assert rest.deeds == [(f"job.{word}", job_id) for word in ("retry", "cancel")]


async def test_a_cancel_that_lasts_is_answered_before_the_runs_have_ended(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [(await ask(rest, one)).json()["job_id"] for one in (SLUG, UNASKED)]

    monkeypatch.setattr(jobs, "within", lambda _, work: work() and None)
    late = await rest("DELETE", f"{JOBS}/{first}")
    monkeypatch.setattr(jobs, "within", lambda *_: None)
    silent = await rest("DELETE", f"{JOBS}/{second}")

    assert (late.status_code, late.json()["status"]) == (202, "cancelled")
    assert "the job may go on: cancel it again" in problem(silent)["detail"]
    assert silent.status_code == 503
    assert rest.deeds == [("job.cancel", first)]


async def test_who_asked_for_a_job_is_noted_with_the_job_and_once(
    rest: Rest, copied: Settings
) -> None:
    rest.who = ANN
    refused = await ask(rest, "9-nowhere-st-mesa-az-85204")
    job_id = (await ask(rest, SLUG, UNASKED, key="k")).json()["job_id"]
    again = (await ask(rest, SLUG, UNASKED, key="k")).json()
    with catalogue(copied) as catalog:
        (noted,) = catalog.audit.entries(limit=9, user=ANN.user)

    assert (refused.status_code, again["job_id"]) == (422, job_id)
    assert (noted.action, noted.target) == ("job.submit", job_id)
    assert (noted.detail, noted.address) == ("2 properties", "127.0.0.1")


async def test_the_results_are_the_bundle_that_the_command_writes(
    rest: Rest, copied: Settings, tmp_path: Path
) -> None:
    job_id = (await ask(rest, SLUG, UNASKED)).json()["job_id"]
    early = await rest.get(f"{JOBS}/{job_id}/results")
    end(copied, job_id)
    zipped = await rest.get(f"{JOBS}/{job_id}/results")
    context = build_context(copied, run_id="test")
    bundle(context, [SLUG, UNASKED], target := tmp_path / "job.zip")
    context.catalog.close()

    assert early.status_code == 409
    problem(early)
    assert zipped.headers["content-type"] == "application/zip"
    assert f'"{job_id}.zip"' in zipped.headers["content-disposition"]
    with ZipFile(target) as wanted, ZipFile(BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == wanted.namelist()
        assert len(archive.namelist()) == 4
        for name in archive.namelist():
            assert archive.read(name) == wanted.read(name)


async def test_what_was_never_published_is_no_result(
    rest: Rest, copied: Settings
) -> None:
    nothing = (await ask(rest, UNASKED)).json()["job_id"]
    lacking = (await ask(rest, SLUG)).json()["job_id"]
    end(copied, nothing)
    end(copied, lacking)
    images = (await rest.get("/api/images")).json()["items"]
    await asyncio.to_thread(Path(images[0]["file"]).unlink)

    none = await rest.get(f"{JOBS}/{nothing}/results")
    gone = await rest.get(f"{JOBS}/{lacking}/results")

    assert (none.status_code, gone.status_code) == (404, 404)
    assert "no picture" in problem(none)["detail"]
    assert "phx repair" in problem(gone)["detail"]


def events_in(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.split("\n\n") if "event:" in block]
    return [(kind[7:], json.loads(data[6:])) for kind, data in blocks]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks often, and tells soon that it is still there."""
    given = {"look_s": 0.01, "heartbeat_s": 0.02}
    monkeypatch.setattr(Events.__init__, "__kwdefaults__", given)


@pytest.mark.usefixtures("quick")
async def test_events_tell_of_a_job_until_it_has_ended(
    rest: Rest, copied: Settings
) -> None:
    job_id = (await ask(rest, SLUG)).json()["job_id"]

    async def later() -> None:
        await asyncio.sleep(0.2)
        await asyncio.to_thread(end, copied, job_id)

    told, _ = await asyncio.gather(rest.get(f"{JOBS}/{job_id}/events"), later())

    found = events_in(told.text)
    assert told.headers["content-type"].startswith("text/event-stream")
    assert [kind for kind, _ in found] == ["progress", "progress", "end"]
    assert [it["status"] for _, it in found] == ["pending", "completed", "completed"]
    assert ": still here\n\n" in told.text
    assert found[-1][1] == (await rest.get(f"{JOBS}/{job_id}")).json()


@pytest.fixture
def rare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks once in a test."""
    given = {"look_s": 60.0, "heartbeat_s": 60.0}
    monkeypatch.setattr(Events.__init__, "__kwdefaults__", given)


@pytest.mark.usefixtures("rare")
async def test_streams_are_counted_for_each_user_and_look_together(
    rest: Rest, copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    may_look = Event()
    look = Desks.any_jobs

    def later(self: Desks, job_ids: Collection[str]) -> dict[str, Job]:
        looks.extend(sorted(job_ids))
        may_look.wait(20)
        return look(self, job_ids)

    monkeypatch.setattr(Desks, "any_jobs", later)
    rest.who = ANN
    job_id = (await ask(rest, SLUG)).json()["job_id"]
    end(copied, job_id)

    found = []
    asked = [rest.get(f"{JOBS}/{job_id}/events") for _ in range(MOST_OF_ONE_USER + 3)]
    for answer in asyncio.as_completed(asked):
        found.append(await answer)
        if len(found) == 3:
            may_look.set()

    assert {it.status_code for it in found[:3]} == {429}
    assert "you have 10 streams" in problem(found[0])["detail"]
    assert [events_in(it.text)[-1][0] for it in found[3:]] == ["end"] * 10
    assert looks == [job_id]
    again = await rest.get(f"{JOBS}/{job_id}/events")
    assert again.status_code == 200


async def test_streams_of_several_jobs_look_together(
    rest: Rest, copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"look_s": 0.2, "heartbeat_s": 60.0}
    monkeypatch.setattr(Events.__init__, "__kwdefaults__", given)
    ids = [(await ask(rest, SLUG)).json()["job_id"] for _ in range(3)]
    look_together = Event()
    look = Desks.any_jobs

    def noted(self: Desks, job_ids: Collection[str]) -> dict[str, Job]:
        if set(job_ids) == set(ids):
            look_together.set()
        return look(self, job_ids)

    monkeypatch.setattr(Desks, "any_jobs", noted)
    asked = [rest.get(f"{JOBS}/{job_id}/events") for job_id in ids]
    streams = asyncio.gather(*asked)
    together = await asyncio.to_thread(look_together.wait, 20)
    for job_id in ids:
        await asyncio.to_thread(end, copied, job_id)

    assert together
    found = [events_in(it.text)[-1] for it in await streams]
    assert [(kind, told["job_id"]) for kind, told in found] == [
        ("end", job_id) for job_id in ids
    ]


@pytest.mark.usefixtures("quick")
async def test_events_end_when_the_client_goes(rest: Rest) -> None:
    job_id = (await ask(rest, SLUG)).json()["job_id"]
    told: list[bytes] = []
    left = [{"type": "http.request", "body": b"", "more_body": False}]
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if left:
            return left.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        told.append(message.get("body", b""))
        if b"still here" in told[-1]:
            gone.set()

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"{JOBS}/{job_id}/events",
        "query_string": b"",
        "headers": [(b"host", f"127.0.0.1:{PORT}".encode())],
    }
    await asyncio.wait_for(rest.app(scope, receive, send), timeout=20)

    assert b"event: progress" in b"".join(told)
    assert b"event: end" not in b"".join(told)
