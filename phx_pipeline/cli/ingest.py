"""`phx ingest`: read listing pages that were saved in a browser."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phx_pipeline.cli.console import console, errors, print_lines
from phx_pipeline.cli.failures import tell_failure
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import FILLED, json_option
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened
from phx_pipeline.errors import InputError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.printable import printable
from phx_pipeline.model.source import Source
from phx_pipeline.settings import parse_sources

if TYPE_CHECKING:
    from phx_pipeline.stages.context import StageContext
    from phx_pipeline.workflows.ingest_folder import SavedPage


@click.command(short_help="Read listing pages that you saved in your own browser.")
@click.argument("page", type=click.Path(path_type=Path))
@click.option(
    "--property",
    "house",
    type=FILLED,
    metavar="HOUSE",
    help="The house the page is of: its key, folder, address or URL; by default the "
    "page tells.",
)
@click.option(
    "--source",
    type=FILLED,
    metavar="NAME",
    help="The source the page is of; by default the page tells.",
)
@click.option(
    "--collect",
    is_flag=True,
    help="Download and publish its photos now; by default `phx extract` does.",
)
@json_option
@click.pass_context
def ingest(
    ctx: click.Context,
    page: Path,
    *,
    house: str | None,
    source: str | None,
    collect: bool,
    as_json: bool,
) -> None:
    """Read a listing page that you saved in your own browser, or a folder of them.

    This is the way on when a source refuses us. PAGE is a file saved as "Webpage, HTML
    only", or a folder of such files; nothing is asked of the site for it. It counts as
    what the source says now. Each page goes to the house whose address it shows, which
    must be followed; with --property it must be of this very house. Photos are
    downloaded by the next `phx extract`, or at once with --collect.

    Of a folder, a file that cannot be used is told with its reason and keeps no other
    out; folders in it are left out. It can be read again after more was saved.

    \b
    Examples:
      phx ingest saved.html
      phx ingest ~/Downloads/listings --collect
      phx ingest saved.html --property 686067a4 --source redfin

    Exit codes: 0 taken (of a folder: every page, or it is known), 2 nothing can be
    used, or the file is older than what is known, 3 the page is not of the house that
    --property names (another house, a challenge, no listing), some files of a folder
    were not taken, or photos are left to fetch after --collect.
    """
    named = parse_sources(source, by="--source") if source else ()
    if len(named) > 1:
        raise InputError("a page is of one source: give one name with --source")
    whose = next(iter(named), None)
    if not page.is_dir():
        ctx.exit(
            _one(page, house=house, source=whose, collect=collect, as_json=as_json)
        )
    if house:
        raise InputError(
            "--property is for one page: the pages of a folder tell their houses"
        )
    ctx.exit(_folder(page, source=whose, collect=collect, as_json=as_json))


# --- one page -------------------------------------------------------------------------


def _one(
    page: Path,
    *,
    house: str | None,
    source: Source | None,
    collect: bool,
    as_json: bool,
) -> Exit:
    from phx_pipeline.reads.status import look_lines
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.wiring.runs import reads_of
    from phx_pipeline.workflows.ingest import house_of, is_taken, take_photos
    from phx_pipeline.workflows.ingest import ingest as ingest_page
    from phx_pipeline.workflows.intake import find_property

    with opened() as context:
        if house:
            slug = find_property(context, house).slug
        else:
            slug = house_of(context, page, source=source).slug
        listing = ingest_page(context, slug, page, source=source)
        taken = is_taken(listing)
        if taken and collect:
            asyncio.run(take_photos(context, slug))
        if taken:
            settle_partners(context, [slug])
        refresh_views(context)
        left = _left_lines(context, [slug]) if taken and collect else []
        look = list(look_lines(reads_of(context), [slug])) if taken else []
    code = Exit.COMPLETE if taken and not left else Exit.PARTIAL
    if as_json:
        click.echo(json.dumps(_plain(listing, slug=slug, taken=taken), indent=2))
        return code
    line = _line(listing, slug=slug)
    if taken:
        console.print(line, markup=False, soft_wrap=True)
    else:
        errors.print(f"{line}; nothing was taken", markup=False, soft_wrap=True)
    print_lines([*left, *look])
    return code


def _left_lines(context: "StageContext", slugs: Sequence[str]) -> list[str]:
    """Tell what is open of the houses of which a photo could not be had now."""
    from phx_pipeline.reads.open_lines import open_lines
    from phx_pipeline.wiring.runs import reads_of

    tallies = context.tallies(slugs=slugs)
    lacking = [it for it in tallies if any(source.wanting for source in it.sources)]
    return list(open_lines(reads_of(context), lacking))


def _line(listing: Listing, *, slug: str) -> str:
    return f"{slug} {listing.source.value}: {listing.outcome.value}: {listing.detail}"


def _plain(listing: Listing, *, slug: str, taken: bool) -> dict[str, object]:
    return {
        "property": slug,
        "source": listing.source.value,
        "outcome": listing.outcome.value,
        "detail": listing.detail,
        "photos": len(listing.photos),
        "taken": taken,
    }


# --- a folder of them -----------------------------------------------------------------


def _folder(
    folder: Path, *, source: Source | None, collect: bool, as_json: bool
) -> Exit:
    from phx_pipeline.reads.status import look_lines
    from phx_pipeline.stages.views import refresh_views
    from phx_pipeline.wiring.runs import reads_of
    from phx_pipeline.workflows.ingest_folder import ingest_files, saved_files

    files = saved_files(folder)
    pages: list[SavedPage] = []
    with opened() as context:
        for page in ingest_files(context, files, source=source):
            pages.append(page)
            if not as_json:
                _tell(page, number=len(pages), of=len(files))
        slugs = sorted({page.slug for page in pages if page.is_taken})
        failed = _collected(context, slugs) if collect else 0
        settle_partners(context, slugs)
        refresh_views(context)
        left = _left_lines(context, slugs) if collect else []
        look = list(look_lines(reads_of(context), slugs))
    if as_json:
        click.echo(json.dumps([_plain_page(page) for page in pages], indent=2))
    else:
        console.print(_summary(pages))
        print_lines([*left, *look])
    return _code(pages, complete=not (failed or left))


def _collected(context: "StageContext", slugs: Sequence[str]) -> int:
    """Download the photos of each house; return for how many that failed."""
    from phx_pipeline.workflows.ingest import take_photos

    failed = 0
    for number, slug in enumerate(slugs, start=1):
        errors.print(f"[{number}/{len(slugs)}] {slug}: photos", soft_wrap=True)
        try:
            asyncio.run(take_photos(context, slug))
        except Exception as error:  # noqa: BLE001 - the next house is to be had
            failed += 1
            tell_failure(slug, error)
    return failed


def _tell(page: "SavedPage", *, number: int, of: int) -> None:
    place = f"[{number}/{of}] {printable(page.path.name)}"
    if page.is_taken and page.listing:
        line = f"{place}: {_line(page.listing, slug=page.slug)}"
        console.print(line, markup=False, soft_wrap=True)
    else:
        # The message begins with the file where it tells what that is.
        told = page.problem.removeprefix(f"{page.path} ")
        joint = " " if told != page.problem else ": "
        errors.print(f"{place}{joint}{printable(told)}", markup=False, soft_wrap=True)


def _plain_page(page: "SavedPage") -> dict[str, object]:
    told: dict[str, object] = {"file": str(page.path), "property": page.slug or None}
    if page.listing:
        told |= _plain(page.listing, slug=page.slug, taken=page.is_taken)
    else:
        told |= {"taken": False}
    return told | {"known": page.is_old, "problem": page.problem or None}


def _summary(pages: "Sequence[SavedPage]") -> str:
    taken = sum(page.is_taken for page in pages)
    known = sum(page.is_old for page in pages)
    left = len(pages) - taken - known
    told = [f"{counted(taken, 'page')} taken"]
    told += [f"{known} older than what is known"] if known else []
    told += [f"{left} not taken, as told above"] if left else []
    return ", ".join(told)


def _code(pages: "Sequence[SavedPage]", *, complete: bool) -> Exit:
    used = [page for page in pages if page.is_taken or page.is_old]
    if not used:
        return Exit.USAGE
    return Exit.COMPLETE if complete and len(used) == len(pages) else Exit.PARTIAL
