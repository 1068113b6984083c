"""Chromium comes up, or says why not, and nothing of it is left in either case."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from phx_pipeline.errors import BrowserError
from phx_pipeline.fetch.clients.browser.executable import find_chromium
from phx_pipeline.fetch.clients.browser.isolation import screen
from phx_pipeline.fetch.clients.browser.launch import (
    Launch,
    launch,
    sweep,
)
from phx_pipeline.fetch.clients.browser.version import version_line, version_of
from phx_pipeline.model.isolation import IsolationMode
from phx_pipeline_tests.integration.fetch.browser.conftest import (
    eventually,
    living_with,
    reached,
)

DESCRIPTORS = Path("/proc/self/fd")

_RUN = """
import sys, time
from pathlib import Path
from phx_pipeline.fetch.clients.browser.isolation import screen
from phx_pipeline.fetch.clients.browser.launch import Launch, launch
from phx_pipeline.model.isolation import IsolationMode

executable, profiles = map(Path, sys.argv[1:])
with screen(IsolationMode.VIRTUAL) as shown:
    plan = Launch(executable=executable, profiles=profiles, screen=shown, proxy_port=9)
    print(launch(plan).profile, shown.authority, flush=True)
    time.sleep(600)
"""

_LIES = """
for flag; do
  case $flag in --user-data-dir=*) printf 'none\\n/x' >"${flag#*=}/DevToolsActivePort"
  esac
done
exec sleep 60
"""  # where it is to write its port


@pytest.fixture
def temporary(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder for temporary files, of this test alone."""
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def script(folder: Path, text: str) -> Path:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return path


def folders(plan: Launch) -> list[Path]:
    return list(plan.profiles.iterdir())


@pytest.mark.soak
def test_five_starts_leave_no_process_no_descriptor_and_no_folder(
    plan: Launch, temporary: Path
) -> None:
    with screen(IsolationMode.VIRTUAL) as shown:  # also makes the keeper's thread
        launch(replace(plan, screen=shown)).stop()
    before = len(list(DESCRIPTORS.iterdir()))
    children = set(psutil.Process().children(recursive=True))

    for _ in range(4):
        with screen(IsolationMode.VIRTUAL) as shown:
            browser = launch(replace(plan, screen=shown))
            assert folders(plan) == [browser.profile]
            browser.stop()
            browser.stop()
            assert not browser.is_running

    assert folders(plan) == []
    assert list(temporary.iterdir()) == []
    assert len(list(DESCRIPTORS.iterdir())) == before
    assert set(psutil.Process().children(recursive=True)) == children
    assert living_with(str(plan.profiles)) == []


