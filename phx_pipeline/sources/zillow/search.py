"""Zillow's search pages: the URL of an address, and which rows are that house."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote_plus, urlsplit

from phx_pipeline.errors import SourceChangedError
from phx_pipeline.model.address import Address, Match
from phx_pipeline.model.counted import counted
from phx_pipeline.model.facts import ListingFacts
from phx_pipeline.model.photo import PhotoRef
from phx_pipeline.model.property import Property
from phx_pipeline.sources.json_values import JsonObject, mapping, objects
from phx_pipeline.sources.stated import (
    LONGEST_URL,
    OFF_MARKET_WORDS,
    identifier,
    text,
    whole,
)
from phx_pipeline.sources.whose import link_contradicts, readable
from phx_pipeline.sources.zillow.facts import row_facts
from phx_pipeline.sources.zillow.gallery import photo_of_key, variant_of
from phx_pipeline.sources.zillow.members import of_row

SITE = "https://www.zillow.com"

_DETAIL = re.compile(
    r"(?:https://(?:www\.)?zillow\.com)?"
    r"(?P<path>/homedetails/(?:[^/?#\s]+/)?(?P<zpid>\d+)_zpid/)(?:[?#].*)?",
    re.ASCII,
)
# As people and pages write links, for telling homes apart.
_NAMED = re.compile(
    r"/(?:homedetails/(?:(?P<words>[^/]+)/)?(?P<zpid>\d+)_zpid"
    r"|homes/(?:[a-z_]+/)?(?:(?P<number>\d+)_zpid|(?P<line>[^/]+)_rb))(?![^/])",
    re.ASCII | re.IGNORECASE,
)
_DOMAIN = "zillow.com"
_ZPID = re.compile(r"\d+", re.ASCII)
_CATEGORY = re.compile(r"cat\d+", re.ASCII)  # homes of agents, homes of others
_RESULT_LISTS = ("listResults", "mapResults", "relaxedResults", "relaxedMapResults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A home on a search page.

    `addresses` are the readings of it; `photo_keys` its gallery as far as the page
    shows it: captured pages show up to 61, and those of 2026 seem to stop at 50.
    `stated` is the size of the whole gallery, which most generations leave out.
    `link_words` are those of the link to its detail page. `told` is its address as it
    stands there, whether it can be read or not; `is_undisclosed` tells that the owner
    does not want it shown. `status_type` is a second word about its state. `also_read`
    is counted, see `Listing.also_read`.
    """

    zpid: str
    path: str
    addresses: tuple[Address, ...]
    photo_keys: tuple[str, ...]
    stated: int | None
    facts: ListingFacts = field(default_factory=ListingFacts)
    link_words: str = ""
    told: str = ""
    is_undisclosed: bool = False
    status_type: str = ""
    also_read: Mapping[str, bool] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of its detail page."""
        return SITE + self.path

    @property
    def is_off_market(self) -> bool:
        """Whether its state says that nobody offers it now."""
        status = (self.facts.standard_status or "").replace("_", " ")
        return OFF_MARKET_WORDS.search(status) is not None

    @property
    def has_whole_gallery(self) -> bool:
        """Whether all photos the listing has, and no other's, are on the search page.

        Those of a row whose link names another house are nobody's.
        """
        named = self.exact[:1]
        if any(link_contradicts(self.link_words, own) for own in named):
            return False
        return bool(self.photo_keys) and len(self.photo_keys) == self.stated

    @property
    def photos(self) -> tuple[PhotoRef, ...]:
        """The gallery; only the keys are the page's own, the sizes are the usual."""
        refs = (
            photo_of_key(key, position=at) for at, key in enumerate(self.photo_keys)
        )
        return tuple(ref for ref in refs if ref)

    def match(self, house: Property) -> Match:
        """Tell whether it is *house*: no exact reading may be of another door."""
        found = {house.means(own) for own in self.exact}
        if found == {Match.SAME}:
            return Match.SAME
        return Match.NEAR if found and Match.OTHER not in found else Match.OTHER

    def names_unit_of(self, house: Property) -> bool:
        """Whether it names the unit as the house does: "Lot 4" may not be "Apt 4"."""
        return any(own.unit == house.address.unit for own in self.exact)

    @property
    def exact(self) -> Sequence[Address]:
        """The readings with a unit; all where none has one."""
        return [own for own in self.addresses if own.unit] or self.addresses


