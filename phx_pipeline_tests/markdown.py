"""Documents of the project, read as far as their checks need it.

What a document must say stands in the checks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^(#+) +(.+?) *$", re.MULTILINE)
_SHELL = {"sh", "console"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One Markdown file; `prose` is its text without fenced blocks."""

    path: Path
    text: str

    @property
    def prose(self) -> str:
        return _FENCE.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """Everything in single backticks outside fenced blocks."""
        return SPAN.findall(self.prose)

    @property
    def shell_lines(self) -> list[str]:
        """The command lines of the shell blocks, continued lines joined."""
        return [
            line.strip()
            for fence in _FENCE.finditer(self.text)
            if fence["kind"] in _SHELL
            for line in _typed(fence["kind"], fence["text"])
            if line.strip()
        ]

    @property
    def anchors(self) -> set[str]:
        """The fragments that links may point to, as GitHub makes them."""
        return {_anchor(title) for _, title in _HEADING.findall(self.prose)}

    def sections(self) -> Iterator[tuple[str, "Document"]]:
        """Each heading without backticks, with the text up to the next heading."""
        marks = _FENCE.sub(lambda found: "\0" * len(found[0]), self.text)
        found = list(_HEADING.finditer(marks))
        ends = [heading.start() for heading in found[1:]] + [len(self.text)]
        for heading, end in zip(found, ends, strict=True):
            text = self.text[heading.end() : end]
            yield heading[2].replace("`", ""), Document(path=self.path, text=text)


def _typed(kind: str, text: str) -> list[str]:
    """The lines of a fenced block that somebody types, not those that answer."""
    lines = text.replace("\\\n> ", " ").replace("\\\n", " ").splitlines()
    if kind == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return lines


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
