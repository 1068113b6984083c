"""Tokens that sources are asked with are taken out of what is told of them.

What is taken out of kept pages is told elsewhere: persons by `persons`, and the rest by
who keeps them.
"""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import Final
from urllib.parse import quote, quote_plus

GONE: Final = "[token]"
_CUT = "…"
_LEAST = 6  # characters by which a token is told, also one that was cut off


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return *text* without any of *secrets*, in any case, whole or cut off.

    Also as they stand in a URL. One of fewer than six characters is no token, and would
    take words apart.
    """
    told = [it for it in secrets if len(it) >= _LEAST]
    ways = {way for it in told for way in (it, quote(it, safe=""), quote_plus(it))}
    for way in sorted(ways, key=len, reverse=True):
        start = re.compile(re.escape(way[:_LEAST]), re.IGNORECASE)
        text = _without(text, way, start=start)
    return text


def _without(text: str, secret: str, *, start: re.Pattern[str]) -> str:
    parts, at = [], 0
    while found := start.search(text, at):
        same = zip(secret.lower(), text[found.start() :].lower(), strict=False)
        length = sum(1 for _ in takewhile(lambda it: it[0] == it[1], same))
        end = found.start() + length
        is_told = length == len(secret) or text[end:].rstrip()[:1] in {"", _CUT}
        end = end if is_told else found.end()
        parts += [text[at : found.start()], GONE if is_told else found[0]]
        at = end
    return "".join([*parts, text[at:]])
