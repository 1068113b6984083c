"""Where the city begins in an address line without commas, or in a URL's slug of one.

A table of place names of Arizona, and the street words before a city where it is not
in the table. What the parts mean is for `model.address`.
"""

import re
from collections.abc import Collection, Sequence

from phx_pipeline.model.states import HOME, state_at_end, state_code

# Places the Postal Service delivers to, and names people use for them; those of
# Maricopa and Pinal counties first.
_PLACE_TABLE = """
Aguila; Ahwatukee; Anthem; Apache Junction; Arizona City; Arlington; Avondale; Bapchule;
Black Canyon City; Buckeye; Carefree; Casa Grande; Cashion; Cave Creek; Chandler;
Chandler Heights; Circle City; Citrus Park; Coolidge; Corona De Tucson; Desert Hills;
Eleven Mile Corner; El Mirage; Eloy; Estrella; Florence; Fort McDowell; Fountain Hills;
Gila Bend; Gilbert; Glendale; Gold Canyon; Goodyear; Guadalupe; Higley; Kearny; Laveen;
Laveen Village; Litchfield Park; Luke AFB; Mammoth; Maricopa; Mesa; Mobile; Morristown;
New River; Oracle; Palo Verde; Paradise Valley; Peoria; Phoenix; Picacho; Queen Creek;
Queen Valley; Red Rock; Rio Verde; Sacaton; San Manuel; San Tan Valley; Scottsdale;
Stanfield; Sun City; Sun City West; Sun Lakes; Superior; Surprise; Tempe; Theba;
Tolleson; Tonopah; Tortilla Flat; Valley Farms; Verrado; Waddell; Wickenburg; Wittmann;
Youngtown;
Ajo; Alpine; Amado; Arivaca; Ash Fork; Bagdad; Benson; Bisbee; Bouse; Bowie; Bullhead
City; Cameron; Camp Verde; Catalina; Chambers; Chinle; Chino Valley; Chloride;
Clarkdale; Claypool; Clifton; Cochise; Colorado City; Concho; Congress; Cornville;
Cottonwood; Crown King; Dateland; Dewey; Dewey-Humboldt; Dolan Springs; Douglas;
Dragoon; Duncan; Eagar; Ehrenberg; Elfrida; Elgin; Flagstaff; Fort Defiance; Fort
Huachuca; Fort Mohave; Fredonia; Gadsden; Ganado; Globe; Golden Valley; Grand Canyon;
Green Valley; Greer; Happy Jack; Heber; Hereford; Holbrook; Huachuca City; Humboldt;
Jerome; Joseph City; Kayenta; Kingman; Kirkland; Lake Havasu City; Lake Montezuma;
Lakeside; Littlefield; Marana; Mayer; McNeal; Meadview; Miami; Mohave Valley; Morenci;
Munds Park; Naco; Nogales; Oatman; Oro Valley; Overgaard; Page; Parker; Parks;
Patagonia; Paulden; Payson; Pearce; Peach Springs; Peeples Valley; Pima; Pine; Pinedale;
Pinetop; Pinetop-Lakeside; Pirtleville; Pomerene; Prescott; Prescott Valley; Quartzsite;
Rimrock; Rio Rico; Roosevelt; Sahuarita; Saint David; Saint Johns; Salome; San Carlos;
San Luis; San Simon; Sanders; Sasabe; Sedona; Seligman; Sells; Show Low; Sierra Vista;
Skull Valley; Snowflake; Solomon; Somerton; Sonoita; South Tucson; Springerville; St
Johns; Star Valley; Strawberry; Taylor; Teec Nos Pos; Thatcher; Tombstone; Tonto Basin;
Topawa; Topock; Tsaile; Tuba City; Tubac; Tucson; Tumacacori; Vail; Valle; Vernon;
Wellton; Wenden; White Mountain Lake; Whiteriver; Wikieup; Willcox; Williams; Window
Rock; Winkelman; Winslow; Yarnell; Young; Yucca; Yuma
"""


def _folded(name: str) -> str:
    return " ".join(name.replace("-", " ").replace(".", "").lower().split())


_PLACES = {_folded(name): " ".join(name.split()) for name in _PLACE_TABLE.split(";")}
_LONGEST = max(len(place.split()) for place in _PLACES)

