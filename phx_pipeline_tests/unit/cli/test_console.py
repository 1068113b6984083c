"""What commands print: text stays text, whatever it holds."""

import json
import logging
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from rich.table import Table

from phx_pipeline.cli import console as module
from phx_pipeline.cli import extract as command
from phx_pipeline.cli.console import (
    _console,
    console,
    errors,
    log_to_stderr,
    print_lines,
    print_sentence,
)
from phx_pipeline.cli.follow import _shown
from phx_pipeline.cli.main import Exit
from phx_pipeline.client.progress import Photos, Progress
from phx_pipeline.model.job import Job, JobProperty, JobState, Mode
from phx_pipeline_tests.hostile import TEXTS


def raw_in(text: str) -> list[str]:
    """The characters a terminal would obey, or an eye would be misled by."""
    return [
        c
        for c in text
        if (c < " " and c not in "\n\t")
        or "\x7f" <= c < "\xa0"
        or c in "\u202e\u2066\u2067\u200b\ufeff"
    ]


def test_nothing_a_site_said_reaches_a_terminal_raw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = Table("said")
    for text in TEXTS:
        table.add_row(text[:300])
    console.print(table)
    print_lines(TEXTS, everything=True)
    for text in TEXTS[::7]:
        console.print(text)
        errors.print(text, soft_wrap=True)

    told = capsys.readouterr()
    assert raw_in(told.out + told.err) == []
    assert "[bold red]rich[/]" in told.out
    assert ":warning:" in told.out


@pytest.mark.parametrize(("is_terminal", "lines"), [(True, 6), (False, 1)])
def test_a_long_sentence_is_broken_between_words_at_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    is_terminal: bool,
    lines: int,
) -> None:
    shown = _console()
    shown.width = 40
    monkeypatch.setattr(shown, "_force_terminal", is_terminal)
    monkeypatch.setattr(module, "console", shown)
    command = "`phx extract --address KEY`"
    sentence = f"redfin rests: {command} " + " ".join(["PHX_BROWSER-words"] * 7)

    print_sentence(sentence)

    told = capsys.readouterr().out.splitlines()
    assert len(told) == lines
    assert any(command in line for line in told)
    assert " ".join(line.strip() for line in told) == sentence
    assert all(line.startswith("  ") for line in told[1:])


@pytest.mark.parametrize("unwanted", [True, False])
def test_no_color_is_honoured_also_where_colours_are_forced(
    monkeypatch: pytest.MonkeyPatch, *, unwanted: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if unwanted:
        monkeypatch.setenv("NO_COLOR", "1")
    made = _console()

    with made.capture() as shown:
        made.print("3 of 4", style="red")

    assert ("\x1b[31m" in shown.get()) == (not unwanted)
    assert "3 of 4" in shown.get()


def test_logs_tell_their_zone_and_hold_nothing_raw(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers.clear()
    try:
        log_to_stderr()
        logging.getLogger("phx_pipeline.x").info("said %s", "\x1b[2J\u202e")
    finally:
        root.handlers[:] = before

    told = capsys.readouterr().err
    assert re.fullmatch(r"20[\d-]{8} [\d:]{8} MST said \ufffd\[2J\n", told)


def test_json_holds_ascii_only() -> None:
    assert json.dumps(TEXTS).isascii()


def test_a_surprise_in_one_house_is_told_and_the_next_house_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = []

    async def extract(_: object, slug: str, **__: object) -> None:
        taken.append(slug)
        if slug == "one":
            raise OverflowError("int too\x1b[2J large")

    def summarize(*_: object, failed: int, **__: object) -> Exit:
        return Exit.PARTIAL if failed == 1 else Exit.ERROR

    monkeypatch.setattr("phx_pipeline.stages.extract.extract", extract)
    monkeypatch.setattr(command, "settle_partners", lambda *_: None)
    monkeypatch.setattr(command, "summarize", summarize)
    context: Any = SimpleNamespace()

    run_here = command._run_here  # the loop alone
    code = run_here(context, ["one", "two"], sources=(), mode=Mode.FRESH)

    assert (taken, code) == (["one", "two"], Exit.PARTIAL)
    assert "one: stopped by OverflowError: int too\ufffd[2J large" in (
        capsys.readouterr().err
    )


def test_a_job_on_a_narrow_terminal_is_lines_with_whole_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slug = "28501-n-reigning-sandpiper-trail-scottsdale-az-85251"
    house = JobProperty(slug=slug, address="", folder="", state=JobState.IN_PROGRESS)
    job = Job(
        job_id="j",
        mode=Mode.FRESH,
        created_at=datetime(2025, 3, 10, tzinfo=UTC),
        items=(house,),
    )
    photos = {slug: Photos(listed=37, decided=13)}
    monkeypatch.setattr(console, "width", 80)

    console.print(_shown(Progress(job=job, photos=photos)), soft_wrap=True)

    assert f"{slug}: in_progress 13 of 37 decided\n" in capsys.readouterr().out