def search_url(address: Address) -> str:
    """Return the URL that leads to the listing of *address*, or to a search page."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", str(address)).strip("-")
    return f"{SITE}/homes/{slug}_rb/"


def detail_path(link: object) -> str | None:
    """Return the path of a detail page's link; None for any other link."""
    found = _detail(link)
    return found["path"] if found else None


def zpid_in(link: object) -> str | None:
    """Return the zpid a detail page's link names; None for any other link."""
    found = _detail(link)
    return found["zpid"] if found else None


def named_in(link: str) -> tuple[str | None, str]:
    """Return the zpid and the words of the address that a link names, if it does."""
    try:
        parts = urlsplit(link.strip())
        host = parts.hostname or ""
    except ValueError:  # such as brackets that hold no address
        return None, ""
    is_there = not host or host == _DOMAIN or host.endswith(f".{_DOMAIN}")
    found = _NAMED.match(unquote_plus(parts.path)) if is_there else None
    if found is None:
        return None, ""
    words = re.sub(r"[\s,]+", "-", found["words"] or found["line"] or "")
    return found["zpid"] or found["number"], words


def _detail(link: object) -> re.Match[str] | None:
    if not isinstance(link, str) or len(link) > LONGEST_URL:
        return None
    return _DETAIL.fullmatch(link)


def rows_matching(search: JsonObject, *, house: Property) -> tuple[Row, ...]:
    """Return the rows that are exactly this house, one per zpid.

    A search page also shows other homes when it knows the one asked for. Rows that name
    the unit as the house does go before those that name it otherwise.

    Raises:
        SourceChangedError: the state has another shape, or has rows but no address
            that can be read.
    """
    rows = rows_of(search)
    if rows and not any(row.addresses for row in rows):
        raise SourceChangedError(
            f"none of {counted(len(rows), 'search row')} has an address"
        )
    same = [row for row in rows if row.match(house) is Match.SAME]
    found: dict[str, list[Row]] = {}
    for row in [row for row in same if row.names_unit_of(house)] or same:
        found.setdefault(row.zpid, []).append(row)
    return tuple(map(_fullest, found.values()))


def _fullest(rows: Sequence[Row]) -> Row:
    """Return the row of a home that shows the most, with the largest count of all."""
    stated = [row.stated for row in rows if row.stated is not None]
    most = max(rows, key=lambda row: len(row.photo_keys))
    return replace(most, stated=max(stated)) if stated else most


def near_addresses(search: JsonObject, *, house: Property) -> tuple[Address, ...]:
    """Return the addresses a search page shows that may be the house, or not.

    Raises:
        SourceChangedError: as `rows_of`.
    """
    near = [row for row in rows_of(search) if row.match(house) is Match.NEAR]
    return tuple(
        own for row in near for own in row.exact if house.means(own) is Match.NEAR
    )


def rows_of(search: JsonObject) -> tuple[Row, ...]:
    """Return all homes of a search page; buildings have no zpid and are left out.

    Raises:
        SourceChangedError: the state has no lists of results, or homes without zpid.
    """
    entries = _entries_2018(search) if "map" in search else _entries(search)
    rows = tuple(row for entry in entries if (row := _row(entry)))
    if not rows and any(map(_is_home, entries)):
        raise SourceChangedError("no search row has a zpid")
    return rows


def _entries(search: JsonObject) -> list[Any]:
    lists = [
        entries
        for key, category in search.items()
        if _CATEGORY.fullmatch(key)
        for entries in _result_lists(_results(category, what=key))
    ]
    if not lists:
        raise SourceChangedError("the search page has no list of results")
    return [entry for entries in lists for entry in entries]


