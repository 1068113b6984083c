"""Each isolation mode on real displays: what windows reach, and what is told."""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser.isolation import (
    Machine,
    Screen,
    displays,
    screen,
    this_machine,
)
from phx_pipeline.fetch.clients.browser.launch import Launch, launch
from phx_pipeline.fetch.clients.browser.x11 import (
    Display,
    Monitor,
    NoDisplayError,
    look,
)
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline_tests.commands import Phx
from phx_pipeline_tests.integration.fetch.browser.conftest import (
    TwoScreens,
    eventually,
    reached,
)


@pytest.fixture
def managed(two_screens: TwoScreens) -> Iterator[None]:
    """A window manager on both screens; skips where there is none."""
    if (openbox := shutil.which("openbox")) is None:
        pytest.skip("openbox, a window manager, is not installed")
    manager = subprocess.Popen(  # noqa: S603 - the tests' own arguments
        [openbox, "--sm-disable"],
        env={"DISPLAY": two_screens, "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        stderr=subprocess.DEVNULL,
    )
    try:
        assert eventually(lambda: look(two_screens).managed, within_s=10)
        yield
    finally:
        manager.terminate()
        manager.wait(10)


@pytest.mark.parametrize(
    ("mode", "left_and_size", "on_screen"),
    [
        (IsolationMode.VIRTUAL, (0, 1920, 1080), ""),
        # a window that fills a screen is one pixel smaller, by Chromium's own rule
        (IsolationMode.SECONDARY, (0, 1279, 799), ".1"),
        (IsolationMode.OFF_SCREEN, (-32000, 1920, 1080), ""),
        pytest.param(IsolationMode.NONE, (0, 1599, 899), "", marks=pytest.mark.soak),
    ],
)
def test_a_window_is_drawn_where_it_was_asked_for(
    plan: Launch,
    two_screens: TwoScreens,
    monkeypatch: pytest.MonkeyPatch,
    mode: IsolationMode,
    left_and_size: tuple[int, int, int],
    on_screen: str,
) -> None:
    monkeypatch.setenv("DISPLAY", two_screens)

    with screen(mode) as shown:
        told = _reached(plan, shown)

    assert (shown.mode, shown.told) == (mode, ())
    is_theirs = shown.display == two_screens + on_screen
    assert is_theirs is (mode is not IsolationMode.VIRTUAL)
    assert told["state"] == "visible"
    assert told["frames"] == 10
    assert (told["left"], told["width"], told["height"]) == left_and_size


@pytest.mark.usefixtures("managed")
def test_a_minimized_window_is_an_icon_and_hidden(
    plan: Launch, two_screens: TwoScreens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", two_screens)

    with screen(IsolationMode.MINIMIZE) as shown:
        told = _reached(plan, shown)

    assert shown.mode is IsolationMode.MINIMIZE
    assert (told["windowState"], told["state"]) == ("minimized", "hidden")
    assert told["frames"] == 0


def _reached(plan: Launch, shown: Screen) -> dict[str, Any]:
    browser = launch(replace(plan, screen=shown))
    try:
        return reached(browser, minimized=shown.minimized)
    finally:
        browser.stop()


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (IsolationMode.MINIMIZE, "no window manager runs on the display"),
        (IsolationMode.SECONDARY, "one monitor"),
    ],
)
def test_a_mode_that_cannot_be_had_is_replaced_and_logged_once(
    virtual: Screen,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    mode: IsolationMode,
    why: str,
) -> None:
    for name, value in virtual.environ.items():
        monkeypatch.setenv(name, value)

    with caplog.at_level(logging.WARNING), screen(mode) as shown:
        pass

    assert shown.mode is IsolationMode.VIRTUAL
    assert len(shown.told) == len(caplog.messages) == 1
    assert caplog.messages[0].startswith(
        "the browser's window is virtual; what was tried before cannot be had: "
        f"{mode}: "
    )
    assert why in caplog.messages[0]


def test_without_xvfb_the_window_is_off_screen(
    virtual: Screen, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in virtual.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(tmp_path))

    with screen(IsolationMode.VIRTUAL) as shown:
        assert (shown.mode, shown.display) == (
            IsolationMode.OFF_SCREEN,
            virtual.display,
        )
    assert shown.told == ("virtual: Xvfb is not installed",)


