r"""Text from before UTF-8, told by its words: Windows-1252, Mac Roman or DOS 437.

A byte is a letter in one of them and a sign in another: `V\x92a` has an accent from an
old Macintosh, and an apostrophe from Windows. A word tells its encoding where it is
well formed in one more than in the others; other words follow those of their line, then
of the file. What nothing tells becomes `UNTOLD`, since a letter guessed or left out is
another street. Statistics of letters, as charset-normalizer takes them, do not help: a
table has too few.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

UNTOLD: Final = "\ufffd"
"""Stands for a letter that nothing tells; it is Unicode's own character for that."""

_WINDOWS = "cp1252"
_ENCODINGS = (_WINDOWS, "mac-roman", "cp437")
_WORD = re.compile(rb"(?<![\w'&\x80-\xff])[\w'&]*+[\x80-\xff][\w'&\x80-\xff]*")
# Bytes; a longer run is no word, tells nothing, and is not judged letter by letter.
_LONGEST_WORD = 64
_MOST_WORDS = 20_000  # of a file that are judged; each costs 20 µs

# How well a character stands in its word.
_NOT, _FOREIGN, _ODD, _WELL = range(4)

_SPANISH = frozenset("áéíóúñüÁÉÍÓÚÑÜ")  # the letters of streets in Arizona
_WESTERN = frozenset("àâäåæçèêëìîïòôöøùûœÿßÀÂÄÅÆÇÈÊËÌÎÏÒÔÖØÙÛŒ")
_OPENING, _CLOSING = frozenset("\u2018“•©§"), frozenset("”™®")
_FRACTIONS, _DEGREES = frozenset("½¼¾"), frozenset("°º")
_CONTRACTED = re.compile(r"(?:s|t|d|ll|re|ve|m)?", re.IGNORECASE)  # "Mary's", "don't"
_ELIDED = frozenset({"O", "d", "l"})  # "O'odham", "d'alene"
# Few words have an accent where English has an apostrophe.
_NO_ACCENT = re.compile(
    r"Oí|(?!(?:an|as|lu|pa|par|sol)ís$|(?:a|poto)sí$)\w*(?:ís|sí)$|\w+í(?:t|ll|re|ve)$",
    re.IGNORECASE,
)
_LAST_A = re.compile(r"[a-z]{2}[cdlmnrt]á$")  # "Bogotá"; nearly no other ends in it


def older_texts(lines: Sequence[bytes]) -> list[str]:
    """Return lines of one file in the encodings that their words tell."""
    best = _Judged()
    told = [_told(line, best=best) for line in lines]
    of_file = frozenset(chain.from_iterable(told))
    return [
        _read(line, (of_line, of_file), best=best)
        for line, of_line in zip(lines, told, strict=True)
    ]


class _Judged(dict[bytes, tuple[str, ...]]):
    """The encodings in which each word of a file is formed best, none if in none.

    Of a word after very many others none is told: no list of houses has as many.
    """

    def __missing__(self, word: bytes) -> tuple[str, ...]:
        if len(self) >= _MOST_WORDS:
            return ()
        self[word] = _best(word)
        return self[word]


def _told(line: bytes, *, best: Mapping[bytes, tuple[str, ...]]) -> frozenset[str]:
    """Return the encodings that words of a line tell without doubt."""
    found = (best[word] for word in _WORD.findall(line))
    return frozenset(it[0] for it in found if len(it) == 1)


def _read(
    line: bytes,
    told: Sequence[frozenset[str]],
    *,
    best: Mapping[bytes, tuple[str, ...]],
) -> str:
    """Return a line, whose doubtful words follow the first that tells one encoding."""
    text = _WORD.sub(lambda it: _word(it[0], best[it[0]], told).encode(), line)
    return text.decode()


def _word(word: bytes, best: Sequence[str], told: Sequence[frozenset[str]]) -> str:
    found = best
    for others in told:
        if len(found) != 1:
            narrowed = [it for it in found or _ENCODINGS if it in others]
            found = narrowed if len(narrowed) == 1 else found
    texts = {text for it in found if (text := _decoded(word, it)) is not None}
    # For each byte that is not of ASCII Python puts what `UNTOLD` is.
    return texts.pop() if len(texts) == 1 else word.decode("ascii", errors="replace")


def _best(word: bytes) -> tuple[str, ...]:
    if len(word) > _LONGEST_WORD:
        return ()
    fits = {encoding: _fitness(word, encoding) for encoding in _ENCODINGS}
    best = max(fits.values())
    return tuple(it for it, fit in fits.items() if fit == best > _NOT)


def _decoded(word: bytes, encoding: str) -> str | None:
    try:
        return word.decode(encoding)
    except UnicodeDecodeError:
        return None


def _fitness(word: bytes, encoding: str) -> int:
    text = _decoded(word, encoding)
    if text is None:
        return _NOT
    blank = _WELL if encoding == _WINDOWS else _NOT  # of web pages, in Excel
    return min(
        blank if text[at] == "\xa0" else fit for at, fit in enumerate(_fits(text))
    )


def _fits(text: str) -> Iterator[int]:
    for at, character in enumerate(text):
        if character.isascii():
            yield _WELL
        elif character in _SPANISH or character in _WESTERN:
            yield _letter(text, at)
        else:
            yield _sign(text, at)


def _letter(text: str, at: int) -> int:
    letter, before, after = text[at], text[:at], text[at + 1 :]
    beside = before[-1:] + after[:1]
    if not re.search("[A-Za-z]", text) or re.search(r"\d", beside):
        return _NOT
    if letter == "í" and _NO_ACCENT.match(text):
        return _NOT
    if not _has_right_case(letter, before, after):
        is_left = letter in _SPANISH and letter.islower()  # by a simple upper()
        return _ODD if is_left else _NOT
    is_rare = letter == "á" and not after and not _LAST_A.search(text)
    return _FOREIGN if letter not in _SPANISH or is_rare else _WELL


def _has_right_case(letter: str, before: str, after: str) -> bool:
    if letter.isupper():
        return not before[-1:].islower() and (not before or not after[:1].islower())
    return not after[:1].isupper() and not (len(before) > 1 and before[-2:].isupper())


def _sign(text: str, at: int) -> int:
    """Tell how well what is no letter stands where English has such a sign."""
    sign, left, right = text[at], text[:at][-1:], text[at + 1 :][:1]
    if sign == "\u2019":
        return _apostrophe(text[:at], text[at + 1 :])
    if sign in "\u2013—":
        if not (left.isalpha() and right.isupper()):
            return _NOT if left.isalpha() and right.isalpha() else _WELL
        return _WELL if left.islower() else _ODD  # "Dewey-Humboldt"
    if sign == "…":
        return _ODD if left.isupper() or right.isalpha() else _WELL
    fits = (
        (sign in _FRACTIONS and not left.isalpha() and not right.isalpha())
        or (sign in _DEGREES and (left.isdigit() or left in {"", "n", "N"}))
        or (sign in _OPENING and not left.isalnum())
        or (sign in _CLOSING and not right.isalnum())
    )
    return _WELL if fits else _NOT


def _apostrophe(before: str, after: str) -> int:
    if before in _ELIDED or before[-1:] in {"", "s", "S"}:
        return _WELL
    if after and _CONTRACTED.fullmatch(after):
        return _WELL
    if after[:1].isupper():
        return _WELL if before[-1:] in {*"DdLlMmNnOo"} else _ODD
    return _NOT
