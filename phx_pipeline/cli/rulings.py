"""`phx rulings`: what people decided, and how it gets from one catalogue to another."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, errors, print_table
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import house_option, json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened, opened_catalog
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.model.ruling import Ruling
    from phx_pipeline.workflows.rulings import Taken

_STANDARD = Path("-")
_ORIGINS = (
    "`phx quarantine`, `phx duplicates`, `phx review`, and `phx properties confirm` "
    "and `merge` make them"
)


@click.group(cls=NearestGroup)
def rulings() -> None:
    """Show, save and restore what people decided."""


@rulings.command("list")
@house_option
@click.option(
    "--all", "everything", is_flag=True, help="List also what newer decisions replaced."
)
@json_option
def list_(*, house: str | None, everything: bool, as_json: bool) -> None:
    """List the decisions that count, the oldest first.

    \b
    Examples:
      phx rulings list
      phx rulings list --property 686067a4 --all --json
    """
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.rulings import plain_ruling

    with opened() as context:
        slug = find_property(context, house).slug if house else None
        found = [it for it in context.catalog.rulings.all() if slug in {None, it.slug}]
    if not everything:
        found = _counting(found)
    if as_json:
        click.echo(json.dumps(list(map(plain_ruling, found)), indent=2))
        return
    if not found:
        of = f" about {slug}" if slug else ""
        console.print(f"no rulings{of} yet: {_ORIGINS}", soft_wrap=True)
        return
    print_table(_table(found))
    console.print(counted(len(found), "ruling"))


@rulings.command()
@click.argument(
    "file", type=OutputFile(".jsonl", ".ndjson", or_standard=True), default=_STANDARD
)
def export(file: Path) -> None:
    """Write every ruling to a file, as a line of JSON each.

    FILE ends in .jsonl or .ndjson; without FILE they go to standard output.

    \b
    Examples:
      phx rulings export rulings.jsonl
      phx rulings export | wc -l
    """
    from phx_pipeline.storage.outputs import write_output
    from phx_pipeline.workflows.rulings import ruling_lines

    with opened_catalog() as catalog:
        found = catalog.rulings.all()
    text = "".join(f"{line}\n" for line in ruling_lines(found))
    if file == _STANDARD:
        click.echo(text, nl=False)
        return
    write_output(file, text.encode())
    tell_written(counted(len(found), "ruling"), file)


@rulings.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def import_(ctx: click.Context, *, file: Path, as_json: bool) -> None:
    """Take the rulings of a file that are not here yet.

    FILE is what `phx rulings export` wrote; a single - stands for standard input.

    They are acted on as `phx quarantine`, `phx duplicates` and `phx review` do: photos
    are freed or held, pictures parted, joined or named, and their houses published
    anew. A row that cannot be used is told with its number and left out. Importing a
    file again changes nothing.

    \b
    Examples:
      phx rulings import rulings.jsonl
      ssh other phx rulings export | phx rulings import -

    Exit codes: 0 all rows were taken or known, 3 some were left out.
    """
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.rulings import take_rulings

    lines = _lines(file)
    with opened() as context:
        taken = take_rulings(context, lines)
        settle_partners(context, taken.settled)
        refresh_views(context)
    _tell(taken, as_json=as_json)
    ctx.exit(Exit.PARTIAL if taken.problems else Exit.COMPLETE)


def _lines(file: Path) -> list[str]:
    try:
        body = sys.stdin.buffer.read() if file == _STANDARD else file.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"there is no file {file}: check the name") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    try:
        return body.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        raise InputError(f"{file}: line {line} is not UTF-8") from error


def _counting(found: "Sequence[Ruling]") -> "list[Ruling]":
    """The newest of each subject; *found* is in order of time."""
    newest = {(it.about, it.slug, it.source, it.key): it for it in found}
    return sorted(newest.values(), key=lambda ruling: ruling.order)


def _table(found: "Sequence[Ruling]") -> Table:
    table = Table("when", "who", "property", "about", "ruling", "why")
    for it in found:
        subject = " ".join(part for part in (it.source, it.key) if part)
        when = phoenix_text(it.at)
        about = f"{it.about.value} {subject}"
        table.add_row(when, it.who, it.slug, about, it.value, it.why)
    return table


def _tell(taken: "Taken", *, as_json: bool) -> None:
    if as_json:
        plain = {
            "added": len(taken.added),
            "known": taken.known,
            "problems": taken.problems,
            "settled": taken.settled,
            "waiting": taken.waiting,
        }
        click.echo(json.dumps(plain, indent=2))
        return
    for problem in taken.problems:
        errors.print(problem, soft_wrap=True)
    for slug in taken.waiting:
        errors.print(
            f"{slug} is being worked on: its next run acts on the rulings",
            soft_wrap=True,
        )
    left_out = counted(len(taken.problems), "row")
    settled = counted(len(taken.settled), "property")
    told = [
        f"{len(taken.added)} added" if taken.added else "nothing new",
        f"{taken.known} known already" if taken.known else "",
        f"{left_out} left out" if taken.problems else "",
        f"{settled} settled" if taken.settled else "",
    ]
    console.print(", ".join(filter(None, told)))
