"""Tells captions that say nothing of their photo from those that may.

Addresses, numbers, names of firms and places, and talk of the sale. What the others
show is read in `captions`.
"""

import re

_DESCRIPTION = re.compile(r".{201,}", re.DOTALL)
_FILE_NAME = re.compile(
    r"(?:photo|image|picture|pic|img|dscn?|pxl)[\W_]*\d[\w.]*|[\d\W_]+"
    r"|#?\d+ of \d+",
    re.IGNORECASE,
)
_STREET = (
    r"st|street|ave|avenue|rd|road|dr|drive|ln|lane|way|blvd|ct|court|cir|circle|pl"
    r"|place|ter|trl|trail|pkwy"
)
_STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]"
    r"|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
)
_ADDRESS = re.compile(
    r"\d{1,6}\s+[NSEWnsew]\.?\s+\w"
    rf"|\d{{1,6}}\s+[\w' ]+\b(?i:{_STREET})\b\.?,?\s+(?i:unit|apt|\#)"
    rf"|\d{{2,6}}\s+[\w' ]+\b(?i:{_STREET})\b\.?(?:$|,|\s+[-\u2013\u2014])"
    r"|.*\b[A-Z]{2},?\s+\d{5}\b"
    rf"|[\w' ]+,\s*{_STATE}\.?$"
)
# Who sells, who took the picture, and on what terms: not what is seen.
_TALK = re.compile(
    r"\b(?:(?:presented|listed|sold|brokered|offered|photo(?:graph(?:y|s|ed)?|s)?)"
    r"[: ]+by|courtesy of|photographer|realt(?:y|ors?)|brokers?|brokerage|sellers?"
    r"|buyers?|hoa (?:covers|dues|fees?|includes|pays)|financing|incentives?"
    r"|call (?:for|today|us|now)|not convey|not included"
    r"|open house|coming soon|for (?:sale|rent|lease))\b",
    re.IGNORECASE,
)
_TALK_ENDS = re.compile(
    r"\b(?:group|team|llc|inc|associates|sale|allowance|warranty|credit|available"
    r"|county|subdivision)\.?$",
    re.IGNORECASE,
)
# "Hall Ranch Estates", "Barn Cottage": what places and houses are called.
_PLACE = re.compile(
    r"(?:[A-Z][\w']+ ){1,3}(?:Estates?|Ranch(?:es)?|Cottages?|Villas?|Manor|Farms?"
    r"|Acres|Village|Heights|Hills|Springs|Valley|Crossing|Meadows?|Lakes|Ridge"
    r"|Station|Lodge)"
)


_REASONS = (
    (_DESCRIPTION.match, "the caption is a description"),
    (_FILE_NAME.fullmatch, "the caption is a file name or number"),
    (_ADDRESS.match, "the caption is an address"),
    (_PLACE.fullmatch, "the caption is a name"),
    (_TALK.search, "the caption speaks of the sale"),
    (_TALK_ENDS.search, "the caption speaks of the sale"),
)


def unusable_reason(caption: str) -> str | None:
    """Return why a caption says nothing of its photo, or None if it may."""
    if not (text := caption.strip()):
        return "no caption"
    return next((reason for tells, reason in _REASONS if tells(text)), None)
