"""Runs the commands a document shows, one after the other, and compares what they say.

    .venv/bin/python -m phx_pipeline_tests.walkthrough docs/tutorial.md

Without `--check` what was said is written into the document. In a block ``console`` a
line that begins with `$ ` is a command, what follows it is its output; a line `…`
stands for any lines. All commands of a document run in one shell, in an empty folder,
on a terminal of 80 columns; their requests reach stand-ins of the sites. A comment
`<!-- stays -->` above a block says that its command goes on running beside the others.

What differs from run to run is replaced by what stands in `_MASKS`; a command that
names the job shown there is run with the job that was told of last. Which commands
there are, and that they can be typed, is the matter of `gates/test_docs.py`.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import click

from phx_pipeline.demo.loopback import Handler
from phx_pipeline.demo.standins import all_sites
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.settings import exported, load_settings
from phx_pipeline.supervise.addresses import free_port
from phx_pipeline_tests.deployment import BIN, ROOT, Deployment
from phx_pipeline_tests.forked import phx_of_shells

COLUMNS = 80
_PATIENCE_S = 120.0
_LOOK_S = 0.05
_END = "\x01ended"
_BLOCK = re.compile(
    r"(?P<mark><!-- stays -->\n)?^```console\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_OMITTED = "…"

_JOB = "6e0f2a91c7d3"
_JOBS = re.compile(r"\bjob ([0-9a-f]{12})\b")
_MASKS: Sequence[tuple[str, str]] = (
    (re.escape(str(ROOT)), "~/phx_pipeline"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:3000"),
    (r"\bpid \d+", "pid 4711"),
    (r"\b20\d\d-\d\d-\d\d \d\d:\d\d(?::\d\d)?", "2026-03-10 09:30"),
    (r"\b20\d{6}T\d{12}Z_[0-9a-f]{12}\b", "20260310T163000000000Z_0123456789ab"),
    (r"\b(?!2026-03-11)20\d\d-\d\d-\d\d\b", "2026-03-10"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command and the lines shown below it."""

    command: str
    shown: tuple[str, ...]
    stays: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A step and the lines its command really printed, masked."""

    step: Step
    lines: tuple[str, ...]

    @property
    def is_as_shown(self) -> bool:
        """Whether the document tells the truth."""
        return matches(self.step.shown, self.lines)

    @property
    def text(self) -> str:
        """The step as the document should show it."""
        lines = self.step.shown if self.is_as_shown else self.lines
        head = "\n> ".join(self.step.command.split("\n"))
        return "".join(f"{line}\n" for line in (f"$ {head}", *lines))


def steps_of(text: str) -> Iterator[Step]:
    """The steps of a document, from top to bottom."""
    for block in _BLOCK.finditer(text):
        yield from _steps(block["text"], stays=block["mark"] is not None)


def _steps(block: str, *, stays: bool) -> Iterator[Step]:
    for part in re.split(r"(?m)^\$ ", block)[1:]:
        lines = part.splitlines()
        more = 1
        while more < len(lines) and lines[more].startswith("> "):
            more += 1
        command = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
        yield Step(command=command, shown=tuple(lines[more:]), stays=stays)


def matches(shown: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether *lines* are what is *shown*; a line `…` there stands for any number."""
    pattern = "".join(
        r"(?:.*\n)*" if line == _OMITTED else re.escape(line) + r"\n" for line in shown
    )
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def told_anew(text: str, said: Sequence[Said]) -> str:
    """The document with what was *said* in place of what it showed."""
    rest = iter(said)

    def block(found: re.Match[str]) -> str:
        count = len(list(_steps(found["text"], stays=False)))
        told = "".join(next(rest).text for _ in range(count))
        return f"{found['mark'] or ''}```console\n{told}```"

    return _BLOCK.sub(block, text)


