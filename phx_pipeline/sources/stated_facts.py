"""Facts of a house as pages spell them: any JSON value in, a value in our units out.

None for what cannot be read. What is no fact of a house is read in `stated`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from phx_pipeline.model.facts import FIRST_YEAR, LAST_YEAR, LONGEST_WORDS
from phx_pipeline.sources.stated import number, rounded, text, unwrapped

_SQUARE_FEET_PER_ACRE = 43_560
_LONGEST_TEXT = 500  # of which a fact is read
_METRIC = re.compile(
    r"m²|\bm2\b|\bsq(?:uare|\.)?\s*m(?:et(?:er|re)s?)?\b|\bhectares?\b|\bha\b",
    re.IGNORECASE,
)
_ACRES = re.compile(r"\bacres?\b", re.IGNORECASE)
_SQUARE_FEET = re.compile(r"\bsq(?:uare|\.)?\s*(?:feet|foot|ft)\b", re.IGNORECASE)
_NOTHING_SAID = frozenset({"", "-", "\u2014", "n/a", "na", "none", "other", "unknown"})
_NO_POOL = frozenset({"none", "no", "no pool"})
_NO_FEE = frozenset({"none", "n/a", "no", "no fee", "no fees", "no hoa"})
_PERIODS: Sequence[tuple[re.Pattern[str], float]] = (
    (re.compile(r"semi-?\s?annual|twice a year", re.IGNORECASE), 6),
    (re.compile(r"bi-?\s?month", re.IGNORECASE), 2),
    (re.compile(r"quarter", re.IGNORECASE), 3),
    (re.compile(r"year|annual|/\s*yr\b", re.IGNORECASE), 12),
    (re.compile(r"week", re.IGNORECASE), 12 / 52),
    (re.compile(r"month|/\s*mo\b", re.IGNORECASE), 1),
)
_OWN_POOL = re.compile(r"\b(?:private|in-?\s?ground|above-?\s?ground)\b", re.IGNORECASE)
_SHARED_POOL = re.compile(r"\b(?:community|association)\b", re.IGNORECASE)
_SEPTIC = re.compile(r"\bseptic\b", re.IGNORECASE)
_CITY_SEWER = re.compile(r"\b(?:public|city|municipal)\b", re.IGNORECASE)
_PARCEL = re.compile(r"(?=.*\d)[A-Z0-9][A-Z0-9-]{2,39}", re.ASCII)
# Book, map and item, with a letter where a parcel was split.
_MARICOPA_PARCEL = re.compile(r"(\d{3})(\d{2})(\d{3}[A-Z]?)", re.ASCII)
_STATUSES: Mapping[str, str] = {
    "active": "Active",
    "active under contract": "Active Under Contract",
    "back on market": "Active",
    "closed": "Closed",
    "coming soon": "Coming Soon",
    "contingent": "Active Under Contract",
    "for sale": "Active",
    "new": "Active",
    "pending": "Pending",
    "recently sold": "Closed",
    "sold": "Closed",
    "under contract": "Active Under Contract",
}


def size(value: object) -> int | None:
    """Return a price or an area; 0 stands for unknown on pages."""
    return rounded(value) or None


def price(value: object) -> int | None:
    """Return what is asked for a house; an amount for a month or a week is a rent."""
    return None if _months(_plain(value)) else size(value)


def year(value: object) -> int | None:
    """Return a year a house can be from."""
    stated = rounded(value)
    return stated if stated and FIRST_YEAR <= stated <= LAST_YEAR else None


def square_feet(value: object, *, unit: object = None) -> int | None:
    """Return an area in square feet; the unit may stand in the text (`0.25 acres`).

    None if the unit is not known.
    """
    words = f"{_plain(value)} {_plain(unit) or str(unit or '')[:LONGEST_WORDS]}"
    stated = number(value)
    if stated is None or _METRIC.search(words):
        return None
    if _ACRES.search(words):
        return size(stated * _SQUARE_FEET_PER_ACRE)
    return size(stated) if _SQUARE_FEET.search(words) else None


def monthly_fee(value: object, *, period: object = None) -> float | None:
    """Return a fee in dollars a month, to the cent; 0 where a text says there is none.

    Args:
        value: such as `$150/month`, `$1,200 annually`, `No Fees`, or the bare amount.
        period: such as `Monthly`, where it stands apart.
    """
    words = _plain(value)
    if words.lower() in _NO_FEE:
        return 0.0
    stated = number(value)
    months = _months(f"{words} {_plain(period)}")
    if stated == 0:
        return 0.0
    return None if stated is None or months is None else round(stated / months, 2)


def sewer_kind(words: Iterable[object]) -> str | None:
    """Return `city` or `septic`, or the source's own words if they tell neither."""
    said = [line for word in words if (line := _plain(word))]
    told = ", ".join(line for line in said if line.lower() not in _NOTHING_SAID)
    septic, city = _SEPTIC.search(told), _CITY_SEWER.search(told)
    if septic and not city:
        return "septic"
    if city and not septic:
        return "city"
    return told[:LONGEST_WORDS] or None


def private_pool(words: Iterable[object]) -> bool | None:
    """Return what a pool's features tell: `None` means no pool.

    A pool of the community tells nothing.
    """
    said = [line for word in words if (line := _plain(word))]
    told = ", ".join(said)
    if _OWN_POOL.search(told) and not _SHARED_POOL.search(told):
        return True
    return False if said and {word.lower() for word in said} <= _NO_POOL else None


def status_word(value: object) -> str | None:
    """Return a status as RESO spells it, or the source's own word."""
    told = _plain(value)
    return _STATUSES.get(told.lower().replace("_", " "), told[:LONGEST_WORDS]) or None


def own_words(value: object) -> str | None:
    """Return a source's own words as one short line; None where they say nothing.

    `No` is a word: of heating it tells that there is none.
    """
    told = _plain(value).strip(" ,;")[:LONGEST_WORDS].rstrip()
    return None if told.lower() in _NOTHING_SAID else told


def parcel_number(value: object) -> str | None:
    """Return an assessor's number of a parcel; one of Maricopa County as `501-79-577`.

    Of a number that is written in another way only what divides its parts is made one.
    """
    told = re.sub(r"[\s.-]+", "-", _plain(value).strip()).strip("-").upper()
    if own := _MARICOPA_PARCEL.fullmatch(told.replace("-", "")):
        return "-".join(own.groups())
    return told if _PARCEL.fullmatch(told) else None


def yes_or_no(value: object) -> bool | None:
    """Return what a flag or one of the words Yes and No says."""
    if isinstance(told := unwrapped(value), bool):
        return told
    return {"yes": True, "no": False}.get(_plain(value).lower())


def _months(words: str) -> float | None:
    return next((months for period, months in _PERIODS if period.search(words)), None)


def _plain(value: object) -> str:
    return text(value, most=_LONGEST_TEXT)
