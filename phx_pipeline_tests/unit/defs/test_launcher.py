"""What a lease tells about the worker that keeps it."""

import os
import socket

import pytest
from dagster._core.launcher.base import WorkerStatus

from phx_pipeline.catalog.leases import LeaseState, process_owner
from phx_pipeline.defs.launcher import judge

_ELSEWHERE = "another-host:1:1:run"
_GONE = f"{socket.gethostname()}:{os.getpid()}:1:run"  # our pid, another start


def state(owner: str, *, expires_in_s: float = 20.0) -> LeaseState:
    return LeaseState(
        name="run:r1",
        owner=owner,
        epoch=3,
        heartbeat_age_s=30.0 - expires_in_s,
        expires_in_s=expires_in_s,
    )


@pytest.mark.parametrize(
    ("lease", "age_s", "status", "told"),
    [
        (None, 0.0, WorkerStatus.RUNNING, "no heartbeat yet"),
        (None, 59.0, WorkerStatus.RUNNING, "no heartbeat yet"),
        (None, 61.0, WorkerStatus.NOT_FOUND, "no worker keeps the lease"),
        (state(""), 5.0, WorkerStatus.RUNNING, "no heartbeat yet"),
        (state(""), 61.0, WorkerStatus.NOT_FOUND, "no worker keeps the lease"),
        (state(_ELSEWHERE), 500.0, WorkerStatus.RUNNING, None),
        (state(_ELSEWHERE, expires_in_s=0.0), 5.0, WorkerStatus.FAILED, "30 s ago"),
        (state(_ELSEWHERE, expires_in_s=-90.0), 5.0, WorkerStatus.FAILED, "120 s ago"),
        (state(process_owner("run")), 500.0, WorkerStatus.RUNNING, None),
        (
            state(process_owner("run"), expires_in_s=-1.0),
            500.0,
            WorkerStatus.FAILED,
            "31 s ago",
        ),
        (state(_GONE), 5.0, WorkerStatus.FAILED, "is gone"),
    ],
    ids=[
        "just started",
        "still importing",
        "never came",
        "given back, retried just now",
        "given back long ago",
        "alive elsewhere",
        "expired just now",
        "expired long ago",
        "alive here",
        "alive here but stuck",
        "dead here before its lease expired",
    ],
)
def test_a_worker_is_judged_by_its_lease(
    lease: LeaseState | None, age_s: float, status: WorkerStatus, told: str | None
) -> None:
    judged = judge(lease, age_s=age_s)

    assert judged.status is status
    assert (told or "") in (judged.msg or "")
