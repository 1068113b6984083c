"""A browser whose profile finds no room on the disk."""

from pathlib import Path

import pytest

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser.isolation import Screen
from phx_pipeline.fetch.clients.browser.launch import Launch, launch
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline_tests.integration.disk.conftest import SmallDisk

NOWHERE = Screen(mode=IsolationMode.NONE, display=":64999")


def plan(profiles: Path) -> Launch:
    program = Path("/bin/true")
    return Launch(executable=program, profiles=profiles, screen=NOWHERE, proxy_port=9)


def test_a_full_disk_is_told_before_a_browser_is_started(small_disk: SmallDisk) -> None:
    small_disk.fill()

    with pytest.raises(BrowserError, match=r"0 MB free, .* needs 64 MB: make room"):
        launch(plan(small_disk.folder / "browser"))

    assert list((small_disk.folder / "browser").iterdir()) == []


def test_a_disk_that_cannot_be_written_is_told(small_disk: SmallDisk) -> None:
    with pytest.raises(BrowserError, match="the file system is read-only; mount it"):
        launch(plan(small_disk.read_only() / "browser"))
