import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phx_pipeline.catalog.leases import LeaseState, is_dead, process_owner

HOST = socket.gethostname()


def _start_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_this_process_is_alive() -> None:
    assert not is_dead(process_owner("run-1"))


def test_the_label_may_hold_colons() -> None:
    owner = process_owner("a:b:c")

    assert owner.endswith(":a:b:c")
    assert not is_dead(owner)


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    pid = os.getpid()

    assert not is_dead(f"{HOST}:{pid}:{_start_of(pid)}:run")
    assert is_dead(f"{HOST}:{pid}:{_start_of(pid) - 1}:run")


def test_a_process_that_ended_is_dead_even_before_it_is_reaped() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = f"{HOST}:{child.pid}:{_start_of(child.pid)}:run"
    alive = not is_dead(owner)

    child.send_signal(signal.SIGKILL)
    while not is_dead(owner):
        time.sleep(0.01)
    dead_as_zombie = Path(f"/proc/{child.pid}").exists()
    child.communicate()

    assert alive
    assert dead_as_zombie
    assert is_dead(owner)


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "test",
        "elsewhere:1:5:run",
        f"{HOST}:1:0:run",
        f"{HOST}::5:run",
        f"{HOST}:one:5:run",
        f"{HOST}:1:five:run",
        f"{HOST}:1",
    ],
)
def test_of_what_cannot_be_told_nobody_says_dead(owner: str) -> None:
    assert not is_dead(owner)


@pytest.mark.parametrize(
    ("owner", "expires_in_s", "live"),
    [("ann", 0.1, True), ("ann", 0.0, False), ("ann", -1.0, False), ("", 9.0, False)],
)
def test_a_lease_is_live_while_somebody_holds_it(
    owner: str, expires_in_s: float, *, live: bool
) -> None:
    state = LeaseState(
        name="door",
        owner=owner,
        epoch=1,
        heartbeat_at=9.0,
        heartbeat_age_s=1.0,
        expires_in_s=expires_in_s,
    )

    assert state.is_live is live
