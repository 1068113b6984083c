"""Redfin's address search: its URL, and which of its rows is the house asked for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from phx_pipeline.errors import BlockedError, SourceChangedError
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.property import Property
from phx_pipeline.sources.json_values import JsonObject, mapping
from phx_pipeline.sources.redfin.answers import decode_answer, payload_of, text_of
from phx_pipeline.sources.stated import LONGEST_URL, text, unwrapped
from phx_pipeline.sources.whose import readable

SITE = "https://www.redfin.com"

_HOME = re.compile(
    r"/(?P<state>[A-Z]{2})/(?P<city>[^/?#]+)/(?P<street>[^/?#]+)-(?P<zip>\d{5})"
    r"(?:/(?P<unit>[^/?#]+))?/home/(?P<home>\d+)",
    re.ASCII,
)
_LANGUAGE = r"(?:/(?:en|es|fr|zh)(?:-[a-z]{2})?)?"
_ANY_HOME = re.compile(rf"{_LANGUAGE}{_HOME.pattern}(?!\d)", re.ASCII | re.IGNORECASE)
_DOMAIN = "redfin.com"
_UNIT_WORD = re.compile(r"^(?:unit|apt|ste|suite|no)\s+", re.IGNORECASE)
_COUNTRY = re.compile(r",\s*(?:USA|US)\s*$")
_ZIP_AT_END = re.compile(r"\b\d{5}(?:-\d{4})?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A page of one house on Redfin: its own id and the path of its page."""

    home_id: str
    path: str

    @property
    def url(self) -> str:
        """The address of the page."""
        return SITE + self.path


def search_url(address: Address) -> str:
    """Return the URL that asks Redfin which pages belong to *address*."""
    query = {
        "location": str(address),
        "start": "0",
        "count": "10",
        "v": "2",
        "iss": "false",
        "ooa": "true",
        "mrs": "false",
    }
    encoded = urlencode(query, quote_via=quote)
    return f"{SITE}/stingray/do/location-autocomplete?{encoded}"


def home_at(path: object) -> Home | None:
    """Return the home a site path leads to; None for cities, buildings, other hosts."""
    link = unwrapped(path)
    if not isinstance(link, str) or len(link) > LONGEST_URL:
        return None
    found = _HOME.fullmatch(link)
    return Home(home_id=found["home"], path=link) if found else None


def home_named(link: str) -> Home | None:
    """Return the home a link names, however it is written; None if it names none.

    For telling homes apart; `home_at` reads links that are followed.
    """
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:  # such as brackets that hold no address
        return None
    if host and host != _DOMAIN and not host.endswith(f".{_DOMAIN}"):
        return None
    found = _ANY_HOME.match(unquote(parts.path).replace(" ", "-"))
    if found is None:
        return None
    unit = f"/{found['unit']}" if found["unit"] else ""
    street = f"{found['street']}-{found['zip']}{unit}"
    place = f"/{found['state'].upper()}/{found['city']}/{street}"
    return Home(home_id=found["home"], path=f"{place}/home/{found['home']}")


def homes_matching(fetched: Fetched, *, house: Property) -> tuple[Home, ...]:
    """Return the pages an address search found for exactly this house.

    The search is fuzzy and offers neighbours, even as its exact match, so each row's
    own address is compared. An exact match that holds is returned alone. So are rows
    that name the unit as the house does, where others name it otherwise: a site may
    have both a Lot 4 and an Apt 4.

    Raises:
        BlockedError: Redfin answered, but refused (result code other than 0).
        SourceChangedError: the answer has another shape.
    """
    exact, rows = _rows_of(fetched)
    alone = _matching(exact, house=house)
    if any(is_own for _, is_own in alone):
        return _homes(alone)
    return _homes([*alone, *_matching(rows, house=house)])


def near_addresses(fetched: Fetched, *, house: Property) -> tuple[Address, ...]:
    """Return the addresses an address search shows that may be the house, or not.

    Raises:
        BlockedError: as `homes_matching`.
        SourceChangedError: as `homes_matching`.
    """
    exact, rows = _rows_of(fetched)
    return tuple(
        own
        for _, readings in _read([*exact, *rows])
        for own in readings[:1]
        if house.means(own) is Match.NEAR
    )


