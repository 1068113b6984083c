"""`image_manifest.json` 2.0.0: every published picture, grouped by address."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from phx_pipeline.exports.times import phoenix_time, phoenix_time_or_none
from phx_pipeline.model.published import PublishedImage

VERSION = "2.0.0"

# Python's fast encoder knows no indent. A row is flat, so these separators spell what
# indent=2 would at its depth: 440,000 rows take less than half the time and memory.
_ROW = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 8, ": "))


_address = attrgetter("property_address")


def render_manifest(images: Iterable[PublishedImage]) -> str:
    """Return the manifest of `images`; it may be a generator.

    Properties are sorted by address, each keeps its rows in the given order.
    `last_updated` is the newest `processed_at`, so unchanged rows give unchanged bytes.

    Raises:
        ValueError: a time without a UTC offset.
    """
    rows = sorted(images, key=_address)
    newest = max((image.processed_at for image in rows), default=None)
    return "".join(manifest_parts(rows, newest=newest))


def manifest_parts(
    images: Iterable[PublishedImage], *, newest: datetime | None
) -> Iterator[str]:
    """Yield the manifest of `images`, which are sorted by address.

    Args:
        images: read once; no more than those of one property are held.
        newest: the newest `processed_at` of them, which stands before them.

    Raises:
        ValueError: a time without a UTC offset.
    """
    updated = json.dumps(phoenix_time_or_none(newest))
    yield f'{{\n  "version": "{VERSION}",\n  "last_updated": {updated},\n'
    yield '  "properties": {'
    end = "}"
    for address, rows in groupby(images, key=_address):
        yield "\n" if end == "}" else ",\n"
        yield _property_text(address, rows)
        end = "\n  }"
    yield f"{end}\n}}\n"


def _property_text(address: str, rows: Iterable[PublishedImage]) -> str:
    name = json.dumps(address, ensure_ascii=False)
    return f"    {name}: [\n" + ",\n".join(map(_row_text, rows)) + "\n    ]"


def _row_text(image: PublishedImage) -> str:
    fields = _ROW.encode(_row(image))[1:-1]
    return f"      {{\n        {fields}\n      }}"


def _row(image: PublishedImage) -> dict[str, str | int]:
    return {
        "image_id": image.image_id,
        "property_address": image.property_address,
        "source": image.source.value,
        "source_url": image.source_url,
        "local_path": image.local_path,
        "phash": f"{image.phash:016x}",
        "dhash": f"{image.dhash:016x}",
        "width": image.width,
        "height": image.height,
        "file_size_bytes": image.file_size_bytes,
        "status": "processed",
        "downloaded_at": phoenix_time(image.downloaded_at),
        "processed_at": phoenix_time(image.processed_at),
        "property_hash": image.folder,
        "created_by_run_id": image.run_id,
        "content_hash": image.content_hash,
    }
