"""`phx properties`: which houses are followed."""

import json
from pathlib import Path

import click
from rich.table import Table

from phx_pipeline.cli.console import console
from phx_pipeline.cli.session import opened


@click.group()
def properties() -> None:
    """Add and list the houses to follow."""


@properties.command()
@click.argument("file_or_address")
def add(file_or_address: str) -> None:
    """Add one ADDRESS, or all rows of a CSV FILE; known ones are left as they are.

    \b
    Examples:
      phx properties add "4732 W Davis Rd, Glendale, AZ 85306"
      phx properties add houses.csv     column full_address, or street,city,state,zip
    """
    from phx_pipeline.model.address import Address
    from phx_pipeline.stages.intake import add_properties, read_csv

    if _is_file(file_or_address):
        addresses = read_csv(Path(file_or_address))
    else:
        addresses = [Address.parse(file_or_address)]
    with opened() as context:
        report = add_properties(context, addresses)
    for house in report.added:
        console.print(f"added {house.slug}  ({house.address}, folder {house.folder})")
    console.print(f"{len(report.added)} added, {report.known} known before")


@properties.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
def list_(*, as_json: bool) -> None:
    """List the properties: key, folder, address.

    \b
    Example:
      phx properties list --json
    """
    with opened() as context:
        houses = context.catalog.properties()
    if as_json:
        rows = [
            {"key": h.slug, "folder": h.folder, "address": str(h.address)}
            for h in houses
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table("key", "folder", "address", title=f"{len(houses)} properties")
    for house in houses:
        table.add_row(house.slug, house.folder, str(house.address))
    console.print(table)


def _is_file(text: str) -> bool:
    if text.lower().endswith(".csv"):
        return True
    try:
        return Path(text).is_file()
    except OSError:  # too long for a file name
        return False
