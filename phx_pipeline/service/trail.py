"""Notes in the audit trail, written in their order by a thread of their own.

A deed that was done is not undone because it cannot be noted: then the log has it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import PhxError
from phx_pipeline.model.access import AuditNote
from phx_pipeline.model.printable import printable

logger = logging.getLogger("dagster.phx_pipeline.service")

OpenCatalog = Callable[[], Catalog]
_MOST_WAITING = 1_000  # notes; then who is to be noted waits as well
_MOST_REFUSED = 100  # notes a minute, of wrong keys from many addresses
_MINUTE = timedelta(minutes=1)
_LINGER_S = 5.0  # for the last notes, when the service ends


class Trail:
    """Notes who did what.

    What waits while another process writes goes into the catalogue at once, so a note
    waits for that process once, however many are before it.

    Args:
        open_catalog: Opens the catalogue for some notes.
        clock: The wall clock.
    """

    def __init__(
        self, open_catalog: OpenCatalog, *, clock: Callable[[], datetime]
    ) -> None:
        self._open_catalog = open_catalog
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._waiting: deque[AuditNote] = deque()
        self._under_way: list[AuditNote] = []
        self._refused_at: deque[datetime] = deque(maxlen=_MOST_REFUSED)

    async def note(
        self,
        user: str,
        action: str,
        target: str,
        *,
        detail: str = "",
        address: str = "",
    ) -> None:
        """Note that *user* did this just now; `catalog.audit` tells the words.

        It is written, or in the log, when this returns.
        """
        written = self._put(user, action, target, detail=detail, address=address)
        await asyncio.wrap_future(written)

    async def note_beside(
        self, user: str, action: str, target: str, *, address: str = ""
    ) -> None:
        """As `note`, without waiting until it is written, unless very many wait."""
        is_full = len(self._waiting) >= _MOST_WAITING
        written = self._put(user, action, target, detail="", address=address)
        if is_full:
            await asyncio.wrap_future(written)

    async def note_refusal(self, why: str, *, address: str) -> None:
        """Note that a key was wrong, but of very many a minute only the first ones."""
        at, known = self._clock(), self._refused_at
        if len(known) == _MOST_REFUSED and at - known[0] < _MINUTE:
            logger.warning("a wrong key from %s: %s", printable(address), why)
            return
        known.append(at)
        await self.note_beside("", "login.refused", why, address=address)

    def settle(self, *, within_s: float = _LINGER_S) -> None:
        """Return when all that was told is written, or else in the log.

        Args:
            within_s: As long it may take until then.
        """
        try:
            self._thread.submit(self._write_waiting).result(within_s)
        except TimeoutError:
            self._log([*self._under_way, *self._waiting], "the catalogue is locked")

    def _put(
        self, user: str, action: str, target: str, *, detail: str, address: str
    ) -> Future[None]:
        self._waiting.append(
            AuditNote(
                at=self._clock(),
                user=user,
                action=action,
                target=target,
                detail=detail,
                address=address,
            )
        )
        return self._thread.submit(self._write_waiting)

    def _write_waiting(self) -> None:
        """Write all that waits; nothing if the turn before this has done so."""
        while self._waiting:  # only this thread takes any
            self._under_way.append(self._waiting.popleft())
        if not self._under_way:
            return
        try:
            with closing(self._open_catalog()) as catalog:
                catalog.audit.note_all(self._under_way)
        except PhxError as error:
            self._log(self._under_way, str(error))
        finally:
            self._under_way = []

    def _log(self, notes: Iterable[AuditNote], why: str) -> None:
        for it in notes:
            deed = (it.user, it.action, it.target, it.detail, it.address)
            told = printable(" ".join(deed))
            logger.error("not in the audit trail (%s): %s", why, told)
