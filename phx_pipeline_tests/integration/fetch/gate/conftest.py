import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import psutil
import pytest

from phx_pipeline.fetch.clients.browser.gate import Gate
from phx_pipeline.fetch.hosts import is_listed

OpenGate = Callable[..., AbstractAsyncContextManager[Gate]]


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """No test may leave a task, a descriptor, or an exception nobody asked for."""
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: told.append(what))
    before = psutil.Process().num_fds()
    yield
    for _ in range(50):
        if psutil.Process().num_fds() <= before:
            break
        await asyncio.sleep(0.01)
    gc.collect(1)  # the young ones: a full one takes longer than the test
    assert told == []
    assert psutil.Process().num_fds() <= before
    assert len(asyncio.all_tasks()) == 1


@pytest.fixture
def open_gate() -> OpenGate:
    """A gate that lets through zillow.com and what is below it."""

    @asynccontextmanager
    async def opened(**how: Any) -> AsyncIterator[Gate]:
        how.setdefault("allows", partial(is_listed, entries=("zillow.com",)))
        gate = Gate(**how)
        await gate.start()
        try:
            yield gate
        finally:
            await gate.aclose()
            assert not gate._talks

    return opened
