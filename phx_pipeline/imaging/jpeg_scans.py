"""What a JPEG's headers say of its scans; no pixel is decoded here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_SCANS: Final = 100  # each is a pass over the whole picture; encoders write 10
END: Final = b"\xff\xd9"

_START: Final = 2  # bytes of the marker that opens the file
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd9-\xfe]")  # but restarts and the start
_SCAN: Final = 0xDA
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC: Final = frozenset(range(0xC9, 0xD0))
_BESIDE: Final = frozenset({*range(0xE0, 0xF0), 0xFE})  # applications, comments
_COEFFICIENTS: Final = 64
_UNSENT: Final = -1
_ALL: Final = (0, _COEFFICIENTS - 1, 0)  # from, to, and bits above and from which on


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """The first picture of a file, by its headers.

    `bare` is what its pixels need, with an end marker; `data_end` is where the data end
    in the file. `finished` tells whether all coefficients of all components were
    sent, down to the last bit, each bit after those above it.
    """

    bare: bytes
    data_end: int
    count: int
    finished: bool
    progressive: bool
    arithmetic: bool


def scans_of(body: bytes) -> Scans:
    """Read the headers up to the end marker, or to the end where there is none.

    Of more than `MAX_SCANS` scans the rest is not read.

    Raises:
        LookupError: A header is too short, or names what none has announced.
    """
    kept, frame, data_end = [body[:_START]], 0, len(body)
    script = _Script()
    at = _START
    for marker, start, end in _segments(body):
        kept.append(body[at:start])  # entropy-coded, or fill
        segment, at = body[start:end], end
        if marker == END[1]:
            data_end, at = start, len(body)
            break
        if marker in _FRAMES:
            frame = frame or marker
            script.open(segment)
        elif marker == _SCAN:
            script.send(segment, progressive=frame in _PROGRESSIVE)
            if script.count > MAX_SCANS:
                break
        if not _is_beside(marker, segment):
            kept.append(segment)
    kept += [body[at:data_end], END]
    return Scans(
        bare=b"".join(kept),
        data_end=data_end,
        count=script.count,
        finished=script.finished,
        progressive=frame in _PROGRESSIVE,
        arithmetic=frame in _ARITHMETIC,
    )


def _segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each marker, with the start and the end of its segment."""
    at = _START
    while found := _MARKER.search(body, at):
        length = int.from_bytes(body[found.end() : found.end() + 2], "big")
        at = found.end() + length
        yield found[0][1], found.start(), at


def _is_beside(marker: int, segment: bytes) -> bool:
    """Whether no pixel depends on it; what names the colours is not beside them."""
    colours = segment.startswith((b"JFIF\0", b"Adobe"), 4)
    return marker in _BESIDE and not colours


class _Script:
    """Which bits of which coefficients were sent, by component."""

    def __init__(self) -> None:
        self.count = 0
        self._in_order = True
        self._sent: dict[int, list[int]] = {}

    def open(self, frame: bytes) -> None:
        count = frame[9]
        for identifier in frame[10 : 10 + 3 * count : 3]:
            self._sent[identifier] = [_UNSENT] * _COEFFICIENTS

    def send(self, scan: bytes, *, progressive: bool) -> None:
        self.count += 1
        count = scan[4]
        first, last, bits = scan[-3:] if progressive else _ALL
        above, lowest = bits >> 4, bits & 15
        for component in scan[5 : 5 + 2 * count : 2]:
            sent = self._sent[component]
            for place in range(first, last + 1):
                self._in_order &= above == max(sent[place], 0)
                sent[place] = lowest

    @property
    def finished(self) -> bool:
        return self._in_order and all(set(sent) == {0} for sent in self._sent.values())
