"""How often the catalogue is asked for keys, and what counts while it is silent."""

import asyncio
from dataclasses import dataclass, field

import pytest

from phx_pipeline.catalog.access import Admitted
from phx_pipeline.errors import CatalogDownError
from phx_pipeline.model.access import Session
from phx_pipeline.service.access import KeyRing
from phx_pipeline.service.throttle import WrongKeys

_NOBODY = Admitted(keys=(), sessions=())


@dataclass(kw_only=True)
class Store:
    now: float = 100.0
    reads: int = 0
    is_down: bool = False
    done: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def admitted(self) -> Admitted:
        self.reads += 1
        if self.is_down:
            raise CatalogDownError("down")
        return _NOBODY

    def begin(self, session: Session, *, ends: str | None) -> None:
        raise AssertionError(f"nobody logs in: {session} {ends}")

    def end(self, digest: str) -> None:
        self.done.append(digest)


async def test_a_page_of_a_hundred_requests_costs_one_look() -> None:
    store = Store()
    ring = KeyRing(store, clock=store.clock)

    found = await asyncio.gather(*(ring.admitted() for _ in range(100)))

    assert found == [_NOBODY] * 100
    assert store.reads == 1


async def test_a_look_counts_for_two_seconds() -> None:
    store = Store()
    ring = KeyRing(store, clock=store.clock)

    for passed_s in (0.0, 1.9, 0.2, 1.9):
        store.now += passed_s
        await ring.admitted()

    assert store.reads == 2


async def test_who_shows_what_was_not_there_is_looked_for_soon() -> None:
    store = Store()
    ring = KeyRing(store, clock=store.clock)

    for passed_s in (0.0, 0.2, 0.1, 0.0, 0.0):
        store.now += passed_s
        await ring.admitted(anew=True)

    assert store.reads == 2


async def test_what_is_done_here_counts_at_once() -> None:
    store = Store()
    ring = KeyRing(store, clock=store.clock)
    await ring.admitted()

    await ring.end("digest")
    await ring.admitted()

    assert store.done == ["digest"]
    assert store.reads == 2


async def test_a_silent_catalogue_changes_nothing() -> None:
    store = Store(is_down=True)
    ring = KeyRing(store, clock=store.clock)
    with pytest.raises(CatalogDownError):
        await ring.admitted()
    store.is_down = False
    store.now += 3
    assert await ring.admitted() is _NOBODY

    store.is_down = True
    store.now += 3

    assert await ring.admitted() is _NOBODY


def test_wrong_keys_are_counted_by_address_and_for_a_minute() -> None:
    store = Store()
    wrong = WrongKeys(store.clock)

    waits = [wrong.note("198.51.100.7") for _ in range(12)]
    other = wrong.note("198.51.100.8")
    store.now += 61
    later = wrong.note("198.51.100.7")

    assert waits == [0.0] * 10 + [60.0] * 2
    assert (other, later) == (0.0, 0.0)


def test_all_addresses_of_a_network_of_ipv6_are_one() -> None:
    wrong = WrongKeys(Store().clock)

    waits = [wrong.note(f"2001:db8::{number:x}") for number in range(11)]

    assert waits[-1] > 0
    assert wrong.note("2001:db8:0:1::1") == 0.0
