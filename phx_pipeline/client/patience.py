"""Bearing with a side that is away for a while, as while its service starts again."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from phx_pipeline.errors import CatalogDownError, ServiceError

_PATIENCE_S: Final = 120.0

_T = TypeVar("_T")


class Patience:
    """Asks again and again; who never answered is not waited for."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered_s: float | None = None

    def look(self, ask: Callable[[], _T]) -> _T | None:
        """Return what *ask* does; None if the side is away and may be back soon.

        Raises:
            CatalogDownError: its database is away for two minutes.
            ServiceError: it is away for two minutes itself.
        """
        try:
            found = ask()
        except (CatalogDownError, ServiceError):
            since = self._answered_s
            if since is None or self._clock() - since > _PATIENCE_S:
                raise
            return None
        self._answered_s = self._clock()
        return found
