"""A photo as a source lists it, and what its bytes turned out to be."""

from dataclasses import dataclass
from datetime import date

from phx_pipeline.model.appearance import Appearance
from phx_pipeline.model.outcome import Verdict
from phx_pipeline.model.source import Source

PhotoKey = tuple[Source, str]
"""A photo within its house: its source, and its key there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoRef:
    """One photo of a gallery; identity is (source, photo_key), size is an attribute.

    `url` is the largest full-frame variant, `fallback_urls` the next smaller ones in
    falling order, to be asked when the larger one is gone. `width`/`height` are the
    source's own statement in pixels, when it makes one.
    """

    source: Source
    photo_key: str
    url: str
    position: int
    fallback_urls: tuple[str, ...] = ()
    caption: str = ""
    tags: tuple[str, ...] = ()
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHashes:
    """64-bit perceptual hashes of the full and the border-trimmed frame."""

    phash: int
    dhash: int
    trimmed_phash: int
    trimmed_dhash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Facts of downloaded bytes, a pure function of them. Sizes in pixels and bytes."""

    sha256: str
    size_bytes: int
    media_type: str
    width: int
    height: int
    hashes: PictureHashes
    appearance: Appearance | None = None  # None for bytes stored by older versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One photo row of the catalogue: what the source said and what became of it.

    `asked_url` is the largest variant at the time of the last request that was
    answered; `fetched_url` the variant whose bytes are `sha256`. `fault_days` counts
    the days in Phoenix, up to `faulted_on`, on which asking for `asked_url` gave no
    picture. `run_id` is the run that touched the row last.
    """

    property_slug: str
    ref: PhotoRef
    listed_on: date | None
    first_seen_on: date
    present: bool
    verdict: Verdict
    asked_url: str | None = None
    fetched_url: str | None = None
    sha256: str | None = None
    cluster_id: str | None = None
    fault_days: int = 0
    faulted_on: date | None = None
    run_id: str = ""

    @property
    def key(self) -> PhotoKey:
        """The photo's identity within its property."""
        return (self.ref.source, self.ref.photo_key)

    @property
    def order(self) -> tuple[str, int, str]:
        """Gallery order: by source, then position, then key as a tie-break."""
        return (self.ref.source.value, self.ref.position, self.ref.photo_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What dedupe decided for one photo; no cluster for a rejected one."""

    verdict: Verdict
    cluster_id: str | None