@dataclass(slots=True, kw_only=True)
class Terminal:
    """One shell in *folder*; `run` types a line and reads what comes."""

    folder: Path
    env: Mapping[str, str]
    _job: str = _JOB
    _shell: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self._shell = subprocess.Popen(
            ["bash", "--norc", "-u"],  # noqa: S607 - the shell of the documents' readers
            cwd=self.folder,
            env=self.env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._type("kill $(jobs -p) 2>/dev/null; wait; exit")
        self._shell.communicate(timeout=_PATIENCE_S)

    def run(self, step: Step) -> Said:
        """Run a step's command to its end, or, if it stays, until it says no more."""
        command = step.command.replace(_JOB, self._job)
        said = self._stay(step) if step.stays else self._read(command)
        for found in _JOBS.finditer(said):
            self._job = found[1]
        return Said(step=step, lines=tuple(self._masked(said).splitlines()))

    def _read(self, command: str) -> str:
        self._type(f"{{ {command}\n}} </dev/null 2>&1; echo; echo {_END}")
        assert self._shell.stdout is not None
        lines: list[str] = []
        for line in self._shell.stdout:
            if line.strip() == _END:
                return "".join(lines).removesuffix("\n")
            lines.append(line)
        raise AssertionError(f"{command!r} ended the shell: {''.join(lines)}")

    def _stay(self, step: Step) -> str:
        log = self.folder.parent / "stays.log"
        self._type(f"{{ {step.command}\n}} </dev/null >{log} 2>&1 &")
        last = next((line for line in reversed(step.shown) if line != _OMITTED), "")
        patience = time.monotonic() + _PATIENCE_S
        text = ""
        while last not in self._masked(text).splitlines():
            if time.monotonic() > patience:
                break
            time.sleep(_LOOK_S)
            text = log.read_text(encoding="utf-8") if log.exists() else ""
        return text

    def _type(self, line: str) -> None:
        assert self._shell.stdin is not None
        self._shell.stdin.write(f"{line}\n")
        self._shell.stdin.flush()

    def _masked(self, text: str) -> str:
        text = text.replace(str(self.folder), "~/houses")
        tomorrow = datetime.now(PHOENIX).date() + timedelta(days=1)
        text = text.replace(tomorrow.isoformat(), "2026-03-11")
        text = _JOBS.sub(f"job {_JOB}", text).replace(self._job, _JOB)
        for pattern, instead in _MASKS:
            text = re.sub(pattern, instead, text)
        return "\n".join(line.rstrip() for line in text.splitlines())


@contextmanager
def terminal(place: Path, sites: Mapping[str, Handler]) -> Iterator[Terminal]:
    """A shell in an empty folder below *place* whose `phx` meets *sites* alone."""
    with Deployment(place / "made", sites, webserver_port=free_port()) as made:
        folder = place / "houses"
        folder.mkdir()
        usual = ("PHX_FINAL_AFTER_DAYS", "PHX_SOURCES")
        own = {name: exported(load_settings({}))[name] for name in usual} | {
            "PHX_DATA_DIR": str(folder / "data"),
            "PHX_DAGSTER_DIR": str(folder / "data" / "dagster"),
            "COLUMNS": str(COLUMNS),
            "NO_COLOR": "1",
            "PHX_USER": "ada",
            "LANG": "C.UTF-8",
        }
        with phx_of_shells(BIN / "phx") as first:
            own["PATH"] = os.pathsep.join(map(str, (first, BIN, os.environ["PATH"])))
            with Terminal(folder=folder, env=made.env | own) as shell:
                yield shell


def walk(text: str, place: Path) -> list[Said]:
    """Run all that a document shows, in a folder below *place*."""
    with terminal(place, all_sites()) as shell:
        return [shell.run(step) for step in steps_of(text)]


@click.command()
@click.argument("documents", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; fail where one differs.")
def main(documents: Sequence[Path], *, check: bool) -> None:
    """Run what DOCUMENTS show and write down what it says."""
    for path in documents:
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as place:
            said = walk(text, Path(place))
        other = [one for one in said if not one.is_as_shown]
        click.echo(f"{path}: {len(said)} commands, {len(other)} say something else")
        if other and check:
            raise click.ClickException("\n".join(one.text for one in other))
        path.write_text(told_anew(text, said), encoding="utf-8")


if __name__ == "__main__":
    main()
