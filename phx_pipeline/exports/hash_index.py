"""`hash_index.json` 2.0.0: the perceptual hashes of every published picture."""

import json
from collections.abc import Iterable

from phx_pipeline.model.published import PublishedImage

VERSION = "2.0.0"


def render_hash_index(images: Iterable[PublishedImage]) -> str:
    """Return the index of `images`, sorted by image id.

    `lsh_buckets` is part of the shape and empty: the search keeps no buckets on disk.
    """
    entries = {image.image_id: _entry(image) for image in images}
    document = {
        "version": VERSION,
        "images": dict(sorted(entries.items())),
        "lsh_buckets": {},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _entry(image: PublishedImage) -> dict[str, str]:
    return {
        "phash": f"{image.phash:016x}",
        "dhash": f"{image.dhash:016x}",
        "property_address": image.property_address,
        "source": image.source.value,
    }
