"""What a lease tells about the worker that keeps it."""

import os
import socket
from math import inf

import pytest

from phx_pipeline.catalog.engine import open_engine
from phx_pipeline.catalog.leases import Leases, LeaseState, process_owner
from phx_pipeline.defs.internals import CheckRunHealthResult, WorkerStatus
from phx_pipeline.defs.launcher import Doubts, grace_s, judge

_ELSEWHERE = "another-host:1:1:run"
_GONE = f"{socket.gethostname()}:{os.getpid()}:1:run"  # our pid, another start
_GRACE_S = 60.0
_RUNNING, _FAILED = WorkerStatus.RUNNING, WorkerStatus.FAILED
_NOT_FOUND = WorkerStatus.NOT_FOUND


def held(owner: str, *, expires_in_s: float = 20.0) -> LeaseState:
    return LeaseState(
        name="run:r1",
        owner=owner,
        epoch=3,
        heartbeat_at=1_000.0,
        heartbeat_age_s=30.0 - expires_in_s,
        expires_in_s=expires_in_s,
    )


def given_back(age_s: float) -> LeaseState:
    return LeaseState(
        name="run:r1",
        owner="",
        epoch=3,
        heartbeat_at=1_000.0,
        heartbeat_age_s=age_s,
        expires_in_s=-1e9,
    )


@pytest.mark.parametrize(
    ("lease", "age_s", "status", "told"),
    [
        (None, 0.0, _RUNNING, "no heartbeat yet"),
        (None, 59.9, _RUNNING, "no heartbeat yet"),
        (None, 60.0, _NOT_FOUND, "no worker came in 60 s"),
        (None, -200.0, _RUNNING, "no heartbeat yet"),
        (None, -3600.0, _NOT_FOUND, "no worker came in 60 s"),
        (given_back(0.1), 7200.0, _RUNNING, "has ended"),
        (given_back(59.9), 7200.0, _RUNNING, "has ended"),
        (given_back(60.0), 7200.0, _NOT_FOUND, "ended 60 s ago"),
        (given_back(7200.0), 5.0, _RUNNING, "has ended"),
        (given_back(7200.0), 60.0, _NOT_FOUND, "ended 60 s ago"),
        (given_back(-3600.0), inf, _RUNNING, "has ended"),
        (held(_ELSEWHERE), 500.0, _RUNNING, None),
        (held(_ELSEWHERE, expires_in_s=3630.0), 500.0, _RUNNING, None),
        (held(_ELSEWHERE, expires_in_s=0.1), 5.0, _RUNNING, None),
        (held(_ELSEWHERE, expires_in_s=0.0), 5.0, _FAILED, "30 s ago"),
        (held(_ELSEWHERE, expires_in_s=-90.0), 5.0, _FAILED, "120 s ago"),
        (held(process_owner("run")), 500.0, _RUNNING, None),
        (held(process_owner("run"), expires_in_s=-1.0), 500.0, _FAILED, "31 s ago"),
        (held(_GONE), 5.0, _FAILED, "is gone"),
    ],
    ids=[
        "just started",
        "still importing",
        "killed before its first heartbeat",
        "not come, by a clock that is a little behind",
        "not come, and the clock was set back",
        "at the end of a long run",
        "its end is about to be written",
        "ended and left no end of the run",
        "started again under its id just now",
        "started again under its id, nobody came",
        "ended, and the clock was set back",
        "alive elsewhere",
        "alive elsewhere, and the clock was set back",
        "about to expire",
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
    judged = judge(lease, age_s=age_s, grace_s=_GRACE_S)

    assert judged.status is status
    assert (told or "") in (judged.msg or "")


def test_a_worker_may_be_away_for_two_lifetimes_of_its_lease() -> None:
    leases = Leases(open_engine("sqlite://"), ttl_s=45.0)

    assert grace_s(leases) == 90.0


class Looks:
    """Run monitoring that looks at one run at given moments."""

    def __init__(self) -> None:
        self.now_s = 500.0
        self._doubts = Doubts(clock=lambda: self.now_s)

    def at(
        self,
        moment_s: float,
        status: WorkerStatus,
        *,
        sign: object = "a",
        run: str = "r1",
    ) -> WorkerStatus:
        self.now_s = 500.0 + moment_s
        health = CheckRunHealthResult(status, "by the clocks")
        return self._doubts.settled(run, sign, health, wait_s=30.0).status


@pytest.mark.parametrize("bad", [_FAILED, _NOT_FOUND])
def test_a_verdict_by_the_clocks_counts_once_no_sign_came_for_a_lifetime(
    bad: WorkerStatus,
) -> None:
    looks = Looks()

    told = [looks.at(moment_s, bad) for moment_s in (0.0, 5.0, 29.9, 30.0, 35.0)]

    assert told == [_RUNNING, _RUNNING, _RUNNING, bad, bad]


def test_a_new_sign_of_life_ends_the_doubt() -> None:
    looks = Looks()
    looks.at(0.0, _FAILED, sign="before the computer slept")

    told = [looks.at(moment_s, _FAILED, sign="after") for moment_s in (30.0, 59.9)]

    assert told == [_RUNNING, _RUNNING]
    assert looks.at(60.0, _FAILED, sign="after") is _FAILED


def test_a_good_look_ends_the_doubt() -> None:
    looks = Looks()
    looks.at(0.0, _FAILED)
    looks.at(29.0, _RUNNING)

    assert looks.at(31.0, _FAILED) is _RUNNING


def test_each_run_has_its_own_doubt() -> None:
    looks = Looks()
    looks.at(0.0, _NOT_FOUND, sign=None, run="r1")

    assert looks.at(30.0, _NOT_FOUND, sign=None, run="r2") is _RUNNING
    assert looks.at(30.0, _NOT_FOUND, sign=None, run="r1") is _NOT_FOUND
