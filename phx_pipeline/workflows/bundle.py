"""A zip to hand on: named pictures, their manifest, and a table of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from io import StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from phx_pipeline.catalog.store import Catalog
from phx_pipeline.errors import InputError, StorageError
from phx_pipeline.exports.manifest import render_manifest
from phx_pipeline.model.naming import ImageName
from phx_pipeline.model.published import PublishedImage
from phx_pipeline.stages.context import StageContext
from phx_pipeline.storage.layout import Layout
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
    images = _published(context.catalog, slugs)
    listed = _table(images, table)
    with writing_output(target) as file:
        for part in _zipped(
            images, each(images), layout=context.layout, table=(table, listed)
        ):
            file.write(part)
    return len(images)


def bundle_parts(
    catalog: Catalog, slugs: Sequence[str], *, layout: Layout
) -> Iterator[bytes]:
    """Return the same zip in parts, one picture in memory at a time.

    What is raised is raised before the first part, but for a file that goes meanwhile:
    then the zip breaks off without its end.

    Raises:
        InputError: nothing is published.
        StorageError: a published file is not there.
    """
    images = _published(catalog, slugs)
    for image in images:
        if not (layout.images / image.local_path).is_file():
            raise _gone(image)
    listed = _table(images, TableFormat.CSV)
    return _zipped(images, images, layout=layout, table=(TableFormat.CSV, listed))


def _published(catalog: Catalog, slugs: Sequence[str]) -> list[PublishedImage]:
    images = [i for slug in slugs for i in catalog.published_images(slug)]
    if not images:
        raise InputError(
            f"nothing is published for {', '.join(slugs)}: run `phx extract` first"
        )
    return images


def _zipped(
    images: Sequence[PublishedImage],
    each: Iterable[PublishedImage],
    *,
    layout: Layout,
    table: tuple[TableFormat, bytes],
) -> Iterator[bytes]:
    kind, listed = table
    manifest = render_manifest(_in_zip(image) for image in images).encode()
    written = _Written()
    with ZipFile(written, "w") as archive:
        for image in each:
            # pictures are compressed already
            body, name = _body(layout, image), _in_zip(image).local_path
            archive.writestr(_entry(name), body, compress_type=ZIP_STORED)
            yield from written.taken()
        for name, body in (("manifest.json", manifest), (f"photos.{kind}", listed)):
            archive.writestr(_entry(name), body, compress_type=ZIP_DEFLATED)
        yield from written.taken()
    yield from written.taken()


def _in_zip(image: PublishedImage) -> PublishedImage:
    """The picture with its path in the zip, where there is nothing but pictures."""
    return replace(image, local_path=image.local_path.removeprefix("processed/"))


class _Written:
    """What a zip wrote since it was last taken; it can neither tell nor go back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What was written may still be taken."""

    def taken(self) -> list[bytes]:
        parts, self._parts = self._parts, []
        return parts


def _body(layout: Layout, image: PublishedImage) -> bytes:
    try:
        return (layout.images / image.local_path).read_bytes()
    except FileNotFoundError as error:
        raise _gone(image) from error


def _gone(image: PublishedImage) -> StorageError:
    return StorageError(f"{image.local_path} is not there: `phx rebuild` makes it anew")


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
        "file": _in_zip(image).local_path,
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
