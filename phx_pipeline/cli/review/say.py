"""`phx review set` and `undo`: what a person says that pictures show."""

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console, errors
from phx_pipeline.cli.options import FILLED, json_option, why_option
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.review.chosen import house_option, slug_of, subject_named
from phx_pipeline.cli.review.told import plain_done, tell_waits
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.ruling import TAKEN_BACK
from phx_pipeline.model.taxonomy import Location, Subject

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.reviews import Review, Reviewed, ReviewsDone


@click.command("set")
@click.argument("words", metavar="[PICTURE]... SUBJECT", nargs=-1, required=True)
@house_option
@click.option(
    "--was",
    type=FILLED,
    metavar="SUBJECT",
    help="All pictures of the house that are named so now, but for reviewed ones.",
)
@click.option(
    "--location",
    default="",
    metavar="LOCATION",
    help="Where it is: ext, int, sys or feat; by default where the subject usually is.",
)
@why_option
@json_option
def set_(
    words: tuple[str, ...],
    *,
    house: str | None,
    was: str | None,
    location: str,
    why: str,
    as_json: bool,
) -> None:
    """Say what pictures show: SUBJECT is the last word.

    Their files are renamed at once, with confidence 99; each keeps a number of its own.
    The last word counts, whoever says it; `phx rulings list` shows who said what.

    \b
    Examples:
      phx review set 686067a4_int_bedroom_71_r_20251104.png master
      phx review set 3f9a0c11d2 77b0 exterior --why "the yard from the porch"
      phx review set 3f9a0c11d2 garage --location ext
      phx review set --house 686067a4 --was bedroom master
    """
    from phx_pipeline.workflows.reviews import named_category

    *pictures, subject = words
    _require_order(pictures, subject, house=house, was=was)
    value = named_category(subject, location)
    if bool(pictures) == bool(was):
        raise InputError(
            "name pictures, or all that a house has of a subject with "
            "`--house HOUSE --was SUBJECT`: one of both"
        )
    with opened() as context:
        if was:
            wanted = _batch(context, house, was, value, why=why)
        else:
            wanted = _named(context, house, pictures, value, why=why)
        done = _done(context, wanted)
    _tell(done, as_json=as_json)


def _require_order(
    pictures: Sequence[str], last: str, *, house: str | None, was: str | None
) -> None:
    """Raise `InputError` where a subject stands in the place of a picture, or none."""
    first, is_last = [it for it in pictures if _is_subject(it)], _is_subject(last)
    if house and not was and is_last and first == [*pictures] and len(first) == 1:
        raise InputError(
            f"{first[0]!r} is a subject, no picture: did you mean `--was {first[0]}`?"
        )
    if not is_last and (first or PurePath(last).suffix):
        raise InputError(
            f"{last!r} is no subject: the subject comes last, after the pictures"
        )


def _is_subject(word: str) -> bool:
    place, _, subject = word.strip().lower().rpartition("/")
    return subject in set(Subject) and place in {"", *Location}


@click.command()
@click.argument("pictures", metavar="PICTURE...", nargs=-1, required=True)
@house_option
@why_option
@json_option
def undo(
    pictures: tuple[str, ...], *, house: str | None, why: str, as_json: bool
) -> None:
    """Take back what was said of pictures: the votes count again.

    \b
    Examples:
      phx review undo 686067a4_int_master_99_r_20251104.png
      phx review undo 3f9a0c11d2 77b0
    """
    with opened() as context:
        wanted = _named(context, house, pictures, TAKEN_BACK, why=why)
        done = _done(context, wanted)
    _tell(done, as_json=as_json)


def _named(
    context: "StageContext",
    house: str | None,
    pictures: Sequence[str],
    value: str,
    *,
    why: str,
) -> "list[Review]":
    from phx_pipeline.workflows.reviews import PictureFinder, Review

    finder = PictureFinder(context, slug_of(context, house))
    found = [finder.find(text) for text in pictures]
    return [
        Review(slug=slug, photo=photo, value=value, why=why) for slug, photo in found
    ]


def _batch(
    context: "StageContext", house: str | None, was: str, value: str, *, why: str
) -> "list[Review]":
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.reviews import named_so

    subject = subject_named(was)
    if house is None or subject is None:
        raise InputError("--was is about one house: name it with --house")
    slug = find_property(context, house).slug
    found = named_so(context, slug, subject, value=value, why=why)
    if not found:
        errors.print(
            f"{house} has no picture that is named {was} and was not reviewed",
            soft_wrap=True,
        )
    return found


def _done(context: "StageContext", wanted: "Sequence[Review]") -> "ReviewsDone":
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.reviews import review as review_pictures

    done = review_pictures(context, wanted)
    settle_partners(context, done.settled)
    refresh_views(context)
    return done


def _tell(done: "ReviewsDone", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(plain_done(done), indent=2))
        return
    for it in done.reviewed:
        console.print(_line(it), soft_wrap=True)
    tell_waits(done)


def _line(it: "Reviewed") -> str:
    name = it.before or f"{it.review.photo.ref.source} {it.review.photo.ref.photo_key}"
    if it.after != it.before:
        return f"{name} -> {it.after}"
    if it.changed:
        return f"{name}: noted"
    if it.review.value == TAKEN_BACK:
        return (
            f"{name}: nobody has said anything of this picture, or it was taken back "
            "before"
        )
    return f"{name}: nothing changed, it was said before"
