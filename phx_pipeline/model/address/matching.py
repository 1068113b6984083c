"""What two spellings of an address have in common, and how near two addresses are.

A word counts as what it stands for, never as how it is written.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from phx_pipeline.model.address.street import (
    is_suffix,
    numbered_road,
    split_first_direction,
    split_last_direction,
)
from phx_pipeline.model.address.units import joined
from phx_pipeline.model.address.words import (
    DIRECTIONS,
    FULL_WORDS,
    SUFFIXES,
)

_NORTH_SOUTH, _EAST_WEST = frozenset("NS"), frozenset("EW")
_LONG_DIRECTIONS = {
    short: long for long, short in DIRECTIONS.items() if len(long) > len("SW")
}
# A single letter before these is a name, as in "E Street", unlike that of "W N Ln".
_LETTERED = frozenset({"", "street", "avenue"})
# The word, then what people write for it; in any place of a name.
_NAME_TABLE = """
airport arpt; avenida avda avd; calle cll; camino cam cmno; caminito cmto; captain capt;
cerrada cer; country cntry ctry; county co cnty; entrada ent; general gen; governor gov;
hacienda hcda; hospital hosp; indian ind; international intl; jr junior; lieutenant lt;
lower lowr lwr; memorial mem; national natl; paseo pso; placita pla; president pres;
railroad rr; rancho rch rcho; sainte ste; school sch; sergeant sgt; sr senior;
township twp; university univ; upper uppr upr; vereda ver
"""
_NAME_WORDS = FULL_WORDS | {
    spelled: word
    for word, *others in map(str.split, _NAME_TABLE.split(";"))
    for spelled in others
}
_VOCABULARY = frozenset(_NAME_WORDS.values())
_TWO_WORDS = {
    "dela": ("de", "la"),
    "delas": ("de", "las"),
    "delos": ("de", "los"),
    "mlk": ("martin", "luther", "king"),
}
# "Mc Dowell", "O Connor", "D Angelo": one name in two words.
_PARTICLES = frozenset({"mc", "mac", "o", "d"})
_SHORTEST_NAME = 3  # letters behind a particle
# What stands before a name, where a suffix would stand behind it.
_TITLES = {"st": "saint", "dr": "doctor", "sta": "santa", "sto": "santo"}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_ONES = """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
    """.split()  # noqa: SIM905 - a list of words reads better as text
_TENS = ("twent", "thirt", "fort", "fift", "sixt", "sevent", "eight", "ninet")
_ORDINALS = {word: number for number, word in enumerate(_ONES, start=1)}
_ORDINALS |= {f"{ten}ieth": 10 * number for number, ten in enumerate(_TENS, start=2)}
_ORDINALS |= {"fourtieth": 40, "nineth": 9, "hundredth": 100}
_TEN, _HUNDRED = 10, 100
_TENS_BEFORE = {f"{ten}y": 10 * number for number, ten in enumerate(_TENS, start=2)}
_DIGITS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine".split(),  # noqa: SIM905 - as above
        start=1,
    )
}
_TENS_JOINED = re.compile(rf"({'|'.join(_TENS_BEFORE)})({'|'.join(_ONES[: _TEN - 1])})")
_JOINED_ROAD = re.compile(r"(us|sr|cr|az|fm|fr|fsr|ih|sh|i)-?(\d+[a-z]?)")
_JOINED_LETTER = re.compile(r"(\d+)-([a-z])")  # "Avenue 3-E", "Highway 89-A"
_JOINED_FRACTION = re.compile(r"(\d+)-(\d/\d[a-z]?)")
# Roads with a number have several names; the longest that fits is read.
_ROAD_NAMES = {
    tuple(spelled.split()): tuple(name.split())
    for name, spellings in (
        ("us highway", "us highway;us route;us"),
        ("state highway", "state highway;state route;state road;az highway;az route"),
        ("state highway", "arizona highway;arizona route;sr;sh;az;highway sr"),
        ("state highway", "arizona state highway;arizona state route;state;arizona"),
        ("state highway", "az state highway;az state route;az sr;arizona sr"),
        ("state highway", "saint route;saint highway"),  # "St Rte 87"
        ("interstate", "interstate highway;interstate;ih;i"),
        ("county road", "county road;cr"),
        ("farm to market road", "farm to market road;farm to market;fm"),
        ("forest road", "forest service road;forest road;national forest road;fr;fsr"),
    )
    for spelled in spellings.split(";")
}
_FORMER = frozenset({"old", "historic"})  # "Old US 80"
_LONGEST_ROAD_NAME = max(map(len, _ROAD_NAMES))

_UNIT_KIND = re.compile(
    r"^(?:BLDG|FL|PH|REAR|FRNT|UPPR|LOWR|OFC|VILLA|CASITA|TWNHSE|COTTAGE|CABIN|STUDIO"
    r"|LOFT)(?=\d|[A-Z]$)"
)
_LONG_WORD, _LONGER_WORD = 5, 9  # letters: one of them may be wrong, or two
_SHORTEST_TYPO = 4  # letters of a suffix of which one is wrong
_MOST_BEHIND = 2  # words behind a suffix that may be a unit nobody knows
# One short form for two words: "Mt View Rd", "Cir Del Norte".
_SHARED_SHORT = (frozenset({"mount", "mountain"}), frozenset({"circle", "circulo"}))
_SMALL_WORDS = frozenset(
    (
        "jr",
        "doctor",
        "historic",
        "the",
        "of",
        "de",
        "del",
        "la",
        "las",
        "los",
        "el",
        "old",
        "us",
    )
) | {"state", "county"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """A street in long words: "N Mtn Vw Rd" is north, (mountain, view), road."""

    before: str
    name: tuple[str, ...]
    suffix: str
    after: str

    @property
    def words(self) -> tuple[str, ...]:
        """The name with its suffix, without directions."""
        return (*self.name, self.suffix) if self.suffix else self.name

    def __str__(self) -> str:
        """Return the line that is equal for all spellings of the street."""
        return " ".join(filter(None, (self.before, *self.words, self.after)))

    @property
    def directions(self) -> tuple[str, str]:
        """Those before and behind the name."""
        return (self.before, self.after)

    def is_near(self, other: "Street") -> bool:
        """Whether they differ in what one side leaves out, or in a letter or two."""
        if not near_directions(self.directions, other.directions):
            return False
        if SUFFIXES.get(self.suffix) == SUFFIXES.get(other.suffix):  # "Trail", "Trails"
            return _near_words(self.name, other.name)
        if _is_misspelled(self, other) or _is_misspelled(other, self):
            return True
        if _goes_on(self, other) or _goes_on(other, self):
            return True
        # "Mountain Vw" and "Mountain Vw Rd": the suffix of one is a word of the other.
        pairs = ((self.name, other.words), (self.words, other.name))
        return any(_near_words(mine, theirs) for mine, theirs in pairs)


def street_of(words: Sequence[str]) -> Street:
    """Read the words of a street, in any spelling that `canonical_street` keeps."""
    low = [word.lower() for word in words]
    after: list[str] = []
    if numbered_road(low) < len(low):
        low, after = _without_last_direction(low)
    before, low = _without_first_direction(low)
    suffix = ""
    if is_suffix(low):
        *low, last = low
        suffix = FULL_WORDS[last]
    if len(low) == 1 and suffix not in _LETTERED:
        low = [_LONG_DIRECTIONS.get(DIRECTIONS.get(low[0], ""), low[0])]
    return Street(
        before="".join(before),
        name=tuple(_name(low)),
        suffix=suffix,
        after="".join(after),
    )


def with_letter(number: str, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Join a letter to its number: "12 B W Davis Rd" is "12B W Davis Rd"."""
    letter, direction = words[0], words[min(1, len(words) - 1)].lower()
    alone = len(letter) == 1 and letter.isalpha() and letter.lower() not in DIRECTIONS
    if alone and direction in DIRECTIONS and len(words) > len("BW"):
        return number + letter, words[1:]
    return number, words


