"""`phx categorize eval`: how often names are right where people said what is shown."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.categorize.train import share_text
from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.categorize.learning.scores import Scores
    from phx_pipeline.stages.learning import Evaluation

_FEW = 100
_FORM = (
    "Give the CSV file first, then the folder of its pictures: `--labels labels.csv "
    "photos`."
)
_LEGEND = (
    "at 85: right among names of 85 % or more; ECE: how far stated and true confidence "
    "are apart, 0 at best; fused: all backends together"
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class _Eval(click.Command):
    """Tells of `--labels` how it is given, where it is not given so."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what is left, as click does."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if not _is_about_labels(error):
                raise
            raise click.UsageError(f"{error.format_message()} {_FORM}", ctx) from error


def _is_about_labels(error: click.UsageError) -> bool:
    if isinstance(error, click.BadOptionUsage):
        return error.option_name == "--labels"
    param = error.param if isinstance(error, click.BadParameter) else None
    return param is not None and param.name == "labels"


@click.command("eval", cls=_Eval)
@click.option(
    "--labels",
    type=(_FILE, _FOLDER),
    metavar="FILE FOLDER",
    help="Judge by the pictures in FOLDER; the CSV FILE has the columns file and "
    "subject, and may have house and caption.",
)
@click.option(
    "--matrix",
    type=OutputFile(".png"),
    metavar="FILE",
    help="Write what was taken for what, as a PNG.",
)
@json_option
def eval_(
    *, labels: tuple[Path, Path] | None, matrix: Path | None, as_json: bool
) -> None:
    """Count how often names are right, by what people said that pictures show.

    By default these are the reviewed pictures, each named by heads that never saw its
    house. Shown are each backend and all together: names that are right, how far
    stated and true confidence are apart (ECE), and which share of the pictures could
    be named if so many of the names were to be right. A share of few pictures says
    little: beside it stands where the true one lies with a certainty of 95 %.

    \b
    Examples:
      phx categorize eval --matrix confusion.png
      phx categorize eval --labels labels.csv ~/photos --json
    """
    with opened() as context:
        if labels is None:
            from phx_pipeline.stages.learning import evaluate

            found = evaluate(context)
        else:
            from phx_pipeline.stages.labelled import evaluate_files, read_labels

            found = evaluate_files(context, read_labels(*labels))
    if matrix:
        _draw(found, matrix)
        tell_written("what was taken for what is", matrix, as_json=as_json)
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    print_table(_table(found))
    console.print(_LEGEND, soft_wrap=True)
    told = [counted(found.pictures, "picture")]
    told += [f"of {counted(found.houses, 'house')}"] if found.houses else []
    told += [f"trained model {found.model}" if found.model else "no trained model"]
    console.print(", ".join(told))
    if found.pictures < _FEW:
        console.print(
            f"{counted(found.pictures, 'picture')} tell little: heed the intervals"
        )


def _plain(found: "Evaluation") -> dict[str, object]:
    return {
        "pictures": found.pictures,
        "houses": found.houses,
        "model": found.model,
        "backends": {name: it.plain() for name, it in found.scores.items()},
    }


def _table(found: "Evaluation") -> Table:
    table = Table("backend")
    for column in ("pictures", "named right", "of named", "at 85", "ECE"):
        table.add_column(column, justify="right")
    for target in next(iter(found.scores.values())).coverage:
        table.add_column(f"named at {target:.0%}", justify="right")
    for name, it in found.scores.items():
        shares = (it.right, it.right_of_named, it.sure)
        table.add_row(
            name,
            str(it.pictures),
            *map(share_text, shares),
            f"{it.ece:.3f}",
            *(f"{share:.0%}" for share in it.coverage.values()),
        )
    return table


def _draw(found: "Evaluation", file: Path) -> None:
    from phx_pipeline.imaging.matrix import matrix_png
    from phx_pipeline.storage.outputs import write_output

    fused: Scores = found.scores["fused"]
    counts = {(one.value, as_.value): n for (one, as_), n in fused.confusion.items()}
    rows = sorted({one for one, _ in counts})
    columns = sorted({as_ for _, as_ in counts} | set(rows))
    title = f"{counted(found.pictures, 'picture')}: shown (rows), named (columns)"
    write_output(file, matrix_png(counts, rows, columns, title=title))
