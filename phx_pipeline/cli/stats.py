"""`phx stats`: totals over all properties, and what the lookup of hashes costs."""

import json
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from phx_pipeline.cli.console import NO_HOUSES, console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_catalog
from phx_pipeline.model.outcome import VerdictKind

if TYPE_CHECKING:
    from phx_pipeline.catalog.statistics import PhotoTotals, Statistics


@click.command()
@json_option
def stats(*, as_json: bool) -> None:
    """Show totals over all houses, and the index of hashes.

    For whoever looks after the store. For each source: the houses with photos, and the
    photos by what became of them. Then
    how large the index of picture hashes is, and how much one lookup in it reads.

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
    bands, alike = found.bands, found.alike
    houses = f"{found.properties} followed, {found.removed} removed"
    sizes = f"{_mean(found):.1f} hashes in one, at most {bands.largest}"
    pairs = ", ".join(f"{count} {kind.value}" for kind, count in alike.items())
    return [
        f"properties: {houses}, {found.photos.properties} with photos",
        f"hashes: {found.hashes} stored, {found.distinct_phashes} different pHashes",
        f"index: {bands.bands} bands, {bands.buckets} buckets, {sizes}",
        f"a lookup reads {bands.candidates:.1f} candidates",
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
            "num_bands": found.bands.bands,
            "total_buckets": found.bands.buckets,
            "avg_bucket_size": round(_mean(found), 2),
            "max_bucket_size": found.bands.largest,
            "candidates_per_lookup": round(found.bands.candidates, 2),
            "alike": {kind.value: count for kind, count in found.alike.items()},
        },
    }


def _counts(totals: "PhotoTotals") -> dict[str, int]:
    bins = {kind.value: totals.counts[kind] for kind in VerdictKind}
    return {"properties": totals.properties, "discovered": totals.discovered, **bins}


def _mean(found: "Statistics") -> float:
    """Hashes per bucket that is not empty."""
    return found.hashes * found.bands.bands / max(1, found.bands.buckets)
