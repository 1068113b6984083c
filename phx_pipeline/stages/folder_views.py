"""Folders of links to the published pictures of all houses, by what they show.

They are views: `by_subject/kitchen` and `by_location/int` follow the rows of each house
as it is published. Names that were given tell which links there may be, so that nothing
here looks at the links of other houses, but for `sweep_links`.
"""

import errno
import logging
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DiskError
from phx_pipeline.model.naming import (
    ImageName,
    is_own_name,
    is_sidecar,
    picture_named,
)
from phx_pipeline.model.publication import Publication
from phx_pipeline.model.refusal import disk_error
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.layout import Layout
from phx_pipeline.storage.links import can_link, drop_link, links_below, put_link

logger = logging.getLogger(__name__)

# Then nothing else can be written either, and the next publication goes on.
_AT_ONCE: Final = 200  # links looked up together
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def put_links(context: StageContext, folder: str, file_names: Collection[str]) -> int:
    """Link each published picture from its views; return how many links were made.

    Those of *file_names* that are not in *folder* have no link until they are. Where
    the disk makes no links one line says so. One folder that fails ends no other.

    Raises:
        DiskError: the disk is full.
    """
    made = 0
    folders = _Folders(context.layout)
    with _as_far_as_links_go(context.layout):
        made = _put(context, folder, file_names, folders=folders)
        folders.tell()
    return made


def _put(
    context: StageContext,
    folder: str,
    file_names: Collection[str],
    *,
    folders: "_Folders",
) -> int:
    made = 0
    above = _way_to_pictures(context.layout)
    for name in _names(_own_files(context.layout, folder) & set(file_names)):
        target = f"{above}/{name.folder}/{name}"
        like = None
        for path in folders.places(name):
            with folders.trying(path.parent):
                made += put_link(path, target, like=like)
                like = path
    return made


def drop_links(context: StageContext, file_names: Iterable[str]) -> int:
    """Remove the links of pictures that are shown no more; return how many there were.

    Call it before the pictures go: whoever is killed then leaves no link to nowhere.
    """
    dropped = 0
    folders = _Folders(context.layout)
    with _as_far_as_links_go(context.layout):
        for name in _names(file_names):
            for path in folders.places(name):
                with folders.trying(path.parent):
                    dropped += drop_link(path)
        folders.tell_failure()
    return dropped


def names_given(
    context: StageContext, folder: str, rows: Iterable[Publication]
) -> set[str]:
    """Return the names that links of a house may have: of its rows, and in its folder.

    A row forgets its former name when the confidence or the date changes, but until the
    links are dropped the picture still has it.
    """
    return {row.file_name for row in rows} | _own_files(context.layout, folder)


def drop_house(context: StageContext, slug: str, folder: str) -> int:
    """Remove the links of a house nobody is to see; return how many there were."""
    rows = context.catalog.publications(slug)
    return drop_links(context, names_given(context, folder, rows))


def rebuild_links(context: StageContext) -> int:
    """Make all folder views what the rows say; return how many links changed.

    Houses that are published meanwhile do their own; no lease is needed.
    """
    changed = sweep_links(context)
    folders = _Folders(context.layout)
    with _as_far_as_links_go(context.layout):
        for slug in context.catalog.slugs():
            house, shown = context.catalog.property(slug), shown_files(context, slug)
            if house is None:
                continue  # it was removed a moment ago
            changed += _put(context, house.folder, shown, folders=folders)
            # Who renames a picture records that before the links of its old name go.
            drop_links(context, shown - shown_files(context, slug))
        folders.tell()
    return changed


def sweep_links(context: StageContext) -> int:
    """Remove links to nowhere, and those of houses that are not followed.

    What somebody else put there stays. Returns how many were removed.
    """
    folders = {house.folder for house in context.catalog.properties()}
    removed = 0
    with _as_far_as_links_go(context.layout):
        for path in links_below(context.layout.views):
            if _is_stale(context.layout, path, folders=folders):
                removed += drop_link(path)
    return removed


def dangling(context: StageContext) -> Iterator[Path]:
    """Yield the links that lead nowhere, although no picture is missing.

    Where one is, its link waits for it as its name does.
    """
    links = links_below(context.layout.views)
    nowhere = (path for path in links if path.is_symlink() and not path.exists())
    while some := list(islice(nowhere, _AT_ONCE)):
        named = [(it, name) for it in some if (name := picture_named(it.name))]
        shown = context.catalog.files.shown({name.folder for _, name in named})
        yield from (path for path, name in named if path.name not in shown)


