"""`phx quarantine`: photos that may be of another house, and what you decide."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.table import Table

from phx_pipeline.cli.console import console, print_table
from phx_pipeline.cli.nearest import NearestGroup
from phx_pipeline.cli.options import house_option, json_option, why_option
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened
from phx_pipeline.model.counted import counted

if TYPE_CHECKING:
    from phx_pipeline.model.photo import Photo
    from phx_pipeline.reads.quarantine import Case
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.quarantine import Ruled


@click.group(cls=NearestGroup)
def quarantine() -> None:
    """Look at photos that may be of another house, and decide."""


@quarantine.command("list")
@house_option
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="List also those that were decided before.",
)
@json_option
def list_(*, house: str | None, everything: bool, as_json: bool) -> None:
    """List the photos to look at, the held ones first.

    A held photo is not published until you decide. One that is alike is published: the
    picture is on another house too, as logos and community pools often are.

    Each has the path of its picture on this disk, where it was downloaded, and its URL:
    open either, and look.

    \b
    Examples:
      phx quarantine list
      phx quarantine list --property 686067a4 --all --json
    """
    from phx_pipeline.reads.quarantine import cases
    from phx_pipeline.workflows.intake import find_property
    from phx_pipeline.workflows.quarantine import photos_of

    with opened() as context:
        slug = find_property(context, house).slug if house else None
        found = cases(context.catalog, slug, settled=everything)
        photos = photos_of(context, found)
        rows = [_plain(context, it, photo=photos.get(it.photo)) for it in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not found:
        console.print(_nothing(slug, everything=everything), soft_wrap=True)
        return
    table = Table("id", "state", "property", "photo", "why", "also on", "file", "url")
    for case, row in zip(found, rows, strict=True):
        others = dict.fromkeys(other.slug for other in case.others)
        photo = f"{case.photo.source.value} {case.photo.photo_key}"
        table.add_row(
            *(case.id, str(row["state"]), case.photo.slug, photo, case.why),
            *(", ".join(others), str(row["file"] or ""), str(row["url"] or "")),
        )
    print_table(table)
    console.print(counted(len(found), "photo"))


def _nothing(slug: str | None, *, everything: bool) -> str:
    of = f" of {slug}" if slug else ""
    if everything:
        return f"no photo{of} was ever held; `phx status` names any that is"
    return f"no photo{of} waits for you (--all lists those decided before)"


@quarantine.command()
@click.argument("photo_ids", metavar="ID...", nargs=-1, required=True)
@why_option
@json_option
def release(photo_ids: tuple[str, ...], *, why: str, as_json: bool) -> None:
    """Say that a photo is of its house: it is kept from now on.

    ID is the id that `phx quarantine list` shows; its start is enough, four
    digits or more. A released photo is never held again.

    \b
    Examples:
      phx quarantine release 3f9a0c11d2
      phx quarantine release 3f9a 77b0 --why "the patio is on the listing too"
    """
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.quarantine import release as release_photo

    with opened() as context:
        done = [release_photo(context, photo_id, why=why) for photo_id in photo_ids]
        settle_partners(context, [ruled.photo.slug for ruled in done])
        refresh_views(context)
    _tell(done, word="released", as_json=as_json)


@quarantine.command()
@click.argument("photo_ids", metavar="ID...", nargs=-1, required=True)
@why_option
@json_option
def drop(photo_ids: tuple[str, ...], *, why: str, as_json: bool) -> None:
    """Say that a photo is not of its house: it stays rejected.

    ID is the id that `phx quarantine list` shows; its start is enough, four
    digits or more. If the photo was held on two houses, the other one may
    show it.

    \b
    Example:
      phx quarantine drop 3f9a0c11d2 --why "the neighbours' pool"
    """
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.workflows.quarantine import drop as drop_photo

    with opened() as context:
        done = [drop_photo(context, photo_id, why=why) for photo_id in photo_ids]
        settle_partners(context, [ruled.photo.slug for ruled in done])
        refresh_views(context)
    _tell(done, word="dropped", as_json=as_json)


def _tell(done: Sequence["Ruled"], *, word: str, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "property": ruled.photo.slug,
                "source": ruled.photo.source.value,
                "photo_key": ruled.photo.photo_key,
                "ruling": word,
                "changed": ruled.changed,
                "waits_for_download": ruled.waits,
            }
            for ruled in done
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for ruled in done:
        photo = ruled.photo
        before = "" if ruled.changed else " (as before)"
        line = f"{word}{before}: {photo.slug} {photo.source.value} {photo.photo_key}"
        if ruled.waits and word == "released":
            line += f"; `phx extract --address {photo.slug}` downloads it"
        console.print(line, markup=False, soft_wrap=True)


def _plain(
    context: "StageContext", case: "Case", *, photo: "Photo | None"
) -> dict[str, object]:
    from phx_pipeline.model.ruling import PhotoRuling

    is_open = case.ruling is PhotoRuling.OPEN
    return {
        "id": case.id,
        "state": case.kind.value if is_open else case.ruling.value,
        "property": case.photo.slug,
        "address": str(context.house(case.photo.slug).address),
        "source": case.photo.source.value,
        "photo_key": case.photo.photo_key,
        "why": case.why,
        "file": _file(context, photo),
        "url": (photo.fetched_url or photo.ref.url) if photo else None,
        "first_seen_at": case.first_seen_at.isoformat(timespec="seconds"),
        "others": [
            {
                "property": other.slug,
                "address": str(context.house(other.slug).address),
                "source": other.source.value,
                "photo_key": other.photo_key,
            }
            for other in case.others
        ],
    }


def _file(context: "StageContext", photo: "Photo | None") -> str | None:
    """The original as it was downloaded; it has no ending, viewers look inside."""
    if photo is None or photo.sha256 is None or not context.blobs.has_raw(photo.sha256):
        return None
    return str(context.layout.raw(photo.sha256).absolute())
