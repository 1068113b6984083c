"""Many values, some at a time: statements take only so many."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batches(many: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield *many* in lists of *size*, the last one shorter."""
    rest = iter(many)
    while some := list(islice(rest, size)):
        yield some
