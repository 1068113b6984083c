import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import open_engine, reading, writing
from phx_pipeline.catalog.leases import Lease, Leases, is_dead, process_owner
from phx_pipeline.catalog.locking import clock_s
from phx_pipeline.errors import LeaseHeldError, StaleEpochError
from phx_pipeline_tests.integration.conftest import TTL_S, expire

ROUNDS = 15
PATIENCE_S = 60.0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def _hold_for_ever(url: str, told: Connection) -> None:
    leases = Leases(open_engine(url), ttl_s=3600)
    lease = leases.acquire("door", owner=process_owner("victim"))
    told.send(lease.owner)
    threading.Event().wait()


def _compete(url: str, marker: Path) -> list[int]:
    engine = open_engine(url)
    leases = Leases(engine, ttl_s=TTL_S)
    epochs = []
    for _ in range(ROUNDS):
        with leases.hold(
            "door", owner=process_owner("run"), wait_s=PATIENCE_S, poll_s=0.002
        ) as lease:
            marker.touch(exist_ok=False)  # fails while anybody else is inside
            time.sleep(0.001)
            marker.unlink()
            epochs.append(lease.epoch)
    engine.dispose()
    return epochs


def _row(engine: sa.Engine, lease: Lease) -> sa.Row[tuple[object, ...]]:
    with reading(engine) as connection:
        query = sa.select(tables.lease).where(tables.lease.c.name == lease.name)
        return connection.execute(query).one()


def test_a_free_name_is_given(leases: Leases) -> None:
    lease = leases.acquire("door", owner="ann")

    state = leases.state("door")

    assert lease == Lease(name="door", owner="ann", epoch=1)
    assert state is not None
    assert (state.owner, state.epoch, state.is_live) == ("ann", 1, True)


def test_nothing_is_known_of_a_name_never_taken(leases: Leases) -> None:
    assert leases.state("door") is None


@pytest.mark.parametrize("owner", ["bob", "ann"])
def test_a_held_name_is_refused_to_everybody(leases: Leases, owner: str) -> None:
    leases.acquire("door", owner="ann")

    with pytest.raises(LeaseHeldError, match="held by ann"):
        leases.acquire("door", owner=owner)


def test_names_do_not_disturb_one_another(leases: Leases) -> None:
    leases.acquire("door", owner="ann")

    assert leases.acquire("window", owner="bob").epoch == 1


def test_an_expired_lease_is_taken_over_in_the_next_epoch(
    engine: sa.Engine, leases: Leases
) -> None:
    expire(engine, leases.acquire("door", owner="ann"))

    assert leases.acquire("door", owner="bob") == Lease(
        name="door", owner="bob", epoch=2
    )


def test_a_released_lease_is_free_and_its_epoch_goes_on(leases: Leases) -> None:
    leases.release(leases.acquire("door", owner="ann"))

    state = leases.state("door")

    assert state is not None
    assert not state.is_live
    assert leases.acquire("door", owner="bob").epoch == 2


def test_since_when_a_lease_is_free_is_told_once(
    engine: sa.Engine, leases: Leases
) -> None:
    lease = leases.acquire("door", owner="ann")
    with writing(engine) as connection:
        long_ago = {"heartbeat_at": 1.0}
        connection.execute(sa.update(tables.lease).values(long_ago))

    leases.release(lease)
    first = leases.state("door")
    leases.release(lease)

    again = leases.state("door")
    assert first is not None
    assert again is not None
    assert (first.owner, first.epoch) == ("", lease.epoch)
    assert 0 <= first.heartbeat_age_s < PATIENCE_S
    assert again.heartbeat_at == first.heartbeat_at


def test_a_lost_lease_is_not_released_under_its_new_owner(
    engine: sa.Engine, leases: Leases
) -> None:
    lost = leases.acquire("door", owner="ann")
    expire(engine, lost)
    leases.acquire("door", owner="bob")

    leases.release(lost)

    state = leases.state("door")
    assert state is not None
    assert (state.owner, state.is_live) == ("bob", True)


def test_a_lost_lease_is_not_renewed(engine: sa.Engine, leases: Leases) -> None:
    lost = leases.acquire("door", owner="ann")
    expire(engine, lost)
    leases.acquire("door", owner="bob")

    with pytest.raises(StaleEpochError, match="door"):
        leases.heartbeat(lost)


def test_a_released_lease_is_not_renewed(leases: Leases) -> None:
    released = leases.acquire("door", owner="ann")
    leases.release(released)

    with pytest.raises(StaleEpochError, match="nobody"):
        leases.heartbeat(released)

    assert leases.acquire("door", owner="bob").epoch == 2


def test_an_expired_lease_nobody_took_is_renewed(
    engine: sa.Engine, leases: Leases
) -> None:
    lease = leases.acquire("door", owner="ann")
    expire(engine, lease)

    leases.heartbeat(lease)

    with pytest.raises(LeaseHeldError):
        leases.acquire("door", owner="bob")


@pytest.mark.parametrize("ask", ["acquire", "state"])
def test_a_lease_that_a_clock_ahead_noted_is_held_for_a_lifetime_at_most(
    engine: sa.Engine, leases: Leases, ask: str
) -> None:
    lease = leases.acquire("door", owner="gone-host:1:2:run")
    _move(engine, by_s=30 * 86_400.0)

    if ask == "acquire":
        with pytest.raises(LeaseHeldError, match="gone-host"):
            leases.acquire("door", owner="ann")
    seen = leases.state("door")

    assert seen is not None
    assert seen.is_live
    assert seen.expires_in_s <= TTL_S
    leases.heartbeat(lease)  # its owner may have been there
    _move(engine, by_s=-TTL_S)
    assert leases.acquire("door", owner="ann").epoch == 2


