"""The one way an address is spelled, and the keys that follow from the spelling.

The short forms are those of USPS Publication 28: appendix C1 (street suffixes), C2
(secondary units) and B (states and directions).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from phx_pipeline.errors import InputError

EXAMPLE = "4732 W Davis Rd, Glendale, AZ 85306"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address in canonical spelling; make one with `parse`.

    `street` is the street line between the number and the unit ("W Davis Rd"); `unit`
    is "Unit 4B" or "Bldg 2 Unit 4", `None` for a house. Letter case is not part of the
    identity: "MCDOWELL" and "McDowell" are spelled differently but share slug and
    folder, so compare with `same_house` or by slug.
    """

    street_number: str
    street: str
    unit: str | None
    city: str
    state: str
    zip_code: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the canonical form of an address as people type it.

        Raises:
            InputError: a part is missing or unknown; the text names it and the remedy.
        """
        head, zip_code = _split_zip(_plain(text), text)
        parts, state = _split_state(head, text)
        street_parts, city = _split_city(parts, text)
        number, words, unit_words = _split_street(street_parts, text)
        return cls(
            street_number=number,
            street=_canonical_street(words),
            unit=_canonical_unit(unit_words, text),
            city=city,
            state=state,
            zip_code=zip_code,
        )

    def __str__(self) -> str:
        """Return the canonical line; `parse` reads it back unchanged."""
        unit = f" {self.unit}" if self.unit else ""
        line = f"{self.street_number} {self.street}{unit}"
        return f"{line}, {self.city}, {self.state} {self.zip_code}"

    @property
    def slug(self) -> str:
        """The property's key: the canonical line in `[a-z0-9-]`."""
        return re.sub(r"[^a-z0-9]+", "-", str(self).lower()).strip("-")

    def folder_id(self, salt: int = 0) -> str:
        """Return 8 hex digits; a *salt* > 0 gives another one when that is taken."""
        text = str(self).lower()
        salted = f"{text}#{salt}" if salt else text
        return sha256(salted.encode()).hexdigest()[:8]

    def same_house(self, other: Self) -> bool:
        """Whether both are the same door; sources differ in the city they name."""
        return self._door == other._door

    @property
    def _door(self) -> tuple[str, str, str, str]:
        unit = (self.unit or "").lower()
        return (self.street_number, self.street.lower(), unit, self.zip_code)


def _refusal(text: str, reason: str) -> InputError:
    return InputError(f"address {text!r}: {reason}; write it like {EXAMPLE!r}")


# --- from any typing to plain ASCII words -----------------------------------------

# Hyphens, dashes and the minus sign; apostrophes and the accents typed in their place.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_QUOTES = "'`\u00b4\u2018\u2019\u02bc"
_DASHES_AND_QUOTES = str.maketrans(
    dict.fromkeys(_DASHES, "-") | dict.fromkeys(_QUOTES, "")
)
_REWRITES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"[\r\n]+", ","),  # a pasted envelope: each line is a part
        (r"(?<=[a-z])\.(?=\d)|\.(?=[a-z]{2})", " "),  # "Apt.4", "W.Davis"
        (r"(?<!\d)\.|\.(?!\d)", ""),  # "N.W.", "Rd."; the dot of "39.2 Rd" stays
        (r"#", " # "),
        (r"(?<![a-z\d])-|-(?![a-z\d])", " "),  # "4 - B"; "4-B" stays
        (r"(?<=[a-z]{2})-|-(?=[a-z]{2})", " "),  # "Smith-Jones"
        (r"(?<!\d)/|/(?!\d)", " "),  # "1/2" stays
        (r"\b(apt|unit|ste|suite|bldg)(?=\d)", r"\1 "),  # "Apt4"
        (r"\b(apt|unit)(?=[a-df-rt-xz]\b)", r"\1 "),  # "AptB"; "units", "unity" stay
        (r"\s+", " "),
    )
)
_FOREIGN = re.compile(r"[^A-Za-z0-9 ,#/.-]")


