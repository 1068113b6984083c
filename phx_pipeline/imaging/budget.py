"""How many pixels are decoded at once, over all threads of a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from phx_pipeline.imaging.memory import MAX_PIXELS

_AT_ONCE: Final = MAX_PIXELS  # the largest picture there may be, by itself


class PixelBudget:
    """Pixels that are in memory; whoever needs more waits for others to be done.

    A picture larger than all of it is let in by itself. A thread that holds some must
    not ask for more.
    """

    def __init__(self, *, pixels: int = _AT_ONCE) -> None:
        self._all = pixels
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, pixels: int) -> Iterator[int]:
        """Hold room for *pixels* while the body runs; it gets what all hold now."""
        wanted = min(pixels, self._all)
        with self._changed:
            self._changed.wait_for(lambda: self._taken + wanted <= self._all)
            self._taken += wanted
            taken = self._taken
        try:
            yield taken
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()
