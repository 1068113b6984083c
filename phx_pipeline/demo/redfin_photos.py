"""The photo CDN of the stand-in for Redfin: what is delivered."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.sources.redfin.standin_photos import VARIANTS, Variant, photo_path
from phx_pipeline.sources.standins import Flaw, House, Shot

_KEPT_BYTES = 0.6  # of a truncated photo
_JPEG = {"content-type": "image/jpeg"}
_HTML = {"content-type": "text/html; charset=utf-8"}
_NOT_A_PHOTO = b"""<!DOCTYPE html><html><head><title>Photo unavailable</title></head>\
<body><p>This photo cannot be shown.</p></body></html>"""


def photo_cdn(houses: Sequence[House], *, delay_s: float) -> Handler:
    """Answer for the photos of *houses*, *delay_s* late."""
    known = {
        path: (shot, variant)
        for house in houses
        for record in (house.record, house.earlier)
        for position, shot in enumerate(record.shots)
        for variant in VARIANTS
        for path in [photo_path(record, position, variant)]
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


def _missing() -> Answer:
    return Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found", headers=_HTML)
