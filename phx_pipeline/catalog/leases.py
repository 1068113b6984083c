"""The one lease primitive: a name, an owner, an epoch, an expiry, a heartbeat.

Every takeover raises the epoch. A write that carries an older epoch is refused, so a
process that was paused past its expiry cannot harm what its successor wrote.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.engine import reading, writing
from phx_pipeline.catalog.locking import clock_s
from phx_pipeline.errors import CatalogError, LeaseHeldError, StaleEpochError
from phx_pipeline.process import start_ticks

logger = logging.getLogger(__name__)

_TOLD_EVERY_S = 60.0  # that somebody waits
_STEP_S = 1.0  # a clock is set by as much now and then

# Built once: each write of a stage asks it.
_LOCKED = (
    sa.select(tables.lease)
    .where(tables.lease.c.name == sa.bindparam("of_name"))
    .with_for_update()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Proof of holding *name* since *epoch*."""

    name: str
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseState:
    """A lease row as seen at one moment; ages in seconds by the catalogue's clock.

    Of a lease that was given back `owner` is empty, and the heartbeat is the release.
    """

    name: str
    owner: str
    epoch: int
    heartbeat_at: float
    heartbeat_age_s: float
    expires_in_s: float

    @property
    def is_live(self) -> bool:
        """Whether somebody holds it now."""
        return bool(self.owner) and self.expires_in_s > 0