@pytest.mark.parametrize("mode", IsolationMode)
def test_without_any_display_the_error_names_each_remedy(
    mode: IsolationMode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserError) as refused, screen(mode):
        pass

    assert f"{mode}: " in str(refused.value)
    assert "DISPLAY is not set" in str(refused.value)
    assert "install Xvfb (package xvfb)" in str(refused.value)
    assert "start phx from a desktop, or set DISPLAY" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["echo no space >&2; exit 1", "exit 0", "echo seven >&$2"]
)
def test_an_xvfb_that_does_not_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    program = tmp_path / "Xvfb"
    program.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with (
        pytest.raises(BrowserError, match=r"Xvfb did not start \((no space|it said)"),
        screen(IsolationMode.VIRTUAL),
    ):
        pass


def test_a_display_of_ours_is_for_us_alone(virtual: Screen) -> None:
    assert look(virtual.display, authority=virtual.authority).screens == ((1920, 1200),)

    with pytest.raises(NoDisplayError, match="does not answer"):
        look(virtual.display)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (":64999", "display :64999 does not answer"),
        ("localhost:1", "display localhost:1 does not answer"),
        ("nonsense", "'nonsense' is not the name of a display"),
        (":0.x", "':0.x' is not the name of a display"),
    ],
)
def test_a_display_that_is_none_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    monkeypatch.setenv("DISPLAY", name)

    assert told in this_machine().no_display


@pytest.mark.parametrize(("primary", "second"), [(0, "1920,0"), (1920, "0,0")])
def test_the_second_monitor_is_the_one_that_is_not_primary(
    primary: int, second: str
) -> None:
    monitors = [
        Monitor(x=x, y=0, width=1920, height=1080, primary=x == primary)
        for x in (0, 1920)
    ]
    display = Display(
        name=":5", screens=((3840, 1080),), monitors=tuple(monitors), managed=False
    )

    rows = displays(Machine(xvfb=None, display=display))

    assert rows[1] == {
        "mode": "secondary",
        "available": True,
        "how": f"the monitor at {second} of :5",
        "remedy": None,
    }


# --- the command


@pytest.mark.usefixtures("managed")
def test_the_command_tells_of_a_desktop(
    phx: Phx, two_screens: TwoScreens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", two_screens)
    monkeypatch.setenv("PHX_ISOLATION", "secondary")

    shown, machine = phx("browser", "displays"), phx("browser", "displays", "--json")

    assert (shown.code, machine.code) == (0, 0)
    assert f"{two_screens}: 1600x900 and 1280x800, 1 monitor, a window" in shown.out
    assert f"secondary *  yes  the screen {two_screens}.1" in shown.out
    told = json.loads(machine.out)
    assert told["isolation"] == "secondary"
    assert told["display"]["window_manager"] is True
    assert {row["mode"]: row["available"] for row in told["modes"]} == dict.fromkeys(
        IsolationMode, True
    )


def test_a_browser_that_is_switched_off_is_told(
    phx: Phx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PHX_BROWSER", "off")

    shown, machine = phx("browser", "displays"), phx("browser", "displays", "--json")

    told = json.loads(machine.out)
    assert told["lacking"].startswith(
        "the browser is switched off (PHX_BROWSER); unset"
    )
    assert f"Runs ask no browser here: {told['lacking']}." in shown.out
    assert told["display"]["screens"] is None


def test_the_command_tells_what_to_install(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    ended = phx("browser", "displays")

    assert ended.code == 1
    assert "not found: install Chromium (package chromium)" in ended.out
    assert "install Xvfb (package xvfb)" in ended.out
    assert "start phx from a desktop, or set DISPLAY" in ended.out


def test_what_has_no_end_is_no_file_of_passwords(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "authority").touch()
    os.mkfifo(tmp_path / "pipe")

    found = []
    for name in (tmp_path / "authority", tmp_path / "pipe", Path("/dev/zero")):
        monkeypatch.setenv("XAUTHORITY", str(name))
        found.append(this_machine(looks=False).authority)

    assert found == [tmp_path / "authority", None, None]
