"""The same work for several things at once, each in a thread of its own.

For work that waits for others: what one waits for holds no other one up. Work of the
processor belongs elsewhere.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

_K = TypeVar("_K")
_T = TypeVar("_T")


def at_once(work: Callable[[_K], _T], things: Iterable[_K]) -> list[_T]:
    """Return what *work* returns for each of *things*, in their order.

    All are done when it returns, or raises what the first of them raised. Whoever
    interrupts it waits for none: the threads end with the process.
    """
    futures: list[Future[_T]] = []
    for thing in things:
        future: Future[_T] = Future()
        futures.append(future)
        Thread(target=_fulfil, args=(future, work, thing), daemon=True).start()
    wait(futures)
    return [future.result() for future in futures]


def _fulfil(future: Future[_T], work: Callable[[_K], _T], thing: _K) -> None:
    try:
        future.set_result(work(thing))
    except Exception as error:  # noqa: BLE001 - raised where it is waited for
        future.set_exception(error)
