"""The galleries of the stand-in for the Phoenix MLS: which photos, in which sizes.

The photos are those of the other sites as they were given to the MLS, which is where
all sites have them from: larger, without what was uploaded twice or broken later.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

from phx_pipeline.sources.standins import Flaw, House, Record, RoomKind, Shot

PHOTO_HOST = "cdn.photos.sparkplatform.com"
RESIZE_HOST = "cdn.resize.sparkplatform.com"
MLS = "az"

_LEFT_OUT = 6  # one photo in six is not shown here
_GONE_AT = 2  # the photo of each gallery whose original the CDN has lost
_SEEDS = 100  # of the drawings of one house
_LARGE = (1600, 1066)

# Width and height in pixels of the box a photo is scaled down into, by its path.
BOXES = {"1280x1024": (1280, 1024), "1024x768": (1024, 768), "640x480": (640, 480)}
SMALL = {"": (300, 225), "-t": (65, 42)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One photo of a gallery; `is_gone` if the CDN has lost its original."""

    key: str
    shot: Shot
    caption: str
    is_gone: bool = False

    def url(self, suffix: str = "-o") -> str:
        """Return the address of the original, or of a small size by its suffix."""
        return f"https://{PHOTO_HOST}/{MLS}/{self.key}{suffix}.jpg"

    def boxed(self, box: str) -> str:
        """Return the address of a size that fits a box, such as `640x480`."""
        return f"https://{RESIZE_HOST}/{MLS}/{box}/true/{self.key}-o.jpg"


@lru_cache(maxsize=64)
def uploads(house: House, *, earlier: bool = False) -> tuple[Upload, ...]:
    """Return the gallery of a house in order, or that of its earlier listing."""
    record = house.earlier if earlier else house.record
    shots = list(record.shots)
    if not earlier:
        sound = [it for it in shots if it.copied is None and it.flaw is Flaw.NONE]
        shots = [it for at, it in enumerate(sound) if at % _LEFT_OUT != _LEFT_OUT - 1]
        shots.insert(3, _own_shot(house))
    return tuple(
        Upload(
            key=photo_key(record, at),
            shot=_as_given(shot),
            caption=shot.caption,
            is_gone=at == _GONE_AT,
        )
        for at, shot in enumerate(shots)
    )


def photo_key(record: Record, position: int) -> str:
    """Return the id of a photo: 26 digits that begin with the time of its upload."""
    time = f"21{position // 60:02}{position % 60:02}"
    return f"{record.listed_on:%Y%m%d}{time}{record.mls_id[-6:]:0>6}000000"


def _as_given(shot: Shot) -> Shot:
    width, height = shot.size
    return replace(shot, size=(width * 5 // 4, height * 5 // 4), copied=None)


def _own_shot(house: House) -> Shot:
    """Return a photo that no other site has."""
    first = house.record.shots[0].seed // _SEEDS * _SEEDS
    size = (_LARGE[0] * 4 // 5, _LARGE[1] * 4 // 5)
    caption = "Second bath"
    return Shot(kind=RoomKind.BATHROOM, seed=first + 91, size=size, caption=caption)
