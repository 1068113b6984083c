"""Who asks: by key, by session, or the one user of this computer. No rows, no pages.

What is in the catalogue is read at most every few seconds, in a thread, so that the
hundred requests of a page cost one look, and a key that is revoked is soon worth
nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from phx_pipeline.catalog.access import Admitted
from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import CatalogDownError, PhxError
from phx_pipeline.model.access import (
    ApiKey,
    Principal,
    Session,
    digest_of,
    is_key,
    is_same,
    is_token,
    key_id_of,
    new_token,
)

logger = logging.getLogger("dagster.phx_pipeline.service")

SESSION_SPAN = timedelta(hours=12)
_KEPT_S = 2.0  # how long a look counts
_SOON_S = 0.25  # when somebody shows what was not there then
_PATIENCE_S = 2.0  # for a database that does not answer


class Store(Protocol):
    """Keys and sessions where they are kept; every call may take its time."""

    def admitted(self) -> Admitted:
        """Who may come in now."""

    def begin(self, session: Session, *, ends: str | None) -> None:
        """Add a session; that with the digest *ends* is over."""

    def end(self, digest: str) -> None:
        """End a session."""


class CatalogStore:
    """The store in the catalogue, which is opened for one call at a time."""

    def __init__(
        self, open_catalog: Callable[[], Catalog], *, clock: Callable[[], datetime]
    ) -> None:
        self._open_catalog = open_catalog
        self._clock = clock

    def admitted(self) -> Admitted:
        """Who may come in now."""
        with closing(self._open_catalog()) as catalog:
            return catalog.access.admitted(at=self._clock())

    def begin(self, session: Session, *, ends: str | None) -> None:
        """Add a session; that with the digest *ends* is over."""
        with closing(self._open_catalog()) as catalog:
            catalog.access.begin(session, ends=ends)

    def end(self, digest: str) -> None:
        """End a session."""
        with closing(self._open_catalog()) as catalog:
            catalog.access.end(digest)


class KeyRing:
    """What keys and sessions there are, as they were a moment ago.

    While the database does not answer, what was known stays: nobody can revoke
    anything then.
    """

    def __init__(
        self, store: Store, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._known: Admitted | None = None
        self._read_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="sessions")
        self._begun: dict[str, Session] = {}  # those that are not written yet
        self._ended: set[str] = set()  # the same
        self._under_way: set[asyncio.Task[PhxError | None]] = set()

    async def admitted(self, *, anew: bool = False) -> Admitted:
        """What there is; *anew*: not of some seconds ago.

        Raises:
            CatalogDownError: it was never known, and cannot be found out now.
        """
        if self._clock() - self._read_at > (_SOON_S if anew else _KEPT_S):
            if self._looking is None:
                self._looking = asyncio.create_task(self._look())
            await asyncio.wait({self._looking}, timeout=_PATIENCE_S)
        if self._known is None:
            raise CatalogDownError("the catalogue does not answer: try again later")
        return self._with_unwritten(self._known)

    async def begin(self, session: Session, *, ends: str | None) -> None:
        """Add a session; it counts at once, also while another process writes."""
        self._begun[session.digest] = session
        write = partial(self._store.begin, session, ends=ends)
        await self._written(write, lambda: self._begun.pop(session.digest))

    async def end(self, digest: str) -> None:
        """End a session, at once."""
        self._ended.add(digest)
        write = partial(self._store.end, digest)
        await self._written(write, lambda: self._ended.discard(digest))

    def _with_unwritten(self, known: Admitted) -> Admitted:
        if not (self._begun or self._ended):
            return known
        found = {it.digest: it for it in known.sessions} | self._begun
        kept = tuple(it for it in found.values() if it.digest not in self._ended)
        return replace(known, sessions=kept)

    async def _written(
        self, write: Callable[[], None], forget: Callable[[], object]
    ) -> None:
        """Wait a moment for *write*, which goes on; *forget* what is in the store."""
        writing = asyncio.create_task(self._write(write, forget))
        self._under_way.add(writing)
        writing.add_done_callback(self._under_way.discard)
        await asyncio.wait({writing}, timeout=_PATIENCE_S)
        if writing.done() and (error := writing.result()) is not None:
            raise error

    async def _write(
        self, write: Callable[[], None], forget: Callable[[], object]
    ) -> PhxError | None:
        """Return why it cannot be written; what was told then counts here alone."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writing, write)
        except PhxError as error:
            logger.warning("a session is not in the catalogue: %s", error)
            return error
        if self._looking is not None:  # it may have begun before
            await asyncio.wait({self._looking})
        self._read_at = float("-inf")
        forget()
        return None

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._known = await loop.run_in_executor(self._thread, self._store.admitted)
        except PhxError as error:
            logger.warning("keys cannot be looked up: %s", error)
        finally:
            self._read_at = self._clock()
            self._looking = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a request has to show: a key in a header, or the cookie of a session."""

    key: str | None
    cookie: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who it is; None with the reason why not, empty if nothing was shown."""

    principal: Principal | None = None
    why: str = ""


