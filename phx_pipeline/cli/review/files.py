"""`phx review export` and `import`: the queue as a file that people fill in."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.review.chosen import (
    everything_option,
    house_option,
    slug_of,
    subject_named,
    subject_option,
)
from phx_pipeline.cli.review.told import plain_done, tell_waits
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.workflows.review_files import FileTaken

_TOLD: Final = 20  # rows that were left out


@click.command()
@click.argument("file", type=OutputFile(".csv", ".json"))
@house_option
@subject_option
@everything_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Write at most so many; by default all.",
)
def export(
    file: Path,
    *,
    house: str | None,
    subject: str | None,
    everything: bool,
    limit: int | None,
) -> None:
    """Write the pictures to look at to a file that you fill in.

    FILE ends in .csv or .json. Fill in the column `subject`, and where the picture is
    elsewhere than usual `location`; `open` takes back what was said. With --all the
    reviewed ones are in it, with what was said of them.

    \b
    Examples:
      phx review export queue.csv --limit 200
      phx review export all.json --all
    """
    from phx_pipeline.storage.outputs import write_output
    from phx_pipeline.workflows.review_files import file_body
    from phx_pipeline.workflows.review_queue import review_queue

    with opened() as context:
        slug = slug_of(context, house)
        named = subject_named(subject)
        queue = review_queue(
            context, slug=slug, subject=named, limit=limit, everything=everything
        )
        write_output(file, file_body(context, queue.entries, name=file.name))
    tell_written(counted(len(queue.entries), "picture"), file)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def import_(ctx: click.Context, *, file: Path, as_json: bool) -> None:
    """Take what you filled in in an exported file.

    A CSV, an Excel workbook, or JSON. A row that cannot be used is told with its number
    and left out, the others are taken. Rows with an empty subject say nothing;
    importing a file again changes nothing. A row that only repeats what was said when
    the file was written does not overrule what was said since.

    \b
    Example:
      phx review import queue.csv

    Exit codes: 0 all rows were taken or known, 3 some were left out.
    """
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.review_files import take_file
    from phx_pipeline.workflows.tables import file_content

    content = file_content(file)
    with opened() as context:
        taken = take_file(context, content, name=file.name)
        settle_partners(context, taken.done.settled)
        refresh_views(context)
    _tell_taken(taken, as_json=as_json)
    ctx.exit(Exit.PARTIAL if taken.problems else Exit.COMPLETE)


def _tell_taken(taken: "FileTaken", *, as_json: bool) -> None:
    changed = sum(it.changed for it in taken.done.reviewed)
    if as_json:
        plain = plain_done(taken.done) | {
            "known": taken.known,
            "empty": taken.empty,
            "older": taken.older,
            "problems": taken.problems,
        }
        click.echo(json.dumps(plain, indent=2))
        return
    for problem in taken.problems[:_TOLD]:
        errors.print(problem, soft_wrap=True)
    if more := len(taken.problems[_TOLD:]):
        rest = f"{counted(more, 'more row')} left out: --json tells why of all"
        errors.print(rest, soft_wrap=True)
    tell_waits(taken.done)
    told = [
        f"{counted(changed, 'picture')} named" if changed else "nothing new",
        f"{taken.known} known already" if taken.known else "",
        f"{taken.older} ruled otherwise since" if taken.older else "",
        f"{counted(taken.empty, 'row')} not filled in" if taken.empty else "",
        f"{counted(len(taken.problems), 'row')} left out" if taken.problems else "",
    ]
    console.print(", ".join(filter(None, told)))
