"""Pages and answers for `test_drift`: as JSON or text, and how a source reads them."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from phx_pipeline.errors import BlockedError
from phx_pipeline.fetch.base import Fetched, Request
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.model.source import Source
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.maricopa.standin import TOKEN
from phx_pipeline.sources.phoenix_mls import PhoenixMls
from phx_pipeline.sources.redfin import find
from phx_pipeline.sources.redfin.answers import EmbeddedAnswers
from phx_pipeline.sources.registry import available_sources
from phx_pipeline.sources.zillow.payload import read_page
from phx_pipeline.sources.zillow.search import rows_of, search_url
from phx_pipeline_tests.canned import CannedFetcher
from phx_pipeline_tests.hostile import (
    PAGES,
    RedfinPage,
    RedfinSearch,
    ZillowPage,
    ZillowSearch,
)
from phx_pipeline_tests.unit.sources.maricopa import county
from phx_pipeline_tests.unit.sources.phoenix_mls import (
    test_licensed_reso as reso,
)
from phx_pipeline_tests.unit.sources.phoenix_mls import (
    test_licensed_spark as spark,
)

HERE = "1418 E Quail Whistle Ln, Phoenix, AZ 85042"
_READ_AS_DATA = re.compile(r"/(?:aboveTheFold|belowTheFold|initialInfo|photoTags\w*)")
Read = Callable[[bytes], Listing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A page as JSON, how it is written, and how the source reads it."""

    tree: Any
    body: Callable[[Any], bytes]
    read: Read

    def listing(self) -> Listing:
        """What it says as it is."""
        return self.read(self.body(self.tree))

    def without(self, member: str) -> Listing:
        """What it says when a member has another name."""
        return self.read(self.body(renamed(self.tree, member)))


class Refusing(dict[str, Fetched]):
    """Answers by URL; pages without one are refused."""

    def __missing__(self, url: str) -> BlockedError:
        return BlockedError("no", url=url, status=403)


adapters = cache(available_sources)


def renamed(tree: Any, member: str) -> Any:
    """A copy of JSON in which a member has another name, wherever it stands."""
    if isinstance(tree, dict):
        return {
            f"{name}V2" if name == member else name: renamed(value, member)
            for name, value in tree.items()
        }
    return [renamed(it, member) for it in tree] if isinstance(tree, list) else tree


def members_of(tree: Any) -> Iterator[str]:
    """The names of all members, each once; ids that are keys are none."""
    found: dict[str, None] = {}
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found |= dict.fromkeys(name for name in value if not name.isdigit())
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    yield from found


def house_at(address: str) -> Property:
    return Property.at(Address.parse(address))


def saved(body: bytes, *, source: Source, house: str, url: str = "") -> Listing:
    page = Fetched(url=url, status=200, headers={}, body=body)
    return adapters()[source].read_saved(page, house=house_at(house))


def asked(
    body: bytes, *, source: Source, house: str, others: Mapping[str, bytes]
) -> Listing:
    """What comes of asking, where the search is answered with *body*."""
    at = Address.parse(house)
    first = search_url(at) if source is Source.ZILLOW else find.search_url(at)
    answers = Refusing(
        (url, Fetched(url=url, status=200, headers={}, body=it))
        for url, it in {first: body, **others}.items()
    )
    fetcher: Any = CannedFetcher(answers)
    return asyncio.run(adapters()[source].discover(house_at(house), fetcher=fetcher))


# --- pages that hold every field ------------------------------------------------------


def made() -> dict[str, Sample]:
    redfin, zillow = RedfinPage(), ZillowPage()
    searched, rows = RedfinSearch(), ZillowSearch()
    page = {RedfinPage.url: redfin.body(redfin.tree)}
    of_redfin = partial(saved, source=Source.REDFIN, house=HERE)
    of_zillow = partial(saved, source=Source.ZILLOW, house=HERE)
    redfin_asked = partial(asked, source=Source.REDFIN, house=HERE, others=page)
    zillow_asked = partial(asked, source=Source.ZILLOW, house=HERE, others={})
    return {
        "redfin": Sample(tree=redfin.tree, body=redfin.body, read=of_redfin),
        "zillow": Sample(tree=zillow.tree, body=zillow.body, read=of_zillow),
        "redfin search": Sample(
            tree=searched.tree, body=searched.body, read=redfin_asked
        ),
        "zillow search": Sample(tree=rows.tree, body=rows.body, read=zillow_asked),
    }


# --- answers of the county and of the MLS ---------------------------------------------

