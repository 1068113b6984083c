"""Asking again after a passing fault, with growing pauses."""

import logging
from dataclasses import dataclass
from typing import Final

import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from phx_pipeline.errors import TransientError
from phx_pipeline.fetch.base import Fetched, Fetcher, Request

logger = logging.getLogger(__name__)

_LONG_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to pause: min(ceiling, initial * 2**(n - 1) + uniform(0, jitter)).

    A source that states its own wish is given it instead, unless that is more than
    `patience_s`: then the error is raised at once, for somebody who can wait longer.
    """

    initial_s: float = 0.5
    ceiling_s: float = 10.0
    jitter_s: float = 1.0
    patience_s: float = 60.0


_DEFAULT_BACKOFF = Backoff()


class Retries:
    """Repeats a request whose error is transient; the last error comes out as it is."""

    def __init__(
        self,
        inner: Fetcher,
        *,
        attempts: int = 3,
        backoff: Backoff = _DEFAULT_BACKOFF,
    ) -> None:
        self._inner = inner
        self._attempts = attempts
        self._backoff = backoff

    async def get(self, request: Request) -> Fetched:
        """Return the first answer in at most the given number of attempts."""
        async for attempt in stamina.retry_context(
            on=self._pause_after,
            attempts=self._attempts,
            timeout=None,
            wait_initial=self._backoff.initial_s,
            wait_max=self._backoff.ceiling_s,
            wait_jitter=self._backoff.jitter_s,
        ):
            with attempt:
                return await self._inner.get(request)
        raise AssertionError("the last attempt either returned or raised")

    async def aclose(self) -> None:
        """Close what is inside."""
        await self._inner.aclose()

    def _pause_after(self, error: Exception) -> bool | float:
        """Return False for "do not repeat", True for the usual pause, or seconds."""
        if not (isinstance(error, TransientError) and error.is_worth_repeating):
            return False
        wish = error.retry_after_s
        if wish is None or wish <= 0:
            return True
        return wish if wish <= self._backoff.patience_s else False


def _tell(details: RetryDetails) -> None:
    # A run shows what it waits for; the short pauses of many photos are no news.
    level = logging.INFO if details.wait_for >= _LONG_S else logging.DEBUG
    logger.log(level, "asks again in %.1f s: %s", details.wait_for, details.caused_by)


# By default it logs through structlog where that is there, which prints on standard
# output: the JSON of a command goes there.
set_on_retry_hooks([_tell])
