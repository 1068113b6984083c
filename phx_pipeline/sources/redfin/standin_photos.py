"""The addresses of photos in the stand-in for Redfin, in all sizes the site has."""

from dataclasses import dataclass

from phx_pipeline.sources.standins import Record

PHOTO_HOST = "ssl.cdn-redfin.com"


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
VARIANTS = (FULL, PAGE, WIDE, LIST, MIDDLE, THUMB)


def photo_url(record: Record, *, position: int) -> str:
    """Return the address of a photo's largest full-frame variant."""
    return address_of(record, position, FULL)


def address_of(record: Record, position: int, variant: Variant) -> str:
    """Return the address of a photo in one of the sizes."""
    return f"https://{PHOTO_HOST}{photo_path(record, position, variant)}"


def photo_path(record: Record, position: int, variant: Variant) -> str:
    """Return where the photo host has a photo in one of the sizes."""
    name = f"{variant.prefix}{record.file_name(position)}"
    return f"/photo/{record.data_source_id}/{variant.folder}/{record.folder}/{name}"
