"""Contact sheets over HTTP: one house, one step, drawn when it is asked for.

What is shown is what the catalogue names now; nothing of a request becomes a path.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import PhxError
from phx_pipeline.imaging.captioned_sheet import MOST_PICTURES, captioned_sheet
from phx_pipeline.model.printable import printable
from phx_pipeline.model.sheet import (
    SHEETS,
    Step,
    Tile,
    categorized_tiles,
    deduped_tiles,
    manifest_tiles,
    raw_tiles,
)
from phx_pipeline.service.api.problems import problem_of
from phx_pipeline.storage.layout import Layout

MAX_BYTES = 3_000_000

_LONGEST_LINE = 300
_REMEMBERED = 8  # sheets; of at most MAX_BYTES each
_DRAWN_AS = "1"  # another one, should the same pictures give another sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A sheet that there is: files and captions, and the tag that changes with them."""

    name: str
    pictures: Sequence[tuple[Path, str]]
    etag: str


class Sheets:
    """The sheets of one data folder.

    One thread draws, so however many are asked for, the pages of the UI are served.

    Args:
        open_catalog: Opens the catalogue for one request; raises what tells why not.
        layout: Of the data folder.
    """

    def __init__(self, open_catalog: Callable[[], Catalog], *, layout: Layout) -> None:
        self._open_catalog = open_catalog
        self._layout = layout
        self._drawing = ThreadPoolExecutor(1, thread_name_prefix="sheets")
        self._drawn: OrderedDict[str, bytes] = OrderedDict()

    def mount(self) -> Mount:
        """All paths of sheets, for the app's routes."""
        return Mount(SHEETS, routes=[Route("/{house}/{step}.jpg", self._answer)])

    async def _answer(self, request: Request) -> Response:
        house, step = request.path_params["house"], request.path_params["step"]
        known = request.headers.get("if-none-match", "")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._drawing, self._response, house, step, known
        )

    def _response(self, house: str, step: str, known: str) -> Response:
        try:
            asked = self._asked(house, Step(step)) if step in set(Step) else None
            if asked is None:
                return _text(404, f"no pictures of {house!r} at {step!r}")
            headers = {
                "etag": asked.etag,
                "cache-control": "private, no-cache",  # kept, but asked about each time
                "content-disposition": f'inline; filename="{asked.name}.jpg"',
            }
            if asked.etag in {
                tag.strip().removeprefix("W/") for tag in known.split(",")
            }:
                return Response(status_code=304, headers=headers)
            return Response(self._jpeg(asked), media_type="image/jpeg", headers=headers)
        except PhxError as error:
            return _text(503, problem_of(error).detail)

    def _asked(self, key: str, step: Step) -> _Asked | None:
        """What is to be shown; None if there is no such house, or nothing to show."""
        with closing(self._open_catalog()) as catalog:
            known = catalog.houses.find(key)
            if known is None or known.removed_at is not None:
                return None
            slug = known.house.slug
            tiles = _tiles(catalog, slug, step)[:MOST_PICTURES]
        pictures = [(self._path(tile), tile.caption) for tile in tiles]
        told = [
            _DRAWN_AS,
            *(f"{path} {_state(path)} {line}" for path, line in pictures),
        ]
        digest = sha256("\n".join(told).encode()).hexdigest()[:32]
        name = f"{slug}-{step.value}"
        return (
            _Asked(name=name, pictures=pictures, etag=f'"{digest}"') if tiles else None
        )

    def _path(self, tile: Tile) -> Path:
        file = tile.file
        return self._layout.images / file if file else self._layout.raw(tile.sha256)

    def _jpeg(self, asked: _Asked) -> bytes:
        jpeg = self._drawn.pop(asked.etag, None) or captioned_sheet(
            ((_bytes_of(path), caption) for path, caption in asked.pictures),
            count=len(asked.pictures),
            max_bytes=MAX_BYTES,
        )
        self._drawn[asked.etag] = jpeg
        if len(self._drawn) > _REMEMBERED:
            self._drawn.popitem(last=False)
        return jpeg


def _state(path: Path) -> str:
    """What is another one once a file that was damaged or gone was mended."""
    try:
        found = path.stat()
    except OSError:
        return "gone"
    return f"{found.st_size} {found.st_mtime_ns}"


def _bytes_of(path: Path) -> bytes:
    """What a file holds; nothing if it cannot be read, which a check tells."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _tiles(catalog: Catalog, slug: str, step: Step) -> list[Tile]:
    match step:
        case Step.RAW:
            return raw_tiles(catalog.photos(slug))
        case Step.DEDUPED:
            return deduped_tiles(catalog.photos(slug))
        case Step.CATEGORIZED:
            return categorized_tiles(catalog.photos(slug), catalog.categories(slug))
        case Step.MANIFEST:
            return manifest_tiles(catalog.published_images(slug))


def _text(status: int, told: str) -> Response:
    line = printable(told, most=_LONGEST_LINE)
    headers = {"cache-control": "no-store"}
    return PlainTextResponse(f"{line}\n", status_code=status, headers=headers)
