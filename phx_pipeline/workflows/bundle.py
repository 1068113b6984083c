"""A zip to hand on: named pictures, their manifest, and a table of them."""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from io import StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from phx_pipeline.errors import InputError, StorageError
from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.outputs import writing_output

# The zip format's first moment: equal bundles are equal.
_UNDATED = (1980, 1, 1, 0, 0, 0)


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
    each: Callable[[Sequence[PublishedImage]], Iterable[PublishedImage]] = iter,
) -> int:
    """Write a zip of the published pictures of *slugs*; return how many.

    Equal content gives equal bytes. A file that is missing on disk is an error, so a
    bundle is never silently short.

    Args:
        context: of any run; nothing of it is changed.
        slugs: the properties, in the order of the bundle.
        target: the zip; a former one is replaced once the new one is whole.
        table: how the table of photos is written.
        each: goes through the pictures, for a progress bar.

    Raises:
        InputError: nothing is published, a library for *table* is not installed, or
            *target* cannot be written.
        StorageError: a published file is not there.
    """
    images = [i for slug in slugs for i in context.catalog.published_images(slug)]
    if not images:
        raise InputError(
            f"nothing is published for {', '.join(slugs)}: run `phx extract` first"
        )
    listed = _table(images, table)
    with writing_output(target) as file, ZipFile(file, "w") as archive:
        for image in each(images):
            name = image.local_path.removeprefix("processed/")
            # pictures are compressed already
            archive.writestr(
                _entry(name), _body(context, image), compress_type=ZIP_STORED
            )
        manifest = render_manifest(images).encode()
        archive.writestr(_entry("manifest.json"), manifest, compress_type=ZIP_DEFLATED)
        archive.writestr(_entry(f"photos.{table}"), listed, compress_type=ZIP_DEFLATED)
    return len(images)


def _body(context: StageContext, image: PublishedImage) -> bytes:
    try:
        return (context.layout.images / image.local_path).read_bytes()
    except FileNotFoundError as error:
        raise StorageError(
            f"{image.local_path} is not there: `phx rebuild` makes it anew"
        ) from error


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
