"""What an X display has: screens, monitors, a window manager.

Only as much of the X11 protocol as these questions take, so that no library is loaded
that ends the process when a display goes away. Nothing is drawn or changed.
"""

import socket
import struct
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 5.0
_TCP_BASE = 6000
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_GET_MONITORS = 42  # of the extension RANDR, since its version 1.5
_ANY_HOST = 0xFFFF  # the family of an entry that counts for every host


class NoDisplayError(Exception):
    """No display answers; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A rectangle of a screen in pixels; *primary* if the desktop says so."""

    x: int
    y: int
    width: int
    height: int
    primary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """A display that answers.

    Screens are the sizes of separate screens; monitors are those of the one asked.
    """

    name: str
    screens: tuple[tuple[int, int], ...]
    monitors: tuple[Monitor, ...]
    managed: bool  # by a window manager


def look(display: str, *, authority: Path | None = None) -> Display:
    """Ask the display of that name, such as `:0` or `host:10.0`, what it has.

    Args:
        display: As in the variable DISPLAY.
        authority: The file with its password, as in XAUTHORITY.

    Raises:
        NoDisplayError: the name cannot be read, or nothing useful answers there.
    """
    host, number, screen = _parts(display)
    try:
        with closing(_connected(host, number)) as wire:
            x = _Asking(wire)
            screens = x.greet(_password(authority, number))
            root = screens[screen][0]
            return Display(
                name=display,
                screens=tuple(size for _, size in screens),
                monitors=x.monitors(root),
                managed=x.is_managed(root),
            )
    except (OSError, EOFError, struct.error, IndexError) as error:
        raise NoDisplayError(f"the display {display} does not answer") from error


def entry(password: bytes) -> bytes:
    """Return an X authority file with one password, for every display of every host."""
    strings = (b"", b"", _COOKIE, password)
    return struct.pack(">H", _ANY_HOST) + b"".join(
        struct.pack(">H", len(text)) + text for text in strings
    )


def _parts(display: str) -> tuple[str, int, int]:
    """The host (empty: this one), number and screen that a display's name says."""
    host, colon, rest = display.rpartition(":")
    number, _, screen = rest.partition(".")
    if not colon or not number.isdecimal() or not (screen or "0").isdecimal():
        raise NoDisplayError(f"DISPLAY={display[:100]!r} is not the name of a display")
    return host.removeprefix("unix"), int(number), int(screen or 0)


def _connected(host: str, number: int) -> socket.socket:
    if host:
        return socket.create_connection((host, _TCP_BASE + number), timeout=_PATIENCE_S)
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where X servers are by definition
    try:
        return _local(path)
    except OSError:
        return _local(f"\0{path}")


def _local(path: str) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX)
    wire.settimeout(_PATIENCE_S)
    try:
        wire.connect(path)
    except OSError:
        wire.close()
        raise
    return wire


def _password(authority: Path | None, number: int) -> bytes:
    """The password of a display in an authority file; none where there is none."""
    try:
        left = authority.read_bytes() if authority else b""
    except OSError:
        return b""
    while len(left) > 2:  # noqa: PLR2004 - the family
        left = left[2:]
        texts = []
        for _ in range(4):
            (size,) = struct.unpack_from(">H", left)
            texts.append(left[2 : 2 + size])
            left = left[2 + size :]
        _, numbered, kind, password = texts
        if kind == _COOKIE and numbered in {b"", str(number).encode()}:
            return password
    return b""


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % 4)


class _Asking:
    """A connection to a display, and the few requests made of it."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire

    def greet(self, password: bytes) -> list[tuple[int, tuple[int, int]]]:
        """Open the connection; return the root window and size of each screen."""
        kind = _COOKIE if password else b""
        head = struct.pack("<BxHHHHxx", ord("l"), 11, 0, len(kind), len(password))
        self._wire.sendall(head + _padded(kind) + _padded(password))
        answer, size = struct.unpack("<BxxxxxH", self._take(8))
        body = self._take(size * 4)
        if answer != 1:
            raise EOFError
        return _screens(body)

    def is_managed(self, root: int) -> bool:
        """Whether a window manager says that it is there (EWMH), and still is."""
        atom = self._atom(b"_NET_SUPPORTING_WM_CHECK")
        window = self._property(root, atom)
        return window != 0 and self._property(window, atom) == window

    def monitors(self, root: int) -> tuple[Monitor, ...]:
        """Return the monitors that are switched on; none if it cannot be said."""
        name = b"RANDR"
        told = self._ask(98, struct.pack("<Hxx", len(name)) + _padded(name))
        present, major = told[8], told[9]
        if not present or not self._ask(major, struct.pack("<II", 1, 5)):
            return ()
        told = self._ask(major, struct.pack("<IBxxx", root, 1), detail=_GET_MONITORS)
        return _monitors(told) if told else ()

    def _atom(self, name: bytes) -> int:
        told = self._ask(16, struct.pack("<Hxx", len(name)) + _padded(name), detail=1)
        return int(struct.unpack_from("<I", told, 8)[0]) if told else 0

    def _property(self, window: int, atom: int) -> int:
        told = self._ask(20, struct.pack("<IIIII", window, atom, 0, 0, 1))
        is_there = len(told) >= 36  # noqa: PLR2004 - the head, and one value
        return int(struct.unpack_from("<I", told, 32)[0]) if is_there else 0

    def _ask(self, opcode: int, body: bytes, *, detail: int = 0) -> bytes:
        """Return the whole reply; empty where the display tells of an error."""
        size = 1 + len(body) // 4
        self._wire.sendall(struct.pack("<BBH", opcode, detail, size) + body)
        while True:
            head = self._take(32)
            if head[0] == 0:
                return b""
            if head[0] == 1:
                return head + self._take(4 * struct.unpack_from("<I", head, 4)[0])

    def _take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            if not (part := self._wire.recv(size - len(taken))):
                raise EOFError
            taken += part
        return taken


def _screens(body: bytes) -> list[tuple[int, tuple[int, int]]]:
    """Read the screens of a display's greeting."""
    vendor, _, roots, formats = struct.unpack_from("<HHBB", body, 16)
    at = 32 + vendor + -vendor % 4 + 8 * formats
    found = []
    for _ in range(roots):
        (root,) = struct.unpack_from("<I", body, at)
        found.append((root, struct.unpack_from("<HH", body, at + 20)))
        depths = body[at + 39]
        at += 40
        for _ in range(depths):
            (visuals,) = struct.unpack_from("<H", body, at + 2)
            at += 8 + 24 * visuals
    return found


def _monitors(told: bytes) -> tuple[Monitor, ...]:
    """Read the answer to RRGetMonitors."""
    (count,) = struct.unpack_from("<I", told, 12)
    at = 32
    found = []
    for _ in range(count):
        primary, outputs, x, y, width, height = struct.unpack_from(
            "<4xBxHhhHH8x", told, at
        )
        found.append(
            Monitor(x=x, y=y, width=width, height=height, primary=bool(primary))
        )
        at += 24 + 4 * outputs
    return tuple(found)
