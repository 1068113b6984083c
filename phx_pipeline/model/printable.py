"""What a text from outside may hold: one short line that shows what it is.

Escaping for a format (Markdown, HTML, CSV) is the business of who writes that format.
"""

import re
import unicodedata

LONGEST_LINE = 200
_CUT = "…"
_MARKS = frozenset({"Me", "Mn"})
_MOST_MARKS = 3  # on one letter: more than any spelling needs
_ROOM = 8  # raw characters looked at for each that may stay: much may fall away

# Shown as the replacement character, because something was there: controls (NUL, ESC,
# BEL, CSI …), halves of surrogate pairs, private characters, those Unicode never
# assigns.
_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef"
    "\ufff9-\uffff\U000f0000-\U0010ffff"
    + "".join(
        chr(plane << 16 | low) for plane in range(1, 15) for low in (65534, 65535)
    )
    + "]"
)
# Removed, because nothing was there to see: what turns the direction of writing, what
# has no width, blanks that count as letters, variation selectors, tags. The ranges
# stand here because another Python would know more characters and store other texts.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_PLAIN = re.compile(r"[ -~]*")


def printable(text: str, *, most: int = LONGEST_LINE) -> str:
    """Return *text* as one line of at most *most* characters, fit for any terminal.

    In Unicode's form NFC, runs of white space as one blank, without control characters
    and without what hides, reorders or overprints text; an ellipsis ends what was cut.
    A line this function made stays as it is.
    """
    line = _one_line(shown_only(_one_line(text[: _ROOM * most])))
    was_cut = len(line) > most or len(text) > _ROOM * most
    return line[: most - len(_CUT)].rstrip() + _CUT if was_cut else line


def shown_only(text: str) -> str:
    """Return *text* without what misleads an eye or a terminal; lines stay lines."""
    if _PLAIN.fullmatch(text):
        return text
    shown = _UNSEEN.sub("", _ODD.sub("\N{REPLACEMENT CHARACTER}", text))
    return "".join(_without_heaps(unicodedata.normalize("NFC", shown)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _without_heaps(text: str) -> list[str]:
    """Return the characters, of marks heaped on one letter only the first ones."""
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if marks <= _MOST_MARKS:
            kept.append(character)
    return kept
