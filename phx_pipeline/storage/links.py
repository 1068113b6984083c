"""Symbolic links to published pictures: made, replaced and removed, one by one.

They are views: nothing is lost with them, so none is made durable. Whoever copies a
tree may have made files of them: what has the name of a link is one, or was.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from phx_pipeline.errors import DiskError
from phx_pipeline.storage.atomic import create_folder, set_aside, temporary_beside

_NO_LINK: Final = errno.EINVAL  # what reading gives of a file or folder


def put_link(path: Path, target: str, *, like: Path | None = None) -> bool:
    """Make *path* a link to *target*; False if it was.

    Another link or a file of that name is replaced, a folder is moved aside; the folder
    around is made, and a file in its place moved aside.

    Args:
        path: The link.
        target: What it says.
        like: A link that says the same. A second name of it is made where the disk
            knows such: that takes no inode, of which disks may have few.

    Raises:
        OSError: it cannot be made here.
        DiskError: a folder is a link to nowhere.
    """
    try:
        if os.readlink(path) == target:  # noqa: PTH115 - ten times as fast
            return False
    except (FileNotFoundError, NotADirectoryError):
        return _made(path, target, like=like)
    except OSError as error:
        if error.errno != _NO_LINK:
            raise
        set_aside(path)
    return _replaced(path, target)


def drop_link(path: Path) -> bool:
    """Remove the link *path*, or what it became; False if there is none."""
    if not os.path.lexists(path) or (path.is_dir() and not path.is_symlink()):
        return False
    path.unlink(missing_ok=True)
    return True


def can_link(folder: Path) -> bool:
    """Whether links can be made in *folder*; one is made and removed where it can."""
    try:
        with temporary_beside(folder / "link") as temporary:
            os.symlink("nowhere", temporary)  # noqa: PTH211 - as `put_link` does
            temporary.unlink()
    except (OSError, DiskError):
        return False
    return True


def links_below(folder: Path) -> Iterator[Path]:
    """Yield all but folders in the folders of *folder*'s folders, as the disk lists."""
    for kind in _folders(folder):
        for value in _folders(kind):
            with os.scandir(value) as found:
                names = (it.path for it in found if not it.is_dir() or it.is_symlink())
                yield from map(Path, names)


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as found:
        names = [it.path for it in found if it.is_dir(follow_symlinks=False)]
    return [Path(name) for name in sorted(names)]


def _made(path: Path, target: str, *, like: Path | None) -> bool:
    if not path.parent.is_dir():
        create_folder(path.parent)
    if like is None or not _is_second_name(path, like):
        os.symlink(target, path)  # noqa: PTH211 - as above
    return True


def _is_second_name(path: Path, like: Path) -> bool:
    """Give the link *like* the name *path* as well; False where that is refused."""
    try:
        os.link(like, path, follow_symlinks=False)
    except OSError:
        return False
    return True


def _replaced(path: Path, target: str) -> bool:
    with temporary_beside(path) as temporary:
        temporary.symlink_to(target)
        temporary.replace(path)
    return True
