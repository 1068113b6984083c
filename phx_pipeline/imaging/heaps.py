"""How glibc hands out memory to threads, which decides how much of it lies idle."""

import ctypes
import sys
from functools import cache
from typing import Final

LARGE: Final = 16_000_000  # pixels, so many that idle memory is not left idle

_ARENA_MAX: Final = -8  # M_ARENA_MAX of glibc's <malloc.h>
_HEAPS: Final = 1


@cache
def share_heaps() -> None:
    """Let all threads that come later share one heap.

    By default each has its own, up to eight for each processor, and what a large
    picture left in one of them is of no use to the others. Where the C library is not
    glibc nothing is done.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Return to the system what lies idle; glibc keeps pages between used ones."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
