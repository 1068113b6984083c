"""The states, and by which first three digits of a ZIP code each is known.

The prefixes are those of the USPS (Domestic Mail Manual, labeling list L002); a few
belong to two states.
"""

from collections.abc import Iterator, Mapping
from typing import Final

HOME: Final = "AZ"

_TABLE = """
AL Alabama: 350-369; AK Alaska: 995-999; AZ Arizona: 850-853 855-857 859-860 863-865;
AR Arkansas: 716-729; CA California: 900-908 910-928 930-961; CO Colorado: 800-816;
CT Connecticut: 060-069; DE Delaware: 197-199;
DC District of Columbia: 200 202-205 569; FL Florida: 320-339 341-342 344 346-347 349;
GA Georgia: 300-319 398-399; HI Hawaii: 967-968; ID Idaho: 832-838;
IL Illinois: 600-620 622-629; IN Indiana: 460-479; IA Iowa: 500-516 520-528;
KS Kansas: 660-662 664-679; KY Kentucky: 400-427; LA Louisiana: 700-701 703-708 710-714;
ME Maine: 039-049; MD Maryland: 206-212 214-219; MA Massachusetts: 010-027 055;
MI Michigan: 480-499; MN Minnesota: 550-551 553-567; MS Mississippi: 386-397;
MO Missouri: 630-631 633-641 644-658; MT Montana: 590-599; NE Nebraska: 680-681 683-693;
NV Nevada: 889-891 893-895 897-898; NH New Hampshire: 030-038; NJ New Jersey: 070-089;
NM New Mexico: 870-875 877-884; NY New York: 005 063 100-149;
NC North Carolina: 270-289; ND North Dakota: 580-588; OH Ohio: 430-459;
OK Oklahoma: 730-731 734-741 743-749; OR Oregon: 970-979; PA Pennsylvania: 150-196;
RI Rhode Island: 028-029; SC South Carolina: 290-299; SD South Dakota: 570-577;
TN Tennessee: 370-385; TX Texas: 733 750-770 772-799 885; UT Utah: 840-847;
VT Vermont: 050-054 056-059; VA Virginia: 201 220-246; WA Washington: 980-986 988-994;
WV West Virginia: 247-268; WI Wisconsin: 530-532 534-535 537-549;
WY Wyoming: 820-831 834; AS American Samoa: 967; GU Guam: 969;
MP Northern Mariana Islands: 969;
PR Puerto Rico: 006-007 009; VI Virgin Islands: 008
"""


def _read_table() -> tuple[Mapping[str, str], Mapping[str, frozenset[str]]]:
    """Return name or code in lower case -> code, and prefix -> codes."""
    codes: dict[str, str] = {}
    states: dict[str, set[str]] = {}
    for row in _TABLE.split(";"):
        named, _, ranges = row.strip().partition(": ")
        code, _, name = named.partition(" ")
        codes |= {code.lower(): code, name.lower(): code}
        for prefix in _prefixes(ranges):
            states.setdefault(prefix, set()).add(code)
    return codes, {prefix: frozenset(found) for prefix, found in states.items()}


def _prefixes(ranges: str) -> Iterator[str]:
    for span in ranges.split():
        first, _, last = span.partition("-")
        yield from (f"{n:03}" for n in range(int(first), int(last or first) + 1))


_CODES, _STATES_OF = _read_table()
_LONGEST = 3  # words: "District of Columbia"


def state_code(text: str) -> str | None:
    """Return the two letters of a state's name or code, in any case; else None."""
    return _CODES.get(" ".join(text.replace(".", "").lower().split()))


def state_at_end(words: list[str]) -> int:
    """Return how many words at the end name a state; 0 if none does."""
    sizes = range(min(_LONGEST, len(words)), 0, -1)
    return next((n for n in sizes if state_code(" ".join(words[-n:]))), 0)


def states_of(zip_code: str) -> frozenset[str]:
    """Return the states that have ZIP codes with these first three digits."""
    return _STATES_OF.get(zip_code[:3], frozenset())


def doubt(state: str, zip_code: str) -> str | None:
    """Return what a person should be asked about an address in there; None if nothing.

    A ZIP code of another state is mostly a slip; a house outside Arizona is no
    mistake of form, but hardly one for this product.
    """
    states = states_of(zip_code)
    if not states:
        return f"no ZIP code begins with {zip_code[:3]}"
    if state not in states:
        listed = " or ".join(sorted(states))
        return f"ZIP {zip_code} belongs to {listed}, not to {state}"
    if state != HOME:
        return f"it is outside Arizona, in {state}"
    return None
