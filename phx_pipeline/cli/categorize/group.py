"""The group `phx categorize`."""

import click

from phx_pipeline.cli.categorize.backends import backends
from phx_pipeline.cli.categorize.eval import eval_
from phx_pipeline.cli.categorize.models import forget, models
from phx_pipeline.cli.categorize.run import run
from phx_pipeline.cli.categorize.train import train
from phx_pipeline.cli.nearest import NearestGroup


@click.group(cls=NearestGroup)
def categorize() -> None:
    """Name what the pictures show, and see who says it.

    Runs name all pictures by themselves; this is for what is changed later: another
    version, another choice of backends, what was learnt from reviews.

    \b
    Examples:
      phx categorize backends
      phx categorize run --all
      phx categorize train
      phx categorize eval --matrix confusion.png
    """


for _command in (backends, run, train, eval_, models, forget):
    categorize.add_command(_command)
