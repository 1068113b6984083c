"""What the process does that workers of runs are forked from, and what a worker does.

The code server names this module for it to import (`defs.code_server`); then it waits
for orders in the loop of Python's `multiprocessing.forkserver`. It has no connection,
no file and no lock of ours, and must not keep any: each worker would share them.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module

from phx_pipeline.errors import InputError
from phx_pipeline.supervise.collector import collector_paused

_PR_SET_PDEATHSIG = 1
# All but the first are imported amid a run, not by the definitions; the last ones by
# Dagster when it opens its instance.
_WHAT_RUNS_NEED = (
    "phx_pipeline.definitions",
    "phx_pipeline.fetch.clients.httpx",
    "phx_pipeline.categorize.embedded",
    "phx_pipeline.categorize.listing_text",
    "phx_pipeline.sources.border",
    "phx_pipeline.sources.maricopa",
    "phx_pipeline.sources.maricopa.asking",
    "phx_pipeline.sources.phoenix_mls",
    "phx_pipeline.sources.phoenix_mls.idx_site",
    "phx_pipeline.sources.phoenix_mls.licensed_reso",
    "phx_pipeline.sources.phoenix_mls.licensed_spark",
    "phx_pipeline.sources.phoenix_mls.persons",
    "phx_pipeline.sources.redfin",
    "phx_pipeline.sources.redfin.asking",
    "phx_pipeline.sources.redfin.listings",
    "phx_pipeline.sources.zillow",
    "phx_pipeline.sources.zillow.asking",
    "phx_pipeline.sources.zillow.listings",
    "sqlalchemy.dialects.postgresql",
    "phx_pipeline.defs.instance",
    "dotenv",
    "multiprocessing.queues",
    "multiprocessing.synchronize",
    "upath.core",
    "upath.implementations.local",
    "watchdog.observers.polling",
)


def prepare() -> int:
    """Import what workers need; return the id of this process, their parent."""
    with collector_paused():
        for name in _WHAT_RUNS_NEED:
            import_module(name)
        import_module("phx_pipeline.defs.engines").learn_revisions()
        with suppress(InputError):  # a run that needs it tells
            import_module("phx_pipeline.imaging.resize").load_opencv()
        import_module("PIL.Image").preinit()
        signal.signal(signal.SIGTERM, _end_after_workers)  # nothing is left in folders
        _rehearse()
    return os.getpid()


def _rehearse() -> None:
    """Do once what each worker would do anew; without it each only takes longer."""
    try:
        import_module("phx_pipeline.defs.rehearsal").rehearse()
    except Exception as error:  # noqa: BLE001 - such as a full disk
        (why, *_) = str(error).splitlines() or [type(error).__name__]  # without its SQL
        sys.stderr.write(f"phx: workers of runs are not warmed up: {why}\n")


def _end_after_workers(*_: object) -> None:
    """End once all workers have: they are killed with this process, and may tidy up."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
    sys.exit()


def become_worker(parent: int) -> None:
    """Be a worker, just forked by the process *parent*, which is killed with it.

    The code server takes its runs for dead once that process is: one that went on would
    work beside the run that repeats it.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was killed before that could be heard of
        sys.exit(1)


PARENT = prepare()