def test_a_lease_that_a_clock_ahead_gave_back_was_given_back_now(
    engine: sa.Engine, leases: Leases
) -> None:
    leases.release(leases.acquire("door", owner="ann"))
    _move(engine, by_s=30 * 86_400.0)

    seen = leases.state("door")

    assert seen is not None
    assert (seen.is_live, seen.heartbeat_age_s < 60) == (False, True)
    assert leases.acquire("door", owner="ann").epoch == 2


def test_an_owner_who_lives_here_has_time_to_renew_after_the_clock_jumped(
    engine: sa.Engine, leases: Leases
) -> None:
    """Once: who does not use it was paused, and loses the lease."""
    lease = leases.acquire("door", owner=process_owner("run"))
    _move(engine, by_s=-2 * TTL_S)
    with pytest.raises(LeaseHeldError):
        leases.acquire("door", owner="ann")
    leases.heartbeat(lease)
    _move(engine, by_s=-2 * TTL_S)
    with pytest.raises(LeaseHeldError):
        leases.acquire("door", owner="ann")

    _move(engine, by_s=-TTL_S)

    assert leases.acquire("door", owner="ann").epoch == 2


def _move(engine: sa.Engine, *, by_s: float) -> None:
    """Let the clock have gone differently since the lease was noted."""
    row = tables.lease.c
    later = {"heartbeat_at": row.heartbeat_at + by_s, "expires_at": row.expires_at}
    with writing(engine) as connection:
        held = later | {"expires_at": row.expires_at + by_s}
        connection.execute(sa.update(tables.lease).where(row.owner != "").values(held))
        connection.execute(sa.update(tables.lease).where(row.owner == "").values(later))


def test_a_killed_owner_is_replaced_before_its_lease_expires(
    url: str, leases: Leases, clean_processes: ForkServerContext
) -> None:
    ours, theirs = clean_processes.Pipe()
    victim = clean_processes.Process(target=_hold_for_ever, args=(url, theirs))
    victim.start()
    owner = ours.recv()
    with pytest.raises(LeaseHeldError):
        leases.acquire("door", owner="ann")

    victim.kill()
    victim.join()
    _until(partial(is_dead, owner))

    assert leases.acquire("door", owner="ann").epoch == 2


def test_a_heartbeat_keeps_a_lease_past_its_first_expiry(
    engine: sa.Engine, leases: Leases
) -> None:
    brief = Leases(engine, ttl_s=1.5)

    with brief.hold("door", owner="ann") as lease:
        first = _row(engine, lease)
        _until(lambda: _row(engine, lease).heartbeat_at > first.expires_at)

        with pytest.raises(LeaseHeldError):
            leases.acquire("door", owner="bob")

    assert leases.acquire("door", owner="bob").epoch == 2


def test_a_lease_lost_while_held_is_not_taken_back(
    engine: sa.Engine, leases: Leases, caplog: pytest.LogCaptureFixture
) -> None:
    brief = Leases(engine, ttl_s=0.3)

    with brief.hold("door", owner="ann") as lease:
        with writing(engine) as connection:
            values = {"owner": "bob", "epoch": 2, "expires_at": 4e9}
            connection.execute(sa.update(tables.lease).values(values))
        _until(lambda: "lost the lease" in caplog.text)

    state = leases.state(lease.name)
    assert state is not None
    assert (state.owner, state.epoch, state.is_live) == ("bob", 2, True)


def test_an_error_in_the_body_gives_the_lease_back(leases: Leases) -> None:
    with pytest.raises(ZeroDivisionError), leases.hold("door", owner="ann"):
        raise ZeroDivisionError

    assert leases.acquire("door", owner="bob").epoch == 2


def test_who_waits_gets_the_lease_after_its_release(leases: Leases) -> None:
    first = leases.acquire("door", owner="ann")
    threading.Timer(0.2, leases.release, [first]).start()

    with leases.hold("door", owner="bob", wait_s=PATIENCE_S, poll_s=0.01) as lease:
        state = leases.state("door")

    assert lease.epoch == 2
    assert state is not None
    assert state.owner == "bob"


def test_who_waits_in_vain_is_told_who_holds_it(leases: Leases) -> None:
    leases.acquire("door", owner="ann")

    with (
        pytest.raises(LeaseHeldError, match="held by ann"),
        leases.hold("door", owner="bob", wait_s=0.05, poll_s=0.01),
    ):
        pytest.fail("held by two")


def test_a_renewal_that_had_to_wait_counts_from_its_end(
    engine: sa.Engine, leases: Leases
) -> None:
    lease = leases.acquire("door", owner="ann")
    beat = threading.Thread(target=leases.heartbeat, args=(lease,))
    with writing(engine) as connection:
        Leases.fence(connection, lease)
        beat.start()
        beat.join(0.3)  # it waits for our transaction
        waited_until = clock_s(connection, now=time.time)
    beat.join()

    row = _row(engine, lease)

    assert row.heartbeat_at >= waited_until
    assert row.expires_at == pytest.approx(row.heartbeat_at + TTL_S)


def test_processes_that_compete_never_hold_it_together(
    url: str, tmp_path: Path, processes: ProcessPoolExecutor
) -> None:
    marker = tmp_path / "inside"

    held = processes.map(_compete, [url] * 4, [marker] * 4)

    epochs = sorted(epoch for one in held for epoch in one)
    assert epochs == list(range(1, 4 * ROUNDS + 1))