def _plain(text: str) -> str:
    """Return *text* in ASCII, without marks that differ between typists."""
    # Quotes go first: decomposition would turn an accent mark into a blank.
    unquoted = unicodedata.normalize("NFKD", text.translate(_DASHES_AND_QUOTES))
    plain = "".join(c for c in unquoted if unicodedata.category(c) not in {"Mn", "Cf"})
    for pattern, replacement in _REWRITES:
        plain = pattern.sub(replacement, plain)
    if not plain.strip(" ,"):
        raise _refusal(text, "it is empty")
    if foreign := _FOREIGN.search(plain):
        raise _refusal(text, f"remove the character {foreign[0]!r}")
    return plain


def _cased(word: str) -> str:
    """Return a word of a name: "29TH" -> "29th", "DAVIS" -> "Davis", "McDowell"."""
    if word[0].isdigit():
        ordinal = re.fullmatch(r"\d+(st|nd|rd|th)", word.lower())
        return word.lower() if ordinal else word.upper()
    return word.capitalize() if word.isupper() or word.islower() else word


# --- ZIP, state, city: read from the end ------------------------------------------

_COUNTRY = re.compile(r"[, ]+(usa?|united states( of america)?)[, ]*$", re.IGNORECASE)
_ZIP = re.compile(r"(?<![0-9-])(\d{5})([- ]?\d{4})?$")

_STATE_TABLE = """
AL Alabama; AK Alaska; AZ Arizona; AR Arkansas; CA California; CO Colorado;
CT Connecticut; DE Delaware; DC District of Columbia; FL Florida; GA Georgia;
HI Hawaii; ID Idaho; IL Illinois; IN Indiana; IA Iowa; KS Kansas; KY Kentucky;
LA Louisiana; ME Maine; MD Maryland; MA Massachusetts; MI Michigan; MN Minnesota;
MS Mississippi; MO Missouri; MT Montana; NE Nebraska; NV Nevada; NH New Hampshire;
NJ New Jersey; NM New Mexico; NY New York; NC North Carolina; ND North Dakota;
OH Ohio; OK Oklahoma; OR Oregon; PA Pennsylvania; RI Rhode Island; SC South Carolina;
SD South Dakota; TN Tennessee; TX Texas; UT Utah; VT Vermont; VA Virginia;
WA Washington; WV West Virginia; WI Wisconsin; WY Wyoming; AS American Samoa; GU Guam;
MP Northern Mariana Islands; PR Puerto Rico; VI Virgin Islands
"""


def _state_codes(table: str) -> Mapping[str, str]:
    rows = [row.strip().partition(" ") for row in table.split(";")]
    names = {name.lower(): code for code, _, name in rows}
    return names | {code.lower(): code for code, _, _ in rows}


_STATES = _state_codes(_STATE_TABLE)
_LONGEST_STATE = 3  # words: "District of Columbia"
_CODE_LENGTH = 2


def _split_zip(plain: str, text: str) -> tuple[str, str]:
    line = _COUNTRY.sub("", plain).strip(" ,")
    if not (found := _ZIP.search(line)):
        raise _refusal(text, "no ZIP code at the end; add its five digits")
    return line[: found.start()], found[1]


def _split_state(head: str, text: str) -> tuple[list[str], str]:
    """Return the comma parts before the state, and its code."""
    parts = [part.strip() for part in head.split(",") if part.strip()]
    words = parts[-1].split() if parts else []
    for size in range(min(_LONGEST_STATE, len(words)), 0, -1):
        if code := _STATES.get(" ".join(words[-size:]).lower()):
            rest = [" ".join(words[:-size])] if words[:-size] else []
            return [*parts[:-1], *rest], code
    raise _refusal(text, _state_trouble(parts))


def _state_trouble(parts: Sequence[str]) -> str:
    enough_for_state = 3  # street, city, and what should be the state
    last = parts[-1].split()[-1] if parts else ""
    if len(last) == _CODE_LENGTH and last.isalpha():
        return f"unknown state {last!r}; use the two-letter code before the ZIP"
    if len(parts) >= enough_for_state:
        return f"unknown state {parts[-1]!r}; use the two-letter code before the ZIP"
    return "no state; add its two-letter code before the ZIP"


