"""The instance that sensors ask: opened once in a process, not at each look.

To open one, Dagster reads all migrations of its stores anew: two thirds of the
processor time of a look that finds nothing.
"""

from threading import Lock

import dagster as dg

from phx_pipeline.defs.internals import InstanceRef

_lock = Lock()  # the code server evaluates sensors in threads
_newest: list[tuple[InstanceRef, dg.DagsterInstance]] = []


def instance_of(context: dg.SensorEvaluationContext) -> dg.DagsterInstance:
    """The instance whose daemon asks; it stays open for the next look."""
    ref = context.instance_ref
    if ref is None:  # it is not stored: a test's
        return context.instance
    with _lock:
        if not _newest or _newest[0][0] != ref:
            _newest[:] = [(ref, dg.DagsterInstance.from_ref(ref))]
        return _newest[0][1]
