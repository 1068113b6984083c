"""`phx categorize train`: heads and calibration from what people reviewed."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.categorize.learning.lessons import Lesson
    from phx_pipeline.categorize.learning.scores import Scores, Share
    from phx_pipeline.stages.learning import Training


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Show what would be learnt; keep nothing."
)
@json_option
def train(*, dry_run: bool, as_json: bool) -> None:
    """Learn from the pictures that people reviewed.

    Twenty reviewed pictures of a subject, of five houses or more, make a head that
    tells it from all else. It is judged on reviews of houses it never saw, and used
    only if more pictures are named right with it. Two hundred make a calibration, by
    which a confidence says how often it is right. Nothing is asked of the network.

    Pictures keep their names until `phx categorize run --all`. `phx categorize models`
    lists each training that made or tried something new; others leave no trace.

    \b
    Examples:
      phx categorize train --dry-run
      phx categorize train && phx categorize run --all
    """
    from phx_pipeline.stages.learning import train as learn_from_reviews

    with opened() as context:
        training = learn_from_reviews(context, dry_run=dry_run)
    if as_json:
        click.echo(json.dumps(training.plain(), indent=2))
        return
    console.print(counted(training.reviewed, "reviewed picture"))
    if training.unseen:
        console.print(
            f"the backend `embedded` has not looked at {training.unseen} of them: no "
            "head is learnt from those. `phx categorize run --all` has it look at them "
            "if PHX_CATEGORIZERS is unset or names it",
            soft_wrap=True,
        )
    lesson = training.lesson
    if lesson.heads:
        print_table(_heads_table(lesson))
    for lacking in lesson.lacking:
        needed = f"{lacking.subject.value}: a head needs {lacking.why}"
        console.print(needed, soft_wrap=True)
    for name, curve in lesson.curves.items():
        used = "used" if curve.curve else "not used"
        console.print(f"calibration of {name} {used}: {curve.why}", soft_wrap=True)
    print_table(scores_table(lesson.before, lesson.after))
    console.print(_outcome(training), soft_wrap=True)


def scores_table(
    before: Mapping[str, "Scores"], after: Mapping[str, "Scores"]
) -> Table:
    """How often names are right before and after."""
    table = Table("backend", title="Reviewed pictures named right, houses held back")
    for column in ("now", "with it", "right at 85", "with it"):
        table.add_column(column, justify="right")
    for name, it in before.items():
        new = after[name]
        shares = (it.right, new.right, it.sure, new.sure)
        table.add_row(name, *map(share_text, shares))
    return table


def share_text(share: "Share") -> str:
    """Return counts, and the interval that the share lies in."""
    if not share.of:
        return "-"
    low, high = share.between()
    return f"{share.count} of {share.of} ({low:.0%}-{high:.0%})"


def _heads_table(lesson: "Lesson") -> Table:
    table = Table("subject", title="Heads, on houses they never saw")
    for column in ("reviewed", "found", "right", "right at 85"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for it in lesson.heads:
        judged = "taken" if it.judged else "taken, at 84 at most"
        table.add_row(
            it.subject.value,
            f"{it.recall.of} of {counted(it.houses, 'house')}",
            f"{it.recall.value:.0%}",
            f"{it.precision.value:.0%}",
            f"{it.sure.count} of {it.sure.of}",
            f"refused: {it.refused}" if it.refused else judged,
        )
    return table


def _outcome(training: "Training") -> str:
    if training.made is None:
        kept = (
            "`phx categorize models` lists it as refused"
            if training.stored
            else "nothing is kept of this training"
        )
        return f"nothing changes: {training.lesson.refused}; {kept}"
    if not training.stored:
        return f"{training.made} would be used (--dry-run: nothing is kept)"
    return (
        f"{training.made} is used from now on; `phx categorize run --all` names the "
        f"pictures by it, `phx categorize forget {training.made}` goes back"
    )
