"""What becomes of a picture: its files, and who says what it shows."""

from dataclasses import dataclass

from phx_pipeline.settings.variables import Environment, choice, whole, words

_IMAGE_FORMATS = ("png", "original")


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Pictures:
    """Files of pictures, sizes in pixels, and their categories."""

    categorizers: tuple[str, ...]  # none: all; `wiring` knows which there are
    max_side: int
    image_format: str


def read_pictures(given: Environment) -> Pictures:
    """Read what becomes of a picture."""
    return Pictures(
        categorizers=words(given, "CATEGORIZERS"),
        max_side=whole(given, "MAX_SIDE", default=1024, low=200, high=8192),
        image_format=choice(given, "IMAGE_FORMAT", among=_IMAGE_FORMATS),
    )
