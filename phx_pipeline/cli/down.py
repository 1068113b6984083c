"""`phx down`: what `phx up` started for these stores ends, and all it left behind."""

import click

from phx_pipeline.cli.console import console
from phx_pipeline.settings import load_settings


@click.command()
def down() -> None:
    """Stop the `phx up` of the data folder, wherever it was started. Safe to repeat.

    Runs under way are told to end; the next `phx up` takes them up again.

    \b
    Example:
      phx down
    """
    from phx_pipeline.supervise.down import stop

    for line in stop(load_settings()):
        console.print(line, soft_wrap=True)
