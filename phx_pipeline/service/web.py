"""Dagster's web app behind the guard; all that is used of its insides is imported here.

Dagster promises nothing about most of these names: a test lists them, and the version.
"""

import ipaddress
import logging
from functools import partial
from pathlib import Path

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__

from phx_pipeline.errors import InputError
from phx_pipeline.service.guard import Guard
from phx_pipeline.service.sheets import Sheets
from phx_pipeline.settings import load_settings
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring import build_catalog

logger = logging.getLogger("dagster.phx_pipeline.service")

_REFRESH_MS = 2000  # how often pages ask for news
_STATEMENT_MS = 15_000
_RECYCLE_S = 3600
_OVERFLOW = 20
_LINGER_S = 3  # for answers under way when it is told to stop
_FRAME_BYTES = 1_000_000
_HEADER_BYTES = 65_536


def require_loopback(host: str) -> None:
    """Raise `InputError` unless *host* is an address only this computer reaches."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise InputError(
            f"{host!r}: without a login the UI is served on 127.0.0.1 only; "
            "reach it from elsewhere through an SSH tunnel"
        )


def serve(*, workspace: Path, host: str, port: int) -> None:
    """Serve until told to stop by SIGTERM or SIGINT.

    Args:
        workspace: File that names the code server.
        host: An address of loopback.
        port: Of that address.
    """
    require_loopback(host)
    configure_loggers(log_level="INFO")
    settings = load_settings()
    sheets = Sheets(partial(build_catalog, settings), layout=Layout(settings.data_dir))
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(
            instance,
            workspace_load_target=WorkspaceFileTarget([str(workspace)]),
            version=__version__,
        ) as context,
    ):
        instance.optimize_for_webserver(_STATEMENT_MS, _RECYCLE_S, _OVERFLOW)
        app = create_app_from_workspace_process_context(context, "", _REFRESH_MS)
        app.routes.insert(0, sheets.mount())  # the last of Dagster's takes any path
        logger.info("serving on http://%s:%s", host, port)
        uvicorn.run(
            Guard(app, port=port),
            host=host,
            port=port,
            log_level="warning",
            # It is strict about Host and the request's target, and bounds headers.
            http="h11",
            h11_max_incomplete_event_size=_HEADER_BYTES,
            ws_max_size=_FRAME_BYTES,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LINGER_S,
        )
