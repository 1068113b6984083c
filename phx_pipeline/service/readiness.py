"""What the service asks of Dagster's parts, to tell which of them is off.

Each question has its own short patience: a part that hangs is off as well.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import dagster as dg
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from phx_pipeline.defs.set_back import FAR_S, ahead
from phx_pipeline.model.counted import counted
from phx_pipeline.model.moments import moment
from phx_pipeline.service.api.health import Check

DISPATCHER: Final = "dispatch_jobs"

_PATIENCE_S: Final = 2.0
_SERVICE: Final = "DagsterApi"
_LOOKS: Final = 3
_SILENT_S: Final = 60.0  # it looks every five seconds, between other sensors
_START: Final = "start `phx up`, or look into the logs of its services"
_ANEW: Final = "The daemon mends this within two minutes: restart `phx up` if it stays"
_STARTS_AGAIN: Final = (
    "`phx up` starts again what has ended, within seconds; the logs of its services "
    "tell more"
)


def dagster_checks(
    instance: dg.DagsterInstance,
    *,
    is_served: Callable[[], bool],
    code_servers: Callable[[], Iterable[Any]],
    is_supervised: bool,
) -> Mapping[str, Check]:
    """Return what tells of each part of Dagster why it is off, by name.

    Args:
        instance: With the stores of the daemon.
        is_served: Whether a daemon that launches runs gave a sign of life.
        code_servers: The web app's entries of its workspace.
        is_supervised: Whether a `phx up` starts again what ends.
    """
    remedy = _STARTS_AGAIN if is_supervised else _START
    return {
        "dispatcher": lambda: why_no_dispatcher(instance, now_s=time.time()),
        "daemon": lambda: (
            why_it_rests(instance, now_s=time.time())
            if is_served()
            else f"no sign of life: {remedy}"
        ),
        "code server": lambda: why_no_code(code_servers(), remedy=remedy),
    }


def why_it_rests(instance: dg.DagsterInstance, *, now_s: float) -> str | None:
    """Which sensors and schedules wait for a moment far ahead; None if none does."""
    names = ", ".join(sorted(ahead(instance, now_s=now_s)))
    return (
        f"the clock was ahead when these looked last: {names}. {_ANEW}"
        if names
        else None
    )


def why_no_dispatcher(instance: dg.DagsterInstance, *, now_s: float) -> str | None:
    """Why waiting jobs come to no run; None if they do."""
    states = [
        state
        for state in instance.all_instigator_state()
        if state.instigator_name == DISPATCHER
    ]
    newest = max(states, key=_looked_at_s, default=None)
    if newest is None:
        return f"it has never looked for jobs: {_START}"
    if newest.status.value == "STOPPED":
        return f"its sensor {DISPATCHER} is stopped: start it in the UI"
    silent_s = now_s - _looked_at_s(newest)
    if silent_s < -FAR_S:
        at = moment(_looked_at_s(newest))
        return f"the clock was ahead when it looked last, it rests until {at}. {_ANEW}"
    if silent_s > _SILENT_S:
        return f"it has not looked for jobs for {counted(int(silent_s), 'second')}"
    if _fails(instance, newest):
        return (
            f"its last {_LOOKS} looks for jobs failed: {DISPATCHER} in the UI shows why"
        )
    return None


def _fails(instance: dg.DagsterInstance, state: Any) -> bool:
    """Whether none of the last looks came to an end: one alone may have no luck."""
    origin, selector = state.instigator_origin_id, state.selector_id
    ticks = instance.get_ticks(origin, selector, limit=_LOOKS + 1)
    ended = [it.status.value for it in ticks if it.status.value != "STARTED"]
    return ended[:_LOOKS] == ["FAILURE"] * _LOOKS


def _looked_at_s(state: Any) -> float:
    data = state.instigator_data
    return float(getattr(data, "last_tick_timestamp", None) or 0.0)


def why_no_code(entries: Iterable[Any], *, remedy: str = _START) -> str | None:
    """Why the code cannot be asked; None if all servers of the workspace answer.

    *remedy* is for one that does not. What the web app last noted of its code may be
    no more than that, so it is told of servers that answer alone.
    """
    servers = list(entries)
    if not servers:
        return "the workspace names none"
    if not all(_answers(entry.origin) for entry in servers):
        return f"it does not answer: {remedy}"
    if any(entry.load_error for entry in servers):
        return "its code cannot be loaded: the UI shows why, under Deployment"
    return None


def _answers(origin: Any) -> bool:
    """Whether a code server says by itself that it serves."""
    at = f"unix:{origin.socket}" if origin.socket else f"{origin.host}:{origin.port}"
    question = health_pb2.HealthCheckRequest(service=_SERVICE)
    with grpc.insecure_channel(at) as channel:
        try:
            found = health_pb2_grpc.HealthStub(channel).Check(
                question, timeout=_PATIENCE_S
            )
        except grpc.RpcError:
            return False
    return bool(found.status == health_pb2.HealthCheckResponse.SERVING)