def process_owner(label: str) -> str:
    """Name this process so that others on this host can tell whether it still lives.

    The form is `host:pid:start:label`; the start time (clock ticks since boot, field
    22 of /proc/PID/stat) tells a reused pid from the same process.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{start_ticks(pid) or 0}:{label}"


def is_dead(owner: str) -> bool:
    """Whether *owner* was a process of this host that is certainly gone."""
    known = _pid_and_start(owner)
    return known is not None and start_ticks(known[0]) != known[1]


def living_pid(owner: str) -> int | None:
    """The id of *owner* if it certainly is a process of this host that lives."""
    known = _pid_and_start(owner)
    return known[0] if known and start_ticks(known[0]) == known[1] else None


def _pid_and_start(owner: str) -> tuple[int, int] | None:
    """Process id and start of *owner*; None if it is of another host, or not known."""
    host, pid, start, *_ = [*owner.split(":"), "", "", ""]
    if host != socket.gethostname() or not (pid.isdecimal() and start.isdecimal()):
        return None
    if start == "0":  # its start time could not be read
        return None
    return int(pid), int(start)


class Leases:
    """Acquiring, renewing and releasing leases on the catalogue's database."""

    def __init__(
        self,
        engine: sa.Engine,
        *,
        ttl_s: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._now = now
        self.ttl_s = ttl_s

    def acquire(self, name: str, *, owner: str) -> Lease:
        """Take *name*, or raise `LeaseHeldError` while another owner is alive."""
        with writing(self._engine) as connection:
            row = self._locked_row(connection, name=name)
            now = clock_s(
                connection, now=self._now
            )  # after the lock: it may have been a wait
            if row is None:
                return self._insert(connection, name=name, owner=owner, now=now)
            stays = _staying(row, now=now, ttl_s=self.ttl_s)
            if stays is None:
                epoch = row.epoch + 1
                self._update(connection, name=name, owner=owner, epoch=epoch, now=now)
                return Lease(name=name, owner=owner, epoch=epoch)
            _note(connection, name, stays)
        raise LeaseHeldError(f"{name} is held by {row.owner}")

    def heartbeat(self, lease: Lease) -> None:
        """Push the expiry ahead; `StaleEpochError` when the lease was taken over."""
        with writing(self._engine) as connection:
            self.fence(connection, lease)
            now = clock_s(connection, now=self._now)
            self._update(
                connection,
                name=lease.name,
                owner=lease.owner,
                epoch=lease.epoch,
                now=now,
            )

    def release(self, lease: Lease) -> None:
        """Give *lease* back; the epoch stays. A lost lease is left to its new owner.

        Who watches the owner can tell since when: it is the last heartbeat.
        """
        with writing(self._engine) as connection:
            now = clock_s(connection, now=self._now)
            connection.execute(
                sa.update(tables.lease)
                .where(tables.lease.c.name == lease.name)
                .where(tables.lease.c.epoch == lease.epoch)
                .where(tables.lease.c.owner == lease.owner)
                .values(owner="", heartbeat_at=now, expires_at=0.0)
            )

    def state(self, name: str) -> LeaseState | None:
        """Return what the catalogue knows of *name*.

        A heartbeat that a clock ahead noted becomes one of now: else whoever waits for
        the lease to run out without asking for it would do so until then.
        """
        row, now = self._seen(name)
        if row is not None and _is_ahead(row, now=now):
            self._set_back(name)
            row, now = self._seen(name)
        if row is None:
            return None
        return LeaseState(
            name=row.name,
            owner=row.owner,
            epoch=row.epoch,
            heartbeat_at=row.heartbeat_at,
            heartbeat_age_s=now - row.heartbeat_at,
            expires_in_s=row.expires_at - now,
        )

    def _seen(self, name: str) -> tuple[sa.Row[Any] | None, float]:
        with reading(self._engine) as connection:
            now = clock_s(connection, now=self._now)
            row = connection.execute(
                sa.select(tables.lease).where(tables.lease.c.name == name)
            ).one_or_none()
        return row, now

    def _set_back(self, name: str) -> None:
        with writing(self._engine) as connection:
            row = self._locked_row(connection, name=name)
            now = clock_s(connection, now=self._now)
            if row is not None and _is_ahead(row, now=now):
                _note(connection, name, _anew(row, now=now, ttl_s=self.ttl_s))

    @staticmethod
    def fence(connection: sa.Connection, lease: Lease) -> None:
        """Refuse to go on inside a write transaction unless *lease* is current."""
        row = connection.execute(_LOCKED, {"of_name": lease.name}).one_or_none()
        if row is None or row.epoch != lease.epoch or row.owner != lease.owner:
            now_held = (
                f"epoch {row.epoch} of {row.owner or 'nobody'}" if row else "none"
            )
            raise StaleEpochError(
                f"{lease.name}: epoch {lease.epoch} of {lease.owner} is no longer held "
                f"(now: {now_held}); nothing was written"
            )

    @contextmanager
    def hold(
        self, name: str, *, owner: str, wait_s: float = 0.0, poll_s: float = 0.2
    ) -> Iterator[Lease]:
        """Hold *name* for the body, renewed by a thread; wait for it up to *wait_s*."""
        lease = self._acquire_patiently(name, owner=owner, wait_s=wait_s, poll_s=poll_s)
        stop = threading.Event()
        renewer = threading.Thread(
            target=self._renew, args=(lease, stop), name=f"renew {name}", daemon=True
        )
        renewer.start()
        try:
            yield lease
        except BaseException:
            with suppress(CatalogError):  # the first error is the one to tell
                self._end(lease, renewer, stop)
            raise
        self._end(lease, renewer, stop)

    def _end(
        self, lease: Lease, renewer: threading.Thread, stop: threading.Event
    ) -> None:
        stop.set()
        renewer.join()
        self.release(lease)

    def _acquire_patiently(
        self, name: str, *, owner: str, wait_s: float, poll_s: float
    ) -> Lease:
        deadline = time.monotonic() + wait_s
        told_s = -_TOLD_EVERY_S
        while True:
            try:
                return self.acquire(name, owner=owner)
            except LeaseHeldError as held:
                if (now_s := time.monotonic()) >= deadline:
                    raise
                if now_s - told_s >= _TOLD_EVERY_S:
                    told_s = now_s
                    logger.info("waiting up to %.0f s: %s", deadline - now_s, held)
                time.sleep(poll_s)

    def _renew(self, lease: Lease, stop: threading.Event) -> None:
        while not stop.wait(self.ttl_s / 3):
            try:
                self.heartbeat(lease)
            except StaleEpochError as error:
                logger.warning("lost the lease: %s", error)
                return
            except CatalogError as error:  # busy, restarting, full: not for ever
                logger.warning("could not renew %s yet: %s", lease.name, error)

    def _locked_row(
        self, connection: sa.Connection, *, name: str
    ) -> sa.Row[Any] | None:
        return connection.execute(_LOCKED, {"of_name": name}).one_or_none()

    def _insert(
        self, connection: sa.Connection, *, name: str, owner: str, now: float
    ) -> Lease:
        try:
            with connection.begin_nested():
                connection.execute(
                    sa.insert(tables.lease).values(
                        name=name,
                        owner=owner,
                        epoch=1,
                        heartbeat_at=now,
                        expires_at=now + self.ttl_s,
                    )
                )
        except sa.exc.IntegrityError as error:
            raise LeaseHeldError(f"{name} was taken just now") from error
        return Lease(name=name, owner=owner, epoch=1)

    def _update(
        self,
        connection: sa.Connection,
        *,
        name: str,
        owner: str,
        epoch: int,
        now: float,
    ) -> None:
        connection.execute(
            sa.update(tables.lease)
            .where(tables.lease.c.name == name)
            .values(
                owner=owner, epoch=epoch, heartbeat_at=now, expires_at=now + self.ttl_s
            )
        )


def _staying(
    row: sa.Row[Any], *, now: float, ttl_s: float
) -> Mapping[str, float] | None:
    """What is to be noted of a lease that stays with its owner; None if it is free.

    If it has run out, and the owner certainly lives on this computer, the clock has
    jumped or the computer slept: the owner has half a lifetime once more to renew it.
    """
    if not row.owner or is_dead(row.owner):
        return None
    if _is_ahead(row, now=now):
        return _anew(row, now=now, ttl_s=ttl_s)
    if row.expires_at > now:
        return {}
    had_more = row.expires_at - row.heartbeat_at > 1.25 * ttl_s
    if had_more or living_pid(row.owner) is None:
        return None
    return {"expires_at": now + ttl_s / 2}


def _is_ahead(row: sa.Row[Any], *, now: float) -> bool:
    """Whether its heartbeat is one of a clock that was ahead."""
    return bool(row.heartbeat_at > now + _STEP_S)


def _anew(row: sa.Row[Any], *, now: float, ttl_s: float) -> Mapping[str, float]:
    """A lease as if it had been renewed now; one that was given back stays so."""
    return {"heartbeat_at": now} | ({"expires_at": now + ttl_s} if row.owner else {})


def _note(connection: sa.Connection, name: str, values: Mapping[str, float]) -> None:
    if values:
        lease = sa.update(tables.lease).where(tables.lease.c.name == name)
        connection.execute(lease.values(**values))
