"""Agents and offices, in pages of the public site and in answers of the licensed feeds.

They are taken out of whatever is kept.
"""

import re
from itertools import product
from typing import Final

from phx_pipeline.sources.persons import GONE, without_persons

_ROLES = ("ListAgent", "BuyerAgent", "ListOffice", "BuyerOffice", "ListTeam", "Owner")
_TOLD_OF_THEM = (
    "",
    "AOR",
    "DirectPhone",
    "Email",
    "Fax",
    "FirstName",
    "FullName",
    "HomePhone",
    "Id",
    "Key",
    "LastName",
    "MiddleName",
    "MlsId",
    "MobilePhone",
    "Name",
    "OfficePhone",
    "Phone",
    "PreferredPhone",
    "StateLicense",
    "TollFreePhone",
    "URL",
)
# By RESO, which other names of the same feeds follow; in any case.
_MEMBERS: Final = (
    *map("".join, product(("", "Co"), _ROLES, _TOLD_OF_THEM)),
    "AttributionContact",
    "Member",
    "Message",  # of a complaint, which may name whoever asks or sells
    "Office",
    "OwnerPhone",
    "ShowingContactName",
    "ShowingContactPhone",
)
# Members of the scripts that open a form to write to somebody.
_IN_CALLS = re.compile(
    r"(?P<name>(['\"]?)(?:agent|office|broker|member)(?:name|email|phone|office)?\2"
    r"\s{0,9}:\s{0,9})(?P<quote>['\"])(?:(?!(?P=quote))[^\\]|\\.){0,500}(?P=quote)",
    re.IGNORECASE,
)
# The texts of an element named after an office, up to the next block.
_IN_MARKUP = re.compile(
    r"(?P<shown><\w+\b[^<>]{0,300}\bclass=[\"'][^\"'<>]{0,200}(?:office|member)"
    r"[^<>]{0,300}>)(?:[^<>]|<(?!/?(?:div|p|section|article|li|ul|h\d|body|script)\b)"
    r"[^<>]*>){1,500}",
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    r"(?P<said>\b(?:(?:co-?)?(?:list(?:ing)?|selling|buyer'?s?) "
    r"(?:agent|office|broker(?:age)?|member)(?: name| phone| email)?"
    r"|(?:listing )?courtesy of|broker attribution)\b:?)"
    r"(?:\s|&nbsp;|</?(?:b|strong|span|dt|dd|td|th|br)\b[^<>]{0,200}>){0,9}"
    # The backslash of a quote stays, for it is part of the text around.
    r"(?:[^<>\"{}\[\]\\]|\\(?!\\*\")){1,200}",
    re.IGNORECASE,
)
_IN_TITLES = re.compile(
    r"(?P<start><\w+\b[^<>]{0,300}\bclass=[\"'][^\"'<>]{0,200}badge[^<>]{0,200}"
    r"\btitle=)(?:\"[^\"<>]{0,300}\"|'[^'<>]{0,300}')",
    re.IGNORECASE,
)


def scrubbed(text: str) -> str:
    """Return a page without those who sell the house, and their offices."""
    left = _IN_CALLS.sub(
        rf"\g<name>\g<quote>{GONE}\g<quote>", without_persons(text, _MEMBERS)
    )
    left = _IN_TITLES.sub(rf"\g<start>'{GONE}'", left)
    left = _IN_MARKUP.sub(rf"\g<shown>{GONE}", left)
    return _IN_WORDS.sub(rf"\g<said> {GONE}", left)
