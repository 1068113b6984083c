"""`phx images`: the pictures of a property, and the photos that are none of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.taxonomy import Subject

if TYPE_CHECKING:
    from phx_pipeline.stages.not_kept import NotKept

_NEVER = {
    Verdict.DUPLICATE: "",
    Verdict.FOREIGN: "no: `phx quarantine list` shows it",
    Verdict.WITHDRAWN: "no: its licence does not let us",
}


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
@click.option(
    "--not-kept",
    is_flag=True,
    help="List the photos that are not shown instead: why, and when each is asked for "
    "again.",
)
@json_option
def images(
    house: str,
    *,
    min_confidence: int,
    subject: str | None,
    not_kept: bool,
    as_json: bool,
) -> None:
    """List the published pictures of one house.

    HOUSE is the key, the folder or the address of a house, or the URL of its listing.

    \b
    Examples:
      phx images 686067a4 --subject kitchen
      phx images "4732 W Davis Rd, Glendale, AZ 85306" --min-confidence 85
      phx images 686067a4 --not-kept     copies, rejected and failed photos
    """
    from phx_pipeline.stages.intake import find_property
    from phx_pipeline.stages.not_kept import not_kept as photos_not_kept

    if not_kept and (subject or min_confidence):
        raise InputError("--not-kept lists photos without a subject: leave that out")
    with opened() as context:
        slug = find_property(context, house).slug
        if not_kept:
            _tell_photos(photos_not_kept(context, slug), slug=slug, as_json=as_json)
            return
        known = [
            (image, ImageName.parse(image.local_path.rpartition("/")[2]))
            for image in context.catalog.published_images(slug)
        ]
        root = context.layout.images
    shown = [
        (image, name)
        for image, name in known
        if name.confidence >= min_confidence and subject in {None, name.subject}
    ]
    if as_json:
        plain = [_plain(image, name, root=root) for image, name in shown]
        click.echo(json.dumps(plain, indent=2))
    elif shown:
        _tell_pictures(shown, slug=slug, root=root)
    else:
        console.print(_nothing(slug, known=len(known)), soft_wrap=True)


def _plain(image: PublishedImage, name: ImageName, *, root: Path) -> dict[str, object]:
    return {
        "file": str(root / image.local_path),
        "url": image.source_url,
        "location": name.location.value,
        "subject": name.subject.value,
        "confidence": name.confidence,
        "width": image.width,
        "height": image.height,
        "date": name.date.isoformat(),
        "source": name.source.value,
    }


def _tell_pictures(
    shown: Sequence[tuple[PublishedImage, ImageName]], *, slug: str, root: Path
) -> None:
    console.print(f"{slug}: {counted(len(shown), 'picture')}", soft_wrap=True)
    console.print(f"in {(root / shown[0][0].local_path).parent}", soft_wrap=True)
    table = Table("file", "shows", "sure", "size")
    for image, name in shown:
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


def _tell_photos(photos: "Sequence[NotKept]", *, slug: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_plain_photo(photo) for photo in photos], indent=2))
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


def _plain_photo(photo: "NotKept") -> dict[str, object]:
    day = photo.next_asked_on
    return {
        "url": photo.url,
        "source": photo.source.value,
        "photo_key": photo.photo_key,
        "verdict": photo.verdict.value,
        "detail": photo.detail,
        "copy_of": photo.copy_of,
        "next_asked_on": day.isoformat() if day else None,
    }