def test_a_long_path_for_temporary_files_does_not_hold_it_up(
    plan: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chromium has a socket there, and the path of a socket is short."""
    (folder := tmp_path / ("long" * 20)).mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))

    browser = launch(plan)

    assert browser.is_running
    browser.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_takes_its_browser_and_display_with_it(
    plan: Launch, temporary: Path, number: signal.Signals
) -> None:
    run = subprocess.Popen(  # noqa: S603 - the tests' own program
        [sys.executable, "-c", _RUN, str(plan.executable), str(plan.profiles)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert run.stdout is not None
    profile, authority = run.stdout.readline().split()
    assert len(living_with(profile)) > 1
    assert len(living_with(authority)) == 1

    run.send_signal(number)
    run.wait(10)
    run.stdout.close()

    assert eventually(lambda: not living_with(profile), within_s=5)
    assert eventually(lambda: not living_with(authority), within_s=5)
    assert folders(plan) == [Path(profile)]
    browser = launch(plan)
    assert folders(plan) == [browser.profile]
    browser.stop()
    assert list(temporary.iterdir()) == []


def test_a_browser_that_was_killed_is_cleared_away_all_the_same(plan: Launch) -> None:
    browser = launch(plan)
    os.kill(browser.pid, signal.SIGKILL)
    assert eventually(lambda: not browser.is_running, within_s=5)

    browser.stop()

    assert folders(plan) == []
    assert living_with(str(plan.profiles)) == []


def test_one_that_hears_nothing_is_killed(plan: Launch) -> None:
    browser = launch(plan)
    os.kill(browser.pid, signal.SIGSTOP)

    browser.stop(patience_s=0.5)

    assert folders(plan) == []
    assert living_with(str(plan.profiles)) == []


def test_what_pages_see_says_nothing_of_automation(plan: Launch) -> None:
    browser = launch(plan)
    try:
        told = reached(browser)
    finally:
        browser.stop()

    assert told["webdriver"] is False
    assert (told["width"], told["height"]) == (1920, 1080)


def test_none_of_our_settings_reach_the_browser(
    plan: Launch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PHX_PROXY", "http://me:secret@proxy.example:1")
    told = tmp_path / "told"
    telling = replace(plan, executable=script(tmp_path, f"env > {told}; exit 1"))
    with pytest.raises(BrowserError, match="ended at once"):
        launch(telling)

    environ = dict(line.split("=", 1) for line in told.read_text().splitlines())

    assert not [name for name in environ if name.startswith("PHX_")]
    assert Path(environ["HOME"]).parent == plan.profiles
    assert environ["TZ"] == "America/Phoenix"
    assert environ["DISPLAY"] == plan.screen.display


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("exec sleep 60", r"did not come up within 0\.5 s"),
        ("echo it is broken >&2; exit 1", r"ended at once \(it is broken\): `phx"),
        ("echo No usable sandbox! >&2; exit 1", "allow user namespaces"),
        (_LIES, r"did not come up within 0\.5 s"),
        ("seq 1 100000 >&2; exec sleep 60", r"within 0\.5 s \(100000\)"),
    ],
    ids=["sleeps", "exits", "sandbox", "lies", "says much"],
)
def test_one_that_does_not_come_up_is_told_and_ended(
    plan: Launch, tmp_path: Path, text: str, told: str
) -> None:
    wrong = replace(plan, executable=script(tmp_path, text))

    with pytest.raises(BrowserError, match=told):
        launch(wrong, deadline_s=0.5)

    assert folders(plan) == []
    assert living_with(str(wrong.executable)) == []


def test_without_setpriv_nothing_is_started(
    plan: Launch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserError, match="package util-linux"):
        launch(plan)

    assert folders(plan) == []


def test_a_folder_that_cannot_be_made_is_told_with_its_remedy(
    plan: Launch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BrowserError, match=r"file/profiles: a file is where a folder"):
        launch(replace(plan, profiles=tmp_path / "file" / "profiles"))


def test_the_executable_is_the_one_named_or_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chromium: Path
) -> None:
    (tmp_path / "page.html").touch()
    named = script(tmp_path, "echo Chromium 99.0.1.2 for tests")

    assert find_chromium(named) == named
    assert version_of(named) == "99.0.1.2"
    assert version_of(chromium).count(".") == 3
    with pytest.raises(BrowserError, match=r"PHX_CHROMIUM: .*page\.html is no program"):
        find_chromium(tmp_path / "page.html")
    with pytest.raises(BrowserError, match="does not tell a version"):
        version_of(script(tmp_path, "echo hello"))
    with pytest.raises(BrowserError, match="does not tell a version"):
        version_of(script(tmp_path, r"printf '\377\033[2J'"))
    monkeypatch.setenv("PHX_WEBSHARE_TOKEN", "secret")
    telling = script(tmp_path, "echo Chromium 99.0.1.3 $PHX_WEBSHARE_TOKEN")
    assert version_line(telling).split() == ["Chromium", "99.0.1.3"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium(None) is None


@pytest.mark.parametrize("kind", ["link", "script"])
def test_a_snap_is_passed_over_and_refused_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    snap, chrome = tmp_path / "chromium", tmp_path / "google-chrome"
    if kind == "link":
        (tmp_path / "snap").touch(0o700)
        snap.symlink_to(tmp_path / "snap")
    else:
        script(tmp_path, 'exec /snap/bin/chromium "$@"').rename(snap)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_chromium(None) is None
    chrome.touch(0o700)
    assert find_chromium(None) == chrome
    with pytest.raises(BrowserError, match=f"PHX_CHROMIUM: {snap} is a snap"):
        find_chromium(snap)


def test_only_profiles_of_the_dead_are_swept(tmp_path: Path) -> None:
    host, pid = os.uname().nodename, os.getpid()
    ours = f"{host}-{pid}-{_ticks(pid)}-1"
    of_an_earlier_process = f"{host}-{pid}-1-1"
    elsewhere, long_ago = "other-host-7-7-1", "other-host-8-8-1"
    kept = {ours, elsewhere, "Default", "notes.txt"}
    for name in kept | {of_an_earlier_process, long_ago}:
        (tmp_path / name).mkdir()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(tmp_path / long_ago, (two_days_ago, two_days_ago))

    assert sweep(tmp_path) == 2

    assert {path.name for path in tmp_path.iterdir()} == kept
    assert sweep(tmp_path / "nowhere") == 0


def _ticks(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
