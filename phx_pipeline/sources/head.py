"""What a page says of its own address: in its head, titles, and structured data."""

import html
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from phx_pipeline.sources.stated import LONGEST_URL, identifier, text

_START = 20_000  # characters in which a browser notes where a page was saved from
_LONGEST_HEAD = 4_000_000  # characters; pages saved with their styles have large heads
# By browsers, and by the extension SingleFile.
_SAVED_FROM = re.compile(
    r"<!--\s*(?:saved from url=\(\d+\)|Page saved with SingleFile\s+url:\s*)"
    r"(?P<url>https://[^\s>]+)"
)
# What in the head is no markup of the page's own, and what ends the head.
_NO_MARKUP = ("style", "script", "noscript", "svg", "title")
_ENDS = {"": re.compile("-->")} | {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in _NO_MARKUP
}
_STEP = re.compile(
    rf"(?P<end></head\b|<body\b)|<!--|<(?P<name>{'|'.join(_NO_MARKUP)})\b",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?P<name>link|meta)\b(?P<attributes>[^<>]*)>?", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"(?<![\w:-])(?P<name>rel|href|property|name|content)\s*=\s*"
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'<>]+))",
    re.IGNORECASE,
)
_OWN = frozenset({"og:url", "twitter:url", "al:web:url", "al:android:url"})
_MOST_TAGS = 2000
_MOST_URLS = 20

_DATA = re.compile(r"<script\b[^<>]*\bapplication/ld\+json\b[^<>]*>", re.IGNORECASE)
_DATA_END = re.compile("</script", re.IGNORECASE)
_MOST_DATA = 200  # scripts and objects: a search page has about 50
# The last word of a type: "House" is also "schema:House", "https://schema.org/House".
_TYPE = re.compile(r"[^/#:]*$")
_OF_A_HOUSE = frozenset(
    {
        "Accommodation",
        "Apartment",
        "ApartmentComplex",
        "Condominium",
        "House",
        "Place",
        "Product",
        "RealEstateListing",
        "Residence",
        "SingleFamilyResidence",
        "Townhouse",
    }
)
# Where the house lies in what is told of the page, or of an offer; other members name
# agents, schools, and homes nearby.
_OF_THE_PAGE = ("@graph", "mainEntity", "about", "offers", "itemOffered")
_WRAPPED = re.compile(r"\s*(?:/[/*]\s*)?(?:<!\[CDATA\[|<!--)(?:\s*\*/)?")
_LENIENT = json.JSONDecoder(strict=False)  # line ends in texts, a `;` behind it

