"""Which houses lack a file their rows name; only looks into folders, reads no file."""

from collections.abc import Collection
from pathlib import Path

from phx_pipeline.catalog.files import NamedFiles
from phx_pipeline.model.naming import sidecar_of
from phx_pipeline.stages.context import StageContext


def lacking_files(context: StageContext, slugs: Collection[str]) -> set[str]:
    """Return those of *slugs* of which an original, a PNG or a name is not there.

    Each folder is read once, however many houses have files in it.
    """
    folders = _Folders()
    return {
        named.slug
        for named in context.catalog.files.named(slugs)
        if not all(path in folders for path in _paths(context, named))
    }


class _Folders:
    def __init__(self) -> None:
        self._names: dict[Path, frozenset[str]] = {}

    def __contains__(self, path: Path) -> bool:
        folder = path.parent
        if folder not in self._names:
            there = folder.iterdir() if folder.is_dir() else ()
            self._names[folder] = frozenset(child.name for child in there)
        return path.name in self._names[folder]


def _paths(context: StageContext, named: NamedFiles) -> list[Path]:
    layout = context.layout
    folder = layout.folder(named.folder)
    return [
        *(layout.raw(sha) for sha in named.originals),
        *(layout.standardized(it.sha256, it.recipe) for it in named.published),
        *(folder / it.file_name for it in named.published),
        *(folder / sidecar_of(it.file_name) for it in named.published),
    ]
