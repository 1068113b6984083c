"""`phx down`: what `phx up` started for these stores ends, and all it left behind."""

import click

from phx_pipeline.cli.console import console
from phx_pipeline.settings import load_settings


@click.command()
def down() -> None:
    """Stop the `phx up` of the data folder. Safe to repeat.

    It does so wherever `phx up` was started, waits for its end, ends what earlier ones
    left, and says what it did. Runs under way are told to end; the next `phx up` takes
    them up again. Set PHX_DATA_DIR to the folder of a `phx demo` to stop that.

    \b
    Example:
      phx down
    """
    from phx_pipeline.supervise.down import stop

    for line in stop(load_settings()):
        console.print(line, soft_wrap=True)
