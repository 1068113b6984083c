"""The drawings of a building in a parcel's answer: PNG as Base64, a page each."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.counted import counted
from phx_pipeline.model.inline import LARGEST_BYTES, MOST_PICTURES
from phx_pipeline.model.mark import Mark
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.source import Source
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.maricopa.answers import bare, page_url
from phx_pipeline.sources.stated import number, text, whole

TAG: Final = "FloorPlan"  # as RESO names what such a picture is of

_PNG = b"\x89PNG\r\n\x1a\n"
_LAST_PAGE = 9999
_LONGEST = LARGEST_BYTES * 4 // 3 + 4
_DATA = re.compile(r"data:image/[\w.+-]{1,20};base64,", re.ASCII)
_KEY = re.compile(r"(?P<parcel>\d{8,9}[A-Z]?)-sketch-\d{1,4}-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketches:
    """What was found: pictures by key, how many pages are stated, and what is amiss."""

    pictures: dict[str, bytes]
    stated: int | None
    faults: tuple[str, ...]

    def photos(self, parcel: str) -> tuple[PhotoRef, ...]:
        """Return the pictures as photos of *parcel*."""
        return tuple(
            PhotoRef(
                source=Source.MARICOPA,
                photo_key=key,
                url=page_url(parcel),
                position=position,
                caption=f"Building sketch, page {key.split('-')[2]}",
                tags=(TAG,),
            )
            for position, key in enumerate(self.pictures)
        )


def sketches_in(answer: JsonObject, *, parcel: str) -> Sketches:
    """Return the drawings of *parcel*.

    Raises:
        SourceChangedError: the answer does not tell whether there are any.
    """
    held = mapping(answer.get("Sketches"), what="the parcel's Sketches")
    pages, total = held.get("Pages"), _count(held.get("TotalPages"))
    if not isinstance(pages, list) or (total is None and not pages):
        raise SourceChangedError("the parcel's Sketches have no Pages or TotalPages")
    read = [_page(page, at, parcel=parcel) for at, page in enumerate(pages, start=1)]
    found = dict(it for it in read[:MOST_PICTURES] if isinstance(it, tuple))
    return Sketches(
        pictures=found,
        stated=total,
        faults=tuple(_faults(read, stated=total)),
    )


def filed_under(photo: PhotoRef) -> Mark:
    """Return the parcel that a sketch's key names."""
    found = _KEY.fullmatch(photo.photo_key)
    return Mark(listing=found["parcel"] if found else None)


def _faults(
    read: list[tuple[str, bytes] | str], *, stated: int | None
) -> Iterator[str]:
    left_out = [it for it in read if isinstance(it, str)]
    if left_out:
        shown = counted(len(read), "sketch")
        yield f"{len(left_out)} of {shown} left out: {left_out[0]}"
    if stated is None:
        yield "TotalPages tells no number"
    elif stated != len(read):
        yield f"{counted(len(read), 'sketch')} of {stated} stated"
    if len(read) > MOST_PICTURES:
        yield f"the first {MOST_PICTURES} are taken"


def _page(value: object, at: int, *, parcel: str) -> tuple[str, bytes] | str:
    """Return the picture of a page with its key, or why there is none."""
    if not isinstance(value, dict):
        return "a page is no object"
    if bare(text(value.get("APN"))) != parcel:
        return "the APN of a page is not that of the parcel"
    body = _picture(value.get("Sketch"))
    if body is None:
        return "its Sketch is no PNG"
    page = _count(value.get("PageNum"))
    digest = sha256(body).hexdigest()[:8]
    return (
        f"{parcel}-sketch-{page if page and page <= _LAST_PAGE else at}-{digest}",
        body,
    )


def _picture(value: object) -> bytes | None:
    """Return the bytes of a PNG; whether it can be decoded is seen with all photos."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    coded = "".join(_DATA.sub("", value, count=1).split())
    try:
        body = base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return body if body.startswith(_PNG) and len(body) <= LARGEST_BYTES else None


def _count(value: object) -> int | None:
    stated = whole(value)
    if stated is None and isinstance(value, str):
        read = number(value)
        return int(read) if read is not None and read.is_integer() else None
    return stated
