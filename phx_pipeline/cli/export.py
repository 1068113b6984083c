"""`phx export` and `phx rebuild`: views to hand on, views made anew."""

from functools import partial
from pathlib import Path

import click

from phx_pipeline.cli.console import console, followed
from phx_pipeline.cli.options import FILLED
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted


@click.command()
@click.argument("house", required=False, type=FILLED)
@click.option(
    "--job",
    "job_id",
    type=FILLED,
    metavar="ID",
    help="Pack all houses of one job instead; `phx extract` prints its id.",
)
@click.option(
    "--to",
    "target",
    type=OutputFile(".zip"),
    help="Write the zip to this file; by default KEY.zip or job-ID.zip in this folder.",
)
@click.option(
    "--table",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the table; parquet needs the extra of that name.",
)
def export(
    house: str | None, *, job_id: str | None, target: Path | None, table: str
) -> None:
    """Pack the pictures of a house, or of a job, for somebody else.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.
    Give either HOUSE or --job.

    The zip holds the published pictures, their manifest and a table of them. Equal
    content gives equal bytes, and the file appears once it is whole.

    \b
    Examples:
      phx export 686067a4
      phx export --job 4f2a9c01d3e5 --to weekend.zip --table parquet
    """
    from phx_pipeline.workflows.bundle import TableFormat, bundle
    from phx_pipeline.workflows.intake import find_property

    if (house is None) == (job_id is None):
        raise InputError("say what to export: a property, or --job ID")
    with opened() as context:
        if house is not None:
            slugs = [find_property(context, house).slug]
        else:
            slugs = [item.slug for item in context.catalog.jobs.items(str(job_id))]
        if not slugs:
            raise InputError(f"unknown job {job_id!r}: `phx extract` prints a job's id")
        path = target or Path(f"{slugs[0] if house else f'job-{job_id}'}.zip")
        packing = partial(followed, doing="packing")
        pictures = bundle(context, slugs, path, table=TableFormat(table), each=packing)
    tell_written(counted(pictures, "picture"), path)


@click.command()
@click.option(
    "--views",
    "views_only",
    is_flag=True,
    help="Make only the JSON files of the metadata folder and the folder views anew.",
)
def rebuild(*, views_only: bool) -> None:
    """Make all published folders and views anew.

    Every house is counted, decided, categorized and published anew from the catalogue
    and the originals, and no site is asked. PNGs of another size or format than the
    settings say are made anew as well. Folders, views and PNGs may be deleted before.

    \b
    Examples:
      phx rebuild
      phx rebuild --views    metadata/*.json and the folders of links alone
    """
    from phx_pipeline.cli.partners import settle_partners
    from phx_pipeline.stages.folder_views import rebuild_links
    from phx_pipeline.stages.rebuild import rebuild as rebuild_property
    from phx_pipeline.stages.views import refresh_views

    with opened() as context:
        slugs = [] if views_only else context.catalog.slugs()
        files = 0
        for slug in followed(slugs, "publishing", hidden=views_only):
            files += rebuild_property(context, slug).files
        settle_partners(context, slugs)
        changed = refresh_views(context, anyway=True)
        links = rebuild_links(context)
    made = [] if views_only else [(len(slugs), "folder"), (files, "file")]
    told = [counted(count, noun) for count, noun in made]
    views = f"{counted(changed, 'view')} and {counted(links, 'link')} changed"
    console.print(", ".join([*told, views]))
