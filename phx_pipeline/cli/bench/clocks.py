"""Stopwatches; each yields a list whose one entry is set when the body has ended."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cpu_ms() -> Iterator[list[float]]:
    """Measure the processor time of this process, all threads."""
    spent = [0.0]
    start = time.process_time()
    yield spent
    spent[0] = (time.process_time() - start) * 1000
