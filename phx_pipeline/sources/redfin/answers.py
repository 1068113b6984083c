"""The JSON answers of Redfin: their envelope, and how a page embeds them.

What an answer means is read in `find` and `parse`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.fetch.base import Fetched

JsonObject = Mapping[str, Any]

_GUARD = "{}&&"
_CONTEXT = re.compile(r"root\.__reactServerState\.InitialContext\s*=\s*(?=\{)")


def text_of(fetched: Fetched) -> str:
    """Return the body as text; undecodable bytes are replaced."""
    return fetched.body.decode("utf-8", errors="replace")


def decode_answer(text: str, *, what: str) -> JsonObject:
    """Return the JSON object of an API answer, guard prefix removed.

    Raises:
        SourceChangedError: it is no JSON object; *what* names it in the message.
    """
    try:
        answer = json.loads(text.strip().removeprefix(_GUARD))
    except (ValueError, RecursionError) as error:
        raise SourceChangedError(f"{what} is not JSON") from error
    return mapping(answer, what=what)


def payload_of(answer: JsonObject, *, what: str) -> JsonObject:
    """Return the payload of an answer Redfin calls successful.

    Raises:
        SourceChangedError: no payload, or a result code other than 0.
    """
    code = answer.get("resultCode", 0)
    if code != 0:
        raise SourceChangedError(f"{what} has resultCode {str(code)[:20]}")
    return mapping(answer.get("payload"), what=f"{what}.payload")


def mapping(value: object, *, what: str) -> JsonObject:
    """Return *value* if it is a JSON object, else raise `SourceChangedError`."""
    if not isinstance(value, dict):
        raise SourceChangedError(f"{what} is missing or not an object")
    return value


class EmbeddedAnswers:
    """Every API answer a page carries, by request path, decoded when asked for."""

    def __init__(self, html: str) -> None:
        self._entries = _data_cache(html)

    def payload(self, end: str) -> JsonObject | None:
        """Return the payload of the answer whose path ends with *end*, if there.

        Prefixes have changed over the years, ends have not.

        Args:
            end: a regular expression for the last parts of the path.

        Raises:
            SourceChangedError: the answer is there but has another shape.
        """
        wanted = re.compile(rf"/{end}$")
        for path, entry in self._entries.items():
            if wanted.search(path.partition("?")[0]):
                return payload_of(_answer_in(entry, what=end), what=end)
        return None

    def optional(self, end: str) -> JsonObject:
        """Return the payload like `payload`, or an empty one if it is unusable.

        For answers a listing can do without: tags, history.
        """
        try:
            return self.payload(end) or {}
        except SourceChangedError:
            return {}


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
