"""A folder of listing pages that the user saved: each goes to the house it is of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phx_pipeline.errors import InputError, LeaseHeldError
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.source import Source
from phx_pipeline.stages.context import StageContext
from phx_pipeline.workflows.ingest import OlderPageError, house_of, ingest, is_taken


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPage:
    """What became of a file.

    Without a `listing` it was not read as one of a followed house; `problem` tells why,
    or why nothing was taken. `is_old`: the source has shown more since.
    """

    path: Path
    slug: str = ""
    listing: Listing | None = None
    problem: str = ""
    is_old: bool = False

    @property
    def is_taken(self) -> bool:
        """Whether it counts as what the source says now."""
        return self.listing is not None and is_taken(self.listing)


def saved_files(folder: Path) -> list[Path]:
    """Return the files of a folder, the ones saved first in front.

    Folders in it hold what browsers save beside a page, and hidden files are no
    person's: both are left out.

    Raises:
        InputError: the folder cannot be read, or holds no file.
    """
    try:
        files = [
            (path.stat().st_mtime, path)
            for path in folder.iterdir()
            if path.is_file() and not path.name.startswith(".")
        ]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from error
    if not files:
        raise InputError(f"{folder} holds no file: save pages of listings in it")
    return [path for _, path in sorted(files)]


def ingest_files(
    context: StageContext, files: Sequence[Path], *, source: Source | None = None
) -> Iterator[SavedPage]:
    """Read each file and record its listing; yield what became of it.

    A file that cannot be used keeps no other out.
    """
    for path in files:
        yield _ingested(context, path, source=source)


def _ingested(context: StageContext, path: Path, *, source: Source | None) -> SavedPage:
    slug = ""
    try:
        slug = house_of(context, path, source=source).slug
        listing = ingest(context, slug, path, source=source)
    except OlderPageError as error:
        return SavedPage(path=path, slug=slug, problem=str(error), is_old=True)
    except (InputError, LeaseHeldError) as error:
        return SavedPage(path=path, slug=slug, problem=str(error))
    problem = "" if is_taken(listing) else f"{listing.outcome.value}: {listing.detail}"
    return SavedPage(path=path, slug=slug, listing=listing, problem=problem)
