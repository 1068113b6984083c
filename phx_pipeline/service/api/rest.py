"""The parts of the REST interface, put together."""

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp

from phx_pipeline.jobs.quota import Limits
from phx_pipeline.service.api.app import build_app
from phx_pipeline.service.api.desks import Desks, OpenRuns
from phx_pipeline.service.api.health import Check, Health
from phx_pipeline.service.api.jobs import Jobs
from phx_pipeline.service.api.photos import Photos
from phx_pipeline.service.api.properties import Properties
from phx_pipeline.service.api.shown import Shown
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.api.thumbnails import Thumbnails
from phx_pipeline.service.api.turns import Turns

NO_LIMITS: Final = Limits()


def build_rest(
    stores: Stores,
    *,
    runs: OpenRuns,
    checks: Mapping[str, Check],
    limits: Limits = NO_LIMITS,
    local_user: str | None = None,
) -> ASGIApp:
    """Return the app of the REST interface.

    Args:
        stores: What it reads and writes.
        runs: Dagster's, to be told of and ended.
        checks: What has to be on beside the stores, by name.
        limits: Of what each user who came by a key may ask for.
        local_user: Whose requests they are that tell of nobody; None: nobody's, and
            they are refused.
    """
    needed = {"catalogue": stores.why_no_catalogue, "storage": stores.why_no_storage}
    turns = Turns()
    desks = Desks(stores, runs, limits=limits)
    return build_app(
        [
            Jobs(stores, desks, turns=turns).router(),
            Properties(stores, ending_runs=desks.end_runs, turns=turns).router(),
            Shown(stores).router(),
            Photos(stores, Thumbnails(stores.layout)).router(),
            Health({**checks, **needed}).router(),
        ],
        local_user=local_user,
    )