class Access:
    """Tells who asks.

    Args:
        ring: The keys and sessions.
        local: The one user there is as long as there is no key.
        is_beyond_loopback: Others may get here, so that there is no such user.
        clock: The wall clock.
    """

    def __init__(
        self,
        ring: KeyRing,
        *,
        local: Principal,
        is_beyond_loopback: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._ring = ring
        self._local = local
        self._is_beyond_loopback = is_beyond_loopback
        self._clock = clock

    async def who(self, shown: Shown) -> Known:
        """Who shows this; `CatalogDownError` if that cannot be told."""
        if await self.needs_no_key():
            return Known(principal=self._local)
        if shown.key is not None:
            return await self.of_key(shown.key)
        return await self._of_cookie(shown.cookie) if shown.cookie else Known()

    async def of_key(self, text: str) -> Known:
        """Whose key *text* is."""
        digest = digest_of(text)
        key = _key(await self._ring.admitted(), digest)
        if key is None and is_key(text):
            key = _key(await self._ring.admitted(anew=True), digest)
        if key is None:
            return Known(why="this key is not known here")
        return self._of_key(key)

    async def needs_no_key(self) -> bool:
        """Whether there is but the local user."""
        if self._is_beyond_loopback:
            return False
        keys = (await self._ring.admitted()).keys
        return all(key.revoked_at is not None for key in keys)

    async def begin(self, key_id: str, *, ends: str | None) -> str:
        """Begin a session of this key; return its cookie, which nobody had before.

        The session whose cookie is *ends* is over.
        """
        cookie, at = new_token(), self._clock()
        session = Session(
            digest=digest_of(cookie),
            key_id=key_id,
            created_at=at,
            expires_at=at + SESSION_SPAN,
        )
        await self._ring.begin(session, ends=digest_of(ends) if ends else None)
        return cookie

    async def end(self, cookie: str) -> None:
        """End the session of this cookie."""
        await self._ring.end(digest_of(cookie))

    def _of_key(self, key: ApiKey) -> Known:
        if key.is_valid(at=self._clock()):
            return Known(principal=key.principal)
        how = "was revoked" if key.revoked_at else "has expired"
        return Known(why=f"the key {key.id} {how}")

    async def _of_cookie(self, cookie: str) -> Known:
        admitted = await self._ring.admitted()
        session = _session(admitted, cookie)
        if session is None and is_token(cookie):
            admitted = await self._ring.admitted(anew=True)
            session = _session(admitted, cookie)
        if session is None or not session.is_valid(at=self._clock()):
            return Known(why="the session is over")
        # Its key is there: rows of keys are never deleted.
        key = next(key for key in admitted.keys if key.id == session.key_id)
        return self._of_key(key)


def _key(admitted: Admitted, digest: str) -> ApiKey | None:
    key_id = key_id_of(digest)
    found = (key for key in admitted.keys if key.id == key_id)
    return next((key for key in found if is_same(key.digest, digest)), None)


def _session(admitted: Admitted, cookie: str) -> Session | None:
    digest = digest_of(cookie)
    return next((it for it in admitted.sessions if is_same(it.digest, digest)), None)
