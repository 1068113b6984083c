"""A Chromium of our own: started, waited for, ended, and cleared away after.

Speaking to it is the session's; its window's place is chosen in `isolation`.
"""

import itertools
import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import psutil

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser import keeper
from phx_pipeline.fetch.clients.browser.isolation import Screen
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.refusal import refusal
from phx_pipeline.process import start_ticks

_ROOM = 64 * 2**20  # bytes; a profile takes some 10 to 40 MB
_ABANDONED_S = 86_400.0  # a profile of another host is used for minutes
_TICK_S = 0.05
_PATIENCE_S = 2.0
_SINGLETON = ("org.chromium.", "com.google.", ".org.chromium.", ".com.google.")
_LONGEST_SAID = 300
_LONGEST_TEMPORARY = 60  # bytes; Chromium's socket is below it, in a path of 107

_FLAGS = (
    "--remote-debugging-port=0",
    # Without it a port chosen by Chromium sets navigator.webdriver.
    "--disable-blink-features=AutomationControlled",
    # A window that nobody sees is drawn like one in sight.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--password-store=basic",  # asks no keyring of the desktop
    "--disable-dev-shm-usage",
    # All goes through the proxy: no UDP past it, and no address told by WebRTC.
    "--disable-quic",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # its older name
    "--proxy-bypass-list=<-loopback>",
    "--ozone-platform=x11",
    # A page that was left is gone, with its connections and workers.
    "--disable-features=BackForwardCache",
    "--lang=en-US",
    "--accept-lang=en-US,en",
)
_ENVIRON = {
    "TZ": str(PHOENIX),
    "LANG": "en_US.UTF-8",
    "LANGUAGE": "en_US",
    "DBUS_SESSION_BUS_ADDRESS": "disabled:",
}

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start.

    Attributes:
        executable: Chromium's.
        profiles: The folder for profiles, made if absent.
        screen: Where its window is.
        proxy_port: Of the proxy on 127.0.0.1 through which everything goes.
        spki: Base64 SHA-256 of a public key that is trusted in any certificate.
    """

    executable: Path
    profiles: Path
    screen: Screen
    proxy_port: int
    spki: str | None = None


class Chromium:
    """A Chromium that runs and can be attached to at *port* of 127.0.0.1."""

    def __init__(self, kept: keeper.Kept, *, port: int, profile: Path) -> None:
        self.port = port
        self.pid = kept.pid
        self.profile = profile
        self._kept = kept
        self._stopping = Lock()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._kept.is_running

    def stop(self, *, patience_s: float = 3.0) -> None:
        """End it and remove its profile; blocks for some tenths of a second.

        It is asked first, and killed with all its processes after the patience. A
        second call, from whatever thread, does nothing.
        """
        with self._stopping:
            _end(self._kept, self.profile, patience_s=patience_s)


def launch(plan: Launch, *, deadline_s: float = 30.0) -> Chromium:
    """Start a Chromium and wait until it can be attached to; blocks.

    It ends with this process, in whatever way that ends. Profiles whose owners are
    dead are removed first.

    Raises:
        BrowserError: it did not come up within the deadline.
    """
    profile = _new_profile(plan.profiles)
    try:
        kept = keeper.start(_command(plan, profile), environ=_environ(plan, profile))
    except BaseException:
        _remove(profile)
        raise
    try:
        port = _port(profile, kept, deadline_s=deadline_s)
    except BaseException:
        _end(kept, profile, patience_s=1.0)
        raise
    return Chromium(kept, port=port, profile=profile)


def sweep(profiles: Path) -> int:
    """Remove the profiles of processes that are dead; return how many.

    Of another host's processes nothing is known: theirs count as dead after a day.
    """
    dead = [path for path in _folders(profiles) if _is_abandoned(path)]
    for path in dead:
        _remove(path)
    return len(dead)


def _folders(profiles: Path) -> list[Path]:
    try:
        return [path for path in profiles.iterdir() if path.is_dir()]
    except OSError:
        return []


def _is_abandoned(profile: Path) -> bool:
    host, *numbers = profile.name.rsplit("-", 3)
    if len(numbers) != 3 or not all(map(str.isdecimal, numbers)):  # noqa: PLR2004
        return False  # not one of ours
    if host == socket.gethostname():
        return start_ticks(int(numbers[0])) != int(numbers[1])
    with suppress(OSError):
        return time.time() - profile.stat().st_mtime > _ABANDONED_S
    return False


def _new_profile(profiles: Path) -> Path:
    pid = os.getpid()
    name = f"{socket.gethostname()}-{pid}-{start_ticks(pid) or 0}-{next(_numbers)}"
    profile = profiles / name
    try:
        profiles.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(profiles)
        _require_room(profiles)
        profile.mkdir(mode=0o700)
    except OSError as error:
        raise _refused(error.errno or 0, profiles) from error
    return profile


def _refused(number: int, profiles: Path) -> BrowserError:
    return BrowserError(f"no profile for the browser: {refusal(number, profiles)}")


def _require_room(profiles: Path) -> None:
    free = shutil.disk_usage(profiles).free
    if free < _ROOM:
        raise BrowserError(
            f"no profile for the browser: the disk of {profiles} has "
            f"{free // 2**20} MB free, a browser needs {_ROOM // 2**20} MB: make room"
        )


def _command(plan: Launch, profile: Path) -> list[str]:
    flags = [
        *_FLAGS,
        *plan.screen.flags,
        f"--user-data-dir={profile}",
        f"--proxy-server=http://127.0.0.1:{plan.proxy_port}",
    ]
    if plan.spki:
        flags.append(f"--ignore-certificate-errors-spki-list={plan.spki}")
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # as root Chromium has none and refuses to start
    return [str(plan.executable), *flags, "about:blank"]


def _environ(plan: Launch, profile: Path) -> dict[str, str]:
    """All variables: no settings of ours with passwords, no home but the profile."""
    path = keeper.inherited("PATH", "TMPDIR", "LD_LIBRARY_PATH")
    if len(os.fsencode(path.get("TMPDIR", ""))) > _LONGEST_TEMPORARY:
        del path["TMPDIR"]  # it takes /tmp then
    return path | _ENVIRON | {"HOME": str(profile)} | plan.screen.environ


def _port(profile: Path, kept: keeper.Kept, *, deadline_s: float) -> int:
    """The port for attaching, which Chromium writes into a file of two lines."""
    deadline = time.monotonic() + deadline_s
    while kept.is_running and time.monotonic() < deadline:
        with suppress(OSError, ValueError):  # not there, or not written wholly
            told = (profile / "DevToolsActivePort").read_text(encoding="ascii")
            if "\n/" in told:
                return int(told.partition("\n")[0])
        time.sleep(_TICK_S)
    if kept.is_running:
        happened = f"did not come up within {deadline_s:g} s"
    else:
        happened = "ended at once"
    raise BrowserError(f"Chromium {happened}{_reason(kept.said)}")


def _reason(said: list[str]) -> str:
    """What Chromium said, and the remedy for it."""
    lines = [line for line in said if line and "dbus" not in line]
    for word, remedy in _REMEDIES.items():
        if found := [line for line in lines if word in line]:
            return f" ({found[-1][:_LONGEST_SAID]}): {remedy}"
    last = f" ({lines[-1][:_LONGEST_SAID]})" if lines else ""
    return f"{last}: `phx browser check` tries it step by step"


_REMEDIES = {
    "sandbox": "allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`), "
    "or install the package chromium-sandbox",
    "DISPLAY": "`phx browser displays` tells which displays there are",
    "No space left": "make room on the disk",
}


def _end(kept: keeper.Kept, profile: Path, *, patience_s: float) -> None:
    """End all that Chromium has started, then remove the profile."""
    kept.end(patience_s=patience_s)
    # Crash handlers are in groups of their own, and end when they hear of its end.
    _repeat(lambda: not _handlers(profile))
    for handler in _handlers(profile):
        with suppress(psutil.Error):
            handler.kill()
    _remove(profile)


def _handlers(profile: Path) -> list[psutil.Process]:
    """What lives with the profile among its arguments."""
    return [it for it in psutil.process_iter() if _is_of(profile, it)]


def _is_of(profile: Path, process: psutil.Process) -> bool:
    try:
        named = any(str(profile) in part for part in process.cmdline())
        return named and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _remove(profile: Path) -> None:
    """Remove a profile, and Chromium's lock outside that it points to."""
    with suppress(OSError):
        lock = (profile / "SingletonSocket").readlink().parent
        if lock.name.startswith(_SINGLETON):
            shutil.rmtree(lock, ignore_errors=True)
    _repeat(lambda: _is_removed(profile))


def _is_removed(profile: Path) -> bool:
    shutil.rmtree(profile, ignore_errors=True)
    return not profile.exists()


def _repeat(step: Callable[[], bool]) -> None:
    """Until it has worked: processes that are just ending may still write."""
    deadline = time.monotonic() + _PATIENCE_S
    while not step() and time.monotonic() < deadline:
        time.sleep(_TICK_S)
