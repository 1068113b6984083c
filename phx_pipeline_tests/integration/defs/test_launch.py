"""What the queue is told when the code server does not start a run."""

from threading import Event
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster._grpc.server import DagsterApiServer
from dagster._grpc.types import StartRunResult
from dagster._serdes import deserialize_value

from phx_pipeline.defs.internals import (
    DagsterLaunchFailedError,
    DagsterUserCodeUnreachableError,
    LaunchRunContext,
)
from phx_pipeline.defs.launcher import LeaseAwareRunLauncher
from phx_pipeline_tests.dagster_runs import run_of

_RUN = run_of("a-house", dg.DagsterRunStatus.STARTING)


def reply_while_it_ends() -> str:
    """What Dagster's own code server says that was told to shut down."""
    told = Event()
    told.set()
    server: Any = SimpleNamespace(_shutdown_once_executions_finish_event=told)
    request: Any = None  # it does not get so far as to read it
    reply: Any = DagsterApiServer.StartRun(server, request, request)
    result = deserialize_value(reply.serialized_start_run_result, StartRunResult)
    return str(result.message)


def launch(monkeypatch: pytest.MonkeyPatch, *, reply: str) -> None:
    """Launch a run on a code server that refuses it with *reply*."""

    def refuse(_: dg.DefaultRunLauncher, context: LaunchRunContext) -> None:
        assert context.dagster_run is _RUN
        raise DagsterLaunchFailedError(reply)  # type: ignore[no-untyped-call]  # Dagster's

    monkeypatch.setattr(dg.DefaultRunLauncher, "launch_run", refuse)
    context = LaunchRunContext(dagster_run=_RUN, workspace=None)
    LeaseAwareRunLauncher().launch_run(context)


def test_a_code_server_about_to_end_counts_as_one_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reply = reply_while_it_ends()

    with pytest.raises(DagsterUserCodeUnreachableError, match=reply):
        launch(monkeypatch, reply=reply)


def test_a_run_that_cannot_start_is_not_tried_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(DagsterLaunchFailedError, match="no such module"):
        launch(monkeypatch, reply="no such module")
