"""Published pictures over HTTP, whole or in part, and small ones.

Nothing of a request becomes a path: names are looked up in the catalogue, and what it
names is opened without following links.
"""

import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, BinaryIO, Final, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from phx_pipeline.errors import StorageError
from phx_pipeline.model.published import PHOTOS, PublishedImage
from phx_pipeline.service.api.problems import Problem, not_found
from phx_pipeline.service.api.ranges import (
    Part,
    UnsatisfiableError,
    is_known,
    part_of,
)
from phx_pipeline.service.api.stores import Stores
from phx_pipeline.service.api.thumbnails import Thumbnails
from phx_pipeline.storage.below import open_below
from phx_pipeline.workflows.thumbnails import SIDE

_AT_ONCE: Final = 256 * 1024  # bytes of a file in memory
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/png": {}, "image/jpeg": {}}},
    206: {"description": "The part that `Range` asks for."},
    304: {"description": "`If-None-Match` names what there is."},
    416: {"description": "Nothing lies in the range."},
}

Size = Annotated[
    Literal["480"] | None,
    Query(description="480 for a JPEG with so many pixels at its longest side."),
]


class Photos:
    """The published pictures of one data folder."""

    def __init__(self, stores: Stores, thumbnails: Thumbnails) -> None:
        self._stores = stores
        self._thumbnails = thumbnails

    def router(self) -> APIRouter:
        """All paths of photos."""
        router = APIRouter(tags=["photos"])
        path = f"{PHOTOS}/{{folder}}/{{name}}"
        router.add_api_route(
            path,
            self.photo,
            methods=["GET"],
            response_class=Response,
            responses=_ANSWERS,
        )
        router.add_api_route(
            path, self.photo, methods=["HEAD"], include_in_schema=False
        )
        return router

    async def photo(
        self,
        request: Request,
        folder: str,
        name: str,
        size: Size = None,
        if_none_match: Annotated[str | None, Header()] = None,
        range_: Annotated[str | None, Header(alias="range")] = None,
        if_range: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return a published picture, or its thumbnail."""
        image = await run_in_threadpool(self._published, folder, name)
        etag = f'"{image.content_hash[:32]}{f"-{SIDE}" if size else ""}"'
        headers = {
            "etag": etag,
            "cache-control": "private, no-cache",  # kept, but asked about each time
            "content-disposition": f'inline; filename="{_shown_name(name, size)}"',
            "accept-ranges": "bytes",
        }
        if is_known(etag, if_none_match):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        asked = range_ if if_range in {None, etag} else None
        file = await self._opened(image, size)
        headers["content-type"] = "image/jpeg" if size else "image/png"
        return _answer(file, headers, asked=asked, is_head=request.method == "HEAD")

    def _published(self, folder: str, name: str) -> PublishedImage:
        is_name = _NAME.fullmatch(folder) and _NAME.fullmatch(name)
        book = self._stores.catalog.images
        found = book.published_as(folder, name) if is_name else None
        if found is None:
            raise not_found(
                f"no picture is published as {folder}/{name}: GET /api/images lists all"
            )
        return found

    async def _opened(self, image: PublishedImage, size: str | None) -> BinaryIO:
        if size is None:
            return await run_in_threadpool(_whole, self._stores, image)
        path = await self._thumbnails.file(image)
        return await run_in_threadpool(
            open_below, self._stores.layout.thumbnail_root, path.parts[-2:]
        )


def _whole(stores: Stores, image: PublishedImage) -> BinaryIO:
    """Open a published file; one that was cut short is not shown."""
    file = open_below(stores.layout.images, image.local_path.split("/"))
    if os.fstat(file.fileno()).st_size != image.file_size_bytes:
        file.close()
        raise StorageError(f"{image.local_path} has another size than its row tells")
    return file


def _shown_name(name: str, size: str | None) -> str:
    return name if size is None else f"{name.rpartition('.')[0]}-{size}.jpg"


def _answer(
    file: BinaryIO, headers: dict[str, str], *, asked: str | None, is_head: bool
) -> Response:
    """Return the whole file or a part of it; *file* is closed with the answer."""
    size = os.fstat(file.fileno()).st_size
    try:
        part = part_of(asked, size=size)
    except UnsatisfiableError:
        file.close()
        raise Problem(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            f"the file has {size} bytes",
            headers={"content-range": f"bytes */{size}"},
        ) from None
    status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
    if part is not None:
        headers["content-range"] = part.content_range(size)
    sent = part or Part(start=0, end=size)
    headers["content-length"] = str(sent.size)
    if is_head:
        file.close()
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_parts(file, sent), status_code=status, headers=headers)


def _parts(file: BinaryIO, part: Part) -> Iterator[bytes]:
    with file:
        file.seek(part.start)
        left = part.size
        while left and (read := file.read(min(_AT_ONCE, left))):
            left -= len(read)
            yield read
