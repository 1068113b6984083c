"""Persons in the answers of sites: owners, agents and brokers are taken out of them.

Which members of its answers name persons is told by each source. Addresses of machines,
e-mail addresses, phone numbers and tokens are taken out of whatever is kept, not here.
"""

import re
from collections.abc import Iterable
from typing import Final

GONE: Final = "[removed]"
USUAL_MEMBERS: Final = (
    "agent",
    "agents",
    "agentName",
    "agent_name",
    "broker",
    "brokerName",
    "broker_name",
    "brokerageName",
    "buyerAgent",
    "listedBy",
    "listingAgent",
    "listingAgentName",
    "listingAgents",
    "listingBrokerName",
    "owner",
    "ownerName",
    "performer",
    "sellerAgent",
)
"""Members that name persons on sites of many kinds, in any case."""

# Runs of backslashes are taken whole, so that no text is gone through twice.
_MARK = re.compile(r"(?P<escapes>\\+)(?P<escaped>\"?)|(?P<quote>\")|[{}\[\]]")
_PLAIN = re.compile(r"[^,}\]\s]*")
_IN_WORDS = re.compile(
    r"(?P<said>\b(?:listed|listing|presented|listing provided) by:?)"
    # The backslash of a quote stays, for it is part of the text around.
    r"(?:\s|&nbsp;|<[^<>]{0,200}>)*(?:[^<>\"{}\[\]\\]|\\(?!\\*\")){1,200}",
    re.IGNORECASE,
)
# The texts of an element whose class says that it shows somebody, up to the next block.
_IN_MARKUP = re.compile(
    r"(?P<shown><\w+\b[^<>]{0,300}\bclass=[\"'][^\"'<>]{0,200}(?:agent|broker|owner)"
    r"[^<>]{0,300}>)(?:[^<>]|<(?!/?(?:div|p|section|article|li|ul|h\d|body|script)\b)"
    r"[^<>]*>){1,500}",
    re.IGNORECASE,
)


def without_persons(
    text: str, members: Iterable[str] = (), *, keeping: Iterable[str] = ()
) -> str:
    """Return *text* without what says who sells, sold or owns a house.

    Args:
        text: a page or an answer, whole or cut off. JSON in it may be a text inside
            JSON, to any depth.
        members: further names of JSON members whose whole value is of persons, beside
            `USUAL_MEMBERS`.
        keeping: names of members, with a text or a number, that stay of such a value
            where it is an object, for they are of the house.
    """
    names = "|".join(map(re.escape, (*USUAL_MEMBERS, *members)))
    member = re.compile(
        rf"\"(?:{names})(?P<escapes>\\{{0,63}})\"\s{{0,9}}:\s{{0,9}}",
        re.IGNORECASE,
    )
    stays = [_scalar_named(name) for name in keeping]
    parts, at = [], 0
    while found := member.search(text, at):
        start, escapes = found.end(), found["escapes"]
        end = _value_end(text, start, escapes=len(escapes))
        is_object = text.startswith("{", start)
        kept = [it[0] for one in stays if (it := one.search(text, start, end))]
        gone = f'{escapes}"{GONE}{escapes}"'
        left = f"{{{','.join(kept)}}}" if kept and is_object else gone
        parts += [text[at:start], left]
        at = end
    left = _IN_MARKUP.sub(rf"\g<shown>{GONE}", "".join([*parts, text[at:]]))
    return _IN_WORDS.sub(rf"\g<said> {GONE}", left)


def _scalar_named(name: str) -> re.Pattern[str]:
    """Return what finds a member with its scalar, however escaped its quotes are."""
    quote = r"\\{0,63}\""
    value = rf"(?:{quote}[\w .#/-]{{0,60}}{quote}|-?\d{{1,20}}(?![\w.]))"
    named = rf"{quote}{re.escape(name)}{quote}"
    return re.compile(rf"{named}\s{{0,9}}:\s{{0,9}}{value}")


def _value_end(text: str, start: int, *, escapes: int) -> int:
    """Return where a JSON value ends whose texts are quoted by *escapes* and a quote.

    What is cut off ends with the text.
    """
    if _MARK.match(text, start) is None:
        plain = _PLAIN.match(text, start)
        return plain.end() if plain else start
    depth, in_text = 0, False
    for mark in _MARK.finditer(text, start):
        if mark["quote"] or mark["escaped"]:
            if in_text and not _closes(len(mark["escapes"] or ""), escapes):
                continue
            in_text = not in_text
        elif mark["escapes"]:
            continue
        elif not in_text:
            depth += 1 if mark[0] in "{[" else -1
        if depth <= 0 and not in_text:
            return mark.end()
    return len(text)


def _closes(found: int, escapes: int) -> bool:
    """Whether *found* backslashes before a quote leave it the end of a text.

    Each level of JSON in a text doubles the backslashes and adds one for the quote.
    """
    backslashes, rest = divmod(found - escapes, escapes + 1)
    return rest == 0 and backslashes % 2 == 0
