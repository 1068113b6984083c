"""`hash_index.json` 2.0.0: the perceptual hashes of every published picture."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise

from phx_pipeline.model.published import PublishedImage

VERSION = "2.0.0"

# As in the manifest: the fast encoder knows no indent, but an entry is flat.
_ENTRY = json.JSONEncoder(ensure_ascii=False, separators=(",\n" + " " * 6, ": "))


_END = "\0"  # sorts before all else, so ids are sorted as they are


def hash_index_parts(images: Iterable[PublishedImage]) -> Iterator[str]:
    """Yield the index of `images`; of each only what is shown is held, to be sorted.

    It is held as one text, which takes a third of the memory of its parts.
    `lsh_buckets` is part of the shape and empty: the search keeps no buckets on disk.
    """
    addresses: dict[str, int] = {}
    held = []
    for number, image in enumerate(images):
        place = addresses.setdefault(image.property_address, len(addresses))
        hashes = (f"{image.phash:016x}", f"{image.dhash:016x}")
        fields = (f"{number:09}", *hashes, image.source.value, str(place))
        held.append(_END.join((image.image_id, *fields)))
    held.sort()
    yield f'{{\n  "version": "{VERSION}",\n  "images": {{'
    yield from _entry_texts(held, list(addresses))
    yield "\n  }" if held else "}"
    yield ',\n  "lsh_buckets": {}\n}\n'


def _entry_texts(held: Sequence[str], addresses: Sequence[str]) -> Iterator[str]:
    """The entries; of several with one id that which came last."""
    between = "\n"
    for text, after in pairwise(chain(held, [""])):
        image_id, _, phash, dhash, source, place = text.split(_END)
        if after.startswith(image_id + _END):
            continue
        shown = {
            "phash": phash,
            "dhash": dhash,
            "property_address": addresses[int(place)],
            "source": source,
        }
        name = json.dumps(image_id, ensure_ascii=False)
        yield f"{between}    {name}: {{\n      {_ENTRY.encode(shown)[1:-1]}\n    }}"
        between = ",\n"
