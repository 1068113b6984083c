"""`phx images`: the pictures of houses, and the photos that are none of them."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from textwrap import indent
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.folding import unbroken
from phx_pipeline.cli.options import DAY_OR_SPAN, FILLED, PERCENT, OneOf, json_option
from phx_pipeline.cli.session import opened_reads
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.taxonomy import Location, Subject

if TYPE_CHECKING:
    from phx_pipeline.model.image_search import Wanted
    from phx_pipeline.reads.base import Reads
    from phx_pipeline.reads.images import ShownImage
    from phx_pipeline.reads.not_kept import NotKept

_NEVER = {
    Verdict.DUPLICATE: "",
    Verdict.FOREIGN: "no: `phx quarantine list` shows it",
    Verdict.WITHDRAWN: "no: its licence does not let us",
}


@click.command()
@click.argument("house", required=False, type=FILLED)
@click.option(
    "--location",
    type=OneOf([each.value for each in Location]),
    metavar="LOCATION",
    help="List only pictures of one location: ext, int, sys or feat.",
)
@click.option(
    "--subject",
    type=OneOf([each.value for each in Subject]),
    metavar="SUBJECT",
    help="List only pictures of one subject, such as kitchen; by default all.",
)
@click.option(
    "--min-confidence",
    type=PERCENT,
    default=0,
    show_default=True,
    metavar="PERCENT",
    help="List only pictures whose subject is at least this sure, in percent, 0 to 99.",
)
@click.option(
    "--source",
    type=FILLED,
    metavar="SOURCE",
    help="List only pictures whose shown copy is from this source.",
)
@click.option(
    "--since",
    type=DAY_OR_SPAN,
    metavar="DAY",
    help="List only pictures first seen on this day or later: a date, or 7d or 12h "
    "back.",
)
@click.option(
    "--not-kept",
    is_flag=True,
    help="List the photos that are not shown instead: why, and when each is asked for "
    "again.",
)
@click.option(
    "--paths", is_flag=True, help="Print the paths alone, one on a line, for pipes."
)
@json_option
def images(  # noqa: PLR0913 - each is an option
    house: str | None,
    *,
    location: str | None,
    subject: str | None,
    min_confidence: int,
    source: str | None,
    since: date | timedelta | None,
    not_kept: bool,
    paths: bool,
    as_json: bool,
) -> None:
    """List the published pictures of one house, or of all.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.
    Without it the pictures of all houses are listed.

    \b
    Examples:
      phx images 686067a4 --subject kitchen
      phx images "4732 W Davis Rd, Glendale, AZ 85306" --min-confidence 85
      phx images --subject pool --since 7d           of all houses
      mkdir -p outside
      phx images --location ext --paths | xargs -rd '\\n' cp -t outside
      phx images 686067a4 --not-kept     copies, rejected and failed photos
    """
    from phx_pipeline.model.image_search import Wanted
    from phx_pipeline.reads.houses import meant_house
    from phx_pipeline.reads.images import past_day, source_named

    if paths and as_json:
        raise InputError("--paths and --json print the same twice: leave one out")
    chosen = any((location, subject, min_confidence, source, since, paths))
    if not_kept and (chosen or house is None):
        raise InputError(
            "--not-kept lists photos of one house, and what they show is not known: "
            "name the house, and leave the other options out"
        )
    with opened_reads() as reads:
        slug = meant_house(reads, house).slug if house else None
        if not_kept:
            _tell_not_kept(reads, str(slug), as_json=as_json)
            return
        wanted = Wanted(
            location=Location(location) if location else None,
            subject=Subject(subject) if subject else None,
            min_confidence=min_confidence,
            source=source_named(reads, source) if source else None,
            since=past_day(reads, since),
        )
        _tell(reads, wanted, slug=slug, as_json=as_json, paths=paths)


def _tell(
    reads: "Reads",
    wanted: "Wanted",
    *,
    slug: str | None,
    as_json: bool,
    paths: bool,
) -> None:
    """Print what is found as it is found: of many houses not all is in memory."""
    from phx_pipeline.reads.documents import picture_document
    from phx_pipeline.reads.images import find_images

    found = find_images(reads, wanted, slug=slug)
    if as_json:
        _print_json(map(picture_document, found))
        return
    if paths:
        for it in found:
            click.echo(it.file)
        return
    houses = pictures = 0
    for name, of_house in groupby(found, key=lambda it: it.found.slug):
        shown = list(of_house)
        _tell_pictures(shown, slug=name)
        houses, pictures = houses + 1, pictures + len(shown)
    if not pictures:
        others = sum(1 for _ in reads.catalog.images.find(slug=slug))
        console.print(_nothing(slug, known=others), soft_wrap=True)
    elif slug is None:
        told = f"{counted(pictures, 'picture')} of {counted(houses, 'property')}"
        console.print(told, soft_wrap=True)


def _print_json(rows: Iterable[dict[str, object]]) -> None:
    """Print a list row by row, spelt as `json.dumps` does with an indent of 2."""
    before = "[\n"
    for row in rows:
        click.echo(before + indent(json.dumps(row, indent=2), "  "), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


def _tell_pictures(shown: Sequence["ShownImage"], *, slug: str) -> None:
    console.print(f"{slug}: {counted(len(shown), 'picture')}", soft_wrap=True)
    console.print(unbroken(f"in {shown[0].file.parent}"), soft_wrap=True)
    gone = [it for it in shown if not it.found.is_shown]
    table = Table("file", "shows", "sure", "size", *(["last seen"] if gone else []))
    for it in shown:
        name, image = it.name, it.found.image
        size = f"{image.width}x{image.height}"
        shows = f"{name.location.value} {name.subject.value}"
        cells = [it.file.name, shows, f"{name.confidence} %", size]
        table.add_row(*cells, *([_last_seen(it)] if gone else []))
    print_table(table)
    if gone:
        told = f"{counted(len(gone), 'picture')} no source shows any more"
        console.print(told, soft_wrap=True)


def _last_seen(it: "ShownImage") -> str:
    """The day of a picture that no source shows any more; nothing for others."""
    day = it.found.last_seen_on
    return "" if it.found.is_shown else str(day or "no day noted")


def _nothing(slug: str | None, *, known: int) -> str:
    whose = f"{slug}: " if slug else ""
    if known:
        others = counted(known, "other")
        return f"{whose}no such picture, but {others} (leave out the options)"
    asked = f"--address {slug}" if slug else "--all"
    return f"{whose}no pictures yet; `phx extract {asked}` collects them"


def _tell_not_kept(reads: "Reads", slug: str, *, as_json: bool) -> None:
    from phx_pipeline.reads.not_kept import not_kept

    _tell_photos(not_kept(reads, slug), slug=slug, as_json=as_json)


def _tell_photos(photos: "Sequence[NotKept]", *, slug: str, as_json: bool) -> None:
    if as_json:
        from phx_pipeline.reads.documents import not_kept_document

        click.echo(json.dumps(list(map(not_kept_document, photos)), indent=2))
        return
    if not photos:
        told = f"{slug}: all photos found so far are kept (`phx images {slug}`)"
        console.print(told, soft_wrap=True)
        return
    console.print(f"{slug}: {counted(len(photos), 'photo')} not kept", soft_wrap=True)
    table = Table("photo", "source", "verdict", "why", "asked again")
    for photo in photos:
        why = f"copy of {photo.copy_of}" if photo.copy_of else photo.detail
        day = photo.next_asked_on
        again = f"from {day} on" if day else _NEVER.get(photo.verdict, "no more")
        source, verdict = photo.source.value, photo.verdict.value
        table.add_row(photo.url, source, verdict, why, again)
    print_table(table)
