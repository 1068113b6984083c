"""A zip to hand on: named pictures, their manifest, and a table of them."""

from collections.abc import Sequence
from enum import StrEnum
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from phx_pipeline.errors import InputError
from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.atomic import write_atomically

_UNDATED = (
    1980,
    1,
    1,
    0,
    0,
    0,
)  # the zip format's first moment: equal bundles are equal


class TableFormat(StrEnum):
    """How the table in a bundle is written."""

    CSV = "csv"
    PARQUET = "parquet"


def bundle(
    context: StageContext,
    slugs: Sequence[str],
    target: Path,
    *,
    table: TableFormat = TableFormat.CSV,
) -> int:
    """Write a zip of the published pictures of *slugs*; return how many.

    Equal content gives equal bytes. A file that is missing on disk is an error, so a
    bundle is never silently short.

    Raises:
        InputError: nothing is published, or a library for *table* is not installed.
    """
    images = [i for slug in slugs for i in context.catalog.published_images(slug)]
    if not images:
        raise InputError(
            f"nothing is published for {', '.join(slugs)}: run `phx extract` first"
        )
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for image in images:
            body = (context.layout.images / image.local_path).read_bytes()
            name = image.local_path.removeprefix("processed/")
            # PNGs are compressed already
            archive.writestr(_entry(name), body, compress_type=ZIP_STORED)
        manifest = render_manifest(images).encode()
        archive.writestr(_entry("manifest.json"), manifest, compress_type=ZIP_DEFLATED)
        listed = _table(images, table)
        archive.writestr(_entry(f"photos.{table}"), listed, compress_type=ZIP_DEFLATED)
    write_atomically(target, buffer.getvalue())
    return len(images)


def _entry(name: str) -> ZipInfo:
    return ZipInfo(name, date_time=_UNDATED)


def _table(images: Sequence[PublishedImage], table: TableFormat) -> bytes:
    import pandas as pd  # noqa: PLC0415 - half a second that only bundles need

    frame = pd.DataFrame([_row(image) for image in images])
    if table is TableFormat.CSV:
        text = StringIO()
        frame.to_csv(text, index=False, lineterminator="\n")
        return text.getvalue().encode()
    try:
        return bytes(frame.to_parquet(index=False))
    except ImportError as error:
        raise InputError(
            "Parquet needs the extra: pip install 'phx_pipeline[parquet]'"
        ) from error


def _row(image: PublishedImage) -> dict[str, object]:
    name = ImageName.parse(Path(image.local_path).name)
    return {
        "address": image.property_address,
        "file": image.local_path.removeprefix("processed/"),
        "location": name.location.value,
        "subject": name.subject.value,
        "confidence": name.confidence,
        "source": image.source.value,
        "date": name.date.isoformat(),
        "width": image.width,
        "height": image.height,
        "size_bytes": image.file_size_bytes,
        "source_url": image.source_url,
        "sha256": image.content_hash,
    }
