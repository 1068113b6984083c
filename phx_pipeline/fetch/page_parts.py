"""The text of an answer, and the parts of a page: what is marked up, what runs.

What in it proves a challenge is told in `fetch.signs`.
"""

import html
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

HoldsData = Callable[[str], bool]
"""Whether a script, given with its tags, holds the data of a listing or a search."""

_GZIP = b"\x1f\x8b\x08"
_READ_BYTES = 8_000_000  # no page that is read has more
_BLANKS = " \t\r\n\f\v\ufeff\u200b"


def page_text(body: bytes) -> str:
    """Return what a browser would read, without marks and blanks at either end.

    UTF-16 and UTF-32 are told by their first bytes, like compression nobody announced;
    in every other charset a site may use the signs are written as in ASCII.
    """
    if body.startswith(_GZIP):
        body = _unpacked(body)
    text = body[:_READ_BYTES].decode(json.detect_encoding(body), errors="replace")
    return text.strip(_BLANKS)


def _unpacked(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _READ_BYTES)
    except zlib.error:
        return body


_OPENING = re.compile(r"<!--|<(script|style)\b", re.IGNORECASE)
_CLOSING: Mapping[str, re.Pattern[str]] = {
    "": re.compile("-->"),
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
}
START: Final = 200_000  # characters
_TITLE = re.compile(r"<title[^<>]*>([^<]*)", re.IGNORECASE)
TAG: Final = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page apart: what is marked up, and each script with its tag.

    Signs are looked for where a challenge, which is small, has them: in the `start` of
    either.
    """

    markup: str
    scripts: tuple[str, ...]

    @property
    def start(self) -> str:
        """The first part of the markup."""
        return self.markup[:START]

    @classmethod
    def of(cls, text: str) -> "Page":
        """Take *text* apart in one pass: what is never closed ends at the end."""
        markup, scripts, at = [], [], 0
        while opening := _OPENING.search(text, at):
            name = (opening[1] or "").lower()
            closing = _CLOSING[name].search(text, opening.end())
            end = closing.end() if closing else len(text)
            markup.append(text[at : opening.start()])
            if name == "script":
                scripts.append(text[opening.start() : end])
            at = end
        markup.append(text[at:])
        return cls(markup="".join(markup), scripts=tuple(scripts))

    @property
    def title(self) -> str:
        """The first title on one line."""
        found = _TITLE.search(self.start)
        return " ".join(html.unescape(found[1]).split()) if found else ""

    def carries_data(self, holds_data: HoldsData) -> bool:
        """Whether a script holds the data of a listing or of a search."""
        return any(map(holds_data, self.scripts))
