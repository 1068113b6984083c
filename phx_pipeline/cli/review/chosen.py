"""Which pictures a command of `phx review` is about: a house, a subject, or all."""

from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.options import FILLED
from phx_pipeline.errors import InputError
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.taxonomy import Subject

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext

house_option = click.option(
    "--house",
    "--property",
    "house",
    type=FILLED,
    metavar="HOUSE",
    help="Only pictures of one house: its key, folder or address; by default all.",
)
subject_option = click.option(
    "--subject",
    type=FILLED,
    metavar="SUBJECT",
    help="Only pictures named so now, such as bedroom or unknown; by default all.",
)
everything_option = click.option(
    "--all", "everything", is_flag=True, help="Also what is sure or reviewed."
)


def slug_of(context: "StageContext", house: str | None) -> str | None:
    """Return the key of the house that is named, None where none is."""
    from phx_pipeline.workflows.intake import find_property

    return find_property(context, house).slug if house else None


def subject_named(text: str | None) -> Subject | None:
    """Return the subject that pictures are named now; that may be `unknown`."""
    if text is None:
        return None
    known = list(Subject)
    if text not in known:
        raise InputError(
            f"there is no subject {text!r}{did_you_mean(text, known)}: give one of "
            f"{', '.join(known)}"
        )
    return Subject(text)
