"""Browsers that come and go many times: nothing of them is left."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from phx_pipeline.demo.houses import House
from phx_pipeline.fetch.base import Request, RequestKind
from phx_pipeline.model.source import Source
from phx_pipeline.sources.zillow.standin import detail_path
from phx_pipeline.workflows.verify import verify_property
from phx_pipeline_tests.browser_site import BrowserSite, several
from phx_pipeline_tests.browsers import (
    MOST_PSS_MB,
    profiles,
    pss_mb,
    started_by,
    wait_until_gone,
)
from phx_pipeline_tests.chromium import find_chromium
from phx_pipeline_tests.deployment import SMALLEST, Deployment, slug_of, with_shots
from phx_pipeline_tests.forked import ended, start_phx

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed"),
]

HOUSE = with_shots(SMALLEST, 0, 1)
_SEED = 20261127
_CYCLES = 30
_KILLS = 20
_PATIENCE_S = 120.0
_WARM = 2  # cycles after which everything that stays is there


def locks_of(servers: set[int]) -> list[Path]:
    """The lock files of X servers that these processes left."""
    locks = []
    for lock in Path("/tmp").glob(".X*-lock"):  # noqa: S108 - where X servers have it
        with suppress(OSError, ValueError):
            if int(lock.read_text()) in servers:
                locks.append(lock)
    return locks


def held() -> tuple[int, int, int]:
    """Descriptors, threads and children of this process."""
    children = psutil.Process().children(recursive=True)
    return psutil.Process().num_fds(), threading.active_count(), len(children)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where Chromium puts what does not belong to a profile, a socket among it.

    The path of a socket is short: it has no place below the folder of a test.
    """
    with TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture
def site() -> BrowserSite:
    return BrowserSite(source=Source.ZILLOW, houses=[HOUSE])


@pytest.fixture
def made(site: BrowserSite, tmp_path: Path) -> Iterator[Deployment]:
    with Deployment(
        tmp_path / "installed",
        several(site),
        sources=(Source.ZILLOW,),
        browser="auto",
        lease_ttl_s=2,
    ) as made:
        made.add_houses([HOUSE])
        yield made


def request_for(house: House) -> Request:
    return Request(
        url=f"https://www.zillow.com{detail_path(house)}",
        source=Source.ZILLOW,
        kind=RequestKind.PAGE,
        max_bytes=8_000_000,
        browser_first=True,
    )


def test_thirty_browsers_leave_nothing(made: Deployment, temporary: Path) -> None:
    counts: list[tuple[int, int, int]] = []
    memory: list[float] = []
    servers: set[int] = set()

    async def cycle(number: int) -> None:
        with made.context(f"cycle-{number}") as context:
            fetcher = context.open_fetcher(slug_of(HOUSE))
            try:
                answer = await fetcher.get(request_for(HOUSE))
                memory.append(pss_mb(made))
                servers.update(p.pid for p in psutil.Process().children())
            finally:
                await fetcher.aclose()
            assert b"gdpClientCache" in answer.body

    for number in range(_CYCLES):
        asyncio.run(cycle(number))
        assert profiles(made) == []
        wait_until_gone(made)
        counts.append(held())

    assert counts[_WARM:] == [counts[_WARM]] * (_CYCLES - _WARM)
    assert list(temporary.iterdir()) == []
    assert servers
    assert locks_of(servers) == []
    assert max(memory) <= MOST_PSS_MB


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_ended_at_any_moment_leaves_no_browser(
    number: signal.Signals, made: Deployment, site: BrowserSite, temporary: Path
) -> None:
    chance = random.Random(f"{_SEED} {number}")  # noqa: S311 - which moments
    for _ in range(_KILLS):
        _reset(made)
        run = start_phx("extract", "--all", "--sync", "--fresh", env=_env(made))
        time.sleep(chance.uniform(0.2, 6.0))
        assert run.pid is not None
        started = started_by(run.pid)
        with suppress(ProcessLookupError):  # it was done already
            os.kill(run.pid, number)
        wait_until_gone(made, started)
        assert ended(run, patience_s=_PATIENCE_S) is not None
        assert len(profiles(made)) <= 1

    _reset(made)
    site.visits.clear()  # nothing that was allowed before counts
    done = start_phx("extract", "--all", "--sync", "--fresh", env=_env(made))

    assert ended(done, patience_s=_PATIENCE_S) == 0
    assert profiles(made) == []
    with made.context() as context:
        assert verify_property(context, slug_of(HOUSE)) == []
    assert list(temporary.iterdir()) == []


def _reset(made: Deployment) -> None:
    with made.context() as context:
        states = context.catalog.policies.source_states()[1]
        context.catalog.policies.reset([state.name for state in states])


def _env(made: Deployment) -> dict[str, str]:
    return made.env | {"TMPDIR": os.environ["TMPDIR"]}
