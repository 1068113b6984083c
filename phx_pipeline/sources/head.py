"""What the head of a page says of the page's own address."""

import html
import re
from collections.abc import Iterator

from phx_pipeline.sources.stated import LONGEST_URL

_START = 20_000  # characters in which a browser notes where a page was saved from
_LONGEST_HEAD = 4_000_000  # characters; pages saved with their styles have large heads
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\(\d+\)(?P<url>https://[^\s>]+)")
# What in the head is no markup of the page's own, and what ends the head.
_NO_MARKUP = ("style", "script", "noscript", "svg", "title")
_ENDS = {"": re.compile("-->")} | {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in _NO_MARKUP
}
_STEP = re.compile(
    rf"(?P<end></head\b|<body\b)|<!--|<(?P<name>{'|'.join(_NO_MARKUP)})\b",
    re.IGNORECASE,
)
_URL = r"=\s*[\"']?(?P<url>https://[^\"'<>\s]+)"
_TAGGED_URLS = (
    re.compile(
        rf"<link\b(?=[^<>]*\brel\s*=\s*[\"']?canonical\b)[^<>]*\bhref\s*{_URL}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"<meta\b(?=[^<>]*\bproperty\s*=\s*[\"']?og:url\b)[^<>]*\bcontent\s*{_URL}",
        re.IGNORECASE,
    ),
)


def own_urls(body: bytes) -> list[str]:
    """Return what a page says its address is: where it was saved, its own links.

    Only the head is read, without what is no markup: the body, and scripts, may name
    other pages in the same words.
    """
    text = body[:_LONGEST_HEAD].decode("utf-8", errors="replace")
    head = " ".join(_markup_of_head(text))
    found = [_SAVED_FROM.search(text[:_START])]
    found += [pattern.search(head) for pattern in _TAGGED_URLS]
    return [html.unescape(match["url"])[:LONGEST_URL] for match in found if match]


def _markup_of_head(text: str) -> Iterator[str]:
    at = 0
    while step := _STEP.search(text, at):
        yield text[at : step.start()]
        close = _ENDS[(step["name"] or "").lower()].search(text, step.end())
        if step["end"] or close is None:
            return
        at = close.start()
    yield text[at:]
