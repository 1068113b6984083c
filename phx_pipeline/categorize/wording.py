"""Puts a caption into plain words, so that the rules need to know one spelling only.

What the words mean is told in `captions` and `caption_rules`.
"""

import re
from collections.abc import Sequence
from unicodedata import combining, normalize

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")

# Signs and shortened words of listings, in the order they are written out.
WRITTEN_OUT: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"<[^>]*>", " ; "),
        ("[\u2018\u2019]", "'"),
        (r"\ba/c\b", "ac"),
        (r"\bw/ ?i\b|\bwi\b(?= closet)", "walk in"),
        (r"\bwic\b", "walk in closet"),
        (r"\bw/o\b", "without"),
        (r"\bw/", "with "),
        (r"\b1/2\b|\u00bd", "half"),
        (r"\b3/4\b|\u00be", "three quarter"),
        (r"&", " and "),
        (r"\s[\-\u2013\u2014]+\s|\u2014", " ; "),
        (r"\b(?!beach|lake|ocean|river|water)\w+-(?:front|back|side) (?=\w)", ""),
        (r"[_\-\u2013]+", " "),
        (r"/", " or "),
        (r"\brm(s?)\b\.?", r"room\1"),
        (r"\bm(?:br|bdrm)\b\.?", "master bedroom"),
        (r"\bmba\b", "master bath"),
        (r"\bmstr\b\.?", "master"),
        (r"\bm\.? (?=ba(?:th)?\b|bed)", "master "),
        (r"\b(?:bdr|bdrm)s?(?:\b\.?|(?=\d))", "bedroom "),
        (r"\bbrs?(?= ?#?\d)|(?<=\w )brs?\b\.?", "bedroom "),
        (r"\bb(?:a|th)\b\.?", "bath"),
        (r"\blr\b|\bliv(?= room)", "living room"),
        (r"^dr(?=$| \d)|\bdin\.?(?= room)", "dining room"),
        (r"\bfam\.?(?= room)", "family"),
        (r"\bkit\b\.?(?! (?:home|house|car))", "kitchen"),
        (r"\bl(?:ndry|aund)\b\.?", "laundry"),
        (r"\bflr\b\.?", "floor"),
        (r"\blvl\b\.?", "level"),
        (r"\bbsmt\b\.?", "basement"),
        (r"\bbk?yr?d\b\.?", "backyard"),
        (r"\bjr\b\.?", "junior"),
        (r"\b(room) room\b", r"\1"),
        (r"\s+", " "),
    )
)

# Words of captions in which one slip of the pen is put right.
OFTEN_MISSPELT: Sequence[str] = (
    *("kitchen", "bathroom", "bedroom", "laundry", "dining", "living", "family"),
    *("garage", "master", "primary", "fireplace", "hallway", "balcony", "backyard"),
    *("exterior", "driveway", "courtyard", "staircase", "basement", "appliances"),
)
_RIGHT_AS_THEY_ARE = frozenset({"backward", "garbage", "halfway", "primacy"})
_WORD = re.compile(r"[a-z]{5,}")
_LONG_WORD = 7


def plain_words(caption: str) -> str:
    """Return the caption in lower case, its compounds and shortened words written out.

    One slip in a word that captions live by is put right ("kitchin").
    """
    text = _CAMEL.sub(" ", _without_accents(caption)).lower()
    for pattern, words in WRITTEN_OUT:
        text = pattern.sub(words, text)
    return _WORD.sub(lambda found: _spelt(found[0]), text).strip().rstrip(".!")


def _without_accents(text: str) -> str:
    return "".join(it for it in normalize("NFD", text) if not combining(it))


def _spelt(word: str) -> str:
    if word in _RIGHT_AS_THEY_ARE or word in OFTEN_MISSPELT:
        return word
    return next((it for it in OFTEN_MISSPELT if _is_one_slip(word, right=it)), word)


def _is_one_slip(word: str, *, right: str) -> bool:
    """Whether one letter is left out, too many, wrong or in its neighbour's place.

    First and last letter are seldom wrong; in a short word one wrong letter makes
    another word ("loving").
    """
    if (word[0], word[-1]) != (right[0], right[-1]):
        return False
    if len(word) == len(right):
        return _is_swapped(word, right=right)
    long, short = sorted((word, right), key=len, reverse=True)
    return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _is_swapped(word: str, *, right: str) -> bool:
    places = [at for at, pair in enumerate(zip(word, right, strict=True)) if _odd(pair)]
    if len(places) == 1:
        return len(word) >= _LONG_WORD
    wrong = "".join(word[at] for at in places)
    return len(places) == len("ab") and wrong[::-1] == "".join(
        right[at] for at in places
    )


def _odd(pair: tuple[str, str]) -> bool:
    return pair[0] != pair[1]
