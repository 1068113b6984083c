"""Runs as Dagster stores them, for tests that need no daemon to make them."""

import dagster as dg
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

_ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(
        RegisteredCodeLocationOrigin("phx_pipeline"), "__repository__"
    ),
    "extract_property",
)


def run_of(slug: str, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of a property that somebody is about to store."""
    return dg.DagsterRun(
        job_name="extract_property",
        status=status,
        tags={"dagster/partition": slug, **tags},
        remote_job_origin=_ORIGIN,
    )
