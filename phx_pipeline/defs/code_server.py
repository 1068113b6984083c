"""The code server: Dagster's own, but the workers of its runs are forked, not spawned.

A spawned worker imports everything anew, which takes most of the time of a run that
finds nothing. What the process is that they are forked from, and how it ends, belongs
to `supervise.fork_server`.
"""

import multiprocessing
from multiprocessing import forkserver
from typing import Any

from dagster._cli import ENV_PREFIX, create_dagster_cli
from dagster._grpc import server
from dagster._grpc.server import DagsterApiServer

FORKED_FROM = "phx_pipeline.supervise.fork_server"


class ForkingServer(DagsterApiServer):
    """Dagster's code server with a warm process to fork workers from."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload([FORKED_FROM])
        self._mp_ctx = forks  # type: ignore[assignment]  # both have what it uses
        # It imports while the other services start; the first run finds it ready. If it
        # is killed, the next run starts another.
        forkserver.ensure_running()


def main() -> None:
    """Be `dagster api grpc`, whose arguments it reads itself."""
    vars(server)["DagsterApiServer"] = ForkingServer
    create_dagster_cli()(auto_envvar_prefix=ENV_PREFIX)  # type: ignore[no-untyped-call]  # Dagster's
