"""`phx duplicates`: which photos are one picture and why, and what you say of it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from phx_pipeline.cli.console import console, print_sentence
from phx_pipeline.cli.copy_texts import overruled_text, parted_text, tie_text
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import FILLED, json_option, why_option
from phx_pipeline.cli.outputs import OutputFile, tell_written
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.model.photo import Photo
    from phx_pipeline.workflows.duplicates import Copies, Copy, Tie
    from phx_pipeline.workflows.split_join import CopiesRuled

_TWO = 2
_BELOW = " " * 6  # what is told of a photo stands below it
_TAKEN_BACK = "taken back"


class _Act(NamedTuple):
    """What a command does, and the word for it when it is done."""

    word: str
    do: "Callable[..., CopiesRuled]"


@click.group(cls=NearestGroup)
def duplicates() -> None:
    """See which photos are one picture and why; part or join them.

    HOUSE is the key, the folder or the address of a house. PHOTO is the id that `phx
    duplicates list` shows, or at least its first four digits, or SOURCE/KEY as it is
    shown there, KEY alone, or the name of the published file. An id of the time before
    the house was renamed or merged is understood as well; `phx duplicates list` shows
    the present one.
    """


@duplicates.command("list")
@click.argument("house")
@click.argument("photo", required=False, type=FILLED)
@click.option(
    "--all", "everything", is_flag=True, help="List also pictures without copies."
)
@click.option(
    "--sheet",
    type=OutputFile(".jpg", ".jpeg"),
    help="Write a JPEG that shows the listed photos, with their ids.",
)
@json_option
def list_(
    house: str,
    *,
    photo: str | None,
    everything: bool,
    sheet: Path | None,
    as_json: bool,
) -> None:
    """List the pictures that several photos of a house show.

    With PHOTO it is the picture of that photo alone. Of each copy is told what makes it
    one: the same bytes, a ruling of a person, or the share of the picture that
    agrees with the kept photo (or local features that lie where they should); and
    what makes the kept photo the better one. Photos that a person parted are listed
    too, with who parted them.

    \b
    Examples:
      phx duplicates list 686067a4
      phx duplicates list 686067a4 int_kitchen_01_r_1a2b3c4d --sheet kitchen.jpg
      phx duplicates list 686067a4 --all --json
    """
    from phx_pipeline.storage.outputs import write_output
    from phx_pipeline.workflows.duplicates import copies_of, copies_sheet, find_photo
    from phx_pipeline.workflows.intake import find_property

    with opened() as context:
        slug = find_property(context, house).slug
        pictures = found = copies_of(context, slug)
        if photo is not None:
            found = [_picture_of(pictures, find_photo(context, slug, photo))]
        elif not everything:
            found = [it for it in pictures if it.is_shared or it.is_parted]
        if sheet is not None:
            write_output(sheet, copies_sheet(context, found))
            tell_written("the sheet is", sheet, as_json=as_json)
    if as_json:
        click.echo(json.dumps(list(map(_plain, found)), indent=2))
        return
    if not found:
        more = "has no copies" if pictures else "has no pictures yet"
        console.print(f"{slug} {more}", soft_wrap=True)
        return
    _print_pictures(found)


@duplicates.command()
@click.argument("house")
@click.argument("photos", metavar="PHOTO [PHOTO]", nargs=-1, required=True)
@why_option
@json_option
def split(house: str, *, photos: tuple[str, ...], why: str, as_json: bool) -> None:
    """Say that two photos are two pictures.

    One PHOTO alone is parted from all its copies. The house is published anew at once.
    The ruling is kept for ever: also when a site shows a better copy, or the house
    gets another address.

    \b
    Examples:
      phx duplicates split 686067a4 3f9a0c11d2
      phx duplicates split 686067a4 3f9a 77b0 --why "two bathrooms"
    """
    from phx_pipeline.workflows.split_join import split as split_photos

    if len(photos) > _TWO:
        raise InputError(f"{len(photos)} photos are named: name one or two")
    _rule(house, photos, _Act("parted", split_photos), why=why, as_json=as_json)


@duplicates.command()
@click.argument("house")
@click.argument("photos", metavar="PHOTO PHOTO", nargs=-1, required=True)
@why_option
@json_option
def join(house: str, *, photos: tuple[str, ...], why: str, as_json: bool) -> None:
    """Say that two photos are one picture.

    The better one is kept. All copies of either come along. The house is published anew
    at once; the picture that stays keeps its number, and the other file goes.

    \b
    Example:
      phx duplicates join 686067a4 3f9a 77b0 --why "the same, at dusk"
    """
    from phx_pipeline.workflows.split_join import join as join_photos

    if len(photos) != _TWO:
        named = "is" if len(photos) == 1 else "are"
        raise InputError(f"{counted(len(photos), 'photo')} {named} named: name two")
    _rule(house, photos, _Act("joined", join_photos), why=why, as_json=as_json)


@duplicates.command()
@click.argument("house")
@click.argument("photos", metavar="PHOTO [PHOTO]", nargs=-1, required=True)
@why_option
@json_option
def undo(house: str, *, photos: tuple[str, ...], why: str, as_json: bool) -> None:
    """Take back what was said of two photos, or of one.

    What the pixels tell counts again. `phx rulings list` shows what was said.

    \b
    Examples:
      phx duplicates undo 686067a4 3f9a 77b0
      phx duplicates undo 686067a4 3f9a
    """
    from phx_pipeline.workflows.split_join import undo as undo_rulings

    if len(photos) > _TWO:
        raise InputError(f"{len(photos)} photos are named: name one or two")
    _rule(house, photos, _Act(_TAKEN_BACK, undo_rulings), why=why, as_json=as_json)


def _rule(
    house: str,
    names: Sequence[str],
    act: "_Act",
    *,
    why: str,
    as_json: bool,
) -> None:
    """Find the photos, act, and tell what pictures they are of now."""
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.duplicates import copies_of, copies_with, find_photo
    from phx_pipeline.workflows.intake import find_property

    with opened() as context:
        slug = find_property(context, house).slug
        photos = [find_photo(context, slug, name) for name in names]
        done = act.do(context, slug, photos, why=why)
        if not done.waits:
            settle_partners(context, [slug])
            refresh_views(context)
        now = copies_of(context, slug)
    pictures = [copies_with(now, photo) for photo in photos]
    if as_json:
        click.echo(json.dumps(_plain_ruled(slug, done, pictures), indent=2))
        return
    print_sentence(_told(done, act.word, count=len(photos)))
    for ruling in done.overruled:
        print_sentence(overruled_text(ruling))
    for photo, picture in zip(photos, pictures, strict=True):
        console.print(_line(photo, picture), soft_wrap=True)
    if done.waits:
        print_sentence(
            "what you say is kept, and acted on by a run of the house that waits in "
            f"the queue (`phx up`, or `phx extract --address {slug} --sync` later): "
            f"{done.waits}"
        )


def _picture_of(found: "Sequence[Copies]", photo: "Photo") -> "Copies":
    from phx_pipeline.workflows.duplicates import copies_with, photo_name, require_bytes

    picture = copies_with(found, photo)
    if picture is None:
        require_bytes(photo)
        name = photo_name(photo.key)
        raise InputError(f"{name} is {photo.verdict.value}: it is of no picture")
    return picture


def _print_pictures(found: "Sequence[Copies]") -> None:
    for picture in found:
        name = picture.file_name or "not published yet"
        photos = counted(len(picture.members), "photo")
        console.print(f"{name}, {photos}", soft_wrap=True)
        for copy in picture.members:
            _print_copy(copy, picture)
    console.print(counted(len(found), "picture"))


def _print_copy(copy: "Copy", picture: "Copies") -> None:
    from phx_pipeline.workflows.duplicates import photo_name

    state = "kept" if copy.kept else "copy"
    size = f"{copy.blob.width} x {copy.blob.height}"
    line = f"  {copy.id}  {state}  {size:<11}  {photo_name(copy.name)}"
    console.print(line, soft_wrap=True)
    if copy.tie is not None:
        print_sentence(tie_text(copy, copy.tie, picture), indent=_BELOW)
    for ruling in copy.partings:
        print_sentence(parted_text(ruling, copy.name), indent=_BELOW)


def _told(done: "CopiesRuled", word: str, *, count: int) -> str:
    if not done.rulings and word == _TAKEN_BACK:
        which = "this photo" if count == 1 else "these two"
        return f"nothing changed: nobody has ruled on {which}"
    if not done.rulings:
        return f"nothing changed, nothing was {word}: it was so before"
    rulings = counted(len(done.rulings), "ruling")
    before = ", which it was before and stays" if done.already else ""
    return f"{word}{before} ({rulings} noted)"


def _line(photo: "Photo", picture: "Copies | None") -> str:
    from phx_pipeline.workflows.duplicates import photo_name

    name = photo_name(photo.key)
    if picture is None:
        return f"{name}: not decided yet"
    photos = counted(len(picture.members), "photo")
    return f"{name}: {picture.file_name or 'not published yet'}, {photos}"


def _plain(picture: "Copies") -> dict[str, Any]:
    return {
        "file_name": picture.file_name,
        "photos": [_plain_copy(copy) for copy in picture.members],
    }


def _plain_copy(copy: "Copy") -> dict[str, Any]:
    from phx_pipeline.workflows.rulings import plain_ruling

    return {
        "id": copy.id,
        "source": copy.photo.ref.source.value,
        "photo_key": copy.photo.ref.photo_key,
        "url": copy.photo.fetched_url or copy.photo.ref.url,
        "sha256": copy.blob.sha256,
        "width": copy.blob.width,
        "height": copy.blob.height,
        "size_bytes": copy.blob.size_bytes,
        "kept": copy.kept,
        "tie": None if copy.tie is None else _plain_tie(copy.tie),
        "parted": list(map(plain_ruling, copy.partings)),
    }


def _plain_tie(tie: "Tie") -> dict[str, Any]:
    from dataclasses import asdict

    from phx_pipeline.workflows.rulings import plain_ruling

    source, key = tie.to
    return {
        "to": {"source": source.value, "photo_key": key},
        "bond": tie.bond.value,
        "judgement": None if tie.judgement is None else asdict(tie.judgement),
        "ruling": None if tie.ruling is None else plain_ruling(tie.ruling),
    }


def _plain_ruled(
    slug: str, done: "CopiesRuled", pictures: "Sequence[Copies | None]"
) -> dict[str, Any]:
    from phx_pipeline.workflows.rulings import plain_ruling

    return {
        "property": slug,
        "rulings": list(map(plain_ruling, done.rulings)),
        "overruled": list(map(plain_ruling, done.overruled)),
        "already": done.already,
        "waits": bool(done.waits),
        "pictures": [it and _plain(it) for it in pictures],
    }