def missing(context: StageContext) -> Iterator[Path]:
    """Yield the links that published houses lack, where this disk can have links."""
    folders = _Folders(context.layout)
    lacking = (
        path
        for slug in context.catalog.slugs()
        for name in _names(sorted(_linkable(context, slug)))
        for path in folders.places(name)
        if not os.path.lexists(path)
    )
    first = next(lacking, None)
    views = context.layout.views
    if first and can_link(views if views.is_dir() else context.layout.images):
        yield first
        yield from lacking


def _linkable(context: StageContext, slug: str) -> set[str]:
    """Return the files of a house that are to have links; one in work makes its own."""
    house = context.catalog.property(slug)
    if house is None or not context.tally(slug).is_published:
        return set()
    return _own_files(context.layout, house.folder) & shown_files(context, slug)


class _Folders:
    """The folders of the views in one pass: which are used, and which failed.

    One that is a link itself is not: behind it lie files that are no links of ours.
    `views` as a whole may lie elsewhere.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._links: dict[Path, Path | None] = {}
        self._failed: dict[Path, OSError | DiskError] = {}

    def places(self, name: ImageName) -> list[Path]:
        """Return where the links of a picture are to be, but for what is not used."""
        return [
            path
            for path in _places(self._layout, name)
            if self._link_at(path.parent) is None and path.parent not in self._failed
        ]

    @contextmanager
    def trying(self, folder: Path) -> Iterator[None]:
        """Use the folder no more if what is done in it fails."""
        try:
            yield
        except (OSError, DiskError) as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise
            self._failed[folder] = error

    def tell(self) -> None:
        """Tell of the folders that are links, and what failed."""
        for link in sorted({it for it in self._links.values() if it is not None}):
            logger.warning(
                "%s is a link itself, so no links are put there: remove it", link
            )
        self.tell_failure()

    def tell_failure(self) -> None:
        """Raise what failed in the first folder, after all others had their turn."""
        if self._failed:
            raise self._failed[min(self._failed)]

    def _link_at(self, folder: Path) -> Path | None:
        if folder not in self._links:
            way = (folder.parent, folder)
            self._links[folder] = next((it for it in way if it.is_symlink()), None)
        return self._links[folder]


def _own_files(layout: Layout, folder: str) -> set[str]:
    path = layout.folder(folder)
    there = os.listdir(path) if path.is_dir() else []  # noqa: PTH208 - names will do
    return {name for name in there if is_own_name(name, folder=folder)}


def shown_files(context: StageContext, slug: str) -> set[str]:
    """The names of the files that a house shows now."""
    return {row.file_name for row in context.catalog.publications(slug) if row.active}


def _is_stale(layout: Layout, path: Path, *, folders: Collection[str]) -> bool:
    name = picture_named(path.name)
    if name is None or is_sidecar(path.name):
        return False
    is_wanted = name.folder in folders and path in _places(layout, name)
    return not is_wanted or not path.exists()


def _names(file_names: Iterable[str]) -> Iterator[ImageName]:
    for text in file_names:
        name = None if is_sidecar(text) else picture_named(text)
        if name is not None:
            yield name


def _places(layout: Layout, name: ImageName) -> tuple[Path, Path]:
    return (
        layout.view("by_subject", name.subject.value) / str(name),
        layout.view("by_location", name.location.value) / str(name),
    )


def _way_to_pictures(layout: Layout) -> str:
    """The way from a view to the published folders, also where the views lie elsewhere.

    Nothing of where this tree lies is in it, unless it is spread over several places.
    """
    view = Path(os.path.realpath(layout.views)) / "by_subject" / "kitchen"
    images = Path(os.path.realpath(layout.images))
    return os.path.relpath(images / layout.processed.name, start=view)


@contextmanager
def _as_far_as_links_go(layout: Layout) -> Iterator[None]:
    """Tell in one line that links cannot be made or removed here, and go on."""
    try:
        yield
    except (OSError, DiskError) as error:
        told = disk_error(error, layout.views) if isinstance(error, OSError) else error
        if isinstance(error, OSError) and error.errno in _FULL and told is not None:
            raise told from error
        logger.warning("no links are kept below %s: %s", layout.views, told or error)