# After these a city may begin. Words such as "park" or "springs" end city names too.
_STREET_TABLE = (
    "st street ave av avenue rd road dr drive ln lane ct court cir circle blvd "
    "boulevard pl place way pkwy parkway ter terrace trl trail hwy highway loop sq "
    "square"
)
_STREET_WORDS = frozenset(_STREET_TABLE.split())
_UNIT_TABLE = (
    "# apt apartment unit ste suite no bldg building fl floor lot spc space trlr "
    "trailer rm room condo"
)
_UNIT_WORDS = frozenset(_UNIT_TABLE.split())
_DIRECTION = re.compile(r"[NSEW]|[NS][EW]", re.IGNORECASE)
_UNIT_VALUE = re.compile(r"#?(?=[^a-z]*\d)[a-z\d/-]+|#?[a-z]", re.IGNORECASE)
_COUNTRY = re.compile(
    r"(?<![\s,])[\s,]+(?:u\.?s\.?a?\.?|united states(?: of america)?)[\s,]*$",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[,\r\n]+")
_EDGES = " ,\t\r\n"
_CITY_WORD = re.compile(r"[^\W\d_][^\d_]*")
_SLUG_HYPHEN = re.compile(r"-(?!\d{4}$)")  # that of a ZIP+4 stays
_SLUG_FRACTION = re.compile(r"^(\d+) (1|3) (2|4) (?=[A-Za-z])")
# A street line as it stands in URLs, "4732-W-Davis-Rd". Two numbers in front are those
# of "5021-5023 W Elm St", a letter that is no direction is that of "12-A Elm St".
_HYPHENED = re.compile(
    r"(?:^|(?<=[,\n]))\s*"
    r"(?:(?P<whole>\d+)-(?P<part>[13]-[24])(?=-[a-z])"
    r"|(?P<number>\d+(?:-\d+)?(?:-[a-df-mo-rt-vx-z])?))"
    r"(?=[a-z0-9-]*-[a-z0-9]*[a-z]{2})(?P<words>(?:-[a-z0-9]+){2,})(?=[\s,]|$)",
    re.IGNORECASE,
)
_ZIP = re.compile(r"(?<![\d-])\d{5}(?:[- ]?\d{4})?$")


def is_place(text: str) -> bool:
    """Whether *text* is the name of a place in Arizona, in any case."""
    return _folded(text) in _PLACES


def place_named(text: str) -> str | None:
    """Return a place in Arizona as it is written; None for one that is not known."""
    return _PLACES.get(_folded(text))


def place_names() -> Collection[str]:
    """Return the places in Arizona that are known."""
    return _PLACES.values()


def line_of_slug(slug: str) -> str:
    """Return the words of a slug as an address line: "12-1-2-W-A-St" is "12 1/2 W"."""
    words = " ".join(_SLUG_HYPHEN.sub(" ", slug).split())
    return _SLUG_FRACTION.sub(r"\1 \2/\3 ", words)


def without_hyphens(line: str) -> str:
    """Put blanks into a street line that has hyphens for all of them, as in URLs."""
    return _HYPHENED.sub(_with_blanks, line)


def _with_blanks(found: re.Match[str]) -> str:
    words = found["words"].replace("-", " ")
    if found["part"]:
        return f"{found['whole']} {found['part'].replace('-', '/')}{words}"
    return f"{found['number']}{words}"


def with_commas(text: str) -> str:
    """Put commas around the city of an address line, if it has none before the city.

    In Arizona the longest known place before the state is the city; elsewhere, and for
    other places, what follows the last street word and its unit. A line with neither,
    or without state and ZIP code, comes back as it was.
    """
    line = _COUNTRY.sub("", text).strip(_EDGES)
    zip_code = _ZIP.search(line)
    found = _before_state(line[: zip_code.start()]) if zip_code else None
    if zip_code is None or found is None:
        return text
    before, words, state = found
    leading = _begins_with_unit(before.split()) and "," not in before
    if before and not leading and not _begins_with_unit(words):
        return text  # a comma stands before the city already
    at = _city_at(
        words,
        least=0 if before and not leading else 2,
        at_home=state_code(state) == HOME,
    )
    if at is None:
        return text
    parts = (before, " ".join(words[:at]), " ".join(words[at:]), state)
    return f"{', '.join(part for part in parts if part)} {zip_code[0]}"


def _before_state(head: str) -> tuple[str, list[str], str] | None:
    """Return what stands before the last comma, the words after it, and the state."""
    *before, last = [part.strip() for part in _SEPARATORS.split(head.strip(_EDGES))]
    words = last.split()
    if not (size := state_at_end(words)):
        return None
    at = len(words) - size
    state = " ".join(words[at:])
    if before and at == 0:  # "… Glendale, AZ"
        *before, last = before
        return ", ".join(filter(None, before)), last.split(), state
    return ", ".join(filter(None, before)), words[:at], state


def _begins_with_unit(words: Sequence[str]) -> bool:
    return bool(words) and (
        words[0].lower().strip(".") in _UNIT_WORDS or words[0].startswith("#")
    )


def _city_at(words: Sequence[str], *, least: int, at_home: bool) -> int | None:
    """Return where the city begins; at least *least* words stay before it."""
    known, follows = _known_at(words, least=least), _after_street(words, least=least)
    first, second = (known, follows) if at_home else (follows, known)
    return second if first is None else first


def _known_at(words: Sequence[str], *, least: int) -> int | None:
    starts = range(max(least, len(words) - _LONGEST), len(words))
    return next((at for at in starts if is_place(" ".join(words[at:]))), None)


def _after_street(words: Sequence[str], *, least: int) -> int | None:
    for at in range(len(words) - 1, max(least, 1) - 1, -1):
        if words[at - 1].lower().strip(".") in _STREET_WORDS:
            city = words[(begin := _after_unit(words, at)) :]
            named = bool(city) and all(map(_CITY_WORD.fullmatch, city))
            return begin if named else None
    return None


def _after_unit(words: Sequence[str], at: int) -> int:
    """Return the place after a direction, and after units with their values."""
    if at < len(words) - 1 and _DIRECTION.fullmatch(words[at]):
        at += 1
    while at < len(words):
        word = words[at].lower().strip(".")
        if word in _UNIT_WORDS:
            at += 1
            at += at < len(words) and words[at] == "#"
            at += at < len(words)
        elif any(map(str.isdigit, word)) and _UNIT_VALUE.fullmatch(word):
            at += 1
        else:
            return at
    return at
