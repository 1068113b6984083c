"""Which published pictures there are: of one house or all, by what they show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from phx_pipeline.errors import InputError
from phx_pipeline.model.image_search import FoundImage, Wanted
from phx_pipeline.model.moments import PHOENIX
from phx_pipeline.model.naming import ImageName, sidecar_of
from phx_pipeline.model.nearest import did_you_mean
from phx_pipeline.model.source import Source, in_order
from phx_pipeline.reads.base import Reads
from phx_pipeline.reads.paging import LIMIT, Page, checked_limit, page_of, place_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImage:
    """A published picture, and where its file is.

    `name` is what the file's name tells: what the picture shows, and how sure that is.
    """

    found: FoundImage
    file: Path
    name: ImageName

    @property
    def sidecar(self) -> Path:
        """The file that tells where the picture is from."""
        return self.file.with_name(sidecar_of(self.file.name))


def find_images(
    reads: Reads,
    wanted: Wanted,
    *,
    slug: str | None = None,
    after: tuple[str, str] = ("", ""),
) -> Iterator[ShownImage]:
    """Yield the pictures of one house, or of all that are followed.

    By address and name, *after* those of another; of many houses only some are in
    memory.
    """
    for found in reads.catalog.images.find(wanted, slug=slug, after=after):
        file = reads.layout.images / found.image.local_path
        yield ShownImage(found=found, file=file, name=ImageName.parse(file.name))


def read_images(
    reads: Reads,
    wanted: Wanted,
    *,
    slug: str | None = None,
    limit: int = LIMIT,
    cursor: str | None = None,
) -> Page[ShownImage]:
    """Return a page of what `find_images` yields.

    Args:
        reads: the catalogue.
        wanted: what the pictures show.
        slug: of one house; else of all that are followed.
        limit: rows of the page.
        cursor: `next` of the page before.

    Raises:
        InputError: the limit or the cursor is none.
    """
    checked_limit(limit)
    place = place_at(cursor, parts=2)
    after = (place[0], place[1]) if place else ("", "")
    found = find_images(reads, wanted, slug=slug, after=after)
    return page_of(list(islice(found, limit + 1)), limit=limit, ends=_place)


def _place(shown: ShownImage) -> tuple[str, str]:
    return shown.found.image.property_address, shown.file.name


def source_named(reads: Reads, name: str) -> Source:
    """Return the source that a person named.

    Raises:
        InputError: neither this version nor the catalogue knows it.
    """
    known = in_order([*reads.means(), *reads.catalog.images.sources()])
    named = [source for source in known if source.value == name.strip()]
    if not named:
        raise InputError(
            f"unknown source {name!r}{did_you_mean(name, known)}: choose from "
            f"{', '.join(known)}"
        )
    return named[0]


def past_day(reads: Reads, since: date | timedelta | None) -> date | None:
    """As `first_day`, of what is shown of a day and later.

    Raises:
        InputError: the day is to come.
    """
    day = first_day(reads, since)
    if day is not None and day > reads.today:
        raise InputError(
            f"--since {day} is to come: give today, {reads.today}, or before"
        )
    return day


def first_day(reads: Reads, since: date | timedelta | None) -> date | None:
    """Return the day that a span before today begins on; a day stays what it is."""
    if not isinstance(since, timedelta):
        return since
    try:
        return (reads.clock().astimezone(PHOENIX) - since).date()
    except OverflowError:  # before the first year
        return date.min
