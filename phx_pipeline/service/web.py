"""Dagster's web app behind the guard; all that is used of its insides is imported here.

Dagster promises nothing about most of these names: a test lists them, and the version.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import uvicorn
from dagster._core.workspace.context import (
    WorkspaceProcessContext,
    WorkspaceRequestContext,
)
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._core.workspace.permissions import PermissionResult
from dagster._utils.log import configure_loggers
from dagster_shared.check import CheckError
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.requests import HTTPConnection

from phx_pipeline.defs.cancel import records_of
from phx_pipeline.defs.run_queue import DagsterRuns
from phx_pipeline.defs.submit import daemon_is_running
from phx_pipeline.model.access import Role
from phx_pipeline.service.api.app import Fork
from phx_pipeline.service.api.rest import build_rest
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.asgi import App
from phx_pipeline.service.bounds import Bounds
from phx_pipeline.service.connections import Prompt
from phx_pipeline.service.entrance import guarded, reach_of, require_safe
from phx_pipeline.service.gate import role_of
from phx_pipeline.service.listening import listening_sockets, tls_files
from phx_pipeline.service.permissions import lack_of
from phx_pipeline.service.readiness import dagster_checks
from phx_pipeline.service.sheets import Sheets
from phx_pipeline.service.shield import Shield
from phx_pipeline.service.trail import OpenCatalog, Trail
from phx_pipeline.settings import load_settings
from phx_pipeline.storage.layout import Layout
from phx_pipeline.wiring.catalog import build_catalog
from phx_pipeline.wiring.clock import utc_now
from phx_pipeline.wiring.limits import quota_limits

logger = logging.getLogger("dagster.phx_pipeline.service")

_REFRESH_MS = 2000  # how often pages ask for news
_STATEMENT_MS = 15_000
_RECYCLE_S = 3600
_OVERFLOW = 20
_LINGER_S = 3  # for answers under way when it is told to stop
_FRAME_BYTES = 1_000_000
_HEADER_BYTES = 65_536


class RuledContext(WorkspaceRequestContext):
    """What one request is answered with: its permissions are those of a role.

    Pages do not offer what they do not allow.
    """

    def __init__(self, role: Role, **given: Any) -> None:
        super().__init__(**given)
        self._role = role

    @property
    def permissions(self) -> Mapping[str, PermissionResult]:
        """Those that hold everywhere."""
        return self._ruled(super().permissions)

    def permissions_for_location(
        self, *, location_name: str
    ) -> Mapping[str, PermissionResult]:
        """Those that hold for what one code server has."""
        every = super().permissions_for_location(location_name=location_name)
        return self._ruled(every)

    def _ruled(
        self, every: Mapping[str, PermissionResult]
    ) -> Mapping[str, PermissionResult]:
        return {
            name: PermissionResult(enabled=False, disabled_reason=why)
            if (why := lack_of(self._role, str(name)))
            else result
            for name, result in every.items()
        }


class ByRole(WorkspaceProcessContext):
    """Dagster's context, whose own permissions are those of who asks."""

    def create_request_context(
        self, source: object | None = None
    ) -> WorkspaceRequestContext:
        """Return what a request is answered with; *source* is Starlette's request."""
        made = super().create_request_context(source)
        role = role_of(source.scope) if isinstance(source, HTTPConnection) else None
        if role is None or role is Role.ADMIN:
            return made
        return RuledContext(
            role,
            instance=self.instance,
            current_workspace=made.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=role < Role.OPERATOR,
        )


def serve(*, workspace: Path, host: str, port: int) -> None:
    """Serve until told to stop by SIGTERM or SIGINT.

    Args:
        workspace: File that names the code server.
        host: An address of this computer.
        port: Of that address.

    Raises:
        InputError: it must not be served like this; the text names the remedy.
    """
    configure_loggers(log_level="INFO")
    settings = load_settings()
    opening = partial(build_catalog, settings)
    reach = reach_of(settings, host=host, port=port)
    require_safe(reach, open_catalog=opening, clock=utc_now)
    tls = tls_files(settings.tls_cert, settings.tls_key)
    trail = Trail(opening, clock=utc_now)
    sheets = Sheets(opening, layout=Layout(settings.data_dir))
    with (
        dg.DagsterInstance.get() as instance,
        ByRole(
            instance,
            workspace_load_target=WorkspaceFileTarget([str(workspace)]),
            version=__version__,
        ) as context,
    ):
        instance.optimize_for_webserver(_STATEMENT_MS, _RECYCLE_S, _OVERFLOW)
        app = create_app_from_workspace_process_context(context, "", _REFRESH_MS)
        app.routes.insert(0, sheets.mount())  # the last of Dagster's takes any path
        rest = _rest(Stores(settings), instance, context)
        logger.info("serving on %s", reach.url)
        way_in = guarded(
            Fork(Shield(app, is_run=instance.has_run, complaint=CheckError), rest),
            reach=reach,
            user=settings.user,
            trail=trail,
            open_catalog=opening,
            bounds=Bounds(
                limits=quota_limits(settings),
                users_of=partial(_users_of, instance, opening),
                missing_runs=partial(_missing_runs, instance),
                open_catalog=opening,
                clock=utc_now,
            ),
            clock=utc_now,
        )
        config = uvicorn.Config(
            way_in,
            log_level="warning",
            # h11 is strict about Host and the request's target, and bounds headers.
            http=Prompt,
            h11_max_incomplete_event_size=_HEADER_BYTES,
            ws_max_size=_FRAME_BYTES,
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_LINGER_S,
            **tls,
        )
        uvicorn.Server(config).run(sockets=listening_sockets(host, port=port))
        trail.settle()


def _users_of(
    instance: dg.DagsterInstance, opening: OpenCatalog, ids: Collection[str]
) -> set[str]:
    """Who asked for runs and backfills, and whose jobs wait for them."""
    with closing(opening()) as catalog:
        told = DagsterRuns(instance, catalog.leases).users_of(ids)
        return told | catalog.dispatch.users_of(ids)


def _missing_runs(instance: dg.DagsterInstance, ids: Collection[str]) -> set[str]:
    return set(ids) - {it.dagster_run.run_id for it in records_of(instance, ids)}


def _rest(
    stores: Stores, instance: dg.DagsterInstance, context: WorkspaceProcessContext
) -> App:
    """Return the REST interface, which asks and ends runs of this instance."""
    return build_rest(
        stores,
        runs=lambda catalog: DagsterRuns(instance, catalog.leases),
        limits=quota_limits(stores.settings),
        checks=dagster_checks(
            instance,
            is_served=partial(daemon_is_running, instance),
            code_servers=lambda: (
                context.create_request_context().get_code_location_entries().values()
            ),
            is_supervised=stores.settings.supervisor_id is not None,
        ),
    )
