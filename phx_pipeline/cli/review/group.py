"""The group `phx review`."""

import click

from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.review.files import export, import_
from phx_pipeline.cli.review.queue import list_
from phx_pipeline.cli.review.say import set_, undo


@click.group(cls=NearestGroup)
def review() -> None:
    """Look at doubtful names of pictures, and say what they show.

    What you say stands above all that was read or computed, for ever: it is kept for
    the photo, and holds for the picture the photo is of, also when a better copy is
    found, the house is renamed, or pictures are named anew.

    PICTURE is the name or the path of a picture's file, or the id that `phx review
    list` shows, or its start of four digits or more. With --house it may also be the
    key that the source has for a photo.
    """


for _command in (list_, set_, undo, export, import_):
    review.add_command(_command)
