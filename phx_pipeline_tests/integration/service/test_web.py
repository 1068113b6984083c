"""What of Dagster's insides the service leans on, and where it is served."""

import ast
import runpy
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from dagster_shared.check import CheckError
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import HTTPConnection
from starlette.routing import Route

from phx_pipeline.model.access import Principal, Role
from phx_pipeline.service import web
from phx_pipeline.service.shield import Shield
from phx_pipeline.service.web import ByRole

# Whoever updates Dagster looks at each of these; the guard's rules for `/graphql` and
# `/report_…` follow the routes of `dagster_webserver.webserver` too.
_INSIDES = {
    "dagster._core.workspace.context.WorkspaceProcessContext",
    "dagster._core.workspace.context.WorkspaceRequestContext",
    "dagster._core.workspace.permissions.PermissionResult",
    "dagster._core.workspace.load_target.WorkspaceFileTarget",
    "dagster._utils.log.configure_loggers",
    "dagster_shared.check.CheckError",
    "dagster_webserver.app.create_app_from_workspace_process_context",
    "dagster_webserver.version.__version__",
}
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - to be refused
_SEEN_WITH = "1.13."
_ROUTES = {
    "/server_info": {"GET", "HEAD"},
    "/dagit_info": {"GET", "HEAD"},
    "/graphql": {"GET", "HEAD", "POST"},
    "/logs/{path:path}": {"GET", "HEAD"},
    "/notebook": {"GET", "HEAD"},
    "/dagit/notebook": {"GET", "HEAD"},
    "/download_debug/{run_id:str}": {"GET", "HEAD"},
    "/report_asset_materialization/{asset_key:path}": {"POST"},
    "/report_asset_check/{asset_key:path}": {"POST"},
    "/report_asset_observation/{asset_key:path}": {"POST"},
    "/{path:path}": {"GET", "HEAD"},
    "/": {"GET", "HEAD"},
}


def imported(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {
        f"{node.module}.{name.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def test_one_module_names_all_insides_of_dagster() -> None:
    folder = Path(web.__file__).parent
    insides = {
        path.name: {
            name
            for name in imported(path)
            if name.startswith(("dagster._", "dagster_"))
        }
        for path in folder.glob("*.py")
    }

    assert insides.pop("web.py") == _INSIDES
    assert set().union(*insides.values()) == set()


def test_the_insides_were_looked_at_in_this_version() -> None:
    for package in ("dagster", "dagster-webserver"):
        assert version(package).startswith(_SEEN_WITH)


def test_the_web_app_has_the_routes_the_guard_was_written_for() -> None:
    server = DagsterWebserver.__new__(DagsterWebserver)
    server._app_path_prefix = ""
    made = server.build_routes()  # type: ignore[no-untyped-call]  # of Dagster
    routes = {
        route.path: route.methods
        for route in made
        if isinstance(route, Route) and route.name != "root_static"
    }

    assert routes == _ROUTES


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByRole]:
    """Dagster without code."""
    folder = str(tmp_path_factory.mktemp("dagster"))
    with (
        dg.DagsterInstance.local_temp(folder) as instance,
        ByRole(instance, None) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def shielded(context: ByRole) -> Shield:
    app = create_app_from_workspace_process_context(context, "", 2000)
    return Shield(app, is_run=context.instance.has_run, complaint=CheckError)


def test_dagster_itself_lets_each_role_do_what_its_pages_then_offer(
    context: ByRole,
) -> None:
    may = {role: permissions_of(context, role) for role in Role}

    assert may[Role.READER] == set()
    assert may[Role.OPERATOR] == {
        "cancel_partition_backfill",
        "launch_partition_backfill",
        "launch_pipeline_execution",
        "launch_pipeline_reexecution",
        "terminate_pipeline_execution",
    }
    assert may[Role.ADMIN] > may[Role.OPERATOR]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/logs/x", None, 404),
        ("GET", "/logs/nobody/compute_logs/x/out", None, 404),
        ("GET", "/download_debug/nope", None, 404),
        ("POST", "/report_asset_materialization/a", "{", 400),
        ("POST", "/report_asset_check/a", "[]", 400),
        ("POST", "/report_asset_materialization/", '{"asset_key": 1}', 400),
        ("POST", "/report_asset_observation/a", '{"metadata": 1}', 400),
        ("POST", "/report_asset_check/a", '{"check_name": 1, "passed": 1}', 400),
    ],
)
async def test_what_dagster_fails_at_is_told_in_one_line(
    shielded: Shield,
    caplog: pytest.LogCaptureFixture,
    *,
    method: str,
    path: str,
    body: str | None,
    status: int,
) -> None:
    transport = httpx.ASGITransport(shielded)
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
        headers = {"content-type": "application/json"} if body else {}
        answer = await client.request(method, path, content=body, headers=headers)

    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    assert "Traceback" not in caplog.text


async def test_what_fails_by_itself_is_logged_and_not_told(
    shielded: Shield, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        if not sent:
            return {"type": "websocket.connect"}
        return {"type": "websocket.receive", "text": "[]"}

    scope = {"type": "websocket", "path": "/graphql", "headers": [], "subprotocols": []}
    await shielded(scope, receive, send)

    assert [it["type"] for it in sent] == ["websocket.accept", "websocket.close"]
    assert "failed at /graphql" in caplog.text


def permissions_of(context: ByRole, role: Role) -> set[str]:
    """What Dagster lets somebody do, everywhere and in what one code server has."""
    state = {"principal": Principal(user="ana", role=role)}
    source = HTTPConnection({"type": "http", "state": state})
    made = context.create_request_context(source)
    everywhere = {str(name): it for name, it in made.permissions.items()}
    there = made.permissions_for_location(location_name="phx_pipeline")
    for name, it in there.items():
        assert it == everywhere[str(name)]
        assert it.enabled or it.disabled_reason
    return {name for name, it in everywhere.items() if it.enabled}


def test_another_address_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--workspace", str(tmp_path / "w.yaml"), "--host", _EVERYWHERE]
    monkeypatch.setattr(sys, "argv", ["phx_pipeline.service", "--port", "3000", *given])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("phx_pipeline.service", run_name="__main__")

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert told.count("\n") == 1
    assert "would be served over plain HTTP beyond this computer: set PHX_TLS" in told