_RECORD: dict[str, Any] = {
    "ListPrice": 450_000,
    "BathroomsTotalInteger": 2,
    "LivingArea": 2077,
    "LotSizeAcres": 0.25,
    "PoolFeatures": ["PrivateOnly"],
    "Sewer": ["PublicSewer"],
    "YearBuilt": 1979,
    "StandardStatus": "ActiveUnderContract",
    "MlsStatus": "UCB (Under Contract-Backups)",
    "StoriesTotal": 1,
    "Roof": ["Composition"],
    "ParcelNumber": "14827042",
    "OnMarketDate": "2025-03-02",
}
_MEDIUM: dict[str, Any] = {
    "ImageOf": "Kitchen",
    "ShortDescription": "A kitchen",
    "ImageWidth": 1024,
    "ImageHeight": 768,
}


def answered() -> dict[str, Sample]:
    """Drawn answers: none of the search, the map or the RESO API was ever captured."""
    of_county = {
        "maricopa search": partial(county_asked, what="search", token=TOKEN),
        "maricopa parcel": partial(county_asked, what="parcel", token=TOKEN),
        "maricopa map": partial(county_asked, what="map", token=""),
    }
    bodies = county.search(county.HERE), county.parcel(), county.on_map()
    media = [reso.medium(number, **_MEDIUM) for number in (0, 1)]
    records = [reso.old(), reso.record(**_RECORD, Media=media)]
    photos = [spark.entry(number, Caption="A room") for number in (0, 1)]
    listings = [spark.record(ListingContractDate="2025-03-01", **_RECORD)]
    rows = {name: paged(it) for name, it in (("0", listings), ("1", photos))}
    return {
        **{
            name: Sample(tree=json.loads(body), body=as_json, read=read)
            for (name, read), body in zip(of_county.items(), bodies, strict=True)
        },
        "mls reso": Sample(tree={"value": records}, body=as_json, read=reso_asked),
        "mls spark": Sample(tree=rows, body=as_json, read=spark_asked),
    }


def as_json(tree: Any) -> bytes:
    return json.dumps(tree).encode()


def paged(rows: list[Any]) -> dict[str, Any]:
    told = {"Success": True, "Results": rows, "Pagination": {"TotalRows": len(rows)}}
    return {"D": told}


def county_asked(body: bytes, *, what: str, token: str) -> Listing:
    return asyncio.run(county.asked(county.whole(**{what: body}), token=token))


def reso_asked(body: bytes) -> Listing:
    page = Fetched(url=reso.URL, status=200, headers={}, body=body)
    return of_mls(CannedFetcher({reso.URL: page}), reso.HOUSE, "PHX_RESO_TOKEN")


def spark_asked(body: bytes) -> Listing:
    return of_mls(TwoAnswers(body), spark.HOUSE, "PHX_SPARK_TOKEN")


def of_mls(fetcher: Any, house: Property, token: str) -> Listing:
    source = Border(PhoenixMls({token: "a-token"}))
    return asyncio.run(source.discover(house, fetcher=fetcher))


class TwoAnswers:
    """A feed that gives one answer to a question of listings, one to that of photos."""

    def __init__(self, body: bytes) -> None:
        self._bodies = [json.dumps(it).encode() for it in json.loads(body).values()]

    async def get(self, request: Request) -> Fetched:
        body = self._bodies["/photos" in request.url]
        return Fetched(url=request.url, status=200, headers={}, body=body)

    async def aclose(self) -> None:
        """There is nothing to close."""


# --- pages of each kind, written as they come -----------------------------------------

_MEMBER = re.compile(rb'"([A-Za-z_][\w.]*)\\*"\s*:')


def written(name: str) -> Sample:
    """A page of ours; its members are renamed in the text, also in JSON in a text."""
    site, _, file = name.partition(" ")
    text = (PAGES / site / file).read_bytes()
    source = Source(site)
    page = Fetched(url="", status=200, headers={}, body=text)
    read: Read
    if "search" in file:
        read = partial(asked, source=source, house=HERE, others={})
    else:
        own = str(adapters()[source].address_of(page))
        read = partial(saved, source=source, house=own)
    members = dict.fromkeys(it.decode() for it in _MEMBER.findall(text))
    return Sample(tree=members, body=partial(_with_members, text), read=read)


def _with_members(text: bytes, members: Mapping[str, None]) -> bytes:
    for member in members:
        old = member.removesuffix("V2").encode()
        if member.endswith("V2"):
            text = re.sub(rb'"%s(\\*"\s*:)' % re.escape(old), rb'"%sV2\1' % old, text)
    return text


# Also one whose home was sold, one off the market, one with a unit.
WRITTEN = (
    *("redfin off_market.html", "redfin sold_with_gallery.html", "redfin unit.html"),
    *("zillow listed_apollo.html", "zillow sold.html"),
)
MORE_WRITTEN = (
    *("redfin listed.html", "redfin listed_empty.html"),
    *("redfin listed_other_paths.html", "zillow listed_2023.html"),
    *("zillow listed_2026.html", "zillow off_market.html", "zillow unit.html"),
    *("zillow overlay.html", "zillow search_2018.json", "zillow search_2021.html"),
    *("zillow search_2024.html", "zillow search_2026.html"),
)


