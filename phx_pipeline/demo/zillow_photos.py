"""The photo CDN of the stand-in for Zillow: what is delivered."""

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.sources.standins import House, Shot
from phx_pipeline.sources.zillow.standin_photos import CUT, FULL, THUMB, Upload, uploads

_MISSING = Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found")
_JPEG = {"content-type": "image/jpeg"}
_PHOTO_PATH = re.compile(r"/fp/(?P<key>[0-9a-f]{32})-(?P<size>\w+)\.jpg", re.ASCII)


def photo_cdn(houses: Sequence[House], *, delay_s: float) -> Handler:
    """Answer for the galleries of *houses*, *delay_s* late."""
    known = {upload.key: upload for house in houses for upload in uploads(house)}

    def answer(asked: Asked) -> Answer:
        time.sleep(delay_s)
        found = _PHOTO_PATH.fullmatch(urlsplit(asked.target).path)
        upload = known.get(found["key"]) if found else None
        body = _sized(upload, size=found["size"]) if upload and found else None
        return Answer(body=body, headers=_JPEG) if body else _MISSING

    return answer


def draw_all(house: House) -> int:
    """Draw what may be asked for, so that it is at hand; return how many photos."""
    return len([_uploaded(upload.shot) for upload in uploads(house)])


@lru_cache(maxsize=64)
def _sized(upload: Upload, *, size: str) -> bytes | None:
    """Return a photo in a size, never blown up; None if the CDN has no such size."""
    if size in upload.gone:
        return None
    width, height = upload.shot.uploaded_size
    if box := FULL.get(size):
        part = min(1.0, box[0] / width, box[1] / height)
        return rooms.copy(_uploaded(upload.shot), width=round(width * part))
    if box := (CUT | THUMB).get(size):
        part = min(1.0, width / box[0], height / box[1])
        cut = (round(box[0] * part), round(box[1] * part))
        return rooms.fitted(_uploaded(upload.shot), size=cut)
    return None


@lru_cache(maxsize=256)
def _uploaded(shot: Shot) -> bytes:
    drawn = rooms.draw(
        shot.kind, seed=shot.seed, size=shot.size, orientation=shot.orientation
    )
    if shot.copied is None:
        return drawn
    return rooms.copy(drawn, width=shot.copied.width, cropped=shot.copied.cropped)
