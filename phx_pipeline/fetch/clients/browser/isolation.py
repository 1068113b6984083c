"""Where the browser's window is, as `IsolationMode` says, and what that takes here.

What a window really reached is measured by the session once it is attached.
"""

import logging
import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser import keeper, x11
from phx_pipeline.model.isolation import IsolationMode

logger = logging.getLogger(__name__)

SIZE = (1920, 1080)  # of a window, in pixels, where the screen is as large

# A usual monitor, higher than the window: one that fills it is made a pixel smaller.
_SHAPE = "1920x1200x24"
_NEXT = (IsolationMode.VIRTUAL, IsolationMode.OFF_SCREEN)  # after the one asked for
_START_S = 10.0
_TICK_S = 0.02
_DISPLAY = re.compile(rb"\d{1,9}\n")  # its number, as Xvfb writes it
_FAR = -32_000  # pixels; where no monitor is
_GET_XVFB = "install Xvfb (package xvfb)"
_GET_DISPLAY = "start phx from a desktop, or set DISPLAY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Where a browser is to show its window.

    Attributes:
        mode: What is had, which may not be what was asked for.
        display: As in the variable DISPLAY.
        authority: The file with the display's password, as in XAUTHORITY.
        flags: Chromium's, for the place and size of the window.
        minimized: The window is to be made an icon once it is there.
        told: Why each mode tried before could not be had.
    """

    mode: IsolationMode
    display: str
    authority: Path | None = None
    flags: tuple[str, ...] = ()
    minimized: bool = False
    told: tuple[str, ...] = ()

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which a program finds the display."""
        found = {"DISPLAY": self.display}
        if self.authority:
            found["XAUTHORITY"] = str(self.authority)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of all that there is on this machine."""

    xvfb: Path | None
    display: x11.Display | None
    no_display: str = ""  # why there is none
    authority: Path | None = None


class _CannotError(Exception):
    """A mode cannot be had here; *remedy* says what would change that."""

    def __init__(self, why: str, *, remedy: str) -> None:
        super().__init__(why)
        self.remedy = remedy


def this_machine(*, looks: bool = True) -> Machine:
    """Return what this machine has; a display gets five seconds to answer.

    Not *looks*: nothing is asked of a display, as if there were none.
    """
    given = keeper.inherited("DISPLAY", "XAUTHORITY", "HOME")
    xvfb = shutil.which("Xvfb")
    machine = Machine(
        xvfb=Path(xvfb) if xvfb else None,
        display=None,
        no_display="DISPLAY is not set",
        authority=_authority(given.get("XAUTHORITY"), home=given.get("HOME")),
    )
    if not looks or not (name := given.get("DISPLAY")):
        return machine
    try:
        return replace(machine, display=x11.look(name, authority=machine.authority))
    except x11.NoDisplayError as error:
        return replace(machine, no_display=str(error))


def displays(machine: Machine | None = None) -> list[dict[str, object]]:
    """Return for each mode, as plain values, whether and how it can be had here."""
    seen = machine or this_machine()
    return [_row(mode, seen) for mode in IsolationMode]


@contextmanager
def screen(mode: IsolationMode, machine: Machine | None = None) -> Iterator[Screen]:
    """Lend a place for windows: *mode*, else virtual, else off screen.

    What could not be had is logged once. A display that was started for it ends with
    the block, or with this process.

    Args:
        mode: What is asked for.
        machine: What there is; looked up if not given.

    Raises:
        BrowserError: none of them can be had.
    """
    with ExitStack() as stack:
        found = _first(dict.fromkeys((mode, *_NEXT)), machine, stack)
        if found.told:
            logger.warning(
                "the browser's window is %s; what was tried before cannot be had: %s",
                found.mode,
                "; ".join(found.told),
            )
        yield found


def _first(
    modes: dict[IsolationMode, None], machine: Machine | None, stack: ExitStack
) -> Screen:
    told: list[str] = []
    remedies: dict[str, None] = {}
    for mode in modes:
        try:
            # No look where no display is used: one that hangs takes seconds to tell.
            seen = machine or this_machine(looks=mode is not IsolationMode.VIRTUAL)
            found = _WAYS[mode](seen)
            return replace(_started(found, stack), told=tuple(told))
        except _CannotError as error:
            told.append(f"{mode}: {error}")
            remedies[error.remedy] = None
    raise BrowserError(
        f"there is no display for the browser's window ({'; '.join(told)}): "
        f"{', or '.join(remedies)}"
    )


def _row(mode: IsolationMode, machine: Machine) -> dict[str, object]:
    row: dict[str, object] = {"mode": mode.value, "available": True}
    try:
        found = _WAYS[mode](machine)
    except _CannotError as error:
        return row | {"available": False, "how": str(error), "remedy": error.remedy}
    return row | {"how": found.how, "remedy": None}


# --- what each mode takes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How a mode is had: on a display that is there, or by starting one."""

    mode: IsolationMode
    how: str
    display: str = ""
    authority: Path | None = None
    xvfb: Path | None = None
    position: tuple[int, int] = (0, 0)
    size: tuple[int, int] = field(default=SIZE)

    @property
    def flags(self) -> tuple[str, ...]:
        (x, y), (width, height) = self.position, self.size
        return (f"--window-position={x},{y}", f"--window-size={width},{height}")


def _virtual(machine: Machine) -> _Way:
    if machine.xvfb is None:
        raise _CannotError("Xvfb is not installed", remedy=_GET_XVFB)
    return _Way(
        mode=IsolationMode.VIRTUAL,
        how=f"a display of its own in memory, by {machine.xvfb}",
        xvfb=machine.xvfb,
    )


