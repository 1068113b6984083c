"""The photo CDN of the stand-in for the Phoenix MLS: what is delivered."""

import re
import time
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.sources.phoenix_mls.standin_photos import (
    BOXES,
    MLS,
    SMALL,
    Upload,
    uploads,
)
from phx_pipeline.sources.standins import House, Shot

_MISSING = Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found")
_JPEG = {"content-type": "image/jpeg"}
_PHOTO_PATH = re.compile(
    rf"/{MLS}/(?:(?P<box>\d+x\d+)/true/)?(?P<key>\d{{26}})(?P<suffix>(?:-\w)?)\.jpg",
    re.ASCII,
)


def photo_cdn(houses: Sequence[House], *, delay_s: float) -> Handler:
    """Answer for the galleries of *houses*, *delay_s* late, at both photo hosts."""
    known = {
        upload.key: upload
        for house in houses
        for earlier in (False, True)
        for upload in uploads(house, earlier=earlier)
    }

    def answer(asked: Asked) -> Answer:
        time.sleep(delay_s)
        found = _PHOTO_PATH.fullmatch(urlsplit(asked.target).path)
        upload = known.get(found["key"]) if found else None
        if upload is None or found is None:
            return _MISSING
        body = _sized(upload, box=found["box"] or "", suffix=found["suffix"])
        return Answer(body=body, headers=_JPEG) if body else _MISSING

    return answer


def draw_all(house: House) -> int:
    """Draw what may be asked for, so that it is at hand; return how many photos."""
    return len([_given(upload.shot) for upload in uploads(house)])


@lru_cache(maxsize=64)
def _sized(upload: Upload, *, box: str, suffix: str) -> bytes | None:
    """Return a photo in a size, never blown up; None if the CDN has no such size."""
    width, height = upload.shot.size
    limit = BOXES.get(box) if box else SMALL.get(suffix)
    if limit is None:
        return None if box or upload.is_gone else _given(upload.shot)
    part = min(1.0, limit[0] / width, limit[1] / height)
    return rooms.copy(_given(upload.shot), width=round(width * part))


@lru_cache(maxsize=256)
def _given(shot: Shot) -> bytes:
    return rooms.draw(
        shot.kind, seed=shot.seed, size=shot.size, orientation=shot.orientation
    )
