"""`python -P -m phx_pipeline.supervise.program MODULE ARGUMENT…`: its `main`, sooner.

Which services there are belongs to `services`, what a worker is to `fork_server`.
"""

import sys
from importlib import import_module

from phx_pipeline.supervise.collector import collector_paused


def main() -> None:
    """Call the `main` of the module named first, which reads `sys.argv` itself."""
    del sys.argv[0]
    with collector_paused():
        module = import_module(sys.argv[0])
    module.main()


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":
    # Each worker repeats the main module of the code server that asked for it.
    from phx_pipeline.supervise import fork_server

    fork_server.become_worker(fork_server.PARENT)
