"""Addresses, other spellings of them, and other doors close by; made of text alone.

Nothing here knows how the pipeline reads an address: what is a respelling and what is
another door is true by construction.
"""

import re
from collections.abc import Iterator
from random import Random

_STREETS = """
W Davis Rd; E Mountain View Rd; W Camelback Rd; E McDowell Rd; W Deer Valley Rd;
E Indian School Rd; N 7th St; N 7th Ave; W Bell Rd; E Saint John Rd; E Cave Creek Rd;
N Scottsdale Rd; E Thunderbird Rd; W Union Hills Dr; S 40th Ln; E Roosevelt St;
W Van Buren St; E Via Linda; N Paradise Village Pkwy; E Shea Blvd; W Northern Ave;
W North Ln; E South Mountain Ave; N Tatum Blvd; E Desert Cove Ave; W El Caminito Dr;
E Camino De La Luz; N Central Ave; E Baseline Rd; S Rural Rd; W Estrella Pkwy;
N Litchfield Rd; E Fort Lowell Rd; N Mount Vernon Ave; S Avenue 3E; W Highway 60;
E Old West Hwy; NE Main St; N 1st Ave; E 2nd St; W Ranch Rd; E Trails Dr; N Forest Trl;
E Royal Palm Cir; W Pinnacle Peak Rd; N Black Canyon Hwy; W Adams St; S Mill Ave;
E Larkspur Dr; E Sunrise Dr; N O'Connor St; W Saint Catherine Ave; E General Crook Trl;
N 107th Ave; W County Road 12; E Martin Luther King Jr Blvd; W Grand Ave; E Apache Trl
"""
_TOWNS = (
    ("Phoenix", 85003),
    ("Phoenix", 85032),
    ("Glendale", 85306),
    ("Scottsdale", 85251),
    ("Mesa", 85213),
    ("Laveen", 85339),
    ("Fountain Hills", 85268),
    ("Queen Creek", 85142),
)
_DIRECTIONS = {"N": "North", "S": "South", "E": "East", "W": "West"}
_DIRECTIONS |= {"NE": "Northeast", "SW": "Southwest", "NW": "Northwest"}
_OPPOSITE = {"N": "S", "S": "N", "E": "W", "W": "E", "NE": "NW", "NW": "NE"}


def _pairs(text: str) -> dict[str, str]:
    return dict(row.strip().split("/") for row in text.split(";"))


_SUFFIXES = _pairs(
    """
    St/Street; Ave/Avenue; Rd/Road; Dr/Drive; Ln/Lane; Ct/Court; Cir/Circle; Pl/Place;
    Blvd/Boulevard; Way/Way; Pkwy/Parkway; Trl/Trail; Hwy/Highway; Ter/Terrace
    """
)
_INNER = _pairs(
    """
    Mountain/Mtn; View/Vw; Valley/Vly; Creek/Crk; Fort/Ft; Mount/Mt; Saint/St;
    School/Sch; Canyon/Cyn; General/Gen; Junior/Jr; Ranch/Rnch; 1st/First; 2nd/Second;
    7th/Seventh; Highway/Hwy; County/Co; 3E/3 E; Avenue/Ave; Hills/Hls; Camino/Cam;
    McDowell/Mc Dowell; O'Connor/O Connor; Trails/Trls; Forest/Frst; Springs/Spgs
    """
)
_UNIT = re.compile(r" (?:(?:Unit|Apt|Ste) |# ?)(?P<value>[\w-]+)$", re.IGNORECASE)
_UNIT_WRITINGS = (
    " Unit {}",
    " #{}",
    ", Apt {}",
    " # {}",
    ", {}",
    " Lot {}",
    " Ste. {}",
)


def made_addresses(number: int, *, seed: int) -> list[str]:
    """Made-up addresses around Phoenix, each another door."""
    random = Random(seed)  # noqa: S311 - no secret
    streets = [street.strip() for street in _STREETS.split(";")]
    found: dict[str, None] = {}
    while len(found) < number:
        street, (town, code) = random.choice(streets), random.choice(_TOWNS)
        unit = random.choice(
            ("", "", "", f" Unit {random.randint(1, 400)}", " Unit 12B")
        )
        found[f"{random.randint(1, 19999)} {street}{unit}, {town}, AZ {code}"] = None
    return list(found)


def respelled(address: str, *, seed: int) -> str:
    """The same door, written by somebody else."""
    random = Random(f"{address} {seed}")  # noqa: S311 - no secret
    line, city, state, code = _parts(address)
    line, unit = _without_unit(line)
    number, *words = line.split()
    words = list(_other_words(words, random))
    text = " ".join([number, *words])
    text = random.choice((str, str, str.upper, str.lower))(text)
    if unit:
        text += random.choice(_UNIT_WRITINGS).format(unit)
    city = random.choice((city, city.upper(), "Phoenix", "Sun Lakes"))
    ending = random.choice(
        (f"{state} {code}", f"{state}, {code}-1234", f"{state} {code}")
    )
    return f"{text}, {city}, {ending}"


def neighbours(address: str) -> Iterator[str]:
    """Other doors that are easily taken for this one."""
    line, city, state, code = _parts(address)
    line, unit = _without_unit(line)
    number, *words = line.split()
    rest = " ".join(words)
    door = f" Unit {unit}" if unit else ""
    tail = f"{city}, {state}"
    if number.isdigit():
        yield f"{int(number) + 2} {rest}{door}, {tail} {code}"
        yield f"{number}1 {rest}{door}, {tail} {code}"
    yield f"{number} {rest}{door}, {tail} {int(code) + 1:05}"
    yield f"{number} {rest} Unit {unit}9, {tail} {code}"
    if unit:
        yield f"{number} {rest}, {tail} {code}"
    if words[0] in _OPPOSITE:
        turned = " ".join([_OPPOSITE[words[0]], *words[1:]])
        yield f"{number} {turned}{door}, {tail} {code}"
    if words[-1] in _SUFFIXES and len(words) > 1:
        other = "Ave" if words[-1] != "Ave" else "St"
        yield f"{number} {' '.join(words[:-1])} {other}{door}, {tail} {code}"


def _parts(address: str) -> tuple[str, str, str, str]:
    line, city, ending = address.rsplit(", ", 2)
    state, code = ending.split()
    return line, city, state, code


def _without_unit(line: str) -> tuple[str, str]:
    if found := _UNIT.search(line):
        return line[: found.start()], found["value"]
    return line, ""


def _other_words(words: list[str], random: Random) -> Iterator[str]:
    last = len(words) - 1
    for at, word in enumerate(words):
        other = word
        is_before = at == 0 and (last > 1 or words[last] not in _SUFFIXES) and last > 0
        if word in _DIRECTIONS and (is_before or (at == last and last > 1)):
            other = _DIRECTIONS[word]
        elif at == last and last > 0 and word in _SUFFIXES:
            other = _SUFFIXES[word]
        elif at < last or word == "3E":
            other = _INNER.get(word, word)
        yield random.choice((word, other, f"{other}." if len(other) < 5 else other))
