"""One site and one browser for all tests of a module."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from phx_pipeline.fetch.base import Fetched
from phx_pipeline.fetch.clients.browser.client import BrowserClient
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.fetch.session import Session
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline.model.source import Source
from phx_pipeline.sources.registry import available_sources, data_of
from phx_pipeline_tests.browser_pages import (
    HOST,
    HOSTS,
    PAGES,
    STATIC_HOST,
    Turns,
    asked,
)
from phx_pipeline_tests.fault_site import FaultSite, fault_server


@dataclass(slots=True, kw_only=True)
class Room:
    """A site, and clients that ask for its pages."""

    site: FaultSite
    folder: Path
    session: Session = field(
        default_factory=lambda: Session("a-house", date(2025, 3, 9))
    )

    def client(self, **changes: Any) -> BrowserClient:
        """A client with hasty readers, whose browser is not started yet."""
        executable = find_chromium(None)
        if executable is None:
            pytest.skip("no Chromium is installed")
        given: dict[str, Any] = {
            "executable": executable,
            "profiles": self.profiles,
            "isolation": IsolationMode.VIRTUAL,
            "hosts": {Source.ZILLOW: [HOST, STATIC_HOST]},
            "turns": Turns(),
            "holds_data": data_of(available_sources()),
            "session": self.session,
            "proxy": self.site.proxy,
            "ca_file": self.site.ca_file,
            "seed": "x",
            "pace": 0.1,
        }
        return BrowserClient(**(given | changes))

    @property
    def profiles(self) -> Path:
        """Where the browsers' profiles are."""
        return self.folder / "browser"

    def profiles_left(self) -> list[Path]:
        """The profiles that nobody has removed."""
        return list(self.profiles.iterdir()) if self.profiles.is_dir() else []

    def browsers(self) -> list[psutil.Process]:
        """The first process of each browser that runs."""
        return [p for p in psutil.process_iter() if self._is_browser(p)]

    def _is_browser(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            line = process.cmdline()
            is_first = not any(part.startswith("--type=") for part in line)
            mark = f"--user-data-dir={self.profiles}"
            return is_first and any(part.startswith(mark) for part in line)
        return False


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("browser")
    with fault_server(folder, PAGES, hosts=HOSTS) as site:
        yield Room(site=site, folder=folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(room: Room) -> AsyncIterator[BrowserClient]:
    """A client that all tests of the module share; its browser runs."""
    client = room.client()
    await client.get(asked("/ok"))
    yield client
    await client.aclose()


async def is_fit(client: BrowserClient) -> bool:
    """Whether the next page of the client is as it should be."""
    return (await client.get(asked("/ok"))).body.endswith(b"<h1>fine</h1></body>")


async def begun(client: BrowserClient, path: str, site: FaultSite) -> Any:
    """A request for a page that is shown, and does not come wholly."""
    before = len(site.paths)
    request: asyncio.Task[Fetched] = asyncio.create_task(client.get(asked(path)))
    await until(lambda: path in site.paths[before:] and _is_shown(client))
    return request


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so, for a while."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - it is so in a thread or a process
            await asyncio.sleep(0.02)


def _is_shown(client: BrowserClient) -> bool:
    browser = client._desks[Source.ZILLOW].browser
    journal = browser.session._journal if browser else None
    return journal is not None and journal.document is not None
