"""The JSON answers of Redfin: their envelope, and how a page embeds them.

What an answer means is read in `find` and `parse`.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Captured, Fetched
from phx_pipeline.sources.json_values import JsonObject, decoded, mapping

_GUARD = "{}&&"
_GALLERY_END = "/aboveTheFold"
_CONTEXT = re.compile(r"root\.__reactServerState\.InitialContext\s*=\s*(?=\{)")


def text_of(fetched: Fetched) -> str:
    """Return the body as text; undecodable bytes are replaced."""
    return fetched.body.decode("utf-8", errors="replace")


def carries_answers(script: str) -> bool:
    """Whether *script* of a page embeds the answers that the page was made from."""
    return _CONTEXT.search(script) is not None


def decode_answer(text: str, *, what: str) -> JsonObject:
    """Return the JSON object of an API answer, guard prefix removed.

    Raises:
        SourceChangedError: it is no JSON object; *what* names it in the message.
    """
    return mapping(decoded(text.strip().removeprefix(_GUARD), what=what), what=what)


def payload_of(answer: JsonObject, *, what: str) -> JsonObject:
    """Return the payload of an answer Redfin calls successful.

    Raises:
        SourceChangedError: no payload, or a result code other than 0.
    """
    code = answer.get("resultCode", 0)
    if code != 0:
        raise SourceChangedError(f"{what} has resultCode {str(code)[:20]}")
    return mapping(answer.get("payload"), what=f"{what}.payload")


class EmbeddedAnswers:
    """Every API answer a page carries, by request path, decoded when asked for.

    *captured* are answers to what the page asked for when it was run. They add what it
    does not carry, and of the gallery also what may be a fuller one.
    """

    def __init__(self, html: str, *, captured: Sequence[Captured] = ()) -> None:
        lazy = dict(_usable(captured))
        try:
            self._entries = dict(_data_cache(html))
        except SourceChangedError:
            if not any(map(_is_gallery, lazy)):
                raise
            self._entries = {}
        known = {path.partition("?")[0] for path in self._entries}
        for path, entry in lazy.items():
            if path.partition("?")[0] not in known or _is_gallery(path):
                self._entries.setdefault(path, entry)

    def payload(self, end: str) -> JsonObject | None:
        """Return the payload of the answer whose path ends with *end*, if there.

        Prefixes have changed over the years, ends have not.

        Args:
            end: a regular expression for the last parts of the path.

        Raises:
            SourceChangedError: the answer is there but has another shape.
        """
        return next(self._payloads(end), None)

    def payloads(self, end: str) -> list[JsonObject]:
        """Return all usable payloads like `payload`; of other homes too."""
        found = []
        for entry in self._at(end):
            with suppress(SourceChangedError):
                found.append(payload_of(_answer_in(entry, what=end), what=end))
        return found

    def optional(self, end: str) -> JsonObject:
        """Return the payload like `payload`, or an empty one if it is unusable.

        For answers a listing can do without: tags, history. A page with several that
        differ does not say which is its own.
        """
        first, *others = self.payloads(end) or [{}]
        return first if all(other == first for other in others) else {}

    def _payloads(self, end: str) -> Iterator[JsonObject]:
        for entry in self._at(end):
            yield payload_of(_answer_in(entry, what=end), what=end)

    def _at(self, end: str) -> list[object]:
        wanted = re.compile(rf"/{end}$")
        return [
            entry
            for path, entry in self._entries.items()
            if wanted.search(path.partition("?")[0])
        ]


def _usable(captured: Sequence[Captured]) -> Iterator[tuple[str, object]]:
    """Yield the answers that hold something, as a page would carry them."""
    for answer in captured:
        text = answer.body.decode("utf-8", errors="replace")
        with suppress(SourceChangedError):
            payload_of(decode_answer(text, what=answer.url), what=answer.url)
            if answer.status == HTTPStatus.OK:
                # A mark of its own: a page may carry an answer under the same path.
                parts = urlsplit(answer.url)
                yield f"{parts.path}?{parts.query}&captured", {"res": {"text": text}}


def _is_gallery(path: str) -> bool:
    return path.partition("?")[0].endswith(_GALLERY_END)


def _data_cache(html: str) -> JsonObject:
    if not (start := _CONTEXT.search(html)):
        raise SourceChangedError("the page has no InitialContext")
    try:
        context, _ = json.JSONDecoder().raw_decode(html, start.end())
    except (ValueError, RecursionError) as error:
        raise SourceChangedError("InitialContext is not JSON") from error
    name = "ReactServerAgent.cache"
    cache = mapping(mapping(context, what="InitialContext").get(name), what=name)
    return mapping(cache.get("dataCache"), what="dataCache")


def _answer_in(entry: object, *, what: str) -> JsonObject:
    response = mapping(
        mapping(entry, what=what).get("res"), what=f"the response of {what}"
    )
    if text := response.get("text"):
        return decode_answer(str(text), what=what)
    return mapping(response.get("body"), what=f"the body of {what}")
