"""`phx properties show`: all that is known of one house."""

import json
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, packed, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened_reads
from phx_pipeline.cli.times import phoenix_text
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import ListingOutcome

if TYPE_CHECKING:
    from phx_pipeline.model.facts import LastSaid
    from phx_pipeline.model.tally import SourceTally
    from phx_pipeline.reads.facts import HouseSheet


@click.command()
@click.argument("house")
@json_option
def show(house: str, *, as_json: bool) -> None:
    """Show all that is known of one house, and where sources disagree.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    Shown are how each source ended and where its listing is, the facts each source
    states and on which day, what an assessor holds the house to be worth, the prices if
    they changed, and what the kept pictures show. A ! marks a fact in which the sources
    disagree. A day beside a fact is that of an earlier answer: the newest one, whose
    day stands with the source, leaves it out.

    \b
    Examples:
      phx properties show 686067a4
      phx properties show "4732 W Davis Rd, Glendale, AZ 85306" --json
    """
    from phx_pipeline.reads.documents import house_document
    from phx_pipeline.reads.facts import house_sheet
    from phx_pipeline.reads.houses import meant_house

    with opened_reads() as reads:
        sheet = house_sheet(reads, meant_house(reads, house))
    if as_json:
        click.echo(json.dumps(house_document(sheet), indent=2))
        return
    _print_head(sheet)
    if sheet.facts:
        print_table(_fact_table(sheet), lines=_fact_lines(sheet))
    if sheet.valuations:
        print_table(_valuation_table(sheet))
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
        elif tally.source in sheet.urls or tally.outcome is not ListingOutcome.DISABLED:
            told.append(f"asked {phoenix_text(tally.checked_at)}")
        told.append(sheet.urls.get(tally.source, ""))
        told.append(_why(tally))
        console.print("  ".join(part for part in told if part), soft_wrap=True)


def _why(tally: "SourceTally") -> str:
    """Return why a source gave nothing, or not all."""
    ended_well = tally.outcome is None or tally.outcome.is_final
    return "" if ended_well else tally.detail


def _fact_table(sheet: "HouseSheet") -> Table:
    heads = [f"{source.value}\n{it.seen.seen_on}" for source, it in sheet.facts.items()]
    table = Table("fact", *heads, title="What the sources say")
    for name, label in _labels(sheet):
        values = [_dated(it, name) for it in sheet.facts.values()]
        table.add_row(label, *values)
    return table


def _labels(sheet: "HouseSheet") -> Iterator[tuple[str, str]]:
    """Yield the facts that any source says, with a mark where sources disagree."""
    from phx_pipeline.model.fact_words import LABELS

    differing = {conflict.name for conflict in sheet.conflicts}
    for name, label in LABELS.items():
        if any(name in it.days for it in sheet.facts.values()):
            yield name, f"{'!' if name in differing else ' '} {label}"


def _earlier_day(said: "LastSaid", name: str) -> date | None:
    """The day of a fact, if the newest answer of its source leaves it out."""
    day = said.days.get(name)
    return None if day == said.seen.seen_on else day


def _dated(said: "LastSaid", name: str) -> str:
    from phx_pipeline.model.fact_words import shown_value

    value = shown_value(name, said.seen.facts.value(name))
    day = _earlier_day(said, name)
    return f"{value} ({day})" if day else value


def _fact_lines(sheet: "HouseSheet") -> Iterator[str]:
    """The table for a terminal it is too wide for: a value is told once."""
    yield "What the sources say"
    days = (
        f"{source.value} on {it.seen.seen_on}" for source, it in sheet.facts.items()
    )
    yield from packed(days, width=console.width)
    for name, label in _labels(sheet):
        told = [f"{value} ({', '.join(by)})" for value, by in _who_says(sheet, name)]
        line = f"{label}: {'; '.join(told)}"
        if len(line) <= console.width:
            yield line
        else:
            yield f"{label}:"
            yield from packed(told, width=console.width, indent="    ", between="; ")


def _who_says(sheet: "HouseSheet", name: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each value of a fact, and the sources that say it."""
    from phx_pipeline.model.fact_words import shown_value

    by_value: dict[str, list[str]] = {}
    for source, it in sheet.facts.items():
        if value := shown_value(name, it.seen.facts.value(name)):
            day = _earlier_day(it, name)
            who = f"{source.value} on {day}" if day else source.value
            by_value.setdefault(value, []).append(who)
    yield from by_value.items()


def _valuation_table(sheet: "HouseSheet") -> Table:
    table = Table(
        "tax year", "source", "full cash", "limited", title="Held to be worth"
    )
    for source, valuations in sheet.valuations.items():
        for it in valuations:
            values = (it.full_cash_value, it.limited_property_value)
            dollars = ("" if value is None else f"${value:,}" for value in values)
            table.add_row(str(it.tax_year), source.value, *dollars)
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
