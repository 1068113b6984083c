"""What a source's reader made of its answers, in short, so that two can be compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from phx_pipeline.imaging.decode import Picture
from phx_pipeline.model.counted import counted
from phx_pipeline.model.facts import FactValue
from phx_pipeline.model.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a listing; `captions` and `tags` count photos that have some."""

    outcome: str
    facts: Mapping[str, FactValue]
    photo_keys: tuple[str, ...]
    captions: int
    tags: int
    valuations: int
    is_complete: bool

    @classmethod
    def of(cls, listing: Listing) -> "Reading":
        """Return what was read of *listing*."""
        return cls(
            outcome=listing.outcome.value,
            facts=listing.facts.stated if listing.facts else {},
            photo_keys=tuple(photo.photo_key for photo in listing.photos),
            captions=sum(bool(photo.caption) for photo in listing.photos),
            tags=sum(bool(photo.tags) for photo in listing.photos),
            valuations=len(listing.valuations),
            is_complete=listing.complete,
        )

    def lacks(self, other: "Reading") -> Iterator[str]:
        """Yield what *other* has read, and this has not or otherwise."""
        if self.outcome != other.outcome:
            yield f"{self.outcome} in place of {other.outcome}"
        if facts := [name for name in other.facts if name not in self.facts]:
            yield f"not {', '.join(facts)}"
        for name, value in self.facts.items():
            if other.facts.get(name, value) != value:
                yield f"{name} {value} in place of {other.facts[name]}"
        if photos := set(other.photo_keys) - set(self.photo_keys):
            yield f"not {counted(len(photos), 'photo')}"
        for what, mine, theirs in (
            ("photos with a caption", self.captions, other.captions),
            ("photos with tags", self.tags, other.tags),
            ("values by tax year", self.valuations, other.valuations),
        ):
            if mine < theirs:
                yield f"{mine} {what} in place of {theirs}"
        if other.is_complete and not self.is_complete:
            yield "not the whole gallery"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoSeen:
    """One photo that was asked for, or came inside the answer (`is_inline`).

    `fault` is why there is no picture; then the sizes are 0.
    """

    width: int = 0
    height: int = 0
    size_bytes: int = 0
    sha256: str = ""
    is_inline: bool = False
    fault: str = ""

    @classmethod
    def of(
        cls, body: bytes, picture: Picture, *, is_inline: bool = False
    ) -> "PhotoSeen":
        """Return what there is to tell of *body*, which is *picture*."""
        return cls(
            width=picture.width,
            height=picture.height,
            size_bytes=len(body),
            sha256=sha256(body).hexdigest(),
            is_inline=is_inline,
        )
