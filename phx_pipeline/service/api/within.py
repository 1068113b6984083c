"""Work that goes on by itself where it lasts longer than an answer may."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")


def within(seconds: float, work: Callable[[], _T]) -> _T | None:
    """Return what *work* gives, or None if it has not ended in time; it goes on then.

    What it raises in time is raised.
    """
    done: Future[_T] = Future()

    def worked() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # noqa: BLE001 - told to who waits
            done.set_exception(error)

    # Its end is not waited for when the process ends.
    Thread(target=worked, name="lasts", daemon=True).start()
    try:
        return done.result(timeout=seconds)
    except TimeoutError:
        if done.done():
            raise
        return None
