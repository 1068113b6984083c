"""Real Chromium and real displays for the tests of the browser."""

import contextlib
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.sync.client import connect

from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.fetch.clients.browser.isolation import Screen, screen
from phx_pipeline.fetch.clients.browser.launch import Chromium, Launch
from phx_pipeline.model.isolation import IsolationMode

NO_PROXY = 9  # a port where nobody listens

TwoScreens = str

# Whether frames are drawn, however slowly: ten of them, or none in the time given. An
# icon is waited for: until it is one, its window is drawn.
_FRAMES = """new Promise(done => {
  let frames = 0;
  const tell = () => done({frames, state: document.visibilityState});
  const draw = () => {
    frames += 1;
    if (frames == 10) { tell(); } else { requestAnimationFrame(draw); }
  };
  const begin = () => { requestAnimationFrame(draw); setTimeout(tell, PATIENCE_MS); };
  if (AS_ICON && document.visibilityState !== 'hidden') {
    document.addEventListener('visibilitychange', begin, {once: true});
  } else { begin(); }
})"""


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The executable; skips where there is none."""
    if (found := find_chromium(None)) is None:
        pytest.skip("chromium is not installed")
    return found


@pytest.fixture(scope="session")
def xvfb() -> str:
    """The executable; skips where there is none."""
    if (found := shutil.which("Xvfb")) is None:
        pytest.skip("Xvfb is not installed")
    return found


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test draws on the desktop of whoever runs it."""
    for name in ("DISPLAY", "XAUTHORITY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def virtual(xvfb: str) -> Iterator[Screen]:
    """A display in memory for the tests of one module."""
    del xvfb
    with screen(IsolationMode.VIRTUAL) as shown:
        yield shown


@pytest.fixture
def plan(chromium: Path, virtual: Screen, tmp_path: Path) -> Launch:
    return Launch(
        executable=chromium,
        profiles=tmp_path / "profiles",
        screen=virtual,
        proxy_port=NO_PROXY,
    )


@pytest.fixture(scope="module")
def two_screens(xvfb: str) -> Iterator[TwoScreens]:
    """The name of a display with two screens and no window manager."""
    reading, writing = os.pipe()
    shapes = ["-screen", "0", "1600x900x24", "-screen", "1", "1280x800x24"]
    rules = ["-displayfd", str(writing), "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(  # noqa: S603 - the tests' own arguments
        [xvfb, *shapes, *rules], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


def _frames(*, minimized: bool) -> str:
    patience_ms, as_icon = ("500", "true") if minimized else ("9000", "false")
    return _FRAMES.replace("PATIENCE_MS", patience_ms).replace("AS_ICON", as_icon)


def reached(browser: Chromium, *, minimized: bool = False) -> dict[str, Any]:
    """Return what a page and the window say of themselves."""
    with attached(browser) as ask:
        window = ask("Browser.getWindowForTarget")["windowId"]
        if minimized:
            icon = {"windowState": "minimized"}
            ask("Browser.setWindowBounds", windowId=window, bounds=icon)
        evaluated = ask(
            "Runtime.evaluate",
            expression=_frames(minimized=minimized),
            awaitPromise=True,
            returnByValue=True,
        )
        automated = ask("Runtime.evaluate", expression="navigator.webdriver")
        bounds: dict[str, Any] = ask("Browser.getWindowForTarget")["bounds"]
    told: dict[str, Any] = evaluated["result"]["value"]
    return bounds | told | {"webdriver": automated["result"]["value"]}


@contextlib.contextmanager
def attached(browser: Chromium) -> Iterator[Callable[..., dict[str, Any]]]:
    """Lend a way to send commands of the DevTools protocol to the first page."""
    url = f"http://127.0.0.1:{browser.port}/json"
    with urllib.request.urlopen(url, timeout=10) as answer:
        pages = [it for it in json.load(answer) if it["type"] == "page"]
    numbers = count(1)
    address = pages[0]["webSocketDebuggerUrl"]
    with connect(address, proxy=None, max_size=None, close_timeout=2) as wire:

        def ask(method: str, **params: object) -> dict[str, Any]:
            number = next(numbers)
            said = {"id": number, "method": method, "params": params}
            wire.send(json.dumps(said))
            while (told := json.loads(wire.recv(10))).get("id") != number:
                pass
            result: dict[str, Any] = told["result"]
            return result

        yield ask


def living_with(word: str) -> list[int]:
    """Ids of the processes, none of them a zombie, that name *word* as an argument."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline())
            if word in words and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def eventually(done: Callable[[], object], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(done())
