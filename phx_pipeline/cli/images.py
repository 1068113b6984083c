"""`phx images`: the files of a property."""

import json

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.taxonomy import Subject


@click.command()
@click.argument("house")
@click.option(
    "--min-confidence",
    type=click.IntRange(0, 99),
    default=0,
    show_default=True,
    metavar="PERCENT",
    help="List only pictures whose subject is at least this sure, in percent.",
)
@click.option(
    "--subject",
    type=click.Choice([each.value for each in Subject]),
    metavar="SUBJECT",
    help="List only pictures of one subject, such as kitchen; by default all.",
)
@json_option
def images(
    house: str, *, min_confidence: int, subject: str | None, as_json: bool
) -> None:
    """List the published pictures of one house.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    \b
    Examples:
      phx images 686067a4 --subject kitchen
      phx images "4732 W Davis Rd, Glendale, AZ 85306" --min-confidence 85
    """
    from phx_pipeline.stages.intake import find_property

    with opened() as context:
        slug = find_property(context, house).slug
        named = [
            (image, ImageName.parse(image.local_path.rpartition("/")[2]))
            for image in context.catalog.published_images(slug)
        ]
        rows = [
            (image, name)
            for image, name in named
            if name.confidence >= min_confidence and subject in {None, name.subject}
        ]
        root = context.layout.images
    if as_json:
        found = [
            {"file": str(root / i.local_path), "url": i.source_url} for i, _ in rows
        ]
        click.echo(json.dumps(found, indent=2))
        return
    if not rows:
        console.print(_nothing(slug, known=len(named)), soft_wrap=True)
        return
    console.print(f"{slug}: {counted(len(rows), 'picture')}", soft_wrap=True)
    console.print(f"in {(root / rows[0][0].local_path).parent}", soft_wrap=True)
    table = Table("file", "shows", "sure", "size")
    for image, name in rows:
        file = image.local_path.rpartition("/")[2]
        size = f"{image.width}x{image.height}"
        shows = f"{name.location.value} {name.subject.value}"
        table.add_row(file, shows, f"{name.confidence} %", size)
    print_table(table)


def _nothing(slug: str, *, known: int) -> str:
    if known:
        others = counted(known, "other")
        return f"{slug}: no such picture, but {others} (leave out the options)"
    return f"{slug}: no pictures yet; `phx extract --address {slug}` collects them"
