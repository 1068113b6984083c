"""What a picture looks like, kept small enough to lie in its row."""

from dataclasses import dataclass

THUMBNAIL_SIDE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """What copies are confirmed by; a pure function of the decoded picture.

    `thumbnail` is the luminance of the border-trimmed frame, squeezed to 64 x 64, row
    by row. `left` to `bottom` say where that is, in shares (0 to 1) of the whole frame.
    `low_information` marks plans, documents and blanks: pictures that resemble each
    other without showing the same thing. `detail` is how many pixels would hold what
    there is to see, None for bytes an older version looked at.
    """

    thumbnail: bytes
    left: float
    top: float
    right: float
    bottom: float
    low_information: bool
    detail: int | None = None

    @property
    def content_share(self) -> float:
        """The share of the frame inside its flat borders."""
        return (self.right - self.left) * (self.bottom - self.top)
