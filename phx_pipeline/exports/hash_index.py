"""`hash_index.json` 2.0.0: the perceptual hashes of every published picture."""

import json
from collections.abc import Iterable

from phx_pipeline.model.published import PublishedImage

VERSION = "2.0.0"

# As in the manifest: the fast encoder knows no indent, but an entry is flat.
_ENTRY = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 6, ": "))


def render_hash_index(images: Iterable[PublishedImage]) -> str:
    """Return the index of `images`, sorted by image id.

    `lsh_buckets` is part of the shape and empty: the search keeps no buckets on disk.
    """
    entries = {image.image_id: _entry_text(image) for image in images}
    listed = ",\n".join(entries[key] for key in sorted(entries))
    found = f"{{\n{listed}\n  }}" if entries else "{}"
    return (
        f'{{\n  "version": "{VERSION}",\n  "images": {found},\n'
        '  "lsh_buckets": {}\n}\n'
    )


def _entry_text(image: PublishedImage) -> str:
    fields = _ENTRY.encode(_entry(image))[1:-1]
    name = json.dumps(image.image_id, ensure_ascii=False)
    return f"    {name}: {{\n      {fields}\n    }}"


def _entry(image: PublishedImage) -> dict[str, str]:
    return {
        "phash": f"{image.phash:016x}",
        "dhash": f"{image.dhash:016x}",
        "property_address": image.property_address,
        "source": image.source.value,
    }