# --- captured pages -------------------------------------------------------------------


def captured_redfin(samples: Path) -> Sample:
    """The answers of a captured page that are read of it."""
    name = "redfin/detail_2026-02_dahlonega_home137774138_undercontract.html"
    whole = EmbeddedAnswers((samples / name).read_text(encoding="utf-8"))
    entries: Any = whole._entries
    tree = {
        path: json.loads(entry["res"]["text"].removeprefix("{}&&"))
        for path, entry in entries.items()
        if _READ_AS_DATA.search(path)
    }
    house = "94 King Arthur Ct, Dahlonega, GA 30533"
    read = partial(saved, source=Source.REDFIN, house=house)
    return Sample(tree=tree, body=RedfinPage().body, read=read)


def captured_home(samples: Path, *, name: str, house: str) -> Sample:
    """A captured property object in the page that holds such objects."""
    home = json.loads((samples / "zillow" / name).read_text(encoding="utf-8"))
    query = f'ForSaleShopperPlatformFullRenderQuery{{"zpid":{home["zpid"]}}}'
    return Sample(
        tree={query: {"property": home}},
        body=ZillowPage().body,
        read=partial(saved, source=Source.ZILLOW, house=house),
    )


def captured_row(samples: Path, *, name: str, at: int = 3) -> Sample:
    """A row of a captured search page and a neighbour; its detail page is refused."""
    body = (samples / "zillow" / name).read_bytes()
    page = read_page(Fetched(url="", status=200, headers={}, body=body))
    rows = [row for row in rows_of(page.search or {}) if row.addresses]
    told = [row for row in rows if row.photo_keys] or rows
    house = str(told[at].addresses[0])
    tree = _cut(page.search, zpid=told[at].zpid)
    read = partial(asked, source=Source.ZILLOW, house=house, others={})
    return Sample(
        tree=tree,
        body=(lambda it: json.dumps(it).encode())
        if "map" in tree
        else ZillowSearch().body,
        read=read,
    )


def _cut(search: Any, *, zpid: str) -> Any:
    if "map" in search:
        homes = search["map"]["properties"]
        own = [home for home in homes if zpid in json.dumps(home)]
        return {"map": {"properties": [*own[:1], *homes[:1]]}}
    return {
        key: {
            "searchResults": {
                name: _own_and_next(rows, zpid=zpid)
                for name, rows in category["searchResults"].items()
                if isinstance(rows, list)
            }
        }
        for key, category in search.items()
        if isinstance(category, dict) and "searchResults" in category
    }


def _own_and_next(rows: list[Any], *, zpid: str) -> list[Any]:
    homes = [row for row in rows if isinstance(row, dict)]
    own = [row for row in homes if str(row.get("zpid")) == zpid]
    return own + [row for row in homes if row not in own][:1]


def captured_parcel(samples: Path, *, name: str, house: str) -> Sample:
    """A captured answer about a parcel."""
    tree = json.loads((samples / "maricopa" / name).read_text(encoding="utf-8"))
    read = partial(saved, source=Source.MARICOPA, house=house)
    return Sample(tree=tree, body=as_json, read=read)


CAPTURED: Mapping[str, Callable[[Path], Sample]] = {
    "redfin 2026": captured_redfin,
    "zillow 2023": partial(
        captured_home,
        name="property_2023-05_sf_zpid15192198.json",
        house="661 Lakeview Ave, San Francisco, CA 94112",
    ),
    "zillow 2025": partial(
        captured_home,
        name="property_2025-02_beverlyhills_zpid20533547.json",
        house="73 Beverly Park Ln, Beverly Hills, CA 90210",
    ),
    "maricopa 501-79-577": partial(
        captured_parcel,
        name="parcel_501-79-577.json",
        house="15847 W Port Royale Ln, Surprise, AZ 85379",
    ),
    "maricopa 501-93-515": partial(
        captured_parcel,
        name="parcel_501-93-515.json",
        house="16219 W Cottonwood St, Surprise, AZ 85374",
    ),
    "maricopa 509-11-455": partial(
        captured_parcel,
        name="parcel_509-11-455.json",
        house="15947 W Winchcomb Dr, Surprise, AZ 85379",
    ),
    **{
        f"zillow search {name[7:14]}": partial(captured_row, name=name)
        for name in (
            "search_2026-03_houston_forsale.html",
            "search_2024-11_albuquerque.html",
            "search_2025-06_zip04011.html",
            "search_2021-07_rentals.html",
            "search_2018-12_GetResults.json",
        )
    },
}
