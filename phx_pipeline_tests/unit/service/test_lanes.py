"""Who is answered at once, and who waits for a place."""

import asyncio

import pytest

from phx_pipeline.service.lanes import LaneFullError, Lanes


class Asking:
    """Requests that are answered when a test says so; `begun` have a place."""

    def __init__(self, lanes: Lanes) -> None:
        self.begun: list[str] = []
        self.answered = asyncio.Event()
        self._lanes = lanes

    async def one(self, user: str) -> None:
        async with self._lanes.place(user):
            self.begun.append(user)
            await self.answered.wait()


async def test_of_one_user_some_are_answered_and_others_wait_or_are_refused() -> None:
    asking = Asking(Lanes(most=4, most_of_user=2, most_waiting=2))
    async with asyncio.TaskGroup() as tasks:
        for user in "aaaabbbbcc":
            tasks.create_task(asking.one(user))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert sorted(asking.begun) == ["a", "a", "b", "b"]
        with pytest.raises(LaneFullError):
            await asking.one("a")
        asking.answered.set()

    assert sorted(asking.begun) == sorted("aaaabbbbcc")
    await asking.one("a")


async def test_who_waited_for_too_long_or_went_leaves_no_place_taken() -> None:
    asking = Asking(Lanes(most=1, most_of_user=1, most_waiting=9, patience_s=0.01))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asking.one("a"))
        await asyncio.sleep(0)
        for user in ("a", "b"):
            with pytest.raises(LaneFullError):
                await asking.one(user)
        gone = tasks.create_task(asking.one("b"))
        await asyncio.sleep(0)
        gone.cancel()
        asking.answered.set()

    await asking.one("b")
    assert asking.begun == ["a", "b"]
