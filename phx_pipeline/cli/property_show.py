"""`phx properties show`: all that is known of one house."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.stages.facts import HouseSheet


@click.command()
@click.argument("house")
@json_option
def show(house: str, *, as_json: bool) -> None:
    """Show all that is known of one house, and where sources disagree.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    Shown are how each source ended and where its listing is, the facts each source
    states and on which day they were last seen, the prices if they changed, and what
    the kept pictures show. A ! marks a fact in which the sources disagree.

    \b
    Examples:
      phx properties show 686067a4
      phx properties show "4732 W Davis Rd, Glendale, AZ 85306" --json
    """
    from phx_pipeline.stages.facts import house_sheet
    from phx_pipeline.stages.intake import find_property

    with opened() as context:
        sheet = house_sheet(context, find_property(context, house))
    if as_json:
        click.echo(json.dumps(_plain(sheet), indent=2))
        return
    _print_head(sheet)
    if sheet.facts:
        print_table(_fact_table(sheet))
    if len(sheet.prices) > len({seen.source for seen in sheet.prices}):
        print_table(_price_table(sheet))
    for line in _subject_lines(sheet):
        console.print(line, soft_wrap=True)


def _print_head(sheet: "HouseSheet") -> None:
    house = sheet.house
    console.print(str(house.address), soft_wrap=True)
    console.print(f"folder {house.folder}, key {house.slug}", soft_wrap=True)
    for tally in sheet.sources:
        told = [tally.source.value, tally.outcome.value if tally.outcome else ""]
        if tally.checked_at is None:
            told[1:] = ["not asked"]
        else:
            told.append(f"asked {phoenix_text(_iso(tally.checked_at))}")
        told.append(sheet.urls.get(tally.source, ""))
        console.print("  ".join(part for part in told if part), soft_wrap=True)


def _fact_table(sheet: "HouseSheet") -> Table:
    from phx_pipeline.stages.facts import LABELS, shown_value

    differing = {conflict.name for conflict in sheet.conflicts}
    columns = sorted(sheet.facts.values(), key=lambda seen: seen.source.value)
    heads = [f"{seen.source.value}\n{seen.seen_on}" for seen in columns]
    table = Table("fact", *heads, title="What the sources say")
    for name, label in LABELS.items():
        values = [shown_value(name, seen.facts.value(name)) for seen in columns]
        if any(values):
            mark = "!" if name in differing else " "
            table.add_row(f"{mark} {label}", *values)
    return table


def _price_table(sheet: "HouseSheet") -> Table:
    table = Table("seen on", "source", "price", title="Prices")
    for seen in sheet.prices:
        table.add_row(
            seen.seen_on.isoformat(), seen.source.value, f"${seen.list_price:,}"
        )
    return table


def _subject_lines(sheet: "HouseSheet") -> Iterator[str]:
    total = sum(sheet.subjects.values())
    counts = ", ".join(f"{subject} {n}" for subject, n in sheet.subjects.items())
    if total:
        yield f"{counted(total, 'picture')} kept: {counts}"
    else:
        yield f"no pictures kept yet: `phx extract --address {sheet.house.slug}`"


def _plain(sheet: "HouseSheet") -> dict[str, object]:
    from phx_pipeline.stages.facts import plain_conflicts

    return {
        "key": sheet.house.slug,
        "folder": sheet.house.folder,
        "address": str(sheet.house.address),
        "sources": {
            tally.source.value: {
                "outcome": tally.outcome.value if tally.outcome else None,
                "detail": tally.detail,
                "url": sheet.urls.get(tally.source),
                "asked_at": _iso(tally.checked_at),
            }
            for tally in sheet.sources
        },
        "facts": {
            source.value: {"seen_on": seen.seen_on.isoformat(), **seen.facts.stated}
            for source, seen in sheet.facts.items()
        },
        "conflicts": plain_conflicts(sheet.conflicts),
        "prices": [
            {
                "seen_on": seen.seen_on.isoformat(),
                "source": seen.source.value,
                "list_price": seen.list_price,
            }
            for seen in sheet.prices
        ],
        "photos": dict(sheet.subjects),
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
