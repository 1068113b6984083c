"""From any typing to plain ASCII words; what the words mean does not belong here."""

import re
import unicodedata
from typing import Final

from phx_pipeline.errors import InputError
from phx_pipeline.model.address.words import SUFFIXES
from phx_pipeline.model.older_encodings import UNTOLD
from phx_pipeline.model.places import without_hyphens

EXAMPLE: Final = "4732 W Davis Rd, Glendale, AZ 85306"
LONGEST: Final = 150  # characters; a key has at most 200, and no house needs as many

# Hyphens, dashes and the minus sign; apostrophes and the accents typed in their place;
# slashes of fractions; the sign of a number.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_QUOTES = "'`\u00b4\u2018\u2019\u02bc\"\u201c\u201d\u201e"
_SLASHES = "\u2044\u2215"
_NUMBER_SIGNS = "\u2116\u00ba\u00b0"
_SIGNS = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_QUOTES, "")
    | dict.fromkeys(_SLASHES, "/")
    | dict.fromkeys(_NUMBER_SIGNS, "#")
)
_UNIT_WORDS = "apt|apartment|unit|ste|suite|bldg|building|lot|spc|space|sp|trlr|rm|room"
_FLOORS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
)
_ENDS = "|".join(SUFFIXES)
_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"[\r\n]+", ","),  # a pasted envelope: each line is a part
        (r"[()\[\]]", ","),  # "(Unit 4)"
        (r"_", " "),
        (r"\bn#", "#"),  # "N\u00ba 4"
        (rf"\b({_UNIT_WORDS}) *: *", r"\1 "),  # "Unit: 4"
        (r"\b(apt|apartment|unit|ste|suite|bldg|building)\.? *, *(?=[#\d])", r"\1 "),
        (r"(?<=[a-z])\.(?=\d)|\.(?=[a-z]{2})", " "),  # "Apt.4", "W.Davis"
        (r"(?<!\d)\.|\.(?!\d)", ""),  # "N.W.", "Rd."; the dot of "39.2 Rd" stays
        (r"#", " # "),
        (r"(?<=\d)\s*/\s*(?=\d)", "/"),  # "1 / 2"
        (r"^(\s*\d+[a-z]?)\s*-\s*(?=\d/\d\s)", r"\1 "),  # "2417-1/2 W"
        (r"^(\s*\d+)\s*-\s*(?=\d+\s)", r"\1-"),  # "5021 - 5023 W"
        (r"(?<![a-z\d])-|-(?![a-z\d])", " "),  # "4 - B"; "4-B" stays
        (r"(?<=[a-z]{2})-|-(?=[a-z]{2})", " "),  # "Smith-Jones"
        (r"(?<!\d)/|/(?!\d)", " "),  # "1/2" stays
        (r"\bu s (?=(?:hwy|highway|rte|rt|route|\d+)\b)", "US "),
        (r"\bunited states (?=(?:hwy|highway|rte|rt|route)\b)", "US "),
        # "40 th Ln", "1 st St"; but "101 St John St" and "100 E 1 St".
        (r"(?<=\w )(\d+) (?=th\b)|(?<=\w )(\d*2) (?=nd\b)", r"\1\2"),
        (rf"(?<=\w )(\d*1) (?=st (?:{_ENDS})\b)", r"\1"),
        (rf"(?<=\w )(\d*3) (?=rd (?:{_ENDS})\b)", r"\1"),
        *(
            (rf"\b{word} (?=(?:fl|flr|floor)\b)", f"{number}th ")
            for number, word in enumerate(_FLOORS, start=1)
        ),
        (r"\b(\d+)(?:st|nd|rd|th) (?:fl|flr|floor)\b", r"Fl \1"),  # "2nd Floor"
        (rf"\b({_UNIT_WORDS})(?=\d)", r"\1 "),  # "Apt4"
        (r"\b(apt|unit)(?=[a-df-rt-xz]\b)", r"\1 "),  # "AptB"; "units", "unity" stay
        (r"\s+", " "),
    )
)
_FOREIGN = re.compile(r"[^A-Za-z0-9 ,#/.-]")


def refusal(text: str, reason: str) -> InputError:
    """Return the error that names what was typed, why it is refused and an example."""
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return InputError(f"address {shown!r}: {reason}; write it like {EXAMPLE!r}")


def plain(text: str) -> str:
    """Return *text* in ASCII, without marks that differ between typists.

    Raises:
        InputError: nothing is left, it is too long, or a character has no place in an
            address.
    """
    if len(text) > LONGEST and len(" ".join(text.split())) > LONGEST:
        raise refusal(text, f"it has more than {LONGEST} characters")
    line = text.translate(_SIGNS)
    if not line.isascii():
        line = "".join(map(_ascii, text))
    line = without_hyphens(line)
    for pattern, replacement in _REWRITES:
        line = pattern.sub(replacement, line)
    if not line.strip(" ,"):
        raise refusal(text, "it is empty")
    if _FOREIGN.search(line):
        typed = next(c for c in text if _FOREIGN.search(_ascii(c).strip()))
        if typed == UNTOLD:
            raise refusal(
                text,
                f"the encoding does not tell which letter {UNTOLD!r} is: save the file "
                "as UTF-8, or write the letter without its accent",
            )
        raise refusal(text, f"remove the character {typed!r}")
    return line


def _ascii(typed: str) -> str:
    # Signs go first: decomposition would turn an accent mark into a blank.
    signs = unicodedata.normalize("NFKD", typed.translate(_SIGNS))
    kept = "".join(c for c in signs if unicodedata.category(c) not in {"Mn", "Cf"})
    fraction = kept.translate(_SIGNS)
    return f" {fraction} " if len(typed) < len(kept) and "/" in fraction else fraction
