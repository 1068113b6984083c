"""Whether stores are those of a demo, whose houses only its stand-ins know.

In them the sources are switched off, and no message may lead to asking the real sites.
"""

from typing import Final

from phx_pipeline.storage.layout import Layout

STANDIN: Final = "standin"
"""The folder that a demo makes before all else."""

ONLY_BY_DEMO: Final = (
    "these are the stores of a demo: its made-up houses are only in its stand-ins, "
    "which `phx demo --stay` alone asks. In its UI, page Jobs, the job look_at_houses "
    "looks at the houses, and search_listings runs the saved searches"
)


def is_demo(layout: Layout) -> bool:
    """Whether a demo made these stores."""
    return (layout.root / STANDIN).is_dir()


def off_words(source: str, layout: Layout) -> str:
    """What follows "it is" of a source that is switched off, with the remedy if any."""
    if is_demo(layout):
        return "switched off, as in all stores of a demo"
    return f"switched off (`phx sources enable {source}`)"
