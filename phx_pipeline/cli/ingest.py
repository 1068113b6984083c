"""`phx ingest`: read a listing page that was saved in a browser."""

import asyncio
import json
from pathlib import Path

import click

from phx_pipeline.cli.console import console, errors, print_lines
from phx_pipeline.cli.main import Exit
from phx_pipeline.cli.options import json_option
from phx_pipeline.cli.partners import settle_partners
from phx_pipeline.cli.session import opened
from phx_pipeline.model.listing import Listing
from phx_pipeline.settings import parse_sources


@click.command()
@click.argument("page", type=click.Path(path_type=Path))
@click.option(
    "--property",
    "house",
    required=True,
    metavar="HOUSE",
    help="The house the page is of: its key, folder, address or URL.",
)
@click.option(
    "--source",
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
    house: str,
    source: str | None,
    collect: bool,
    as_json: bool,
) -> None:
    """Read a listing page that you saved in your own browser.

    This is the way on when a source refuses us. PAGE is a file saved as "Webpage, HTML
    only"; nothing is asked of the site for it. It counts as what the source says now,
    and must be of this very house. Its photos are downloaded by the next `phx extract`,
    or at once with --collect.

    \b
    Examples:
      phx ingest saved.html --property 4732-w-davis-rd-glendale-az-85306
      phx ingest saved.html --property 686067a4 --source redfin --collect

    Exit codes: 0 taken, 2 the file cannot be used or is older than what is known, 3
    nothing taken (another house, a challenge, no listing).
    """
    from phx_pipeline.cli.status import look_lines
    from phx_pipeline.errors import InputError
    from phx_pipeline.stages.ingest import ingest as ingest_page
    from phx_pipeline.stages.ingest import is_taken, take_photos
    from phx_pipeline.stages.intake import find_property
    from phx_pipeline.stages.views import refresh_views

    named = parse_sources(source) if source else ()
    if len(named) > 1:
        raise InputError("a page is of one source: give one name with --source")
    with opened() as context:
        slug = find_property(context, house).slug
        listing = ingest_page(context, slug, page, source=next(iter(named), None))
        taken = is_taken(listing)
        if taken and collect:
            asyncio.run(take_photos(context, slug))
        if taken:
            settle_partners(context, [slug])
        refresh_views(context)
        look = list(look_lines(context, [slug])) if taken else []
    _tell(listing, slug=slug, taken=taken, as_json=as_json)
    if not as_json:
        print_lines(look)
    ctx.exit(Exit.COMPLETE if taken else Exit.PARTIAL)


def _tell(listing: Listing, *, slug: str, taken: bool, as_json: bool) -> None:
    if as_json:
        told = {
            "property": slug,
            "source": listing.source.value,
            "outcome": listing.outcome.value,
            "detail": listing.detail,
            "photos": len(listing.photos),
            "taken": taken,
        }
        click.echo(json.dumps(told, indent=2))
        return
    line = f"{slug} {listing.source.value}: {listing.outcome.value}: {listing.detail}"
    if taken:
        console.print(line, markup=False, soft_wrap=True)
    else:
        errors.print(f"{line}; nothing was taken", markup=False, soft_wrap=True)
