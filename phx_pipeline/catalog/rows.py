"""Between rows and model values; nothing outside the catalogue sees a row."""

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from phx_pipeline.model.address import Address
from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.photo import Blob, Photo, PhotoRef, PictureHashes
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import Category, Location, Subject

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SIGN = 1 << 63
_SPAN = 1 << 64

AnyRow = sa.Row[Any]


def signed(value: int) -> int:
    """Fit an unsigned 64-bit hash into a signed column."""
    return value - _SPAN if value >= _SIGN else value


def unsigned(value: int) -> int:
    """Undo `signed`."""
    return value + _SPAN if value < 0 else value


def property_of(row: AnyRow) -> Property:
    """Read a `property` row; what people ruled on it is another table's."""
    return Property(slug=row.slug, folder=row.folder, address=address_of(row))


def address_of(row: AnyRow) -> Address:
    """Read the address of a `property` row."""
    return Address(
        street_number=row.street_number,
        street=row.street,
        unit=row.unit,
        city=row.city,
        state=row.state,
        zip_code=row.zip_code,
    )


def property_values(house: Property) -> dict[str, object]:
    """Columns of a `property` row, all but the time it was added."""
    return {
        "slug": house.slug,
        "folder": house.folder,
        "address": str(house.address),
        "street_number": house.address.street_number,
        "street": house.address.street,
        "unit": house.address.unit,
        "city": house.address.city,
        "state": house.address.state,
        "zip_code": house.address.zip_code,
        "match_key": house.address.match_key,
    }


def ref_values(ref: PhotoRef) -> dict[str, object]:
    """Columns of a `photo` row that repeat what the source said."""
    return {
        "url": ref.url,
        "fallback_urls": list(ref.fallback_urls),
        "position": ref.position,
        "caption": ref.caption,
        "tags": list(ref.tags),
        "width": ref.width,
        "height": ref.height,
    }


def photo_of(row: AnyRow) -> Photo:
    """Read a `photo` row."""
    ref = PhotoRef(
        source=Source(row.source),
        photo_key=row.photo_key,
        url=row.url,
        position=row.position,
        fallback_urls=tuple(row.fallback_urls),
        caption=row.caption,
        tags=tuple(row.tags),
        width=row.width,
        height=row.height,
    )
    return Photo(
        property_slug=row.slug,
        ref=ref,
        listed_on=row.listed_on,
        first_seen_on=row.first_seen_on,
        present=row.present,
        verdict=Verdict(row.verdict),
        asked_url=row.asked_url,
        fetched_url=row.fetched_url,
        sha256=row.sha256,
        cluster_id=row.cluster_id,
        fault_days=row.fault_days,
        faulted_on=row.faulted_on,
        run_id=row.run_id,
    )


def blob_of(row: AnyRow) -> Blob:
    """Read a `blob` row."""
    hashes = PictureHashes(
        phash=unsigned(row.phash),
        dhash=unsigned(row.dhash),
        trimmed_phash=unsigned(row.trimmed_phash),
        trimmed_dhash=unsigned(row.trimmed_dhash),
    )
    return Blob(
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        hashes=hashes,
        appearance=_appearance_of(row),
    )


def _appearance_of(row: AnyRow) -> Appearance | None:
    if row.thumbnail is None:
        return None
    return Appearance(
        thumbnail=bytes(row.thumbnail),
        left=row.left,
        top=row.top,
        right=row.right,
        bottom=row.bottom,
        low_information=row.low_information,
        detail=row.detail,
    )


def category_of(row: AnyRow) -> Category:
    """Read a `category` row."""
    return Category(
        location=Location(row.location),
        subject=Subject(row.subject),
        confidence=row.confidence,
    )


def appearance_values(sha256: str, appearance: Appearance) -> dict[str, object]:
    """Columns of an `appearance` row."""
    return {"sha256": sha256, **flat_values(appearance)}


def flat_values(value: "DataclassInstance") -> dict[str, object]:
    """Columns named as the fields of a dataclass that holds plain values alone.

    `dataclasses.asdict` would copy each of them, which takes longer than a statement.
    """
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def blob_values(blob: Blob) -> dict[str, object]:
    """Columns of a `blob` row."""
    return {
        "sha256": blob.sha256,
        "size_bytes": blob.size_bytes,
        "media_type": blob.media_type,
        "width": blob.width,
        "height": blob.height,
        "phash": signed(blob.hashes.phash),
        "dhash": signed(blob.hashes.dhash),
        "trimmed_phash": signed(blob.hashes.trimmed_phash),
        "trimmed_dhash": signed(blob.hashes.trimmed_dhash),
    }
