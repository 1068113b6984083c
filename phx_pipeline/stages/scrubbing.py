"""Taking out of kept answers what may name a person or open a door.

Addresses of machines and people, phone numbers, tokens. Which parts of an answer name
persons is told by its source, not here.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final

Scrub = Callable[[str], str]

GONE: Final = "[removed]"

# In JSON an escaped character may stand before what is to go: it has to stay whole.
_BEHIND = r"(?<!\\)(?<!\\u)(?<!\\u\w)(?<!\\u\w\w)(?<!\\u\w\w\w)"
_FREE = r"(?:(?<![\w.-])|(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4}))"
_EMAIL = re.compile(
    r"(?:(?<![\w.+\\-])|(?<=\\)(?![bfnrtu])|(?<=\\[bfnrt])|(?<=\\u)(?![0-9A-Fa-f]{4})"
    r"|(?<=\\u[0-9A-Fa-f]{4}))"
    r"[\w.+-]++(?:@|%40|&#64;)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_IPV4 = re.compile(rf"{_FREE}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?![\w.]*\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_PHONE = re.compile(
    r"tel:[+\d().\s-]{7,24}"
    rf"|{_FREE}(?:\+?1[-. ]?)?(?:\(\d{{3}}\) ?|\d{{3}}[-. ])\d{{3}}[-. ]\d{{4}}(?!\d)"
    r"|(?<!\w)\+\d{8,15}(?!\d)"
)
_TELLING_NAMES = (
    "token|csrf|xsrf|cookie|session|secret|passw|auth|api[-_]?key|signature|visitor"
    "|client-?ip|uuid|guid|phone|areacode|email|_px|ray-?id|nonce"
)
_SECRET = re.compile(
    rf"(?P<name>(?:{_TELLING_NAMES})[\w-]{{0,30}}(?P<closed>\\*[\"']?)\s{{0,3}}[:=]"
    r"\s{0,3})(?P<opened>\\*[\"']?)(?P<value>[^\"'\\&;,\s<>{}\[\]()]{3,})",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"true|false|null")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
_RUN = re.compile(rf"{_BEHIND}[A-Za-z0-9+=_/-]{{16,}}")
_MIXED = re.compile(r"(?=[A-Za-z+=]*\d)(?=[\d+=]*[A-Za-z])[A-Za-z0-9+=]{10,}")
_EXPONENT = re.compile(r"\d+[eE][+-]?\d{1,3}")  # what follows the point of a number
_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_BETWEEN = re.compile(r"[^A-Za-z0-9+=]+")
# What is left of a character that is written as its number, before what follows it.
_ESCAPED = re.compile(r"(?:u00)?[0-9A-Fa-f]{2}(?=.)")
_LEAST_KEPT = 8  # characters of a value under a telling name


class Keeping:
    """Texts that stay although they look like tokens, such as the names of photos."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = tuple(dict.fromkeys(filter(None, texts)))
        words = (word for text in self._texts for word in _BETWEEN.split(text))
        self._words = frozenset(filter(None, words))

    def has_word(self, word: str) -> bool:
        """Whether *word* is one of a text, or ends with one that it is written before.

        Such as the number of an escaped character, or a name and `=`.
        """
        ways = (word, _ESCAPED.sub("", word, count=1), word.rpartition("=")[2])
        return any(way in self._words for way in ways)

    def has(self, value: str) -> bool:
        """Whether *value* is part of a text."""
        return any(value in text for text in self._texts)


NOTHING: Final = Keeping()


def scrubbed(text: str, *, keeping: Keeping = NOTHING) -> str:
    """Return *text* without addresses of machines and people, phones and tokens.

    JSON stays JSON, also inside a text.
    """
    text = _EMAIL.sub(GONE, text)
    text = _SECRET.sub(lambda found: _without_value(found, keeping), text)
    text = _PHONE.sub(GONE, text)
    for addresses in (_IPV4, _IPV6):
        text = addresses.sub(_without_address, text)
    text = _UUID.sub(lambda found: _unless_kept(found[0], keeping), text)
    return _RUN.sub(lambda found: _without_token(found[0], keeping), text)


def _without_value(found: re.Match[str], keeping: Keeping) -> str:
    """Return a telling name without its value; what is no text stays what it is."""
    value = found["value"]
    is_bare = not found["opened"]
    is_kept = len(value) >= _LEAST_KEPT and keeping.has(value)
    if is_kept or (is_bare and _LITERAL.fullmatch(value)):
        return found[0]
    if is_bare and found["closed"] and _NUMBER.fullmatch(value):
        return f"{found['name']}0"
    return f"{found['name']}{found['opened']}{GONE}"


def _unless_kept(value: str, keeping: Keeping) -> str:
    return value if keeping.has(value) else GONE


def _without_address(found: re.Match[str]) -> str:
    try:
        ip_address(found[0])
    except ValueError:
        return found[0]
    return GONE


def _without_token(run: str, keeping: Keeping) -> str:
    if _EXPONENT.fullmatch(run):
        return run
    tokens = (part for part in re.split("[-_/]", run) if _MIXED.fullmatch(part))
    return run if all(map(keeping.has_word, tokens)) else GONE
