"""Work that a sensor has done by a process of its own, within limits.

A pattern that is matched holds all threads of a process: only the work of another one
can be ended from outside. What the work is belongs to `workflows`.
"""

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable
from math import ceil
from multiprocessing.connection import Connection
from typing import Any

# In the code server it is the warm one of `code_server`, which runs are forked from.
_FORKS = multiprocessing.get_context("forkserver")


class TooLongError(Exception):
    """The work took more of the processor than it may."""


def in_own_process(
    work: Callable[..., Any], *args: object, cpu_s: int, wait_s: float
) -> Any:
    """Return what *work* returns, all of which must be fit for `pickle`.

    Args:
        work: a function of a module.
        *args: for it.
        cpu_s: seconds of the processor that the work may take.
        wait_s: seconds until nobody waits for it any more.

    Raises:
        TooLongError: it took more than *cpu_s*.
        TimeoutError: it did not end, such as on a machine that is busy.
        RuntimeError: it failed; its process has written why.
    """
    here, there = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_work, args=(there, cpu_s, work, args))
    process.start()
    there.close()
    try:
        if not here.poll(wait_s):
            raise TimeoutError(f"a process did not end within {wait_s:g} s")
        return here.recv()
    except EOFError as error:
        process.join()
        if process.exitcode == -signal.SIGXCPU:
            raise TooLongError from error
        raise RuntimeError(f"a process ended with {process.exitcode}") from error
    finally:
        here.close()
        process.kill()
        process.join()


def _work(
    answer: Connection, cpu_s: int, work: Callable[..., Any], args: tuple[object, ...]
) -> None:
    most = ceil(time.process_time()) + cpu_s  # importing is not its work
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    answer.send(work(*args))
