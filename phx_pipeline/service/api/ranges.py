"""Parts of a file that a client asks for (RFC 9110, section 14); pure."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=[ \t]*(?P<first>\d{0,18})-(?P<last>\d{0,18})[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The bytes from `start` up to, and without, `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """How many bytes."""
        return self.end - self.start

    def content_range(self, size: int) -> str:
        """The value of `Content-Range` for a file of *size* bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class UnsatisfiableError(Exception):
    """Nothing of the file lies in the range."""


def part_of(header: str | None, *, size: int) -> Part | None:
    """Return the part that *header* asks for; None for the whole file.

    Several ranges at once, and what is none, are ignored, as the standard allows.

    Raises:
        UnsatisfiableError: the range is beyond the end.
    """
    found = _ONE.fullmatch(header.strip()) if header else None
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        start, end = max(0, size - int(found["last"])), size
    else:
        start = int(found["first"])
        end = min(size, int(found["last"]) + 1) if found["last"] else size
        if found["last"] and int(found["last"]) < start:
            return None  # not a range at all
    if start >= end:
        raise UnsatisfiableError
    return Part(start=start, end=end)


def is_known(etag: str, header: str | None) -> bool:
    """Whether `If-None-Match` names *etag*; strong and weak tags compare alike."""
    if header is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in tags or "*" in tags
