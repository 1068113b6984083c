"""The photo CDN of the stand-in for Zillow: galleries, sizes, what is delivered.

The drawings are those of the other sites, uploaded here anew: in other sizes, some
lightly cut, one or two more, some missing.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.demo import rooms
from phx_pipeline.demo.houses import LARGE, Copied, Flaw, House, Shot
from phx_pipeline.demo.loopback import Answer, Asked, Handler
from phx_pipeline.demo.rooms import RoomKind

PHOTO_HOST = "photos.zillowstatic.com"

_LEFT_OUT = 7  # one photo in seven is not uploaded here
_GONE_AT = 1  # the photo of each gallery whose largest size the CDN has lost
_SEEDS = 100  # of the drawings of one house
_MISSING = Answer(status=HTTPStatus.NOT_FOUND, body=b"Not Found")
_JPEG = {"content-type": "image/jpeg"}
_PHOTO_PATH = re.compile(r"/fp/(?P<key>[0-9a-f]{32})-(?P<size>\w+)\.jpg", re.ASCII)

# Width and height in pixels of the box a full frame is scaled down into.
FULL = {
    "d_d": (800, 600),
    "o_a": (1024, 768),
    "uncropped_scaled_within_1344_1008": (1344, 1008),
    "uncropped_scaled_within_1536_1152": (1536, 1152),
}
_LARGEST = "uncropped_scaled_within_1536_1152"
# Of the picture after cutting; the ladder cuts to 3:2.
CUT = {
    f"cc_ft_{width}": (width, width * 2 // 3)
    for width in (192, 384, 576, 768, 960, 1152, 1344, 1536)
}
_THUMB = {"p_c": (316, 234), "p_d": (400, 300), "p_e": (596, 446)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One photo of a gallery here.

    `twin` is the position of the same drawing in the house's record, None for a photo
    that only this site has; `gone` are the sizes the CDN has lost.
    """

    key: str
    shot: Shot
    twin: int | None
    gone: frozenset[str] = frozenset()

    def url(self, size: str = _LARGEST) -> str:
        """Return the address of a size, such as `o_a`; the largest by default."""
        return f"https://{PHOTO_HOST}/fp/{self.key}-{size}.jpg"


@lru_cache(maxsize=64)
def uploads(house: House) -> tuple[Upload, ...]:
    """Return the gallery of a house in order."""
    sound = [
        (at, shot)
        for at, shot in enumerate(house.record.shots)
        if shot.copied is None and shot.flaw is Flaw.NONE
    ]
    shared = [
        (at, _uploaded_anew(shot, style=number % 3))
        for number, (at, shot) in enumerate(sound)
        if number % _LEFT_OUT != _LEFT_OUT - 1
    ]
    own = [(None, shot) for shot in _own_shots(house)]
    gallery = [*shared[:3], *own[:1], *shared[3:], *own[1:]]
    return tuple(
        Upload(
            key=key_of(f"{house.record.mls_id} {position}"),
            shot=shot,
            twin=twin,
            gone=frozenset({_LARGEST} if position == _GONE_AT else ()),
        )
        for position, (twin, shot) in enumerate(gallery)
    )


def _uploaded_anew(shot: Shot, *, style: int) -> Shot:
    """Return a shot as it was uploaded here: larger, smaller, or smaller and cut."""
    width, height = shot.size
    if style == 0:
        return replace(shot, size=(width * 6 // 5, height * 6 // 5))
    if style == 1:
        return replace(shot, copied=Copied(width=width * 4 // 5))
    return replace(shot, copied=Copied(width=width * 15 // 16, cropped=0.02))


def _own_shots(house: House) -> Iterator[Shot]:
    """Yield one or two photos no other site has."""
    first = house.record.shots[0].seed // _SEEDS * _SEEDS
    yield Shot(kind=RoomKind.LIVING, seed=first + 81, size=LARGE)
    if house.home_id % 2:
        yield Shot(kind=RoomKind.YARD, seed=first + 82, size=LARGE)


def key_of(text: str) -> str:
    """Return the key under which the CDN has what *text* names: 32 hex digits."""
    return sha256(text.encode()).hexdigest()[:32]


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
    if box := (CUT | _THUMB).get(size):
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
