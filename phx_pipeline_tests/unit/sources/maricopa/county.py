"""The county of these tests: made-up houses, and its answers by URL."""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from phx_pipeline.demo.houses import HOUSES
from phx_pipeline.fetch.base import Fetched
from phx_pipeline.model.address import Address
from phx_pipeline.model.listing import Listing
from phx_pipeline.model.property import Property
from phx_pipeline.sources.border import Border
from phx_pipeline.sources.maricopa import MaricopaAssessor
from phx_pipeline.sources.maricopa.parcel import parcel_url
from phx_pipeline.sources.maricopa.parcel_map import map_url
from phx_pipeline.sources.maricopa.search import search_url
from phx_pipeline.sources.maricopa.standin import (
    TOKEN,
    map_answer,
    parcel_answer,
    parcel_of,
    search_row,
)
from phx_pipeline.sources.standins import House
from phx_pipeline_tests.canned import CannedFetcher

HERE, *OTHERS = HOUSES
ADDRESS = Address.parse(HERE.address)
HOUSE = Property.at(ADDRESS)
PARCEL = parcel_of(HERE)
SEARCH, ANSWER, MAP = search_url(ADDRESS), parcel_url(PARCEL), map_url(ADDRESS)


def png(shade: int = 0) -> bytes:
    """The smallest PNG, of one shade."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes([0, shade]))),
        (b"IEND", b""),
    )
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", _crc(name, data))
        for name, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _crc(name: bytes, data: bytes) -> int:
    return zlib.crc32(name + data)


SKETCHES = (png(10), png(200))
Answer = bytes | Fetched | Exception


def parcel(house: House = HERE, *, sketches: Sequence[bytes] = SKETCHES) -> bytes:
    """What the county knows of a parcel; other houses are called similar."""
    others = [other for other in HOUSES if other is not house]
    return parcel_answer(house, sketches=sketches, others=others)


def search(*houses: House) -> bytes:
    """A page of the search that shows these houses."""
    rows = [search_row(house) for house in houses]
    return json.dumps({"TOTAL": len(rows), "Results": rows}).encode()


def on_map(houses: Sequence[House] = HOUSES) -> bytes:
    """The parcels of the map with the house's number, street and ZIP."""
    where = f"PHYSICAL_STREET_NUM='{HERE.number}'"
    return map_answer(where, houses=houses)


def fetched(body: bytes, *, url: str = ANSWER, status: int = 200) -> Fetched:
    """An answer as it comes."""
    return Fetched(url=url, status=status, headers={}, body=body)


class Answers(dict[str, Fetched | Exception]):
    """Answers by URL; whoever asks for another parcel gets that of another house."""

    def __missing__(self, url: str) -> Fetched:
        assert url.startswith(parcel_url(""))
        return fetched(parcel(OTHERS[0]), url=url)


def county(answers: Mapping[str, Answer]) -> CannedFetcher:
    """A county that gives these answers, by URL."""
    made = Answers()
    for url, it in answers.items():
        made[url] = fetched(it, url=url) if isinstance(it, bytes) else it
    return CannedFetcher(made)


def whole(**changed: Answer) -> CannedFetcher:
    """A county that answers as it should, but for `search`, `parcel` or `map`."""
    usual: dict[str, Answer] = {
        "search": search(HERE),
        "parcel": parcel(),
        "map": on_map(),
    }
    urls = {"search": SEARCH, "parcel": ANSWER, "map": MAP}
    return county({urls[name]: it for name, it in (usual | changed).items()})


async def asked(
    fetcher: CannedFetcher, *, house: Property = HOUSE, token: str = TOKEN
) -> Listing:
    """What the source tells of a house, as the pipeline gets it."""
    source = Border(MaricopaAssessor(token))
    return await source.discover(house, fetcher=fetcher)


def beside(house: House, **changed: str) -> House:
    """Another house, told apart by what has *changed*."""
    return replace(house, **changed)  # type: ignore[arg-type]  # texts of a house