def _is_misspelled(odd: Street, other: Street) -> bool:
    """Whether *odd* ends with a suffix written wrong: "Chandler Bvld", "Bell Raod"."""
    if odd.suffix or not other.suffix or odd.name[:-1] != other.name:
        return False
    last, meant = odd.name[-1], SUFFIXES[other.suffix]
    spellings = (word for word, short in SUFFIXES.items() if short == meant)
    return len(last) >= _SHORTEST_TYPO and any(
        _edits(last, it) == 1 for it in spellings
    )


def _goes_on(short: Street, long: Street) -> bool:
    """Whether *long* is *short* with a word or two behind its suffix: "… Rd ADU"."""
    size = len(short.words)
    behind = len(long.words) - size
    return (
        bool(short.suffix)
        and 0 < behind <= _MOST_BEHIND
        and (long.words[:size] == short.words)
    )


def near_units(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one side leaves out the unit, its building or its kind, or nothing."""
    short, long = sorted((one, other), key=len)
    if not short or _bare_unit(joined(short)) == _bare_unit(joined(long)):
        return True
    if short == (f"BLDG{long[0]}",):
        return True
    return len(short) < len(long) and short[-1] == long[-1]


def _bare_unit(value: str) -> str:
    """Return a unit's value without what some write and others do not."""
    plain = _UNIT_KIND.sub("", value)
    plain = re.sub(r"(?<=\d)-(?=[A-Z])|(?<=[A-Z])-(?=\d)", "", plain)
    return re.sub(r"\b0+(?=\d)", "", plain)


def near_directions(mine: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Whether one side leaves a direction out, or has it at the other end."""
    left_out = all(a == b or not a or not b for a, b in zip(mine, theirs, strict=True))
    return left_out or mine == theirs[::-1]


# --- directions -------------------------------------------------------------------


def _without_last_direction(words: list[str]) -> tuple[list[str], list[str]]:
    rest, after = split_last_direction(words)
    if not after or len(rest) == 1:
        return rest, after
    inner, earlier = split_last_direction(rest)
    if earlier and _makes_one(earlier[0], after[0]):
        return inner, [earlier[0] + after[0]]
    return rest, after


def _without_first_direction(words: list[str]) -> tuple[list[str], list[str]]:
    before, rest = split_first_direction(words)
    second = DIRECTIONS.get(rest[0], "")
    names = len(rest) - 1 - (rest[-1] in SUFFIXES)
    if before and names > 0 and _makes_one(before[0], second):
        return [before[0] + second], rest[1:]
    return before, rest


def _makes_one(first: str, second: str) -> bool:
    return first in _NORTH_SOUTH and second in _EAST_WEST


# --- names ------------------------------------------------------------------------


def _name(words: Sequence[str]) -> list[str]:
    """Return a name in long words, its numbers in digits."""
    split = [part for word in words for part in _parts(word)]
    long = [_long(split, at) for at in range(len(split))]
    return _numbered(_with_digits(_with_particles(long)))


def _parts(word: str) -> Iterable[str]:
    if found := _TENS_JOINED.fullmatch(word):
        return found.groups()
    if found := _JOINED_ROAD.fullmatch(word) or _JOINED_FRACTION.fullmatch(word):
        return found.groups()
    if found := _JOINED_LETTER.fullmatch(word):
        return ("".join(found.groups()),)
    return _TWO_WORDS.get(word, (word,))


def _long(words: Sequence[str], at: int) -> str:
    word = words[at]
    is_last = at == len(words) - 1
    if len(words) == 1 and word in DIRECTIONS:
        return word
    if word in _TITLES and not is_last and (at == 0 or word == "st"):
        return _title(words, at)
    if word in {"ave", "av"} and not is_last and words[at + 1] in {"de", "del"}:
        return "avenida"
    if short := DIRECTIONS.get(word):
        numbered = at and words[at - 1][-1].isdigit()
        return short.lower() if numbered and is_last else _LONG_DIRECTIONS[short]
    return _NAME_WORDS.get(word, word)


def _title(words: Sequence[str], at: int) -> str:
    """Read "St" of "St John Rd", but of "12th St Ln" and "St B" as the suffix it is."""
    word, following = words[at], words[at + 1]
    numbered = following[0].isdigit() or len(following) == 1
    if numbered or (word == "st" and at and words[at - 1][0].isdigit()):
        return _NAME_WORDS.get(word, word)
    return _TITLES[word]


def _with_particles(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        whole = len(word) >= _SHORTEST_NAME and word.isalpha()
        if found and found[-1] in _PARTICLES and whole:
            found[-1] += word
        else:
            found.append(word)
    return found


def _with_digits(words: Sequence[str]) -> list[str]:
    """Write ordinals in digits: "Twenty Ninth", "29th" and "29" are one."""
    found: list[str] = []
    for word in words:
        ordinal = _ORDINAL.fullmatch(word)
        number = _ORDINALS.get(word, 0)
        if ordinal:
            found.append(ordinal[1])
        elif number:
            found.append(str(_before_ordinal(found, number) + number))
        else:
            found.append(word)
    return found


def _before_ordinal(found: list[str], number: int) -> int:
    """Take what belongs to a spelled ordinal off *found*: "One Hundred Twenty"."""
    total = 0
    if number == _HUNDRED:
        many = _DIGITS.get(found[-1], 0) if found else 0
        del found[len(found) - bool(many) :]
        return number * max(many - 1, 0)
    if found and number < _TEN and found[-1] in _TENS_BEFORE:
        total += _TENS_BEFORE[found.pop()]
    hundreds = found[:-1] if found[-1:] == ["and"] else found
    if hundreds[-1:] == ["hundred"] and hundreds[-2:-1] and hundreds[-2] in _DIGITS:
        total += _HUNDRED * _DIGITS[hundreds[-2]]
        del found[len(hundreds) - 2 :]
    return total


def _numbered(words: list[str]) -> list[str]:
    """Give a road with a number its one name, and join what belongs to the number."""
    if len(words) > 1 and words[0] in _FORMER:
        return [words[0], *_numbered(words[1:])]
    for size in range(min(_LONGEST_ROAD_NAME, len(words) - 1), 0, -1):
        name = _ROAD_NAMES.get(tuple(words[:size]))
        if name and words[size][0].isdigit():
            words = [*name, *words[size:]]
            break
    *rest, last = words
    if len(rest) > 1 and len(last) == 1 and last.isalpha() and rest[-1][-1].isdigit():
        return [*rest[:-1], rest[-1] + last]  # "Avenue 3 E"
    return words


def _near_words(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether small words are left out, or one word is misspelled or split."""
    one, other = _without_route(one), _without_route(other)
    joined_one, joined_other = "".join(one), "".join(other)
    if joined_one == joined_other or _is_clipped(joined_one, joined_other):
        return True
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        left = Counter(long) - Counter(short)
        kept = [word for word in long if word not in left]
        return kept == list(short) and left.keys() <= _SMALL_WORDS
    wrong = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(wrong) == 1 and len(one) > 1 and frozenset(wrong[0]) in _SHARED_SHORT:
        return True
    return len(wrong) == 1 and (_is_typo(*wrong[0]) or _is_shortened(*wrong[0]))


def _without_route(name: Sequence[str]) -> Sequence[str]:
    """Call "Route 66" what "Highway 66" is called."""
    numbered = len(name) > 1 and name[-1][0].isdigit()
    return [("highway" if w == "route" else w) for w in name] if numbered else name


def _is_clipped(one: str, other: str) -> bool:
    """Whether one is the other without what follows its first letter: "T-Bird"."""
    short, long = sorted((one, other), key=len)
    return (
        _LONG_WORD <= len(short) < len(long)
        and short[0] == long[0]
        and long.endswith(short[1:])
    )


def _is_shortened(one: str, other: str) -> bool:
    """Whether one is the other without inner letters: "Pk" and "Peak", "N" and "North".

    Words of the vocabulary are none of these; what is left has no inner vowel.
    """
    short, long = sorted((one, other), key=len)
    if _LONG_DIRECTIONS.get(short.upper()) == long:
        return True
    if {one, other} <= _VOCABULARY or not (one + other).isalpha():
        return False
    if len(short) >= _SHORTEST_NAME and long == f"{short}s":
        return True  # "St John", "St Johns"
    if len(short) < len("Pk") or (short[0], short[-1]) != (long[0], long[-1]):
        return False
    letters = iter(long)
    return not set(short[1:-1]) & set("aeiou") and all(it in letters for it in short)


def _is_typo(one: str, other: str) -> bool:
    """Whether a long word is misspelled; two words of the vocabulary never are."""
    if {one, other} <= _VOCABULARY or not (one + other).isalpha():
        return False
    shortest = min(len(one), len(other))
    if shortest < _LONG_WORD:
        return False
    return _edits(one, other) <= 1 + (shortest >= _LONGER_WORD)


def _edits(one: str, other: str) -> int:
    """Letters to insert, remove, replace or swap with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
