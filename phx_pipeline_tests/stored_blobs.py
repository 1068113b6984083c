"""Which originals a store holds, by the names of its files."""

import re

from phx_pipeline.storage.layout import Layout

_SHA256 = re.compile(r"[0-9a-f]{64}")


def raw_hashes(layout: Layout) -> list[str]:
    """The SHA-256s in rising order; what a killed write left is none."""
    names = (path.name for path in layout.raw_root.glob("[0-9a-f][0-9a-f]/*"))
    return sorted(name for name in names if _SHA256.fullmatch(name))
