"""`phx stats`: totals over all properties."""

import json
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from phx_pipeline.cli.console import NO_HOUSES, console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.model.outcome import VerdictKind

if TYPE_CHECKING:
    from phx_pipeline.model.totals import PhotoTotals, Statistics


@click.command()
@json_option
def stats(*, as_json: bool) -> None:
    """Show totals over all houses.

    For whoever looks after the store. For each source: the houses with photos, and the
    photos by what became of them. Then how many hashes of pictures are stored, and how
    many pairs of photos of two houses agree.

    \b
    Examples:
      phx stats
      phx stats --json
    """
    with opened_catalog() as catalog:
        found = catalog.statistics.read()
    if as_json:
        click.echo(json.dumps(_plain(found), indent=2))
        return
    if not found.properties and not found.removed:
        console.print(NO_HOUSES, soft_wrap=True)
        return
    print_table(_table(found))
    for line in _lines(found):
        console.print(line, soft_wrap=True)


def _table(found: "Statistics") -> Table:
    table = Table(title="Photos per source", show_footer=True)
    table.add_column("source", footer="all")
    sums = _counts(found.photos)
    for name, total in sums.items():
        table.add_column(name, justify="right", footer=str(total))
    for source, totals in found.by_source.items():
        table.add_row(source.value, *map(str, _counts(totals).values()))
    return table


def _lines(found: "Statistics") -> list[str]:
    houses = f"{found.properties} followed, {found.removed} removed"
    pairs = ", ".join(f"{count} {kind.value}" for kind, count in found.alike.items())
    return [
        f"properties: {houses}, {found.photos.properties} with photos",
        f"hashes: {found.hashes} stored, {found.distinct_phashes} different pHashes",
        f"pairs of photos of two properties that agree: {pairs}",
    ]


def _plain(found: "Statistics") -> dict[str, Any]:
    return {
        "properties": {
            "followed": found.properties,
            "removed": found.removed,
            "with_photos": found.photos.properties,
        },
        "photos": _counts(found.photos),
        "by_source": {
            source.value: _counts(totals) for source, totals in found.by_source.items()
        },
        "lookup": {
            "hashes": found.hashes,
            "distinct_phashes": found.distinct_phashes,
            "alike": {kind.value: count for kind, count in found.alike.items()},
        },
    }


def _counts(totals: "PhotoTotals") -> dict[str, int]:
    bins = {kind.value: totals.counts[kind] for kind in VerdictKind}
    return {"properties": totals.properties, "discovered": totals.discovered, **bins}
