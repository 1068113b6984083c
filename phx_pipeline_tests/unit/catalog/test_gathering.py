"""Calls of many threads that are done together."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest

from phx_pipeline.catalog.gathering import Gathering


class Halves:
    """Halves even numbers, and tells which were done together; 0 is waited for."""

    def __init__(self, *, most: int = 100) -> None:
        self.together: list[list[int]] = []
        self.began, self.go_on = Event(), Event()
        self.gathering = Gathering(self.do, size_of=lambda number: number, most=most)

    def do(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.together.append(list(numbers))
        if 0 in numbers:
            self.began.set()
            assert self.go_on.wait(timeout=30)
        if 13 in numbers:
            raise SystemExit("in the midst of it")
        return [ValueError(it) if it % 2 else it // 2 for it in numbers]

    def ask(self, *numbers: int) -> list[Future[int]]:
        """Have each number asked for by a thread, in order, while 0 is at work."""
        with ThreadPoolExecutor(len(numbers) + 1) as threads:
            futures = [threads.submit(self.gathering.ask, 0)]
            assert self.began.wait(timeout=30)
            for waiting, number in enumerate(numbers, start=1):
                futures.append(threads.submit(self.gathering.ask, number))
                self._wait_for(waiting)
            self.go_on.set()
        return futures

    def _wait_for(self, waiting: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.gathering) < waiting:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_who_waits_is_answered_together_each_with_his_own() -> None:
    halves = Halves()

    zero, *even, odd = halves.ask(2, 4, 6, 7)

    assert halves.together == [[0], [2, 4, 6, 7]]
    assert [it.result() for it in (zero, *even)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="7"):
        odd.result()


def test_what_is_large_is_done_in_parts() -> None:
    halves = Halves(most=10)

    halves.ask(6, 4, 2, 40, 2)

    assert halves.together == [[0], [6, 4], [2], [40], [2]]


def test_what_ends_it_all_leaves_nobody_waiting() -> None:
    halves = Halves(most=20)

    _, lost, also_lost, later = halves.ask(13, 2, 8)

    assert halves.together == [[0], [13, 2], [8]]
    for future in (lost, also_lost):
        with pytest.raises(SystemExit):
            future.result()
    assert later.result() == 4
    assert halves.gathering.ask(10) == 5
