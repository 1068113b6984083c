"""Where lines are broken at a terminal, and where they are not."""

import os
import sys
from pathlib import Path
from termios import tcsetwinsize

import pytest

from phx_pipeline.cli.folding import folded, unbroken, width_of
from phx_pipeline_tests.commands import Phx

TOLD = "  redfin  listed  asked 2026-11-28 10:54:18 MST  it rests: `phx sources reset`"


def test_lines_are_broken_between_words_and_go_on_indented() -> None:
    assert folded(f"1 house\n{TOLD}", width=36).split("\n") == [
        "1 house",
        "  redfin  listed  asked",
        "    2026-11-28 10:54:18 MST  it",
        "    rests: `phx sources reset`",
    ]


def test_without_a_width_a_line_stays_one() -> None:
    assert folded(TOLD, width=None) == TOLD


@pytest.mark.parametrize("width", [10, None])
def test_what_people_copy_stays_on_one_line(width: int | None) -> None:
    text = "  kept: /srv/my houses/1.zip (read again)"

    assert folded(unbroken(text), width=width) == text


def test_the_width_is_that_of_the_terminal_or_of_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = os.openpty()
    with (tmp_path / "log").open("w") as log, os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "__stdout__", log)
        monkeypatch.setattr(sys, "stdout", log)
        tcsetwinsize(theirs, (24, 61))

        assert (width_of(terminal), width_of(log)) == (61, None)
        monkeypatch.setenv("COLUMNS", "72")
        assert (width_of(terminal), width_of(log)) == (72, 72)
    os.close(ours)


def test_a_refusal_is_broken_too(phx: Phx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("PHX_HOST", "no address at all")

    told = phx("status").err

    assert max(map(len, told.splitlines())) <= 40
    assert told.startswith("phx: PHX_HOST=")
