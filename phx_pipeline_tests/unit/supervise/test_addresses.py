"""An address is free, or taken by somebody; it answers, and it is ours that does."""

import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.supervise import addresses
from phx_pipeline.supervise.addresses import (
    code_socket,
    free_port,
    listens,
    require_free,
)


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - as other programs do
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port this process listens on."""
    with socket.create_server((request.param, 0)) as server:
        yield server.getsockname()[1]


def stored_in(folder: Path) -> Settings:
    return replace(load_settings({}), dagster_dir=folder)


def test_a_port_somebody_listens_on_is_refused_with_name_and_remedy(taken: int) -> None:
    with pytest.raises(ServiceError) as refused:
        require_free(taken)

    told = str(refused.value)
    assert f"port {taken} belongs to another program" in told
    assert f"pid {os.getpid()}" in told
    assert "--port" in told
    assert "PHX_WEBSERVER_PORT" in told


def test_a_port_somebody_has_bound_is_refused_before_it_answers() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))

        with pytest.raises(ServiceError, match="cannot be used"):
            require_free(other.getsockname()[1])


def test_a_port_that_was_just_closed_is_free(taken: int) -> None:
    # The side that closes first keeps the port for a minute, in the state TIME_WAIT.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()
        client.close()

    require_free(port)
    assert port != taken


def test_only_the_process_that_listens_itself_is_ready(taken: int) -> None:
    assert listens(taken, pid=os.getpid())
    assert not listens(taken, pid=os.getppid())
    assert not listens(free_port(), pid=os.getpid())


def test_the_same_holds_for_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "code.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        assert not listens(path, pid=os.getpid())

        server.listen()

        assert listens(path, pid=os.getpid())
        assert not listens(path, pid=os.getppid())
    assert not listens(path, pid=os.getpid())


def test_the_code_servers_socket_lies_beside_dagsters_stores(tmp_path: Path) -> None:
    assert code_socket(stored_in(tmp_path)) == tmp_path / "code.sock"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["My houses #1", "d" * 90, "Häuser"])
def test_where_a_path_cannot_be_an_address_it_lies_in_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = stored_in(tmp_path / name)

    path = code_socket(settings)

    assert path == code_socket(settings)
    assert path.parent.parent == tmp_path
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path != code_socket(stored_in(tmp_path / f"{name} 2"))


def test_where_the_disk_has_no_sockets_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(addresses, "_can_bind", lambda _: False)

    assert code_socket(stored_in(tmp_path / "d")).parent.parent == tmp_path


def test_a_private_folder_others_can_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    settings = stored_in(tmp_path / "a b")
    code_socket(settings).parent.chmod(0o755)

    with pytest.raises(ServiceError, match="remove it"):
        code_socket(settings)