def _split_city(parts: Sequence[str], text: str) -> tuple[Sequence[str], str]:
    alone = 1
    if len(parts) <= alone:
        raise _refusal(text, "no city; put a comma between street and city")
    words = parts[-1].replace("-", " ").split()
    named = words and all(word.isalpha() for word in words)
    if not named or _read_unit(words):
        raise _refusal(text, f"no city; {parts[-1]!r} stands where it should be")
    return parts[:-1], " ".join(map(_cased, words))


# --- the street line: number, street, unit ----------------------------------------

_NUMBERED = re.compile(
    r"(?P<number>\d+(?:-\d+)?)-?(?P<letter>[A-Za-z]?)"
    r"(?P<fraction> \d/\d)?(?: (?P<rest>.+))?"
)


def _split_street(
    parts: Sequence[str], text: str
) -> tuple[str, Sequence[str], Sequence[str]]:
    """Return street number, street words and unit words."""
    line, *unit_parts = parts
    if not (found := _NUMBERED.fullmatch(line)):
        raise _refusal(text, "no street number; begin with it")
    if not found["rest"]:
        raise _refusal(text, "no street name after the number")
    for part in unit_parts:
        if not _read_unit(part.split()):
            raise _refusal(text, f"{part!r} is no unit; remove it or write 'Unit 4'")
    number = f"{found['number']}{found['letter'].upper()}{found['fraction'] or ''}"
    words, unit_words = _split_unit(" ".join([found["rest"], *unit_parts]).split())
    _refuse_loose_unit(words, text)
    return number, words, unit_words


