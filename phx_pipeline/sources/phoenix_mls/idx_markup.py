"""A page of the public site as a tree of elements, with their names, links and lines.

What the elements mean is told by those that read results and listings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.sources.stated import LONGEST_URL

PAGE_BYTES: Final = 2_000_000  # of a listing with 100 photos about 200 kB are to come
_DEEPEST = 200  # elements deeper than this lie beside one another
_MOST_ELEMENTS = 100_000
_MOST_TAGS = 2 * _MOST_ELEMENTS  # each is a step of the parser, also one of no element
_MOST_ATTRIBUTES = 100
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905 - a list of words reads better as text
)
# What begins another one of the same kind ends it.
_ENDED_BY = {
    "dd": ("dd", "dt"),
    "dt": ("dd", "dt"),
    "li": ("li",),
    "option": ("option",),
    "p": ("p",),
    "td": ("td", "th", "tr"),
    "th": ("td", "th", "tr"),
    "tr": ("tr",),
}
_SILENT = frozenset({"noscript", "script", "style", "template", "title"})
_IN_A_LINE = frozenset(
    "a abbr b big code em font i label mark small span strong sub sup u".split()  # noqa: SIM905 - as above
)


@dataclass(slots=True, eq=False)
class Element:
    """An element: attribute names in lower case, texts and elements as they follow."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Its classes and its id, in lower case."""
        told = f"{self.attributes.get('class', '')} {self.attributes.get('id', '')}"
        return told.lower().split()[:_MOST_ATTRIBUTES]

    def is_named(self, pattern: re.Pattern[str]) -> bool:
        """Whether *pattern* is found in one of its classes or in its id."""
        return any(pattern.search(name) for name in self.names)

    def attribute(self, name: str) -> str:
        """Return an attribute without blanks around it, empty if it has none."""
        return self.attributes.get(name, "").strip()


def page_tree(page: Fetched) -> Element:
    """Return the root of a page's elements.

    Raises:
        SourceChangedError: it has more of them than a page of the site can have.
    """
    text = page.body[:PAGE_BYTES].decode("utf-8", errors="replace")
    if text.count("<") > _MOST_TAGS:
        raise SourceChangedError(f"the page has over {_MOST_TAGS:,} tags")
    builder = _Builder()
    builder.feed(text)
    return builder.root


def within(
    element: Element, *, skip: re.Pattern[str] | None = None
) -> Iterator[Element]:
    """Yield an element and all below it, as they follow on the page.

    Args:
        element: where to begin.
        skip: elements with such a class or id are left out, and all that is in them.
    """
    waiting = [element]
    while waiting:
        one = waiting.pop()
        if skip and one is not element and one.is_named(skip):
            continue
        yield one
        waiting += [it for it in reversed(one.children) if isinstance(it, Element)]


def lines(element: Element) -> list[str]:
    """Return the texts of an element line by line, as a person reads them."""
    told = "".join(_pieces(element))
    shown = (" ".join(line.split()) for line in told.split("\n"))
    return [line for line in shown if line]


def words(element: Element) -> str:
    """Return all texts of an element on one line."""
    return " ".join(lines(element))


def texts(element: Element) -> list[str]:
    """Return the texts of an element that lie in no other element within it."""
    own = (it for it in element.children if isinstance(it, str))
    shown = (" ".join(text.split()) for text in own)
    return [text for text in shown if text]


def links(element: Element) -> Iterator[str]:
    """Yield where an element and what is in it lead; some are told by their `link`."""
    for each in within(element):
        for name in ("href", "link"):
            if 0 < len(url := each.attribute(name)) <= LONGEST_URL:
                yield url


def _pieces(element: Element) -> Iterator[str]:
    waiting: list[Element | str | None] = [element]  # None stands for the end of a line
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one.replace("\n", " ")
        elif one is None:
            yield "\n"
        elif one.name not in _SILENT:
            edge = [] if one.name in _IN_A_LINE else [None]
            waiting += [*edge, *reversed(one.children), *edge]


class _Builder(HTMLParser):
    """Builds the tree; what is never closed ends with what holds it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [self.root]
        self._left = _MOST_ELEMENTS

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._left -= 1
        if self._left < 0:
            raise SourceChangedError(f"the page has over {_MOST_ELEMENTS:,} elements")
        while self._open[-1].name and tag in _ENDED_BY.get(self._open[-1].name, ()):
            self._open.pop()
        told: dict[str, str] = {}
        for name, value in attrs[:_MOST_ATTRIBUTES]:
            told.setdefault(name, value or "")
        element = Element(tag, told)
        self._open[-1].children.append(element)
        if tag not in _VOID and len(self._open) < _DEEPEST:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)  # browsers do not heed the slash

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].name == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
