"""A digest as Markdown, as HTML and as plain text; what sites say stands as text."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from phx_pipeline.model.message import SmallPicture
from phx_pipeline.model.printable import printable
from phx_pipeline.stages.report import inert
from phx_pipeline.workflows.digest_parts import Line, Section

_LINKLIKE: Final = re.compile(r"(?<=:)(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_NOTHING: Final = "Nothing changed, nothing is open, and nothing failed."
_LONGEST: Final = 400  # of a line
_HEAD: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data: cid:; style-src 'unsafe-inline'\">"
)
_STYLE: Final = (
    "body{font:15px/1.4 sans-serif;max-width:44em;margin:1em auto;padding:0 1em}"
    "h1{font-size:1.3em}h2{font-size:1.1em;margin:1.4em 0 .4em}"
    "li{margin:.3em 0;overflow-wrap:anywhere}img{display:block;max-width:240px}"
)


def text_page(title: str, parts: Sequence[Section]) -> str:
    """Return plain text, a line each, the title first."""
    lines = [_unlinked(title)]
    for part in parts:
        lines += ["", part.title]
        lines += [f"- {_plain(line)}" for line in part.lines]
        lines += [f"- {it}" for it in _more(part)]
    return "\n".join([*lines, *([] if parts else ["", _NOTHING]), ""])


def markdown_page(title: str, parts: Sequence[Section]) -> str:
    """Return Markdown; only what is ours, and known hosts, is more than text in it."""
    lines = [f"# {inert(title)}"]
    for part in parts:
        lines += ["", f"## {part.title}", ""]
        lines += [f"- {_marked(line)}" for line in part.lines]
        lines += [f"- {it}" for it in _more(part)]
    return "\n".join([*lines, *([] if parts else ["", _NOTHING]), ""])


def html_page(
    title: str, parts: Sequence[Section], *, pictures: Mapping[str, str]
) -> str:
    """Return a page that loads nothing; *pictures* are sources of images, by house.

    Each is shown once, with the first line of its house.
    """
    left = dict(pictures)
    body = [f"<h1>{_html(title)}</h1>"]
    for part in parts:
        items = [f"<li>{_item(line, left)}</li>" for line in part.lines]
        items += [f"<li>{_html(it)}</li>" for it in _more(part)]
        body.append(f"<h2>{_html(part.title)}</h2><ul>{''.join(items)}</ul>")
    body += [] if parts else [f"<p>{_NOTHING}</p>"]
    head = f"{_HEAD}<title>{_html(title)}</title><style>{_STYLE}</style></head>"
    return f"{head}<body>{''.join(body)}</body></html>\n"


def inline_source(picture: SmallPicture) -> str:
    """The source of an image that stands in the page itself."""
    return f"data:image/jpeg;base64,{b64encode(picture.jpeg).decode()}"


def _unlinked(text: str) -> str:
    """One line, in which no mail program finds a link of a site's choice."""
    return _LINKLIKE.sub(" ", printable(text, most=_LONGEST))


def _plain(line: Line) -> str:
    text = _unlinked(line.text)
    if not line.address:
        return text
    link = f"\n  {line.url}" if line.url else ""
    return f"{_unlinked(line.address)}: {text}{link}"


def _marked(line: Line) -> str:
    if not line.address:
        return inert(line.text, most=_LONGEST)
    address = inert(line.address)
    if line.url:
        address = f"[{address}](<{line.url.replace('<', '%3C').replace('>', '%3E')}>)"
    return f"{address}: {inert(line.text, most=_LONGEST)}"


def _item(line: Line, pictures: dict[str, str]) -> str:
    if not line.address:
        return _html(line.text)
    address = _html(line.address)
    if line.url:
        address = f'<a href="{escape(line.url)}" rel="noreferrer">{address}</a>'
    source = pictures.pop(line.slug, None)
    image = f'<img alt="" src="{escape(source)}">' if source else ""
    return f"{address}: {_html(line.text)}{image}"


def _html(text: str) -> str:
    return escape(_unlinked(text))


def _more(part: Section) -> list[str]:
    return [f"and {part.left_out} more"] if part.left_out else []
