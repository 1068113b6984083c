"""The galleries of the stand-in for Zillow: which photos, in which sizes.

The photos are those of the other sites, uploaded here anew: in other sizes, some
lightly cut, one or two more, some missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256

from phx_pipeline.sources.standins import Copied, Flaw, House, RoomKind, Shot

PHOTO_HOST = "photos.zillowstatic.com"

_LARGE = (1280, 853)
_LEFT_OUT = 7  # one photo in seven is not uploaded here
_GONE_AT = 1  # the photo of each gallery whose largest size the CDN has lost
_SEEDS = 100  # of the drawings of one house

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
THUMB = {"p_c": (316, 234), "p_d": (400, 300), "p_e": (596, 446)}


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
    yield Shot(kind=RoomKind.LIVING, seed=first + 81, size=_LARGE)
    if house.home_id % 2:
        yield Shot(kind=RoomKind.YARD, seed=first + 82, size=_LARGE)


def key_of(text: str) -> str:
    """Return the key under which the CDN has what *text* names: 32 hex digits."""
    return sha256(text.encode()).hexdigest()[:32]
