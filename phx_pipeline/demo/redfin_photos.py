"""The photo CDN of the stand-in for Redfin: addresses, sizes, and what is delivered."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import Flaw, House, Record, Shot
from phx_pipeline.demo.loopback import Answer, Asked, Handler

PHOTO_HOST = "ssl.cdn-redfin.com"

_KEPT_BYTES = 0.6  # of a truncated photo
_JPEG = {"content-type": "image/jpeg"}
_HTML = {"content-type": "text/html; charset=utf-8"}
_NOT_A_PHOTO = b"""<!DOCTYPE html><html><head><title>Photo unavailable</title></head>\
<body><p>This photo cannot be shown.</p></body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A size the CDN offers: its folder, the prefix of its names, its pixels."""

    folder: str
    prefix: str = ""
    size: tuple[int, int] | None = None


FULL = Variant(folder="bigphoto")
PAGE = Variant(folder="mbphotov3", prefix="genMid.", size=(1080, 771))
WIDE = Variant(folder="mbpaddedwide", prefix="genMid.", size=(665, 449))
LIST = Variant(folder="bcsphoto", prefix="genBcs.", size=(546, 364))
MIDDLE = Variant(folder="midphoto", prefix="genMid.", size=(300, 200))
THUMB = Variant(folder="tmbphoto", prefix="genTmb.", size=(120, 80))
_VARIANTS = (FULL, PAGE, WIDE, LIST, MIDDLE, THUMB)


def photo_url(record: Record, *, position: int) -> str:
    """Return the address of a photo's largest full-frame variant."""
    return address_of(record, position, FULL)


def address_of(record: Record, position: int, variant: Variant) -> str:
    """Return the address of a photo in one of the sizes."""
    return f"https://{PHOTO_HOST}{_photo_path(record, position, variant)}"


def photo_cdn(houses: Sequence[House], *, delay_s: float) -> Handler:
    """Answer for the photos of *houses*, *delay_s* late."""
    known = {
        path: (shot, variant)
        for house in houses
        for record in (house.record, house.earlier)
        for position, shot in enumerate(record.shots)
        for variant in _VARIANTS
        for path in [_photo_path(record, position, variant)]
    }

    def answer(asked: Asked) -> Answer:
        time.sleep(delay_s)
        found = known.get(urlsplit(asked.target).path)
        return _delivered(*found) if found else _missing()

    return answer


def draw_all(house: House) -> int:
    """Draw what may be asked for, so that it is at hand; return how many photos."""
    shots = [*house.record.shots, *house.earlier.shots]
    return len([_uploaded(shot) for shot in shots])


def _delivered(shot: Shot, variant: Variant) -> Answer:
    if shot.flaw is Flaw.GONE:
        return _missing()
    if shot.flaw is Flaw.HTML:
        return Answer(body=_NOT_A_PHOTO, headers=_JPEG)
    body = _sized(shot, variant.size)
    if shot.flaw is Flaw.TRUNCATED:
        body = body[: round(len(body) * _KEPT_BYTES)]
    return Answer(body=body, headers=_JPEG)


def _sized(shot: Shot, size: tuple[int, int] | None) -> bytes:
    """Return the photo in a variant's size; small ones are never blown up."""
    if size is None or size[0] > shot.uploaded_size[0]:
        return _uploaded(shot)
    return rooms.fitted(_uploaded(shot), size=size)


@lru_cache(maxsize=256)
def _uploaded(shot: Shot) -> bytes:
    if copied := shot.copied:
        first = _uploaded(replace(shot, copied=None))
        return rooms.copy(first, width=copied.width, cropped=copied.cropped)
    return rooms.draw(
        shot.kind, seed=shot.seed, size=shot.size, orientation=shot.orientation
    )


def _photo_path(record: Record, position: int, variant: Variant) -> str:
    name = f"{variant.prefix}{record.file_name(position)}"
    return f"/photo/{record.data_source_id}/{variant.folder}/{record.folder}/{name}"


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)
