"""`hash_index.json` 2.0.0: the perceptual hashes of every published picture."""

import json
from collections.abc import Iterable, Iterator

from phx_pipeline.model.published import PublishedImage
from phx_pipeline.model.source import Source

VERSION = "2.0.0"

# As in the manifest: the fast encoder knows no indent, but an entry is flat.
_ENTRY = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 6, ": "))


_Entry = tuple[str, int, int, str, Source]


def render_hash_index(images: Iterable[PublishedImage]) -> str:
    """Return the index of `images`, sorted by image id.

    `lsh_buckets` is part of the shape and empty: the search keeps no buckets on disk.
    """
    return "".join(hash_index_parts(images))


def hash_index_parts(images: Iterable[PublishedImage]) -> Iterator[str]:
    """Yield the index of `images`; of each only what is shown is held, to be sorted."""
    found: dict[str, _Entry] = {}
    for image in images:
        hashes = (image.phash, image.dhash)
        shown = (image.image_id, *hashes, image.property_address, image.source)
        found[image.image_id] = shown
    yield f'{{\n  "version": "{VERSION}",\n  "images": {{'
    for number, key in enumerate(sorted(found)):
        yield ",\n" if number else "\n"
        yield _entry_text(found[key])
    yield "\n  }" if found else "}"
    yield ',\n  "lsh_buckets": {}\n}\n'


def _entry_text(entry: _Entry) -> str:
    image_id, phash, dhash, address, source = entry
    shown = {
        "phash": f"{phash:016x}",
        "dhash": f"{dhash:016x}",
        "property_address": address,
        "source": source.value,
    }
    fields = _ENTRY.encode(shown)[1:-1]
    name = json.dumps(image_id, ensure_ascii=False)
    return f"    {name}: {{\n      {fields}\n    }}"
