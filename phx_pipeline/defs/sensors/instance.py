"""The instance that sensors ask: opened once in a process, not at each look.

`defs.code_server` has sensors evaluated with this context.
"""

from threading import Lock

import dagster as dg

from phx_pipeline.defs.internals import InstanceRef

_lock = Lock()  # the code server evaluates sensors in threads
_newest: list[tuple[InstanceRef, dg.DagsterInstance]] = []


class LookContext(dg.SensorEvaluationContext):
    """What a sensor is given; the resources it asks for need the instance, too."""

    @property
    def instance(self) -> dg.DagsterInstance:
        """The instance whose daemon asks; it stays open for the next look."""
        ref = self.instance_ref
        if ref is None:
            return super().instance
        with _lock:
            if not _newest or _newest[0][0] != ref:
                _newest[:] = [(ref, dg.DagsterInstance.from_ref(ref))]
            return _newest[0][1]
