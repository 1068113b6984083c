"""The group `phx categorize`."""

import click

from phx_pipeline.cli.categorize.backends import backends
from phx_pipeline.cli.categorize.run import run
from phx_pipeline.cli.nearest import NearestGroup


@click.group(cls=NearestGroup)
def categorize() -> None:
    """Name what the pictures show, and see who says it.

    Runs name all pictures by themselves; this is for what is changed later: another
    version, another choice of backends.

    \b
    Examples:
      phx categorize backends
      phx categorize run --all
    """


for _command in (backends, run):
    categorize.add_command(_command)
