"""Whether it lives and is ready; what it tells of itself; errors nobody foresaw."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.catalog.complaints import explaining
from phx_pipeline.model.access import Role
from phx_pipeline.reads.base import Reads
from phx_pipeline.service.asgi import WRITING, Asked
from phx_pipeline.service.permissions import role_for
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.wiring.reads import build_reads
from phx_pipeline_tests.deployment import Deployment
from phx_pipeline_tests.rest import problem, serving
from phx_pipeline_tests.rest_fuzz import fuzz, operations


def _raises() -> str | None:
    raise RuntimeError("/secret/path")


async def test_what_is_off_is_named(collected: Deployment) -> None:
    checks = {
        "daemon": lambda: None,
        "dispatcher": _raises,
        "code server": lambda: "off",
    }
    async with serving(collected.settings, checks=checks) as rest:
        lives = await rest.get("/healthz")
        ready = await rest.get("/readyz")

    told = problem(ready)
    assert lives.json() == {"status": "ok"}
    assert ready.status_code == 503
    assert told["off"] == ["dispatcher", "code server"]
    assert told["parts"]["code server"] == "off"
    assert {told["parts"][it] for it in ("daemon", "catalogue", "storage")} == {"ok"}
    assert "secret" not in ready.text


async def test_a_catalogue_that_is_not_there_is_told_and_found_once_it_is(
    collected: Deployment, tmp_path: Path
) -> None:
    nowhere = replace(collected.settings, data_dir=tmp_path / "nowhere")
    async with serving(nowhere) as rest:
        down = await rest.get("/readyz")
        asked = await rest.get("/api/status")

    assert problem(down)["off"] == ["catalogue"]
    assert asked.status_code == 503
    assert "missing where the service looks for it" in problem(asked)["detail"]
    assert asked.headers["retry-after"]


async def test_an_error_nobody_foresaw_tells_nothing_of_the_inside(
    collected: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_settings: Settings) -> Reads:
        raise KeyError("/secret/path")

    async with serving(collected.settings, opening=broken) as rest:
        answer = await rest.get("/api/status")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "log of the service" in problem(answer)["detail"]
    assert [it.exc_info is not None for it in caplog.records] == [True]


async def test_a_full_disk_is_named(collected: Deployment) -> None:
    def full(settings: Settings) -> Reads:
        with explaining("/secret/phx.db"), closing(sqlite3.connect(":memory:")) as base:
            base.execute("PRAGMA max_page_count=1")
            base.execute("CREATE TABLE house (id INTEGER)")
        return build_reads(settings)

    async with serving(collected.settings, opening=full) as rest:
        answer = await rest.get("/api/status")

    assert answer.status_code == 503
    assert "the disk of the service is full: make room" in problem(answer)["detail"]
    assert "secret" not in answer.text


async def test_its_paths_are_told_to_programs_and_to_people() -> None:
    async with serving(load_settings({})) as rest:
        document = (await rest.get("/openapi.json")).json()
        page = await rest.get("/api/docs")
        kind = await rest.get("/problems/not-found")

    assert {"/api/images", "/readyz", "/photos/{folder}/{name}"} <= set(
        document["paths"]
    )
    assert all(path in page.text for path in document["paths"])
    assert "array of pending | in_progress | completed" in page.text
    assert not re.search(r"<script|https?://|src=", page.text)
    assert "script" not in page.headers["content-security-policy"]
    assert kind.text.startswith("Not Found")


async def test_a_method_that_a_path_has_not_is_told_to_whoever_may_see_the_path() -> (
    None
):
    async with serving(load_settings({})) as rest:
        document = (await rest.get("/openapi.json")).json()
        wrong = await rest("PUT", "/api/extraction/jobs")

    writing = [
        (method, path, method.lower() in there)
        for path, there in document["paths"].items()
        for method in sorted(WRITING)
        if path != "/healthz"
    ]
    needed = [(needed_for(method, path), has) for method, path, has in writing]
    assert wrong.status_code == 405
    assert all((role > Role.READER) == has for role, has in needed)


def needed_for(method: str, path: str) -> Role:
    asked = Asked(method=method, path=path, query=b"", fields=(), is_websocket=False)
    return role_for(asked)


def test_requests_made_up_from_the_document_are_answered(untouched: Settings) -> None:
    with operations(untouched) as found:
        for operation in found:
            fuzz(operation, examples=1)

    assert len(found) > 12