def _rows_of(fetched: Fetched) -> tuple[list[Any], list[Any]]:
    """Return the exact match, if there is one, and the rows with addresses."""
    what = "the address search"
    answer = decode_answer(text_of(fetched), what=what)
    if answer.get("resultCode", 0) != 0:
        code = str(answer["resultCode"])[:20]
        raise BlockedError(f"{what} refused with resultCode {code}", url=fetched.url)
    payload = payload_of(answer, what=what)
    # Whatever its name: the address of what it leads to is compared.
    exact = payload.get("exactMatch") or next(filter(_is_match, payload.values()), None)
    if exact is None and "sections" not in payload:
        raise SourceChangedError(f"{what} has neither exactMatch nor sections")
    return [exact] if exact is not None else [], list(_address_rows(payload))


def _address_rows(payload: JsonObject) -> Iterator[Any]:
    for section in _list_at("sections", payload):
        named = mapping(section, what="a section of the address search")
        if "name" not in named:
            raise SourceChangedError("a section of the address search has no name")
        if named["name"] == "Addresses":
            if "rows" not in named:
                raise SourceChangedError(
                    "the address search has addresses, but no rows"
                )
            yield from _list_at("rows", named)


def _is_match(value: object) -> bool:
    return isinstance(value, dict) and home_at(value.get("url")) is not None


def _list_at(key: str, answer: JsonObject) -> list[Any]:
    value = answer.get(key) or []
    if not isinstance(value, list):
        raise SourceChangedError(f"the {key} of the address search are not a list")
    return value


def _matching(rows: list[Any], *, house: Property) -> list[tuple[Home, bool]]:
    """Return the homes that are the house, and whether they name the unit alike."""
    return [
        (home, any(own.unit == house.address.unit for own in same))
        for home, readings in _read(rows)
        if (same := [own for own in readings if house.means(own) is Match.SAME])
    ]


def _homes(found: list[tuple[Home, bool]]) -> tuple[Home, ...]:
    own = [home for home, is_own in found if is_own]
    homes = own or [home for home, _ in found]
    return tuple({home.home_id: home for home in reversed(homes)}.values())[::-1]


def _read(rows: list[Any]) -> Iterator[tuple[Home, list[Address]]]:
    """Yield each home with the readings of its address."""
    for row in rows:
        row_keys = mapping(row, what="a row of the address search")
        if "url" not in row_keys:
            raise SourceChangedError("a row of the address search has no url")
        if home := home_at(row_keys["url"]):
            stated = _row_address(row_keys, path=home.path)
            yield home, [own for own in (stated, path_address(home.path)) if own]


def path_address(path: str) -> Address | None:
    """Return the address the path of a home's page names, with its unit."""
    parts = _HOME.fullmatch(path)
    if parts is None:
        return None
    street = parts["street"].replace("-", " ") + _unit_text(parts["unit"])
    city = parts["city"].replace("-", " ")
    return readable(f"{street}, {city}, {parts['state']} {parts['zip']}")


def _row_address(row: JsonObject, *, path: str) -> Address | None:
    """Read name and subName; what they leave out (ZIP, unit) stands in the path."""
    parts = _HOME.fullmatch(path)
    name, place = text(row.get("name")), text(row.get("subName"))
    if parts is None or not name or not place:
        return None
    where = _COUNTRY.sub("", place).strip()
    if not _ZIP_AT_END.search(where):
        where = f"{where} {parts['zip']}"
    own = readable(f"{name}, {where}")
    if own is None or own.unit or not parts["unit"]:
        return own
    return readable(f"{name}{_unit_text(parts['unit'])}, {where}")


def _unit_text(unit: str | None) -> str:
    if not unit:
        return ""
    return " Unit " + _UNIT_WORD.sub("", unit.replace("-", " "))
