"""Calls of many threads that are done together: who comes while one works, waits.

What is done is told by whoever makes a `Gathering`; nothing here knows a database.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import accumulate
from threading import Event, Lock
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Call(Generic[T, R]):
    """What one thread asks for."""

    def __init__(self, asked: T) -> None:
        self.asked = asked
        self.answer: Future[R] = Future()
        self.woken = Event()  # because the answer is there, or its turn


class Gathering(Generic[T, R]):
    """Does at once what several threads ask for, in the order in which they asked.

    The first one that comes does its own. Those that come meanwhile wait; the first of
    them then does what all of them asked for, and so on.

    Args:
        do: gets what is asked; returns as many answers or errors, in the same order.
            What it raises, all get.
        size_of: how much work something asked for is.
        most: how much work is done together; more only if one alone is.
    """

    def __init__(
        self,
        do: Callable[[Sequence[T]], Sequence[R | Exception]],
        *,
        size_of: Callable[[T], int],
        most: int,
    ) -> None:
        self._do = do
        self._size_of = size_of
        self._most = most
        self._mutex = Lock()
        self._waiting: list[_Call[T, R]] = []
        self._at_work = False

    def __len__(self) -> int:
        """How many wait for what is being done."""
        return len(self._waiting)

    def ask(self, asked: T) -> R:
        """Return the answer to *asked*, or raise its error."""
        mine = _Call[T, R](asked)
        with self._mutex:
            self._waiting.append(mine)
            waits, self._at_work = self._at_work, True
        if waits:
            mine.woken.wait()
        if not mine.answer.done():
            self._lead()
        return mine.answer.result()

    def _lead(self) -> None:
        """Do what the first ones wait for, this thread's own among them."""
        together = self._take()
        try:
            answers = self._do([call.asked for call in together])
            for call, answer in zip(together, answers, strict=True):
                _give(call, answer)
        except BaseException as error:  # noqa: BLE001 - nobody may wait for ever
            for call in together:
                if not call.answer.done():
                    call.answer.set_exception(error)
        finally:
            self._hand_on()
            for call in together:
                call.woken.set()

    def _take(self) -> list[_Call[T, R]]:
        with self._mutex:
            sums = accumulate(self._size_of(call.asked) for call in self._waiting)
            number = max(1, sum(each <= self._most for each in sums))
            together = self._waiting[:number]
            del self._waiting[:number]
        return together

    def _hand_on(self) -> None:
        with self._mutex:
            self._at_work = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.set()


def _give(call: _Call[T, R], answer: R | Exception) -> None:
    if isinstance(answer, Exception):
        call.answer.set_exception(answer)
    else:
        call.answer.set_result(answer)
