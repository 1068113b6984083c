"""What a supervisor runs: the list of services, each with the proof that it is ready.

A service is data; how processes are kept alive belongs to `supervisor`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phx_pipeline.settings import Settings
from phx_pipeline.storage.atomic import write_atomically
from phx_pipeline.supervise import program
from phx_pipeline.supervise.addresses import Address, code_socket

# `-P`: nothing is imported from the working directory
_RUN = (sys.executable, "-P", "-m", program.__name__)
_LOCATION = "phx_pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One process to keep alive.

    Attributes:
        name: As people and the log's file name know it.
        command: Its program, by absolute path, and arguments.
        address: Where it answers itself once it is ready; None: it need only live.
        starts_runs: Its runs are ended before it, so that it can say how they ended.
    """

    name: str
    command: Sequence[str]
    address: Address | None = None
    starts_runs: bool = False


def services(settings: Settings) -> list[Service]:
    """Code server, daemon and webserver, in the order they are started."""
    code = code_socket(settings)
    workspace = str(_write_workspace(settings, code=code))
    port = settings.webserver_port
    return [
        Service(
            name="code server",
            command=[
                *(
                    *_RUN,
                    "phx_pipeline.defs.code_server",
                    "api",
                    "grpc",
                    "--socket",
                    str(code),
                ),
                *("--module-name", "phx_pipeline.definitions"),
                *("--empty-working-directory", "--location-name", _LOCATION),
            ],
            address=code,
            starts_runs=True,
        ),
        Service(
            name="daemon",
            command=[*_RUN, "phx_pipeline.defs.daemon", "run", "-w", workspace],
        ),
        Service(
            name="webserver",
            command=[
                *(*_RUN, "phx_pipeline.service.__main__", "--workspace", workspace),
                *("--host", settings.host, "--port", str(port)),
            ],
            address=port,
        ),
    ]


def _write_workspace(settings: Settings, *, code: Path) -> Path:
    """Write the workspace that points at our code server; return its path."""
    path = settings.dagster_dir / "workspace.yaml"
    text = (
        "load_from:\n"
        "  - grpc_server:\n"
        f"      socket: {code}\n"
        f"      location_name: {_LOCATION}\n"
    )
    write_atomically(path, text.encode())
    return path
