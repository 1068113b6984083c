"""Who is answered at once, and who waits: some for each user, some for all together.

Who waits here keeps no thread. What is asked, and how a refusal looks, is not known.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

PATIENCE_S: Final = 30.0


class LaneFullError(Exception):
    """Too many of the same user wait already, or he waited for too long."""


@dataclass(kw_only=True)
class _Lane:
    """Of one user."""

    free: asyncio.Semaphore
    users: int = 0


@dataclass(kw_only=True)
class Lanes:
    """The places of some kind of requests; all within one event loop.

    Attributes:
        most: Requests that are answered at once.
        most_of_user: Those of one user.
        most_waiting: How many more of one user may wait.
        patience_s: How long.
    """

    most: int
    most_of_user: int
    most_waiting: int
    patience_s: float = PATIENCE_S

    _of_user: dict[str, _Lane] = field(default_factory=dict, init=False)
    _free: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        """Free all places."""
        self._free = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def place(self, user: str) -> AsyncIterator[None]:
        """Hold a place of *user*, after those who waited before.

        Raises:
            LaneFullError: there is none for him.
        """
        lane = self._of_user.setdefault(user, self._new_lane())
        if lane.users >= self.most_of_user + self.most_waiting:
            raise LaneFullError
        lane.users += 1
        try:
            await self._enter(lane)
            try:
                yield
            finally:
                self._free.release()
                lane.free.release()
        finally:
            lane.users -= 1
            if not lane.users:
                del self._of_user[user]

    def _new_lane(self) -> _Lane:
        return _Lane(free=asyncio.Semaphore(self.most_of_user))

    async def _enter(self, lane: _Lane) -> None:
        try:
            async with asyncio.timeout(self.patience_s):
                await lane.free.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    lane.free.release()
                    raise
        except TimeoutError as error:
            raise LaneFullError from error
