"""The `phx` command group, and how errors become exit codes."""

import atexit
import gc
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from enum import IntEnum
from importlib import import_module
from typing import TextIO, cast

import click

from phx_pipeline.cli.folding import folded, width_of
from phx_pipeline.cli.nearest import NearestGroup, near_option, of_texts
from phx_pipeline.errors import InputError
from phx_pipeline.model.printable import shown_only
from phx_pipeline.settings import use_one_thread


class Exit(IntEnum):
    """Exit codes of every command."""

    COMPLETE = 0
    ERROR = 1
    USAGE = 2
    PARTIAL = 3
    NOTHING = 4
    CANCELLED = 5


_LONGEST_LINE = 2_000
_MANY_OBJECTS = 150_000
_COMMANDS = {
    "init": "setup:init",
    "env": "setup:env",
    "properties": "properties:properties",
    "search": "search.group:search",
    "extract": "extract:extract",
    "jobs": "jobs:jobs",
    "job": "jobs:job",
    "look": "look:look",
    "status": "status:status",
    "stats": "stats:stats",
    "images": "images:images",
    "changes": "changes:changes",
    "quarantine": "quarantine:quarantine",
    "categorize": "categorize.group:categorize",
    "duplicates": "duplicates:duplicates",
    "review": "review.group:review",
    "rulings": "rulings:rulings",
    "ingest": "ingest:ingest",
    "sources": "sources:sources",
    "proxies": "proxies:proxies",
    "browser": "browser.group:browser",
    "export": "export:export",
    "rebuild": "export:rebuild",
    "bench": "bench.group:bench",
    "digest": "digest:digest",
    "verify": "verify:verify",
    "repair": "repair:repair",
    "prune": "prune:prune",
    "up": "up:up",
    "down": "down:down",
    "keys": "keys:keys",
    "audit": "audit:audit",
    "demo": "demo:demo",
}


class _LazyGroup(NearestGroup):
    """Imports a command's module when it is named: most need no heavy library."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        module, _, attribute = _COMMANDS.get(cmd_name, "").partition(":")
        if not module:
            return None
        found = import_module(f"phx_pipeline.cli.{module}")
        return of_texts(getattr(found, attribute))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="phx_pipeline", prog_name="phx")
def phx() -> None:
    """Collect the photos of houses you may buy.

    \b
    Start with:
      phx demo                        the whole pipeline on made-up houses, offline
      phx init                        make the stores
      phx properties add houses.csv   say which houses
      phx up                          start Dagster (UI, daemon, code server)
      phx extract --all               collect, with progress
      phx changes --since 1d          every morning: what is new at your houses
      phx search add west --zip 85306 and which new ones are offered, by a search

    Exit codes: 0 complete, 1 error, 2 usage, 3 partial, 4 nothing extracted,
    5 cancelled.
    """


def main() -> None:
    """Run `phx`; whatever ends it early is one line on standard error."""
    _open_streams()
    _collect_seldom()
    use_one_thread()
    try:
        code = phx(standalone_mode=False) or Exit.COMPLETE
        sys.stdout.flush()
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(Exit.USAGE)
    except click.ClickException as error:
        _tell(_usage(error))
        sys.exit(error.exit_code)
    except InputError as error:
        _tell(str(error))
        sys.exit(Exit.USAGE)
    except Exception as error:  # noqa: BLE001 - the edge: people get one line
        _tell(_sentence(error))
        sys.exit(Exit.ERROR)
    sys.exit(code)


def _open_streams() -> None:
    """Have what was closed before the start (`>&-`) lead nowhere.

    Else the next file that is opened gets its number, and is written to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, _nowhere(mode))


def _collect_seldom() -> None:
    """Look for garbage after many objects, and not at the end of the process.

    An import makes a hundred thousand, none of which is garbage. To look through them
    took half of the processor time of a command that shows something.
    """
    gc.set_threshold(_MANY_OBJECTS)
    atexit.register(gc.freeze)


def _usage(error: click.ClickException) -> str:
    """Return what is wrong with a command line, and where the right one is shown."""
    told = _in_words(error.format_message().rstrip("."), error)
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return told
    if "unexpected extra" in told:
        told += _where_words_go(context.command)
    return f"{told} (see `{context.command_path} --help`)"


_NUMBERS = (
    (" is not a valid integer range", " is no whole number"),
    (" is not a valid integer", " is no whole number"),
    (" is not a valid float range", " is no number"),
    (" is not a valid float", " is no number"),
)


def _in_words(told: str, error: click.ClickException) -> str:
    """Say what click's words for kinds of numbers mean, and which option is near."""
    for theirs, ours in _NUMBERS:
        told = told.replace(theirs, ours)
    if isinstance(error, click.NoSuchOption) and not error.possibilities and error.ctx:
        told += near_option(error.option_name, ctx=error.ctx)
    return told


_ADDRESSES = frozenset({"house", "file_or_address", "new_address", "spellings", "keep"})
"""Arguments that take an address."""


def _where_words_go(command: click.Command) -> str:
    arguments = (it for it in command.params if isinstance(it, click.Argument))
    names = {it.name for it in arguments} & _ADDRESSES
    if names and any(" " in word for word in sys.argv[1:]):
        rest = ", or a file of them" if "file_or_address" in names else ""
        return f", name one house at a time{rest}"
    if names:
        return ", an address needs quotes"
    options = [it.opts[0] for it in command.params if it.metavar == "HOUSE"]
    return f", name a house by {options[0]}" if options else ""


def _sentence(error: Exception) -> str:
    from phx_pipeline.stages.surprise import known

    if isinstance(error, OSError) and error.filename is None and _output_fails():
        error = OSError(error.errno, error.strerror, "standard output")
    told = known(error)
    return str(told) if told is not None else _unexpected(error)


def _output_fails() -> bool:
    """Whether nothing can be printed any more; it is not tried again then."""
    try:
        click.echo()  # what failed before is forgotten, so by another line
    except OSError:
        sys.stdout = _nowhere("w")
        return True
    return False


def _nowhere(mode: str) -> TextIO:
    descriptor = os.open(os.devnull, os.O_RDWR)
    return cast("TextIO", os.fdopen(descriptor, mode, encoding="utf-8"))


def _unexpected(error: Exception) -> str:
    """One line for a fault of ours; where it happened goes into a file of its own."""
    what = f"unexpected {type(error).__name__}: {error}"
    trace = "".join(traceback.format_exception(error))
    try:
        descriptor, name = tempfile.mkstemp(prefix="phx-fault-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(trace)
    except OSError:
        click.echo(trace, err=True)
        return what
    return f"{what}; this is a fault of phx_pipeline, {name} tells where"


def _tell(text: str) -> None:
    line = shown_only(_without_middle(" ".join(text.split())))
    with suppress(OSError):  # the terminal may be gone
        click.echo(folded(f"phx: {line}", width=width_of(sys.stderr)), err=True)


def _without_middle(line: str) -> str:
    """Shorten what repeats a value of any length: the remedy stands at its end."""
    if len(line) <= _LONGEST_LINE:
        return line
    return f"{line[: _LONGEST_LINE // 2]}…{line[-_LONGEST_LINE // 2 :]}"


if __name__ == "__main__":
    main()
