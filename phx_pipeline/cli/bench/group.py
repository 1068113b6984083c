"""The group `phx bench`."""

import click

from phx_pipeline.cli.bench.dedup import dedup
from phx_pipeline.cli.bench.imaging import imaging
from phx_pipeline.cli.nearest import NearestGroup


@click.group(cls=NearestGroup)
def bench() -> None:
    """Measure parts of the pipeline on this machine.

    Each is measured beside another way to do the same, in the same run.

    \b
    Examples:
      phx bench imaging ~/photos
      phx bench dedup ~/pairs
    """


for _command in (dedup, imaging):
    bench.add_command(_command)