def _results(category: object, *, what: str) -> JsonObject:
    results = mapping(category, what=what).get("searchResults")
    return results if isinstance(results, dict) else {}


def _result_lists(results: JsonObject) -> Iterator[list[Any]]:
    """Yield the known lists, and homes that lie in a list of another name."""
    named = [*_RESULT_LISTS, *(name for name in results if name not in _RESULT_LISTS)]
    for name in named:
        entries = results.get(name)
        if isinstance(entries, list) and (
            name in _RESULT_LISTS or any(map(_is_home, entries))
        ):
            yield entries


def _is_home(entry: object) -> bool:
    """Whether a row is of a home; buildings have neither a link to one nor its data."""
    if not isinstance(entry, dict):
        return False
    return zpid_in(entry.get("detailUrl")) is not None or bool(_home_info(entry))


def _entries_2018(search: JsonObject) -> list[Any]:
    """Return rows like the later ones; each home lay in a list without names."""
    properties = mapping(search["map"], what="map").get("properties")
    if not isinstance(properties, list):
        raise SourceChangedError("the search answer has no map.properties")
    return [
        {"zpid": home.get("zpid"), "hdpData": {"homeInfo": home}}
        for entry in properties
        for home in _objects_in(entry)
        if "zpid" in home or "homeStatus" in home
    ]


def _objects_in(value: object) -> Iterator[JsonObject]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _objects_in(inner)


def _row(entry: object) -> Row | None:
    zpid = identifier(entry.get("zpid")) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not zpid or not _ZPID.fullmatch(zpid):
        return None
    link = entry.get("detailUrl")
    path = detail_path(link) if zpid_in(link) == zpid else None
    info = _home_info(entry)
    return Row(
        zpid=zpid,
        path=path or f"/homedetails/{zpid}_zpid/",
        addresses=tuple(_addresses(entry, info=info)),
        photo_keys=tuple(dict.fromkeys(_photo_keys(entry))),
        stated=_stated(entry, info),
        facts=row_facts(info),
        also_read=of_row(entry, info=info),
        link_words=named_in(text(link))[1],
        told=text(entry.get("address")),
        is_undisclosed=entry.get("isUndisclosedAddress") is True,
        status_type=text(entry.get("statusType")),
    )


def _stated(entry: JsonObject, info: JsonObject) -> int | None:
    """Return the largest number of photos that a row states.

    None if it states none, or one of them cannot be read: the gallery may be larger.
    """
    told = [
        it["photoCount"] for it in (entry, info) if it.get("photoCount") is not None
    ]
    counts = [whole(count) for count in told]
    read = [count for count in counts if count is not None]
    return max(read) if read and len(read) == len(told) else None


def _home_info(entry: JsonObject) -> JsonObject:
    data = entry.get("hdpData")
    info = data.get("homeInfo") if isinstance(data, dict) else None
    return info if isinstance(info, dict) else {}


def _addresses(entry: JsonObject, *, info: JsonObject) -> Iterator[Address]:
    names = ("addressStreet", "addressCity", "addressState", "addressZipcode")
    texts = (
        text(entry.get("address")),
        _joined(entry.get(name) for name in names),
        _joined(
            info.get(name) for name in ("streetAddress", "city", "state", "zipcode")
        ),
    )
    for line in texts:  # None is such as an undisclosed address, or one without ZIP
        if address := readable(line):
            yield address


def _joined(parts: Iterable[object]) -> str:
    street, city, state, zip_code = map(text, parts)
    return f"{street}, {city}, {state} {zip_code}"


def _photo_keys(entry: JsonObject) -> Iterator[str]:
    """Yield the keys of a row's photos; those of its community are another thing."""
    composed = entry.get("carouselPhotosComposable")
    if isinstance(composed, dict):
        template = text(composed.get("baseUrl"))
        for photo in objects(composed.get("photoData")):
            url = template.replace("{photoKey}", text(photo.get("photoKey")))
            if found := variant_of(url):
                yield found.key
    for photo in objects(entry.get("carouselPhotos")):
        if found := variant_of(photo.get("url")):
            yield found.key
