"""Small pictures of published files: drawn by one thread, kept below the data folder.

They are a cache: the folder may be deleted at any time. Which file is meant is told by
`photos`.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Final

from phx_pipeline.model.published import PublishedImage
from phx_pipeline.service.api.problems import Problem
from phx_pipeline.storage.layout import Layout
from phx_pipeline.workflows.thumbnails import (
    draw_thumbnail,
    is_drawn,
    thumbnail_path,
)

_MOST_BYTES: Final = 500_000_000
_MOST_WAITING: Final = 100
_ROOM: Final = 0.8  # of the limit is left when the oldest have gone


class Thumbnails:
    """The thumbnails of one data folder.

    Args:
        layout: Of the data folder.
        most_bytes: What all together may take; then the oldest go.
        most_waiting: So many may wait for the thread that draws; further ones are told
            to come again.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        most_bytes: int = _MOST_BYTES,
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        self._layout = layout
        self._most_bytes = most_bytes
        self._most_waiting = most_waiting
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")
        self._waiting = 0
        self._held: int | None = None

    async def file(self, image: PublishedImage) -> Path:
        """Return the thumbnail of a published picture, drawn if there is none.

        Raises:
            Problem: too many are being drawn.
            StorageError: the picture is not there, or damaged.
        """
        path = thumbnail_path(self._layout, image)
        if is_drawn(path):
            return path
        if self._waiting >= self._most_waiting:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "many thumbnails are being drawn: try again in a moment",
                headers={"retry-after": "1"},
            )
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._drawing, self._draw, image, path)
        finally:
            self._waiting -= 1
        return path

    def _draw(self, image: PublishedImage, path: Path) -> None:
        if is_drawn(path):  # for whoever asked a moment before
            return
        self._make_room(len(draw_thumbnail(self._layout, image)))

    def _make_room(self, added: int) -> None:
        """Delete the oldest thumbnails, if all together are too much."""
        if self._held is None:
            self._held = sum(size for _, size, _ in self._there())
        else:
            self._held += added
        if self._held <= self._most_bytes:
            return
        for _, size, path in sorted(self._there()):
            if self._held <= self._most_bytes * _ROOM:
                break
            path.unlink(missing_ok=True)
            self._held -= size

    def _there(self) -> Iterator[tuple[float, int, Path]]:
        for path in self._layout.thumbnail_root.glob("*/*.jpg"):
            try:
                found = path.stat()
            except FileNotFoundError:  # its house was purged meanwhile
                continue
            yield found.st_mtime, found.st_size, path
