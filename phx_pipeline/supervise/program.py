"""`python -P -m phx_pipeline.supervise.program MODULE ARGUMENT…`: its `main`, sooner.

The garbage collector pauses while a service imports: of a hundred thousand objects none
is garbage, and to look for some takes a third of the processor time of a start. Which
services there are belongs to `services`.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module


@contextmanager
def collector_paused() -> Iterator[None]:
    """Collect nothing meanwhile; what is there afterwards is never looked through."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def main() -> None:
    """Call the `main` of the module named first, which reads `sys.argv` itself."""
    del sys.argv[0]
    with collector_paused():
        module = import_module(sys.argv[0])
    module.main()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    # The process of a run repeats the main module of the code server that starts it.
    with collector_paused():
        import_module("phx_pipeline.definitions")
