"""File names of published pictures and of what lies beside them.

They are built and read here and nowhere else.
"""

import datetime as dt
import math
import re
from dataclasses import dataclass
from typing import Self

from phx_pipeline.model.source import Source
from phx_pipeline.model.taxonomy import CONFIDENCE_MAX, Location, Subject

FIRST_YEAR = 1900
_FOLDER = re.compile(r"[0-9a-f]{8}")
# `[0-9]`, not `\d`: that one also takes the digits of other scripts.
_NAME = re.compile(
    r"(?P<folder>[0-9a-f]{8})"
    r"_(?P<location>[a-z]+)"
    r"_(?P<subject>[a-z]+)"
    r"_(?P<confidence>[0-9]{2})"
    r"_(?P<letter>[a-z])"
    r"_(?P<date>[0-9]{8})"
    r"(?:_(?P<sequence>0[2-9]|[1-9][0-9]+))?"
    r"\.png"
)
_PICTURE, _SIDECAR = ".png", ".json"


class BadNameError(ValueError):
    """A file name, or a part of one, that the pipeline would never write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageName:
    """The fields of a published picture's file name.

    `confidence` is in percent (0..99); `date` is the listing date, else the day the
    photo was first seen; `sequence` counts pictures equal in all other fields from 1.
    """

    folder: str
    location: Location
    subject: Subject
    confidence: int
    source: Source
    date: dt.date
    sequence: int = 1

    def __post_init__(self) -> None:
        """Refuse what could not be read back from the name."""
        if not _FOLDER.fullmatch(self.folder):
            raise BadNameError(f"folder {self.folder!r} is not 8 lower-case hex digits")
        if not 0 <= self.confidence <= CONFIDENCE_MAX:
            raise BadNameError(f"confidence {self.confidence} is not within 0..99")
        if isinstance(self.date, dt.datetime):
            raise BadNameError(f"{self.date} has a time of day; a name holds a date")
        if self.date.year < FIRST_YEAR:
            raise BadNameError(f"date {self.date} is before {FIRST_YEAR}")
        if self.sequence < 1:
            raise BadNameError(f"sequence {self.sequence} is below 1")

    def __str__(self) -> str:
        """Return the file name."""
        fields = (
            self.folder,
            self.location.value,
            self.subject.value,
            f"{self.confidence:02d}",
            self.source.letter,
            f"{self.date:%Y%m%d}",
        )
        sequence = "" if self.sequence == 1 else f"_{self.sequence:02d}"
        return f"{'_'.join(fields)}{sequence}.png"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fields of *text*, which must be exactly what `str` writes.

        Raises:
            BadNameError: it is not; a folder before the name is refused too.
        """
        if not (found := _NAME.fullmatch(text)):
            raise BadNameError(f"{text!r} is not a picture's file name")
        try:
            return cls(
                folder=found["folder"],
                location=Location(found["location"]),
                subject=Subject(found["subject"]),
                confidence=int(found["confidence"]),
                source=Source.from_letter(found["letter"]),
                date=dt.date.fromisoformat(found["date"]),
                sequence=int(found["sequence"] or 1),
            )
        except ValueError as error:
            raise BadNameError(f"{text!r}: {error}") from error


def sidecar_of(file_name: str) -> str:
    """Return the name of the JSON file that lies beside a picture."""
    return f"{file_name.removesuffix(_PICTURE)}{_SIDECAR}"


def is_published_kind(text: str) -> bool:
    """Whether a file is of a kind that published folders hold, by whoever wrote it."""
    return text.endswith((_PICTURE, _SIDECAR))


def is_sidecar(text: str) -> bool:
    """Whether a file is of the kind of sidecars, by whoever wrote it."""
    return text.endswith(_SIDECAR)


def picture_named(text: str) -> ImageName | None:
    """Return what a picture's or a sidecar's name says; None if we do not give it."""
    own = f"{text.removesuffix(_SIDECAR)}{_PICTURE}" if is_sidecar(text) else text
    try:
        return ImageName.parse(own)
    except BadNameError:
        return None


def is_own_name(text: str, *, folder: str) -> bool:
    """Whether a file in *folder* has a name that we give, so that we may delete it.

    That is the name of a picture or of its sidecar.
    """
    name = picture_named(text)
    return name is not None and name.folder == folder


def confidence_percent(p: float) -> int:
    """Return a probability in whole percent, rounded down and at most 99.

    Binary floats fall short of what they were written as (100 * 0.29 < 29, more so in
    single precision); rounding to 1e-4 percent first undoes that.

    Raises:
        ValueError: *p* is negative or not a number.
    """
    if math.isnan(p) or p < 0:
        raise ValueError(f"{p} is not a probability")
    return math.floor(min(CONFIDENCE_MAX, round(100 * p, 4)))