def _secondary(machine: Machine) -> _Way:
    display = _display(machine)
    mine = display.name.rpartition(":")[2].partition(".")[2] or "0"
    for number, size in enumerate(display.screens):
        if str(number) != mine:
            host = display.name.rpartition(":")
            name = f"{host[0]}:{host[2].partition('.')[0]}.{number}"
            return _Way(
                mode=IsolationMode.SECONDARY,
                how=f"the screen {name}",
                display=name,
                authority=machine.authority,
                size=_within(size),
            )
    return _on_second_monitor(display, machine)


def _on_second_monitor(display: x11.Display, machine: Machine) -> _Way:
    if len(display.monitors) < 2:  # noqa: PLR2004 - the second
        raise _CannotError(
            f"the display {display.name} has one monitor",
            remedy="attach a second monitor",
        )
    first = next((m for m in display.monitors if m.primary), display.monitors[0])
    second = next(m for m in display.monitors if m is not first)
    return _Way(
        mode=IsolationMode.SECONDARY,
        how=f"the monitor at {second.x},{second.y} of {display.name}",
        display=display.name,
        authority=machine.authority,
        position=(second.x, second.y),
        size=_within((second.width, second.height)),
    )


def _off_screen(machine: Machine) -> _Way:
    return replace(
        _none(machine),
        mode=IsolationMode.OFF_SCREEN,
        how=f"outside what the display {_display(machine).name} shows",
        position=(_FAR, _FAR),
        size=SIZE,
    )


def _minimize(machine: Machine) -> _Way:
    display = _display(machine)
    if not display.managed:
        raise _CannotError(
            f"no window manager runs on the display {display.name}",
            remedy="start a window manager, such as openbox",
        )
    return replace(
        _none(machine),
        mode=IsolationMode.MINIMIZE,
        how=f"an icon on {display.name}; what pages draw lazily may not come",
    )


def _none(machine: Machine) -> _Way:
    display = _display(machine)
    screen_number = int(display.name.rpartition(":")[2].partition(".")[2] or 0)
    return _Way(
        mode=IsolationMode.NONE,
        how=f"in sight on the display {display.name}",
        display=display.name,
        authority=machine.authority,
        size=_within(display.screens[screen_number]),
    )


_WAYS: dict[IsolationMode, Callable[[Machine], _Way]] = {
    IsolationMode.VIRTUAL: _virtual,
    IsolationMode.SECONDARY: _secondary,
    IsolationMode.OFF_SCREEN: _off_screen,
    IsolationMode.MINIMIZE: _minimize,
    IsolationMode.NONE: _none,
}


def _display(machine: Machine) -> x11.Display:
    if machine.display is None:
        raise _CannotError(machine.no_display, remedy=_GET_DISPLAY)
    return machine.display


def _within(size: tuple[int, int]) -> tuple[int, int]:
    return min(size[0], SIZE[0]), min(size[1], SIZE[1])


def _authority(named: str | None, *, home: str | None) -> Path | None:
    path = Path(named) if named else Path(home or "/") / ".Xauthority"
    # A pipe or a device has no end, and is no file of passwords.
    return path if os.access(path, os.R_OK) and path.is_file() else None


# --- a display of our own


def _started(way: _Way, stack: ExitStack) -> Screen:
    display, authority = way.display, way.authority
    if way.xvfb:
        display, authority = stack.enter_context(_xvfb(way.xvfb))
    return Screen(
        mode=way.mode,
        display=display,
        authority=authority,
        flags=way.flags,
        minimized=way.mode is IsolationMode.MINIMIZE,
    )


@contextmanager
def _xvfb(program: Path) -> Iterator[tuple[str, Path]]:
    """Start a display that nobody else may look at; it chooses its own number."""
    # A file in memory: it is gone with this process, even if that is killed.
    secret = os.memfd_create("xauthority")
    reading, writing = os.pipe()
    try:
        os.write(secret, x11.entry(secrets.token_bytes(16)))
        authority = Path(f"/proc/{os.getpid()}/fd/{secret}")
        try:
            kept = keeper.start(
                _xvfb_command(program, authority=authority, number_to=writing),
                environ=keeper.inherited("PATH"),
                at_end=signal.SIGTERM,  # it then removes its socket and lock
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        try:
            yield f":{_number(reading, kept)}", authority
        finally:
            kept.end(patience_s=2.0)
    finally:
        os.close(reading)
        os.close(secret)


def _xvfb_command(program: Path, *, authority: Path, number_to: int) -> list[str]:
    shape = ["-screen", "0", _SHAPE]
    rules = ["-nolisten", "tcp", "-noreset", "-auth", str(authority)]
    return [str(program), "-displayfd", str(number_to), *shape, *rules]


def _number(reading: int, kept: keeper.Kept) -> int:
    """The number that Xvfb writes once it can be used."""
    os.set_blocking(reading, False)
    deadline = time.monotonic() + _START_S
    told = b""
    while not told.endswith(b"\n"):
        try:
            part = os.read(reading, 16)
        except BlockingIOError:
            part = None
        if part == b"" or time.monotonic() > deadline:
            raise _no_xvfb(kept)
        told += part or b""
        if not part:
            time.sleep(_TICK_S)
    if not _DISPLAY.fullmatch(told):
        raise _no_xvfb(kept)
    return int(told)


def _no_xvfb(kept: keeper.Kept) -> _CannotError:
    said = "; ".join(kept.said[-2:]) or "it said nothing"
    return _CannotError(f"Xvfb did not start ({said})", remedy=_GET_XVFB)
