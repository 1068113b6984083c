"""Values beside their labels: `Year Built: 1984`, in whatever elements a page has them.

Two templates of the site's software are known, and either may be changed by a theme, so
only labels are relied on, not tables or classes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from phx_pipeline.sources.phoenix_mls.idx_markup import Element, texts, within
from phx_pipeline.sources.phoenix_mls.idx_markup import words as words_of

NOT_OF_THE_HOUSE: Final = re.compile(
    r"similar|nearby|related|recommend|recently|featured|comparable|also[_-]|agent"
    r"|office|broker|realtor|member|headshot|staff|lender|presented|testimonial|contact"
    r"|logo|badge|compliance|disclosure|descri|remark|supplement"
)
"""In names of elements that show other houses, persons, or prose."""

_LABEL_ELEMENTS = frozenset({"b", "dt", "label", "strong", "th"})
_NAMED_LABEL = re.compile(r"label")
_IN_TEXT = re.compile(r"(?P<label>[^:]{1,50}?) ?: ?(?P<rest>[^:].{0,80})")
_LONGEST_LABEL = 60
_LONGEST_VALUE = 500
_MOST_VALUES = 5000

Labelled = Mapping[str, list[str]]


def labelled(element: Element) -> Labelled:
    """Return the values of an element by label, in lower case, as they follow."""
    found: dict[str, list[str]] = {}
    left = _MOST_VALUES
    for parent in within(element, skip=NOT_OF_THE_HOUSE):
        for label, value in _pairs(parent):
            left -= 1
            if left < 0:
                return found
            found.setdefault(label, []).append(value)
    return found


def first(values: Labelled, names: Iterable[str]) -> str:
    """Return the first value under one of *names*; empty if there is none."""
    return next((value for name in names for value in values.get(name, ())), "")


def _pairs(parent: Element) -> Iterator[tuple[str, str]]:
    """Yield what stands beside each label in an element, up to the next or a break.

    A text that is all there is in it may hold label and value; one among others is
    prose, unless it is no more than a label.
    """
    label, value = _whole_pair(parent)
    for child in parent.children:
        told = _label(child)
        if told or _is_break(child):
            yield from _pair(label, value)
            label, value = told, ""
        elif label:
            value += f" {child if isinstance(child, str) else words_of(child)}"
    yield from _pair(label, value)


def _whole_pair(parent: Element) -> tuple[str, str]:
    shown = texts(parent) if all(isinstance(it, str) for it in parent.children) else []
    found = _IN_TEXT.fullmatch(shown[0]) if len(shown) == 1 else None
    return (_folded(found["label"]), found["rest"]) if found else ("", "")


def _pair(label: str, value: str) -> Iterator[tuple[str, str]]:
    told = " ".join(value[: 4 * _LONGEST_VALUE].split()).lstrip(": ")
    if label and told:
        yield label, told[:_LONGEST_VALUE]


def _label(child: Element | str) -> str:
    """Return the label that a part of an element is; empty if it is none."""
    if isinstance(child, str):
        told = child.strip()
        return (
            _folded(told) if told.endswith(":") and len(told) < _LONGEST_LABEL else ""
        )
    if child.name in _LABEL_ELEMENTS or child.is_named(_NAMED_LABEL):
        told = _folded(words_of(child))
        return told if len(told) < _LONGEST_LABEL else ""
    return ""


def _folded(label: str) -> str:
    return " ".join(label.lower().rstrip(" :").split())


def _is_break(child: Element | str) -> bool:
    return isinstance(child, Element) and child.name in {"br", "hr"}
