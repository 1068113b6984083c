"""`phx prune`: forget old runs, logs and rows now."""

from collections import Counter

import click
from rich.progress import Progress

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted
from phx_pipeline.settings import load_settings


@click.command()
@click.option(
    "--dry-run", is_flag=True, help="Tell what would be removed, and remove nothing."
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    metavar="DAYS",
    show_default="PHX_KEEP_RUNS_DAYS",
    help="Keep what is at most so many days old.",
)
def prune(*, dry_run: bool, days: int | None) -> None:
    """Forget old runs, logs and rows now.

    Old runs of Dagster go with their events and logs, and so do old rows that explain
    nothing of what is there now. What is the newest of its kind stays, however old.

    While `phx up` runs, the sensor `prune_history` does the same bit by bit; both may
    work at once, and either may be stopped at any moment.

    \b
    Examples:
      phx prune --dry-run
      phx prune --days 7
    """
    from phx_pipeline.defs import retention
    from phx_pipeline.defs.submit import open_instance

    settings = load_settings()
    kept_days = days or settings.keep_runs_days
    removed: Counter[str] = Counter()
    hidden = not errors.is_terminal
    with (
        opened(settings) as context,
        open_instance(settings) as instance,
        Progress(console=errors, transient=True, disable=hidden) as progress,
    ):
        task = progress.add_task("looking", total=None)
        steps = retention.prune(
            retention.RunHistory(instance, folder=settings.dagster_dir),
            context.catalog.history,
            before=retention.oldest_kept(
                context.catalog.history, now=context.clock(), days=kept_days
            ),
            dry_run=dry_run,
        )
        for step in steps:
            removed[step.what] += step.count
            progress.update(task, description=counted(removed[step.what], step.what))
    _tell(removed, verb="would be removed" if dry_run else "removed", days=kept_days)


def _tell(removed: Counter[str], *, verb: str, days: int) -> None:
    told = {what: count for what, count in removed.items() if count}
    for what, count in told.items():
        console.print(f"{counted(count, what)} {verb}")
    if not told:
        age = counted(days, "day")
        console.print(f"nothing to remove: nothing that may go is older than {age}")
