"""`phx export` and `phx rebuild`: views to hand on, views made anew."""

from functools import partial
from pathlib import Path

import click

from phx_pipeline.cli.console import console, followed
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError


@click.command()
@click.argument("house", required=False)
@click.option("--job", "job_id", help="All properties of one job instead.")
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The zip to write; default: KEY.zip or job-ID.zip here.",
)
@click.option(
    "--table",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Format of the table of photos in it.",
)
def export(
    house: str | None, *, job_id: str | None, target: Path | None, table: str
) -> None:
    """Write a zip of a HOUSE: pictures, manifest, table.

    HOUSE is a key, a folder id or an address.

    \b
    Examples:
      phx export 686067a4
      phx export --job 4f2a9c01d3e5 --to weekend.zip --table parquet
    """
    from phx_pipeline.stages.bundle import TableFormat, bundle
    from phx_pipeline.stages.intake import find_property

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
    console.print(f"{pictures} pictures in {path}", markup=False)


@click.command()
@click.option("--views", "views_only", is_flag=True, help="Only the JSON files.")
def rebuild(*, views_only: bool) -> None:
    """Make all published folders and views anew; nothing is asked.

    Pictures of another size or format than the settings say are made anew as well.

    \b
    Examples:
      phx rebuild
      phx rebuild --views    the JSON files of the metadata folder alone
    """
    from phx_pipeline.cli.partners import settle_partners
    from phx_pipeline.stages.rebuild import rebuild as rebuild_property
    from phx_pipeline.stages.views import refresh_views

    with opened() as context:
        slugs = [] if views_only else context.catalog.slugs()
        files = 0
        for slug in followed(slugs, "publishing", hidden=views_only):
            files += rebuild_property(context, slug).files
        settle_partners(context, slugs)
        changed = refresh_views(context, anyway=True)
    folders = "" if views_only else f"{len(slugs)} folders, {files} files, "
    console.print(f"{folders}{changed} views changed")
