"""Commands as forks of a process that has imported all they need.

Each is a process of its own, as killable as any, without the second of processor time
that starting one costs.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from phx_pipeline.cli.main import main

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    ["pytest", __name__, "phx_pipeline.cli.extract", "phx_pipeline.stages.extract"]
)


def start_phx(*arguments: str, env: Mapping[str, str]) -> BaseProcess:
    """Start `phx` with *arguments*, silent; return once it is about to work."""
    here, there = _FORKS.Pipe()
    process = _FORKS.Process(target=_phx, args=(arguments, dict(env), there))
    process.start()
    there.close()
    here.recv()
    here.close()
    return process


def ended(process: BaseProcess, *, patience_s: float) -> int | None:
    """Wait for a command; return its exit code, None if it hangs."""
    process.join(patience_s)
    return process.exitcode


def _phx(arguments: tuple[str, ...], env: dict[str, str], started: Connection) -> None:
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["phx", *arguments]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    started.send(None)
    started.close()
    main()
