"""`phx browser check` on real Chromium, and where a step fails."""

import re
from pathlib import Path

import pytest

from phx_pipeline_tests.commands import Phx

_WITHOUT_OUR_FLAG = """
for word do
  shift
  case $word in --disable-blink*) ;; *) set -- "$@" "$word";; esac
done
exec {chromium} "$@"
"""


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PHX_DATA_DIR", str(tmp_path / "data"))


def program(folder: Path, text: str) -> str:
    path = folder / "other-chromium"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o700)
    return str(path)


@pytest.mark.usefixtures("xvfb")
def test_each_step_is_told_up_to_the_page(
    phx: Phx, chromium: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()

    ended = phx("browser", "check")

    assert ended.code == 0, ended.err
    assert f"chromium   {chromium}, version " in ended.out
    assert "window     virtual, on the display :" in ended.out
    assert re.search(r"state      visible, \d+ frames/s, 1920x\d+\n", ended.out)
    assert "page       200, read in " in ended.out
    assert "page sees  language en-US, time zone America/Phoenix\n" in ended.out
    assert "webdriver  false\n" in ended.out
    assert list((tmp_path / "data" / "browser").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_WITHOUT_OUR_FLAG, "is automated"),
        (
            "[ $1 = --version ] && exec {chromium} --version; echo oh >&2; exit 1",
            "ended at once (oh)",
        ),
        ("echo hello", "is no Chromium"),
    ],
    ids=["marked", "ends", "another program"],
)
@pytest.mark.usefixtures("xvfb")
def test_the_step_that_fails_is_told(
    phx: Phx,
    chromium: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    told: str,
) -> None:
    other = program(tmp_path, text.format(chromium=chromium))
    monkeypatch.setenv("PHX_CHROMIUM", other)

    ended = phx("browser", "check")

    assert ended.code == 1
    assert ended.err.startswith("phx: ")
    assert told in ended.err
    assert not (tmp_path / "data").exists()


def test_what_there_is_not_is_told(
    phx: Phx, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PHX_BROWSER", "off")

    ended = phx("browser", "check")

    assert ended.code == 1
    assert "PHX_BROWSER is off" in ended.out
    assert "Chromium: not found: install Chromium (package chromium)" in ended.err
