"""The list of services: what each is started with."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.supervise.services import services


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(load_settings({}), dagster_dir=tmp_path / "dagster")


def test_code_server_daemon_and_webserver_share_one_workspace(
    settings: Settings,
) -> None:
    code_server, daemon, webserver = services(settings)

    workspace = settings.dagster_dir / "workspace.yaml"
    assert f"socket: {code_server.address}\n" in workspace.read_text()
    assert str(code_server.address) in code_server.command
    assert str(workspace) in daemon.command
    assert str(workspace) in webserver.command
    assert webserver.address == settings.webserver_port


def test_none_imports_from_the_folder_it_is_started_in(settings: Settings) -> None:
    starts = [list(service.command[:2]) for service in services(settings)]

    assert starts == [[sys.executable, "-P"]] * 3


def test_only_the_code_server_starts_runs(settings: Settings) -> None:
    starting = [service.name for service in services(settings) if service.starts_runs]

    assert starting == ["code server"]