_TITLE = re.compile(r"<title[^<>]*>(?P<title>[^<]*)", re.IGNORECASE)
_TITLES = frozenset({"og:title", "twitter:title"})
_STREETS = frozenset(
    {"og:street-address", "og:street_address", "twitter:text:street_address"}
)
_BEGINS_WITH_ADDRESS = re.compile(
    r"(?P<address>\d[^|]{5,150}?,? [A-Z]{2},? \d{5})(?!\d)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A house that the structured data of a page tells of; empty what it leaves out."""

    url: str
    street: str
    zip_code: str


def own_urls(body: bytes) -> list[str]:
    """Return what a page says its address is: where it was saved, its own links.

    Only the head is read, without what is no markup: the body, and scripts, may name
    other pages in the same words. The links may be relative.
    """
    page = body[:_LONGEST_HEAD].decode("utf-8", errors="replace")
    saved = _SAVED_FROM.search(page[:_START])
    found = [html.unescape(saved["url"])] if saved else []
    found += _tagged(" ".join(_markup_of_head(page)))
    return [url[:LONGEST_URL] for url in dict.fromkeys(found)][:_MOST_URLS]


def titled(body: bytes) -> list[str]:
    """Return the addresses that the titles of a page begin with, and its street line.

    A street line has neither city nor ZIP.
    """
    page = body[:_LONGEST_HEAD].decode("utf-8", errors="replace")
    first = _TITLE.search(page)
    titles, streets = [html.unescape(first["title"])] if first else [], []
    for tag in islice(_TAG.finditer(" ".join(_markup_of_head(page))), _MOST_TAGS):
        said = _attributes(tag["attributes"])
        names, told = {said.get("property"), said.get("name")}, said.get("content", "")
        titles += [told] if names & _TITLES else []
        streets += [told] if names & _STREETS else []
    found = (_BEGINS_WITH_ADDRESS.match(" ".join(each.split())) for each in titles)
    return [*(each["address"] for each in found if each), *streets]


def described(body: bytes) -> list[Described]:
    """Return the houses of a page's structured data (JSON-LD), other ones too."""
    page = body.decode("utf-8", errors="replace")
    found: list[Described] = []
    at = 0
    while (start := _DATA.search(page, at)) and len(found) < _MOST_DATA:
        end = _DATA_END.search(page, start.end())
        if end is None:
            break
        at = end.end()
        found += _houses_in(page[start.end() : end.start()])
    return found[:_MOST_DATA]


def _tagged(head: str) -> Iterator[str]:
    """Yield the links that are canonical, then those told to other services."""
    links, told = [], []
    for number, tag in enumerate(_TAG.finditer(head)):
        if number >= _MOST_TAGS:
            break
        said = _attributes(tag["attributes"])
        if tag["name"].lower() == "link":
            is_own = "canonical" in said.get("rel", "").lower().split()
            links += [said.get("href", "")] if is_own else []
        elif {said.get("property"), said.get("name")} & _OWN:
            told.append(said.get("content", ""))
    yield from filter(None, [*links, *told])


def _attributes(tag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in _ATTRIBUTE.finditer(tag):
        value = each["double"] or each["single"] or each["bare"] or ""
        found.setdefault(each["name"].lower(), html.unescape(value).strip())
    return found


def _markup_of_head(page: str) -> Iterator[str]:
    at = 0
    while step := _STEP.search(page, at):
        yield page[at : step.start()]
        close = _ENDS[(step["name"] or "").lower()].search(page, step.end())
        if step["end"] or close is None:
            return
        at = close.start()
    yield page[at:]


def _houses_in(data: str) -> Iterator[Described]:
    try:
        told, _ = _LENIENT.raw_decode(
            _WRAPPED.sub("", data, count=1).strip("\ufeff \r\n\t")
        )
    except (ValueError, RecursionError):
        return
    for entry in _objects_in(told):
        kinds = entry.get("@type")
        named = kinds if isinstance(kinds, list) else [kinds]
        if any(isinstance(it, str) and _kind(it) in _OF_A_HOUSE for it in named):
            stated = _address_of(entry) or _address_of(entry.get("mainEntity"))
            yield Described(
                url=_url_of(entry),
                street=text(_first(stated.get("streetAddress"))) or _address_in(entry),
                zip_code=identifier(stated.get("postalCode")) or "",
            )


def _kind(told: str) -> str:
    found = _TYPE.search(told)
    return found[0] if found else ""


def _objects_in(told: object) -> Iterator[dict[str, Any]]:
    """Yield the objects that tell of the page, in their order."""
    waiting = deque([told])
    for _ in range(_MOST_DATA):
        if not waiting:
            break
        value = waiting.popleft()
        if isinstance(value, list):
            waiting.extendleft(reversed(value[:_MOST_DATA]))
        elif isinstance(value, dict):
            yield value
            waiting.extend(value[name] for name in _OF_THE_PAGE if name in value)


def _url_of(entry: dict[str, Any]) -> str:
    page = entry.get("mainEntityOfPage")
    of_page = page.get("@id") if isinstance(page, dict) else page
    return text(entry.get("url")) or text(entry.get("@id")) or text(of_page)


def _address_in(entry: dict[str, Any]) -> str:
    """Return a name that is an address; others praise the house: `4 Bed House`."""
    found = _BEGINS_WITH_ADDRESS.match(text(entry.get("name")))
    return found["address"] if found else ""


def _address_of(entry: object) -> dict[str, Any]:
    """Return an address in its parts; one in a single line is all street."""
    told = _first(entry.get("address")) if isinstance(entry, dict) else None
    if isinstance(told, str):
        return {"streetAddress": told}
    return told if isinstance(told, dict) else {}


def _first(told: object) -> object:
    return told[0] if isinstance(told, list) and told else told