def _split_unit(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Split before the longest end that reads as a unit; a street word must remain."""
    for start in range(1, len(words)):
        if _read_unit(words[start:]):
            return words[:start], words[start:]
    return words, ()


def _refuse_loose_unit(words: Sequence[str], text: str) -> None:
    dangling = len(words) > 1 and words[-1].lower() in _PLAIN_UNITS
    if "#" in words or dangling:
        raise _refusal(text, "a unit without its number; add it or remove the word")


# --- units ------------------------------------------------------------------------

_PLAIN_UNITS = frozenset({"apt", "apartment", "condo", "ste", "suite", "unit"})
_NUMBER_SIGNS = frozenset({"#", "no", "number"})
# In the order they are written. One door is a "suite" to one source and "#" to another.
_OTHER_UNITS = {
    "Bldg": ("bldg", "building"),
    "Fl": ("fl", "floor"),
    "Lot": ("lot",),
    "Spc": ("spc", "space"),
    "Trlr": ("trlr", "trailer"),
    "Rm": ("rm", "room"),
    "Ph": ("ph", "penthouse"),
}
_UNIT_ORDER = (*_OTHER_UNITS, "Unit")
_UNITS = {word: kind for kind, words in _OTHER_UNITS.items() for word in words}
_UNITS |= dict.fromkeys(_PLAIN_UNITS | _NUMBER_SIGNS, "Unit")
_UNIT_VALUE = re.compile(r"(?=.*\d)[A-Z\d]+(?:-[A-Z\d]+)*|[A-Z]{1,2}|[A-Z](?:-[A-Z])+")


# "12-A", "12 A" and "12A" are one door, "1-11" and "11-1" are two.
_NEEDLESS_HYPHEN = re.compile(r"(?<=\d)-(?=[A-Z])|(?<=[A-Z])-(?=\d)")


def _read_unit(words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return each unit word's kind with its values; empty if *words* is anything else.

    A value has a digit or is at most two letters and no street suffix, so that
    "Old Space Dr" stays a street.
    """
    groups: list[tuple[str, list[str]]] = []
    for word in map(str.lower, words):
        waiting = bool(groups) and not groups[-1][1]
        if waiting and word in _NUMBER_SIGNS:
            continue  # "Apt # 4"
        if word in _UNITS and not waiting:
            groups.append((_UNITS[word], []))
        elif groups and _is_unit_value(word):
            groups[-1][1].append(_unit_value(word))
        else:
            return []
    return groups if all(values for _, values in groups) else []


def _is_unit_value(word: str) -> bool:
    reserved = word in _SUFFIXES or word in _UNITS
    return not reserved and _UNIT_VALUE.fullmatch(_unit_value(word)) is not None


def _unit_value(word: str) -> str:
    return _DIRECTIONS.get(word) or re.sub(r"[/.]", "-", word.upper())


def _canonical_unit(words: Sequence[str], text: str) -> str | None:
    named: dict[str, str] = {}
    for kind, values in _read_unit(words):
        value = _NEEDLESS_HYPHEN.sub("", "-".join(values))
        if named.setdefault(kind, value) != value:
            raise _refusal(text, f"two units, {named[kind]!r} and {value!r}; keep one")
    return " ".join(f"{k} {named[k]}" for k in _UNIT_ORDER if k in named) or None


# --- street names -----------------------------------------------------------------

_DIRECTIONS = {
    spelled: short
    for short, long in (
        ("N", "north"),
        ("S", "south"),
        ("E", "east"),
        ("W", "west"),
        ("NE", "northeast"),
        ("NW", "northwest"),
        ("SE", "southeast"),
        ("SW", "southwest"),
    )
    for spelled in (short.lower(), long)
}
# After these the last word belongs to the name: "Avenue Of The Park".
_CONNECTING = frozenset({"of", "the", "de", "del", "la", "las", "los", "el"})
# After a lone direction these are the suffix ("North St"); a rarer one is the name
# ("E Plaza").
_EVERYDAY = frozenset({"St", "Ave", "Rd", "Dr", "Ln", "Ct", "Cir", "Blvd", "Pl", "Way"})

# Each entry: the short form, the full word, then what else people write for it. Left
# out: Viaduct, whose short form "Via" begins many streets here, and Trailer, a unit.
_SUFFIX_TABLE = """
Aly alley allee ally; Anx annex anex annx; Arc arcade; Ave avenue av aven avenu avn
avnue; Byu bayou bayoo; Bch beach; Bnd bend; Blf bluff bluf; Blfs bluffs; Btm bottom
bot bottm; Blvd boulevard boul boulv; Br branch brnch; Brg bridge brdge; Brk brook;
Brks brooks; Bg burg; Bgs burgs; Byp bypass bypa bypas byps; Cp camp cmp; Cyn canyon
canyn cnyn; Cpe cape; Cswy causeway causwa; Ctr center cen cent centr centre cnter
cntr; Ctrs centers; Cir circle circ circl crcl crcle; Cirs circles; Clf cliff; Clfs
cliffs; Clb club; Cmn common; Cmns commons; Cor corner; Cors corners; Crse course; Ct
court crt; Cts courts; Cv cove; Cvs coves; Crk creek; Cres crescent crsent crsnt;
Crst crest; Xing crossing crssng; Xrd crossroad; Xrds crossroads; Curv curve; Dl dale;
Dm dam; Dv divide div dvd; Dr drive driv drv; Drs drives; Est estate; Ests estates;
Expy expressway exp expr express expw; Ext extension extn extnsn; Exts extensions;
Fall fall; Fls falls; Fry ferry frry; Fld field; Flds fields; Flt flat; Flts flats;
Frd ford; Frds fords; Frst forest forests; Frg forge forg; Frgs forges; Frk fork; Frks
forks; Ft fort frt; Fwy freeway freewy frway frwy; Gdn garden gardn grden grdn; Gdns
gardens grdns; Gtwy gateway gatewy gatway gtway; Gln glen; Glns glens; Grn green; Grns
greens; Grv grove grov; Grvs groves; Hbr harbor harb harbr hrbor; Hbrs harbors; Hvn
haven; Hts heights ht; Hwy highway highwy hiway hiwy hway; Hl hill; Hls hills; Holw
hollow hllw hollows holws; Inlt inlet; Is island islnd; Iss islands islnds; Isle isle
isles; Jct junction jction jctn junctn juncton; Jcts junctions jctns; Ky key; Kys keys;
Knl knoll knol; Knls knolls; Lk lake; Lks lakes; Land land; Lndg landing lndng; Ln
lane; Lgt light; Lgts lights; Lf loaf; Lck lock; Lcks locks; Ldg lodge ldge lodg; Loop
loop loops; Mall mall; Mnr manor; Mnrs manors; Mdw meadow; Mdws meadows medows; Mews
mews; Ml mill; Mls mills; Msn mission missn mssn; Mtwy motorway; Mt mount mnt; Mtn
mountain mntain mntn mountin mtin; Mtns mountains mntns; Nck neck; Orch orchard orchrd;
Oval oval ovl; Opas overpass; Park park prk parks; Pkwy parkway parkwy pkway pky
parkways pkwys; Pass pass; Psge passage; Path path paths; Pike pike pikes; Pne pine;
Pnes pines; Pl place; Pln plain; Plns plains; Plz plaza plza; Pt point; Pts points; Prt
port; Prts ports; Pr prairie prr; Radl radial rad radiel; Ramp ramp; Rnch ranch ranches
rnchs; Rpd rapid; Rpds rapids; Rst rest; Rdg ridge rdge; Rdgs ridges; Riv river rvr
rivr; Rd road; Rds roads; Rte route; Row row; Rue rue; Run run; Shl shoal; Shls shoals;
Shr shore shoar; Shrs shores shoars; Skwy skyway; Spg spring spng sprng; Spgs springs
spngs sprngs; Spur spur spurs; Sq square sqr sqre squ; Sqs squares sqrs; Sta station
statn stn; Stra stravenue strav straven stravn strvn strvnue; Strm stream streme; St
street strt str; Sts streets; Smt summit sumit sumitt; Ter terrace terr; Trwy
throughway; Trce trace traces; Trak track tracks trk trks; Trfy trafficway; Trl trail
trails trls tr; Tunl tunnel tunel tunls tunnels tunnl; Tpke turnpike
trnpk turnpk; Upas underpass; Un union; Uns unions; Vly valley vally vlly; Vlys valleys;
Vw view; Vws views; Vlg village vill villag villg villiage; Vlgs villages; Vl ville; Vis
vista vist vst vsta; Walk walk walks; Wall wall; Way way wy; Ways ways; Wl well; Wls
wells
"""


def _suffix_maps(table: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return any spelling -> short form, and short form -> full word."""
    short_forms: dict[str, str] = {}
    full_words: dict[str, str] = {}
    for short, full, *others in (row.split() for row in table.split(";")):
        short_forms |= dict.fromkeys((short.lower(), full, *others), short)
        full_words[short] = full.capitalize()
    return short_forms, full_words


_SUFFIXES, _FULL_WORDS = _suffix_maps(_SUFFIX_TABLE)


def _canonical_street(words: Sequence[str]) -> str:
    """Return direction, name, suffix, direction; at least one word stays the name."""
    rest, after = _split_last_direction([_cased(word) for word in words])
    before, rest = _split_first_direction(rest)
    return " ".join([*before, *_canonical_name(rest), *after])


def _split_last_direction(words: list[str]) -> tuple[list[str], list[str]]:
    *rest, last = words
    if last.lower() not in _DIRECTIONS or not rest:
        return words, []
    previous = rest[-1].lower()
    # "E North", "Avenue E"
    alone = len(rest) == 1 and (previous in _DIRECTIONS or previous in _SUFFIXES)
    if alone or previous in _CONNECTING:
        return words, []
    return rest, [_DIRECTIONS[last.lower()]]


def _split_first_direction(words: list[str]) -> tuple[list[str], list[str]]:
    first, *rest = words
    is_name = not rest or (
        len(rest) == 1 and _SUFFIXES.get(rest[0].lower()) in _EVERYDAY
    )
    if first.lower() not in _DIRECTIONS or is_name:
        return [], words
    return [_DIRECTIONS[first.lower()]], rest


def _canonical_name(words: list[str]) -> list[str]:
    """Shorten the suffix of a name without directions."""
    *name, last = words
    suffix = _SUFFIXES.get(last.lower())
    if not name:
        return [_FULL_WORDS[suffix] if suffix else last]
    if suffix and name[-1].lower() in _CONNECTING and suffix not in _EVERYDAY:
        return [*name, _FULL_WORDS[suffix]]
    if suffix:
        return [*(_canonical_name(name) if len(name) == 1 else name), suffix]
    if re.fullmatch(r"\d+[A-Z]?|[A-Z]", last):  # "Highway 60", "Avenue B"
        return [*name[:-1], _SUFFIXES.get(name[-1].lower(), name[-1]), last]
    return words
